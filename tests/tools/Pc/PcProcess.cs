using Plexus.Tools.Tests.Linux;
using Xunit;

namespace Plexus.Tools.Tests.Pc;

/// <summary>Runs of the <c>pc</c> machine with Debian's SeaBIOS.</summary>
internal static class PcProcess
{
    /// <summary>Runs until the guest or the script has ended.</summary>
    public static Task<(int ExitCode, string Console, string Messages)> Run(params string[] arguments) =>
        GuestProcess.Run(["-M", "pc", "--bios", GuestProcess.Guest("seabios", "bios-256k.bin"), .. arguments]);

    /// <summary>Runs a script to its end: every step must come.</summary>
    /// <returns>What the guest sent on its serial line.</returns>
    public static async Task<string> Succeed(params string[] arguments)
    {
        (int code, string console, string messages) = await Run(arguments);
        Assert.True(code == 0, $"{console}\n{messages}");
        return console;
    }

    /// <summary>What the init of the plain initial RAM disk prints.</summary>
    public static void CheckScript(string console) =>
        Assert.All((string[])["READY 6", "LOOP 20000", "FORKS 100", "FP 1.644884065598", "DONE"], line => Assert.Contains(line, console, StringComparison.Ordinal));

    /// <summary>An option that names a fetched image of which nothing is changed.</summary>
    public static string Drive(string folder, string file, string interfaceName = "ide") => $"file={GuestProcess.Guest(folder, file)},if={interfaceName},snapshot=on";
}
