using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Plexus.Cpu.Native.Engine;

/// <summary>
/// Kicks a guest whose time is up from a thread on another processor of the host's. The monitor's own thread shares the guest's: when its sleep ends, the host may let the guest
/// have the rest of its slice first, which is milliseconds.
/// </summary>
/// <remarks>unsafe: the word that the thread sleeps on is native memory, freed when the thread has ended.</remarks>
internal sealed unsafe partial class Kicker : IDisposable
{
    private const int Idle = 0, Armed = 1, Kicking = 2;
    private const int SetTimerSlack = 29;
    private const long LongestSleep = 1_000_000_000;

    /// <summary>A sleep that ends so much too late is not ended for it: the same deadline comes again a little different from run to run.</summary>
    private static readonly long Tolerance = Stopwatch.Frequency / 50_000;

    /// <summary>With no deadline to come it looks again after so long, for a while: the next one is mostly later than that, and to wake somebody on another processor is dear.</summary>
    private static readonly long LookAgain = Stopwatch.Frequency / 2_000;
    private const int Looks = 100;

    private readonly Thread thread;
    private readonly int processor;
    private readonly int* word;
    private long deadline = long.MaxValue;
    private long planned;
    private int target;
    private int hastened;
    private int state;
    private bool ended;

    /// <summary>Begins.</summary>
    /// <param name="processor">Where its thread runs.</param>
    public Kicker(int processor)
    {
        this.processor = processor;
        word = (int*)NativeMemory.AllocZeroed(sizeof(int));
        thread = new Thread(Watch) { IsBackground = true, Name = "guest kicker" };
        thread.Start();
    }

    /// <summary>A guest is to be kicked when its time is up.</summary>
    /// <param name="process">The container; its first thread is meant.</param>
    /// <param name="at">When, by <see cref="Stopwatch"/>.</param>
    public void Arm(int process, long at)
    {
        target = process;
        Volatile.Write(ref deadline, at);
        Interlocked.Exchange(ref state, Armed);
        if (Volatile.Read(ref hastened) != 0)
            Volatile.Write(ref deadline, at = 0);
        Rouse(at);
    }

    /// <summary>The time of the guest that runs, or is about to, is up; from any thread.</summary>
    public void Hasten()
    {
        Interlocked.Exchange(ref hastened, 1);
        if (Volatile.Read(ref state) != Armed)
            return;
        Volatile.Write(ref deadline, 0);
        Rouse(0);
    }

    /// <summary>It has stopped by itself, or was kicked.</summary>
    /// <returns>True when it was kicked.</returns>
    public bool Disarm()
    {
        Volatile.Write(ref hastened, 0);
        if (Interlocked.CompareExchange(ref state, Idle, Armed) == Armed)
            return false;
        SpinWait spin = default;
        while (Volatile.Read(ref state) == Kicking)
            spin.SpinOnce();
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Volatile.Write(ref ended, true);
        Interlocked.Increment(ref *word);
        _ = Futex.Wake(word);
        thread.Join();
        NativeMemory.Free(word);
    }

    /// <summary>Kicks a container now.</summary>
    /// <param name="process">The container; its first thread is meant.</param>
    public static void Kick(int process) => _ = Call(SystemCall.Tgkill, process, process, SystemCall.SignalUser1);

    private void Rouse(long at)
    {
        // Locked: the thread either sees the new word before it sleeps, or has said until when it does.
        Interlocked.Increment(ref *word);
        if (Volatile.Read(ref planned) - at > Tolerance)
            _ = Futex.Wake(word);
    }

    private void Watch()
    {
        CpuAffinity.Place(0, processor);
        _ = Call(SystemCall.Prctl, SetTimerSlack, 1, 0);
        int looks = 0;
        while (!Volatile.Read(ref ended))
        {
            int seen = Volatile.Read(ref *word);
            long now = Stopwatch.GetTimestamp();
            long until = Volatile.Read(ref deadline);
            if (until <= now && Volatile.Read(ref state) == Armed)
            {
                if (Interlocked.CompareExchange(ref state, Kicking, Armed) == Armed)
                {
                    Kick(target);
                    Volatile.Write(ref state, Idle);
                }

                continue;
            }

            // Until a deadline that may have been disarmed: the next one is rarely before it, and then nobody has to be woken for it.
            bool isAhead = until > now && until != long.MaxValue;
            looks = isAhead ? 0 : Math.Min(looks + 1, Looks);
            until = isAhead ? until : looks < Looks ? now + LookAgain : long.MaxValue;
            Interlocked.Exchange(ref planned, until);
            double sleep = (until - now) * (1e9 / Stopwatch.Frequency);
            _ = Futex.Wait(word, seen, sleep > LongestSleep ? LongestSleep : Math.Max(1, (long)sleep));
            Interlocked.Exchange(ref planned, 0);
        }
    }

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint Call(nint number, nint first, nint second, nint third);
}
