using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using L = Plexus.Cpu.Native.Engine.EngineLayout;

namespace Plexus.Cpu.Native.Engine;

/// <summary>
/// A confined process in which guest code of one address space and one privilege class runs on the host's processor. The guest is assumed to own it: what is read back
/// is data. Mapping requests are collected and carried out by its second thread before the guest goes on.
/// </summary>
/// <remarks>unsafe: both regions are shared memory that this object keeps mapped; offsets into them are constants or checked.</remarks>
internal sealed unsafe class GuestContainer : IDisposable
{
    /// <summary>Up to so many pages are made present at once; larger mappings when they are touched.</summary>
    private const uint PopulatedPages = 16;

    /// <summary>The longest sleep without a look at whether the container lives and whether the host wants a stop.</summary>
    private const long LongestSleep = 5_000_000;

    /// <summary>System calls answer with a negative error number of at most this (MAX_ERRNO, include/linux/err.h).</summary>
    private const int LargestError = 4095;

    /// <summary>The guest is looked at after a minute in any case, and what a kicker has not done in a millisecond the monitor's thread does.</summary>
    private const long LongestRun = 60_000_000_000, KickerPatience = 1_000_000;

    private const long FirstKickPatience = 200_000, LastKickPatience = 20_000_000;

    private static readonly Lazy<int> Executable = new(() => SharedRegion.CreateFile("plexus-guest", 0, EngineProgram.Instance.Image));

    private readonly SharedRegion control;
    private readonly SharedRegion memory;
    private readonly LinuxProcess process;
    private readonly List<Order> pending = [];
    private readonly byte* state;
    private readonly byte* orders;
    private int batch;
    private int placed = -1;
    private bool kicked;

    /// <summary>Starts a container.</summary>
    /// <param name="memory">Guest memory; outlives the container.</param>
    /// <param name="processor">The host's processor that it is to begin on; negative for any.</param>
    /// <exception cref="ContainerException">The host refused a step.</exception>
    public GuestContainer(SharedRegion memory, int processor = -1)
    {
        this.memory = memory;
        control = new SharedRegion("plexus-control", L.StateSize + L.OrdersSize);
        state = control.Address;
        orders = state + L.StateSize;
        LinuxProcess? started = null;
        try
        {
            EngineProgram.Instance.FillOrders(new Span<byte>(orders, L.OrdersSize));
            string argument = EngineProgram.Argument(control.Descriptor, memory.Descriptor);
            started = LinuxProcess.Start(Executable.Value, "plexus-guest", argument, [control.Descriptor, memory.Descriptor], blocksSignals: true, processor);
            placed = processor;
            process = started;
            string? failure = Await(long.MaxValue, null);
            StartStage stage = (StartStage)State(L.Stage);
            if (failure is null && stage == StartStage.Ready)
                return;
            int error = -State(L.Error);
            throw new ContainerException(string.Create(
                CultureInfo.InvariantCulture,
                $"the container did not start: {(stage == StartStage.Ready ? failure : $"step {stage} failed with error {error} ({Marshal.GetPInvokeErrorMessage(error)})")}"))
            { Stage = stage };
        }
        catch
        {
            started?.Dispose();
            control.Dispose();
            throw;
        }
    }

    /// <summary>Batches that its second thread did, the system calls in them, and kicks that its first thread was given.</summary>
    public ulong Batches { get; private set; }

    public ulong Calls { get; private set; }

    public ulong Kicks { get; private set; }

    /// <summary>How often the monitor looks whether it has the turn before it sleeps.</summary>
    public int MonitorSpins { get; set; }

    /// <summary>Kicks the guest in time; null where there is no other processor for it.</summary>
    public Kicker? Kicker { get; set; }

    /// <summary>Its process id.</summary>
    public int ProcessId => process.Id;

    /// <summary>A word of the state: what the guest left there.</summary>
    public int State(int offset) => Volatile.Read(ref Unsafe.AsRef<int>(state + offset));

    /// <summary>Two words of the state.</summary>
    public ulong WideState(int offset) => Volatile.Read(ref Unsafe.AsRef<ulong>(state + offset));

    /// <summary>The floating-point image that the guest left.</summary>
    public ReadOnlySpan<byte> ExitFx => new(state + L.ExitFx, 512);

    /// <summary>The floating-point image to enter with.</summary>
    public Span<byte> EntryFx => new(orders + L.EntryFx, 512);

    /// <summary>Something is to be done before the guest goes on.</summary>
    public bool HasOrders => pending.Count != 0;

    /// <summary>Sets a word of the orders.</summary>
    public void SetOrder(int offset, uint value) => *(uint*)(orders + offset) = value;

    /// <summary>Maps guest frames in the next batch.</summary>
    public void Map(uint linearPage, uint frame, uint pages, ContainerAccess access) => Add(new Order(SystemCall.Mmap, linearPage, pages, frame, access));

    /// <summary>Changes the rights of pages that are mapped, in the next batch.</summary>
    public void Protect(uint linearPage, uint pages, ContainerAccess access) => Add(new Order(SystemCall.Mprotect, linearPage, pages, 0, access));

    /// <summary>Unmaps pages in the next batch.</summary>
    public void Unmap(uint linearPage, uint pages) => Add(new Order(SystemCall.Munmap, linearPage, pages, 0, ContainerAccess.None));

    /// <summary>Writes an LDT entry in the next batch.</summary>
    /// <param name="entry">Below <see cref="L.MaximumSegments"/>.</param>
    /// <param name="segmentBase">Base linear address.</param>
    /// <param name="limit">Limit, 20 bits.</param>
    /// <param name="flags">Bits of <c>struct user_desc</c> behind base and limit.</param>
    public void SetSegment(uint entry, uint segmentBase, uint limit, uint flags)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(entry, (uint)L.MaximumSegments);
        uint* descriptor = (uint*)(orders + L.Segments + (entry * L.SegmentSize));
        descriptor[0] = entry;
        descriptor[1] = segmentBase;
        descriptor[2] = limit;
        descriptor[3] = flags;
        pending.Add(new Order(SystemCall.ModifyLdt, entry, 0, 0, ContainerAccess.None));
    }

    /// <summary>
    /// Lets the guest go on from the entry registers, after what was ordered, until an exception, or until the time is up and it was kicked.
    /// </summary>
    /// <param name="nanoseconds">The most time it may take.</param>
    /// <param name="wantsStop">Asks whether the host wants a stop.</param>
    /// <returns>Null, or why the container is lost.</returns>
    public string? Run(long nanoseconds, Func<bool> wantsStop)
    {
        kicked = false;
        if (Kicker is null)
            return RunUntilKicked(nanoseconds, wantsStop);
        nanoseconds = Math.Min(nanoseconds, LongestRun);

        // Armed beforehand: the guest that is woken may have the processor of this thread at once, and for the rest of its slice.
        Kicker.Arm(process.Id, Stopwatch.GetTimestamp() + (long)(nanoseconds * (Stopwatch.Frequency / 1e9)));
        string? failure = RunUntilKicked(nanoseconds + KickerPatience, wantsStop);
        if (!Kicker.Disarm())
            return failure;
        Kicks++;
        kicked = true;
        return failure;
    }

    private string? RunUntilKicked(long nanoseconds, Func<bool> wantsStop)
    {
        if (pending.Count == 0)
        {
            Set(state + L.GuestGo, 1);
            if (State(L.GuestSleeps) != 0)
                Wake(state + L.GuestGo);
            return Await(nanoseconds, wantsStop);
        }

        Volatile.Write(ref Unsafe.AsRef<int>(state + L.OrderError), 0);
        for (int done = 0; done < pending.Count;)
        {
            // Guest code in 64-bit mode can say that the last batch is done: the mapper must not meet the next one in the middle of it.
            if (!AwaitSleeper(orders + L.Posted))
                return EndOr("the second thread of the guest's container did not finish what was ordered");
            int count = Math.Min(pending.Count - done, L.MaximumOrders);
            for (int i = 0; i < count; i++)
                Write(pending[done + i], (ulong*)(orders + L.OrdersAt + (i * L.OrderSize)));
            done += count;
            Batches++;
            Calls += (ulong)count;
            *(int*)(orders + L.Count) = count;
            *(int*)(orders + L.ThenGuest) = done == pending.Count ? 1 : 0;
            Set(orders + L.Posted, ++batch);
            Wake(orders + L.Posted);
            if ((done == pending.Count ? Await(nanoseconds, wantsStop) : Await(long.MaxValue, null)) is { } failure)
                return failure;

            // The mapper's word, but guest code in 64-bit mode can write it as well: only what the host can have answered is the host's.
            int error = State(L.OrderError);
            if (error is < 0 and >= -LargestError)
                return string.Create(CultureInfo.InvariantCulture, $"the host refused a mapping of the guest's container: error {-error} ({Marshal.GetPInvokeErrorMessage(-error)})");
            if (error != 0)
                return string.Create(CultureInfo.InvariantCulture, $"the guest's container told of an error of the host that there is none of: {error}");
        }

        pending.Clear();
        return null;
    }

    /// <summary>Keeps both threads on one processor of the host's; where it refuses, they run anywhere.</summary>
    /// <param name="processor">Its number; negative for any.</param>
    public void Place(int processor)
    {
        if (processor < 0 || processor == placed)
            return;
        placed = processor;
        CpuAffinity.Place(process.Id, processor);

        // What the container says of its second thread is not believed beyond this: a thread of somebody else's is not moved.
        int mapper = State(L.MapperThread);
        if (File.Exists(string.Create(CultureInfo.InvariantCulture, $"/proc/{process.Id}/task/{mapper}/stat")))
            CpuAffinity.Place(mapper, processor);
    }

    /// <summary>Ends it without waiting; <see cref="Dispose"/> is still to be called.</summary>
    public void Kill() => process.KillSoon();

    /// <summary>
    /// Makes sure that the guest's thread has stopped, which guest code in 64-bit mode can say without doing it; it would run on beside other code of the guest's, with
    /// pages that are taken from it meanwhile. It has stopped when it waits in the host's kernel for the word by which the monitor and the mapper alone have it go on.
    /// </summary>
    /// <returns>Null, or why the container is lost.</returns>
    public string? Settle()
    {
        byte* word = state + L.GuestGo;

        // A kick that was still on its way would wake it; woken once by us it has taken that, and sleeps again. It may take it between the two looks.
        bool stopped = !kicked;
        for (int attempt = 0; attempt < SettlingAttempts && !stopped && AwaitSleeper(word); attempt++)
            stopped = Rouse(word);
        kicked = false;
        return stopped && AwaitSleeper(word) ? null : EndOr("guest code said that it had stopped, and did not stop");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        process.Dispose();
        control.Dispose();
    }

    private void Write(in Order order, ulong* to)
    {
        to[0] = (uint)order.Call;
        if (order.Call == SystemCall.ModifyLdt)
        {
            to[1] = 1;
            to[2] = L.Orders + L.Segments + ((ulong)order.Page * L.SegmentSize);
            to[3] = L.SegmentSize;
            return;
        }

        to[1] = (ulong)order.Page << 12;
        to[2] = (ulong)order.Pages << 12;
        to[3] = (ulong)order.Access;
        to[4] = SystemCall.MapShared | SystemCall.MapFixed | (order.Pages <= PopulatedPages ? SystemCall.MapPopulate : 0ul);
        to[5] = (uint)memory.Descriptor;
        to[6] = (ulong)order.Frame << 12;
    }

    /// <summary>Orders a call; one for the pages behind those of the last becomes one with it.</summary>
    private void Add(in Order order)
    {
        if (pending.Count != 0 && pending[^1] is var last && last.Call == order.Call && last.Access == order.Access && last.Page + last.Pages == order.Page
            && (order.Call != SystemCall.Mmap || last.Frame + last.Pages == order.Frame))
            pending[^1] = last with { Pages = last.Pages + order.Pages };
        else
            pending.Add(order);
    }

    /// <summary>How the process ended, or why it is of no use although it lives.</summary>
    private string EndOr(string reason) => process.HasEnded() ? NativeContainer.Epitaph(process.Status) : reason;

    /// <summary>Waits for the turn, kicking the guest when its time is up.</summary>
    private string? Await(long nanoseconds, Func<bool>? wantsStop)
    {
        ref int go = ref Unsafe.AsRef<int>(state + L.MonitorGo);
        for (int i = 0; i < MonitorSpins && Volatile.Read(ref go) == 0; i++)
            X86Base.Pause();
        long start = 0;
        long patience = FirstKickPatience;
        long kickedAt = -1;
        while (true)
        {
            if (Volatile.Read(ref go) != 0)
            {
                Volatile.Write(ref go, 0);
                return null;
            }

            if (start == 0)
                start = Stopwatch.GetTimestamp();
            long passed = Nanoseconds(Stopwatch.GetTimestamp() - start);
            if (passed >= nanoseconds || (kickedAt < 0 && wantsStop?.Invoke() == true))
            {
                kickedAt = kickedAt < 0 ? passed : kickedAt;
                if (passed - kickedAt > SecondsToAnswer * 1_000_000_000L)
                    return string.Create(CultureInfo.InvariantCulture, $"the guest's container did not answer for {SecondsToAnswer} seconds");
                Kicks++;
                kicked = true;
                Kicker.Kick(process.Id);
            }

            long sleep = kickedAt >= 0 ? patience : Math.Min(nanoseconds - passed, LongestSleep);
            if (kickedAt >= 0)
                patience = Math.Min(patience * 2, LastKickPatience);
            Set(orders + L.MonitorSleeps, 1);
            if (Volatile.Read(ref go) == 0)
            {
                bool woken = Futex.Wait((int*)(state + L.MonitorGo), 0, Math.Max(1, sleep));
                if (!woken && Volatile.Read(ref go) == 0 && process.HasEnded())
                {
                    *(int*)(orders + L.MonitorSleeps) = 0;
                    return NativeContainer.Epitaph(process.Status);
                }
            }

            *(int*)(orders + L.MonitorSleeps) = 0;
        }
    }

    /// <summary>A yield may give the processor to somebody else's whole slice, so there are few; sleeps are as short as the host's timer slack makes them.</summary>
    private const int SettlingYields = 10, SettlingSleeps = 10_000, SettlingAttempts = 100;
    private const ulong SettlingSleep = 50_000;

    /// <summary>How long a container may take to come back once it was kicked.</summary>
    private const int SecondsToAnswer = 10;

    private static long Nanoseconds(long ticks) => (long)(ticks * (1e9 / Stopwatch.Frequency));

    /// <summary>Locked: everything written before is seen before, and what is read next is read behind it.</summary>
    private static void Set(byte* word, int value) => Interlocked.Exchange(ref Unsafe.AsRef<int>(word), value);

    private static void Wake(byte* word) => _ = Rouse(word);

    /// <summary>Wakes who waits for a word.</summary>
    /// <returns>False when nobody did.</returns>
    private static bool Rouse(byte* word) => Futex.Wake((int*)word) == 1;

    /// <summary>Waits until a thread waits for a word.</summary>
    /// <returns>False when none did for a second in which it could.</returns>
    private bool AwaitSleeper(byte* word)
    {
        for (int round = 0; round < SettlingYields + SettlingSleeps; round++)
        {
            if (Futex.CountSleepers((int*)word) == 1)
                return true;
            if (round < SettlingYields)
                Thread.Yield();
            else if (process.HasEnded())
                return false;
            else
                LinuxClock.Sleep(SettlingSleep);
        }

        return false;
    }

    private readonly record struct Order(int Call, uint Page, uint Pages, uint Frame, ContainerAccess Access);
}
