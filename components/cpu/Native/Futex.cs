using System.Runtime.InteropServices;

namespace Plexus.Cpu.Native;

/// <summary>futex(2) on words that processes share.</summary>
/// <remarks>unsafe: a word stays mapped while it is waited for; intervals are on the stack.</remarks>
internal static unsafe partial class Futex
{
    private const long NanosecondsPerSecond = 1_000_000_000;

    /// <summary>Waits while a word has a value.</summary>
    /// <param name="word">The word.</param>
    /// <param name="value">The value.</param>
    /// <param name="nanoseconds">The longest wait.</param>
    /// <returns>True when it was woken.</returns>
    public static bool Wait(int* word, int value, long nanoseconds)
    {
        long* interval = stackalloc long[2] { nanoseconds / NanosecondsPerSecond, nanoseconds % NanosecondsPerSecond };
        return Call(SystemCall.Futex, word, SystemCall.FutexWait, value, (nint)interval, null, 0) == 0;
    }

    /// <summary>Wakes one that waits.</summary>
    /// <returns>How many there were.</returns>
    public static int Wake(int* word) => (int)Call(SystemCall.Futex, word, SystemCall.FutexWake, 1, 0, null, 0);

    /// <summary>How many wait for a word, 1 at most: the host counts them when it would move them to another word's queue, which is here the same one.</summary>
    public static int CountSleepers(int* word) => (int)Call(SystemCall.Futex, word, SystemCall.FutexRequeue, 0, 1, word, 0);

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint Call(nint number, int* word, nint operation, nint value, nint timeoutOrCount, int* second, nint third);
}
