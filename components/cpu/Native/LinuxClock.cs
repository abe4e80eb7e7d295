using System.Runtime.InteropServices;

namespace Plexus.Cpu.Native;

/// <summary>Sleeping with the host's own resolution; the runtime's sleeps whole milliseconds.</summary>
/// <remarks>unsafe: the interval is on the stack.</remarks>
public static unsafe partial class LinuxClock
{
    private const long NanosecondsPerSecond = 1_000_000_000;

    /// <summary>Sleeps; a signal may end it early.</summary>
    /// <param name="nanoseconds">How long.</param>
    public static void Sleep(ulong nanoseconds)
    {
        long* interval = stackalloc long[2] { (long)nanoseconds / NanosecondsPerSecond, (long)nanoseconds % NanosecondsPerSecond };
        _ = Nanosleep(interval, null);
    }

    [LibraryImport("libc", EntryPoint = "nanosleep")]
    private static partial int Nanosleep(long* interval, long* left);
}
