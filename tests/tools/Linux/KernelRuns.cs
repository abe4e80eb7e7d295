namespace Plexus.Tools.Tests.Linux;

/// <summary>One run under emulation, and one for each kind of road at ring 3 (a gate, a CALL, a JMP); two at a time.</summary>
public sealed class KernelRuns
{
    internal const string Emulated = "emulated";
    internal const string CommandLine = "earlyprintk=serial,ttyS0,115200 console=ttyS0 nokaslr";

    private const string WithoutFpu = "pentium-pro-nofpu";

    internal static readonly string[] Strategies = ["int3-ring3", "call-table", "auto"];

    private readonly Dictionary<string, Task<(int ExitCode, string Console, string Messages)>> runs = [];

    private readonly SemaphoreSlim atOnce = new(2);

    public KernelRuns()
    {
        runs.Add(Emulated, Boot("--engine", "emulated", "--cpu", WithoutFpu));
        foreach (string strategy in Strategies)
            runs.Add(strategy, Boot("--engine", "ring3", "--strategy", strategy, "--cpu", WithoutFpu));
    }

    internal Task<(int ExitCode, string Console, string Messages)> this[string run] => runs[run];

    private async Task<(int ExitCode, string Console, string Messages)> Boot(params string[] engine)
    {
        await atOnce.WaitAsync();
        try
        {
            return await Run(engine);
        }
        finally
        {
            atOnce.Release();
        }
    }

    private static Task<(int ExitCode, string Console, string Messages)> Run(string[] engine) => GuestProcess.Run(
        [.. engine, "--kernel", GuestProcess.Guest("linux-686", "vmlinuz"), "--append", CommandLine, "-m", "128M", "--no-reboot", "--limit-instructions", "2600000000"]);
}
