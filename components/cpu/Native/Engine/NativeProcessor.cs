using System.Diagnostics;
using System.Globalization;
using Plexus.Cpu.Processor;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;
using L = Plexus.Cpu.Native.Engine.EngineLayout;

namespace Plexus.Cpu.Native.Engine;

/// <summary>
/// The host's own processor in the place of the physical one: runs deprivileged guest code in containers, one for each mapping space, and tells its exceptions as the
/// interpreter at CPL 3 would.
/// </summary>
/// <remarks>unsafe: the vCPU block and guest memory are native memory of the machine's, which outlives this.</remarks>
internal sealed unsafe class NativeProcessor : IDisposable
{
    private const int VectorBp = 3, VectorGp = 13, VectorPf = 14, VectorAc = 17;

    /// <summary>#DE #DB #BP #OF #BR #UD #NM #TS #NP #SS #GP #PF #MF #AC #XM.</summary>
    private const uint KnownVectors = 0b1011_0111_1100_1111_1011;

    private const uint WithErrorCode = (1u << 10) | (1u << 11) | (1u << 12) | (1u << 13) | (1u << 14) | (1u << 17);
    private const uint EntryLength = 2;

    /// <summary>CF PF AF ZF SF DF OF NT ID: what guest code has of EFLAGS for itself at CPL 3.</summary>
    private const uint GuestFlags = 0x0020_4CD5;
    private const uint AlignmentCheck = 0x4_0000, ResumeFlag = 0x1_0000, InterruptFlag = 0x200, AlwaysOne = 2;

    /// <summary>Selector of the flat code segment: user code with nothing to patch runs at base 0.</summary>
    private const uint PlainCode = (EngineProgram.FlatCodeEntry * 8) | 7;
    private const uint Cr0Am = 0x4_0000;

    /// <summary>Looks at the turn before sleeping, on two processors: some tens of microseconds.</summary>
    private const int MonitorSpins = 1000;
    private const uint GuestSpins = 2000;

    /// <summary>Guest time that is left to run natively, when so little is left that it is up already.</summary>
    private const long ShortestRun = 10_000;

    private readonly Vcpu vcpu;
    private readonly PlatformLines lines;
    private readonly MonitorTables tables;
    private readonly bool hasSse;
    private readonly Func<bool> wantsStop;
    private readonly Dictionary<uint, Cached> containers = [];
    private readonly CpuAffinity affinity = new();
    private readonly SharedRegion memory;
    private ContainerPool? pool;

    /// <summary>Guest time until which guest code has the processor; 0 while it has not.</summary>
    private ulong runsUntil;
    private Kicker? kicker;
    private readonly HandOver handOver = new(CpuAffinity.Count());
    private HostCrossings crossings;
    private uint lastCr2;

    public NativeProcessor(Vcpu vcpu, PlatformLines lines, MonitorTables tables, SharedRegion memory, bool hasSse)
    {
        this.vcpu = vcpu;
        this.lines = lines;
        this.tables = tables;
        this.hasSse = hasSse;
        this.memory = memory;
        wantsStop = () => lines.HostStop || lines.DebuggerStop;
        lines.DeadlineSet = OnDeadlineSet;
    }

    /// <summary>Guest code has run since this was last set to false: what was read of guest memory before may have changed.</summary>
    public bool HasRun { get; set; }

    /// <summary>What was taken of the host.</summary>
    public HostCrossings Crossings
    {
        get
        {
            HostCrossings sum = crossings;
            foreach (Cached cached in containers.Values)
                sum = Add(sum, cached.Container);
            return sum;
        }
    }

    /// <summary>Runs guest code until it enters ring 0, or the deadline.</summary>
    /// <param name="space">Its mappings.</param>
    /// <param name="request">What to run.</param>
    /// <param name="interpreter">Takes the guest out of handler code that it was stopped in.</param>
    public CpuExit Run(MappingSpace space, in Run request, X86Processor interpreter)
    {
        VcpuBlock* v = vcpu.Block;
        vcpu.CatchUp();
        ulong now = v->Now;
        if (now >= request.Deadline)
            return interpreter.RunPhysical(0, request.RetireLimit);
        affinity.Pin();
        affinity.FreeOthers();
        Cached cached;
        try
        {
            cached = ContainerOf(request.Space, space);
        }
        catch (ContainerException e)
        {
            return Lost(e.Message);
        }

        GuestContainer container = cached.Container;

        // User code has to be seen to sleep before anything else is done: it stays on the vCPU's processor.
        bool onTwo = handOver.OnTwo && !tables.User;
        container.Place(onTwo ? affinity.Other : affinity.Processor);
        container.Kicker = kicker ??= affinity.Other < 0 ? null : new Kicker(affinity.Other);
        container.MonitorSpins = onTwo ? MonitorSpins : 0;
        container.SetOrder(L.Spins, onTwo ? GuestSpins : 0);
        bool measured = !container.HasOrders && !tables.User;
        uint codeSelector = request.CodeBase == 0 && vcpu.State.Cpl == 3 ? PlainCode : MonitorTables.GuestCode;
        if (!Enter(cached, codeSelector, out uint entryFlags))
            return new CpuExit(ExitKind.Interpret, 0, false, 0, 0, null);
        HasRun = true;

        // Another thread may bring the deadline forward: either it is seen here, or the guest is kicked.
        Interlocked.Exchange(ref runsUntil, request.Deadline);
        ulong deadline = Math.Min(request.Deadline, lines.ProcessorDeadline);
        ulong left = deadline > now ? deadline - now : 0;
        uint entryEip = v->Eip;
        crossings = crossings with { HandOvers = crossings.HandOvers + 1, OnTwo = crossings.OnTwo + (onTwo ? 1ul : 0) };
        long start = Stopwatch.GetTimestamp();
        ulong given = HostTimeStamp.Read();
        string? failure = container.Run(left > long.MaxValue ? long.MaxValue : Math.Max((long)left, ShortestRun), wantsStop);
        ulong taken = HostTimeStamp.Read();
        Volatile.Write(ref runsUntil, 0);
        double nanoseconds = Stopwatch.GetElapsedTime(start).TotalNanoseconds;
        vcpu.CatchUp();
        if (measured)
            handOver.Note((container.WideState(L.Entered) - given) + (taken - container.WideState(L.Left)));

        // Nothing is taken from the guest's kernel that runs on: it has all of the guest.
        if (tables.User)
            failure ??= container.Settle();
        if (failure is not null)
            return Lost(failure);

        // Guest code can write what it likes into the state: more than the whole turn is not believed.
        double share = Math.Min(1, (container.WideState(L.Left) - container.WideState(L.Entered)) / (double)Math.Max(1, taken - given));
        return Leave(container, codeSelector, entryEip, entryFlags, interpreter) with { HostNanoseconds = (ulong)(nanoseconds * share) };
    }

    private void OnDeadlineSet(ulong value)
    {
        if (value < Volatile.Read(ref runsUntil))
            kicker?.Hasten();
    }

    /// <summary>A mapping of a space changed.</summary>
    /// <param name="space">The space.</param>
    /// <param name="request">The change.</param>
    /// <param name="sameFrames">The pages were mapped to these frames before.</param>
    public void Follow(uint space, in ApplyMappings request, bool sameFrames)
    {
        if (request.Operation == MappingOperation.Clear)
        {
            if (containers.Remove(space, out Cached? gone))
            {
                crossings = Add(crossings, gone.Container);
                pool!.End(gone.Container);
            }

            return;
        }

        if (!containers.TryGetValue(space, out Cached? cached))
            return;
        if (request.Operation == MappingOperation.Unmap)
            cached.Container.Unmap(request.LinearPage, request.Pages);
        else if (sameFrames)
            cached.Container.Protect(request.LinearPage, request.Pages, AccessOf(request.Rights));
        else
            cached.Container.Map(request.LinearPage, request.Frame, request.Pages, AccessOf(request.Rights));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Cached cached in containers.Values)
            pool!.End(cached.Container);
        containers.Clear();
        kicker?.Dispose();
        pool?.Dispose();
        affinity.Dispose();
    }

    /// <summary>What can be executed can be read, too: x86 has no other pages without protection keys.</summary>
    private static ContainerAccess AccessOf(MappingRights rights) =>
        (ContainerAccess)((rights & MappingRights.Execute) != 0 ? rights | MappingRights.Read : rights);

    private static HostCrossings Add(in HostCrossings to, GuestContainer container) => to with
    {
        Batches = to.Batches + container.Batches,
        Calls = to.Calls + container.Calls,
        Kicks = to.Kicks + container.Kicks,
        Containers = to.Containers + 1,
        Gates = to.Gates + (uint)container.State(L.GatesTaken),
    };

    private static CpuExit Lost(string detail) => new(ExitKind.Lost, 0, false, 0, 0, detail);

    private Cached ContainerOf(uint id, MappingSpace space)
    {
        if (containers.TryGetValue(id, out Cached? cached))
            return cached;
        pool ??= new ContainerPool(memory, affinity.Processor);
        GuestContainer container = pool.Take();
        containers.Add(id, cached = new Cached(container, new LocalTable()));
        space.ForEach(container, static (to, page, frame, rights) => to.Map(page, frame, 1, AccessOf(rights)));
        return cached;
    }

    /// <summary>Puts the guest's registers into the orders.</summary>
    /// <returns>False when a segment register holds what the host cannot have.</returns>
    private bool Enter(Cached cached, uint codeSelector, out uint flags)
    {
        VcpuBlock* v = vcpu.Block;
        GuestContainer to = cached.Container;
        flags = 0;
        cached.Table.Follow(tables, to);
        if (!cached.Table.TrySelect(v->Segments[(int)SegmentIndex.Ds], to, out uint ds)
            || !cached.Table.TrySelect(v->Segments[(int)SegmentIndex.Es], to, out uint es)
            || !cached.Table.TrySelect(v->Segments[(int)SegmentIndex.Fs], to, out uint fs)
            || !cached.Table.TrySelect(v->Segments[(int)SegmentIndex.Gs], to, out uint gs))
            return false;
        for (int i = 0; i < 8; i++)
            to.SetOrder(L.EntryRegisters + (i * 4), v->Gpr[i]);

        // The host checks alignment at CPL 3, which is the guest's CPL 0 as well.
        flags = (v->Eflags & GuestFlags) | InterruptFlag | AlwaysOne;
        if (v->Cpl == 3 && (v->Cr0 & Cr0Am) != 0)
            flags |= v->Eflags & AlignmentCheck;
        to.SetOrder(L.EntryEip, v->Eip);
        to.SetOrder(L.EntryEflags, flags);
        to.SetOrder(L.EntryCs, v->PhysicalCs == 0 ? codeSelector : v->PhysicalCs);
        to.SetOrder(L.EntrySs, EngineProgram.UserData);
        to.SetOrder(L.EntryDs, ds);
        to.SetOrder(L.EntryEs, es);
        to.SetOrder(L.EntryFs, fs);
        to.SetOrder(L.EntryGs, gs);
        FollowGates(cached);
        to.SetOrder(L.BranchTable, tables.User ? 0 : tables.BranchTable);
        FxImage.Write(in *v, hasSse, to.EntryFx);
        return true;
    }

    /// <summary>Shows a container the gates of its class, when they are others than it has.</summary>
    private void FollowGates(Cached cached)
    {
        if (cached.Gates == tables.GateGeneration)
            return;
        cached.Gates = tables.GateGeneration;
        for (byte vector = 0; vector < 32; vector++)
            cached.Container.SetOrder(L.Gates + (vector * 4), GateOf(vector));
        cached.Container.SetOrder(L.GateSelector, MonitorTables.HandlerCode);
    }

    /// <summary>Where a gate to ring 3 leads, 0 for one to ring 0.</summary>
    private uint GateOf(byte vector)
    {
        (uint low, uint high) = tables.Gate(vector);
        return low >> 16 == MonitorTables.HandlerCode ? (low & 0xFFFF) | (high & 0xFFFF_0000) : 0;
    }

    private CpuExit Leave(GuestContainer from, uint codeSelector, uint entryEip, uint entryFlags, X86Processor interpreter)
    {
        VcpuBlock* v = vcpu.Block;
        int signal = from.State(L.Signal);
        uint cs = (uint)from.State(L.Cs);
        ulong rip = from.WideState(L.Rip);
        uint vector = (uint)from.State(L.Vector);
        uint error = (uint)from.State(L.ErrorCode);
        bool kicked = signal == SystemCall.SignalUser1;
        if ((cs != codeSelector && cs != MonitorTables.HandlerCode) || rip > uint.MaxValue)
            return Lost(Stray(signal, vector, cs, rip));
        bool push = from.State(L.GatePush) != 0;
        if (push)
            vector = VectorPf;
        if (!kicked && (vector > 31 || (KnownVectors & (1u << (int)vector)) == 0))
            return Lost(string.Create(CultureInfo.InvariantCulture, $"the guest's container told of an exception that there is none of: vector {vector}, signal {signal}"));
        for (int i = 0; i < 8; i++)
            v->Gpr[i] = (uint)from.State(L.Registers + (i * 4));
        v->Eip = (uint)rip;
        v->PhysicalCs = cs == codeSelector ? 0 : cs;
        uint flags = (uint)from.State(L.Eflags);

        // An alignment check that the guest has, but not the host, was not in the physical flags.
        uint hidden = v->Eflags & ~entryFlags & AlignmentCheck;
        v->Eflags = (v->Eflags & ~(GuestFlags | AlignmentCheck)) | (flags & (GuestFlags | AlignmentCheck)) | hidden;
        if (v->Eip != entryEip)
            v->Eflags &= ~ResumeFlag;
        FxImage.Read(from.ExitFx, hasSse, ref *v);
        if (kicked)
            return interpreter.RunPhysical(0, ulong.MaxValue);
        if (push)
        {
            // The exception itself is found again when its instruction is.
            if ((from.State(L.GatePush) & 0xFF) == VectorBp)
                v->Eip--;
            lastCr2 = (uint)from.WideState(L.Cr2);
            return new CpuExit(ExitKind.Trap, VectorPf, true, error, lastCr2, null);
        }

        if (vector == VectorGp && error == EngineProgram.EntryError)
        {
            v->Eip += EntryLength;
            return new CpuExit(ExitKind.Trap, MonitorTables.EntryVector, false, 0, lastCr2, null);
        }

        if (vector == VectorAc && v->Cpl != 3)
            return new CpuExit(ExitKind.Resample, 0, false, 0, 0, null);
        if (vector == VectorPf)
            lastCr2 = (uint)from.WideState(L.Cr2);
        bool hasError = (WithErrorCode & (1u << (int)vector)) != 0;
        return new CpuExit(ExitKind.Trap, (byte)vector, hasError, hasError ? error : 0, vector == VectorPf ? lastCr2 : 0, null);
    }

    /// <summary>Where a signal came from that should not have come from there.</summary>
    private static string Stray(int signal, uint vector, uint cs, ulong rip) => string.Create(
        CultureInfo.InvariantCulture,
        $"guest code left its confinement: exception {vector} (signal {signal}) at CS:RIP {cs:X4}:{rip:X} {(rip - L.Program < L.ProgramSize ? "in the container's own program" : cs == EngineProgram.Code64 ? "in 64-bit mode" : "in a segment that is not the guest's")}");

    /// <summary>A container and what its LDT holds.</summary>
    private sealed record Cached(GuestContainer Container, LocalTable Table)
    {
        /// <summary>The gates it was shown last, by <see cref="MonitorTables.GateGeneration"/>; new tables have had some set.</summary>
        internal uint Gates { get; set; }
    }
}
