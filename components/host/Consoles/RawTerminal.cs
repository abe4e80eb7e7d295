using System.Runtime.InteropServices;

namespace Plexus.Host.Consoles;

/// <summary>The terminal on standard input in raw mode: no echo, no lines, no signals by keys (termios(3)). It is given back when disposed, and when the process exits.</summary>
internal sealed partial class RawTerminal : IDisposable
{
    private const int StandardInput = 0;
    private const int Now = 0;

    /// <summary>More than any struct termios of the C libraries of Linux (60 bytes with glibc).</summary>
    private const int TermiosSize = 256;

    private readonly byte[] before = new byte[TermiosSize];
    private bool restored;

    private RawTerminal()
    {
    }

    /// <summary>Enters raw mode; null where standard input has no terminal settings.</summary>
    public static RawTerminal? Enter()
    {
        if (!OperatingSystem.IsLinux())
            return null;
        var terminal = new RawTerminal();
        if (GetAttributes(StandardInput, terminal.before) != 0)
            return null;
        byte[] raw = [.. terminal.before];
        MakeRaw(raw);
        if (SetAttributes(StandardInput, Now, raw) != 0)
            return null;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => terminal.Dispose();
        return terminal;
    }

    public void Dispose()
    {
        if (restored)
            return;
        restored = true;
        SetAttributes(StandardInput, Now, before);
    }

    [LibraryImport("libc", EntryPoint = "tcgetattr")]
    private static partial int GetAttributes(int descriptor, [Out] byte[] termios);

    [LibraryImport("libc", EntryPoint = "tcsetattr")]
    private static partial int SetAttributes(int descriptor, int when, byte[] termios);

    [LibraryImport("libc", EntryPoint = "cfmakeraw")]
    private static partial void MakeRaw([In, Out] byte[] termios);
}
