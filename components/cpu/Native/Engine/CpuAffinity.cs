using System.Runtime.InteropServices;

namespace Plexus.Cpu.Native.Engine;

/// <summary>
/// Keeps the vCPU's thread on one processor of the host: containers inherit it, so that a hand-over is a switch of processes and not an interrupt to another processor.
/// </summary>
/// <remarks>unsafe: the processor set is a bit mask on the stack.</remarks>
internal sealed unsafe partial class CpuAffinity : IDisposable
{
    private const int SetBytes = 128;
    private const long MillisecondsBetweenLooks = 100;

    private readonly byte[] before = new byte[SetBytes];
    private readonly HashSet<int> seen = [];
    private long nextLook;
    private int thread;
    private int processor = -1;

    /// <summary>The processor of the vCPU's thread; -1 before the first run.</summary>
    public int Processor => processor;

    /// <summary>Another one that this process may use; -1 for none.</summary>
    public int Other { get; private set; } = -1;

    /// <summary>How many this process may use.</summary>
    public static int Count()
    {
        byte* set = stackalloc byte[SetBytes];
        int count = 0;
        if (Call(SystemCall.GetAffinity, 0, SetBytes, set) > 0)
        {
            for (int i = 0; i < SetBytes; i++)
                count += System.Numerics.BitOperations.PopCount(set[i]);
        }

        return Math.Max(1, count);
    }

    /// <summary>Keeps the calling thread on one processor, until <see cref="Dispose"/>.</summary>
    /// <param name="number">Its number; negative for wherever the thread may be already.</param>
    public void PinTo(int number)
    {
        if (number < 0)
            return;
        Begin();
        processor = number;
        Place(0, number);
    }

    private void Begin()
    {
        thread = Environment.CurrentManagedThreadId;
        Array.Clear(before);
        fixed (byte* set = before)
            _ = Call(SystemCall.GetAffinity, 0, SetBytes, set);
    }

    /// <summary>
    /// Lets the other threads of this process go where the vCPU's was allowed to. Those that the runtime makes (to compile code, above all) begin where the one was kept that
    /// happened to make them.
    /// </summary>
    public void FreeOthers()
    {
        long now = Environment.TickCount64;
        if (processor < 0 || now < nextLook)
            return;
        nextLook = now + MillisecondsBetweenLooks;
        long self = CallPlain(SystemCall.GetThreadId);
        foreach (string path in Directory.EnumerateDirectories("/proc/self/task"))
        {
            if (!int.TryParse(Path.GetFileName(path.AsSpan()), out int other) || other == self || !seen.Add(other))
                continue;
            fixed (byte* set = before)
                _ = Call(SystemCall.SetAffinity, other, SetBytes, set);
        }
    }

    /// <summary>Keeps the calling thread where it is, until <see cref="Dispose"/>.</summary>
    public void Pin()
    {
        if (thread == Environment.CurrentManagedThreadId)
            return;
        Begin();
        uint here = 0;
        if (CallCpu(SystemCall.GetCpu, &here, null, null) != 0 || here >= SetBytes * 8)
            return;
        processor = (int)here;
        Other = -1;
        for (int i = 0; i < SetBytes * 8 && Other < 0; i++)
        {
            if (i != processor && (before[i / 8] & (1 << (i % 8))) != 0)
                Other = i;
        }

        Place(0, processor);
    }

    /// <summary>Puts a thread on a processor.</summary>
    public static void Place(int thread, int processor)
    {
        if (processor is < 0 or >= SetBytes * 8)
            return;
        byte* one = stackalloc byte[SetBytes];
        new Span<byte>(one, SetBytes).Clear();
        one[processor / 8] = (byte)(1 << (processor % 8));
        _ = Call(SystemCall.SetAffinity, thread, SetBytes, one);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (thread != Environment.CurrentManagedThreadId || processor < 0)
            return;
        fixed (byte* set = before)
            _ = Call(SystemCall.SetAffinity, 0, SetBytes, set);
        thread = 0;
    }

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint Call(nint number, nint process, nint size, byte* set);

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint CallPlain(nint number);

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint CallCpu(nint number, uint* processor, uint* node, void* unused);
}
