using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Contracts.Patcher;
using Plexus.Messaging.Contracts.Prescan;
using Plexus.Messaging.Contracts.Telemetry;
using Plexus.Messaging.Shared;
using Plexus.Monitor.Counting;
using Layout = Plexus.Messaging.Shared.VirtualCpuPage;

namespace Plexus.Monitor.Views;

/// <summary>The virtual CPU pages: what ring-3 handlers see of the virtual privileged state, and the trace ring they write.</summary>
internal sealed class VirtualCpuPages
{
    private const uint InterruptFlag = 0x200;
    private const uint IoplMask = 0x3000;
    private const uint NestedTask = 0x4000;
    private const uint AlignmentCheck = 0x4_0000;
    private const uint Cr0Ts = 8;

    /// <summary>AC and ID, in bits 16-23 of EFLAGS.</summary>
    private const int AlignmentOrIdentification = 0x24;

    private const uint MaximumRecordId = FlightRecorder.MaximumHandlers;

    private readonly GuestMemory memory;
    private readonly Vcpu vcpu;
    private readonly PlatformLines lines;
    private readonly PortTables ports;
    private readonly SegmentLoads segments;
    private readonly IEndpoint patcher;
    private readonly TransitionCounters counters;
    private readonly BlockCoverage coverage;
    private readonly List<HandlerRecord?> records = [];

    /// <summary>Those that the ring holds, while it is emptied.</summary>
    private readonly List<HandlerRecord> noted = [];
    private HandlerRecord? unknown;
    private uint linear;
    private readonly bool isNative;
    private readonly bool isJournalled;
    private uint popfImage = uint.MaxValue;
    private ulong apicBase;
    private IEndpoint? cpu;

    internal VirtualCpuPages(GuestMemory memory, Vcpu vcpu, PlatformLines lines, MonitorTables tables, IEndpoint bus, IEndpoint patcher, TransitionCounters counters, BlockCoverage coverage, MonitorOptions options)
    {
        this.memory = memory;
        this.vcpu = vcpu;
        isNative = options.Engine == Engine.Native;
        isJournalled = options.Journal != JournalMode.None;
        this.lines = lines;
        this.patcher = patcher;
        this.counters = counters;
        this.coverage = coverage;
        FirstFrame = Allocate(memory, Layout.Pages);
        ports = new PortTables(memory, lines, bus, FirstFrame);
        segments = new SegmentLoads(tables);
        TableFrame = options.UsesBranchTable ? Allocate(memory, Layout.TablePages) : uint.MaxValue;
        bool virtualised = options.Branches != BranchMode.Native;
        BranchFrame = virtualised ? Allocate(memory, Layout.BranchPages) : uint.MaxValue;
        TargetFrame = virtualised ? Allocate(memory, Layout.TargetPages) : uint.MaxValue;
    }

    /// <summary>First arena frame of the branch trace; <see cref="uint.MaxValue"/> when branches are not virtualised.</summary>
    internal uint BranchFrame { get; }

    /// <summary>First of the consecutive arena frames of the verified targets; <see cref="uint.MaxValue"/> when branches are not virtualised.</summary>
    internal uint TargetFrame { get; }

    private uint BranchStart => linear + (Layout.BranchPage * GuestMemory.FrameSize);

    /// <summary>The never-mapped page behind the branch trace.</summary>
    internal uint BranchGuardPage => (linear >> 12) + Layout.BranchPage + Layout.BranchPages;

    /// <summary>First of the consecutive arena frames of the branch table; <see cref="uint.MaxValue"/> when the run has none.</summary>
    internal uint TableFrame { get; }

    /// <summary>First of <see cref="VirtualCpuPage.Pages"/> consecutive arena frames.</summary>
    internal uint FirstFrame { get; }

    private uint RingStart => linear + (Layout.TracePage * GuestMemory.FrameSize);

    /// <summary>CPUID leaf 1 EDX.</summary>
    internal uint Features { get; private set; }

    /// <summary>The never-mapped page behind the ring.</summary>
    internal uint GuardPage => (linear >> 12) + Layout.Pages;

    private Span<byte> State => memory.Frames(FirstFrame, Layout.StatePages);

    /// <summary>Prepares the pages: CPUID results and stable ports. The guest has not run yet.</summary>
    internal void Initialize(IEndpoint cpu)
    {
        Span<byte> state = State;
        state.Clear();
        popfImage = uint.MaxValue;
        records.Clear();
        counters.ForgetHandlers();
        unknown = null;
        segments.Clear();
        Write(Layout.Version, Layout.LayoutVersion);
        this.cpu = cpu;
        WriteCpuid();
        ports.Initialize(vcpu.State.Now);
    }

    /// <summary>CPUID results, which change only with IA32_APIC_BASE.</summary>
    private void WriteCpuid()
    {
        apicBase = vcpu.State.ApicBase;
        uint leaves = 1;
        for (uint leaf = 0; leaf < leaves; leaf++)
        {
            CpuidResult result = cpu!.Call<ReadCpuid, CpuidResult>(new ReadCpuid(leaf));
            leaves = Math.Min(result.MaximumLeaf + 1, 8);
            int at = Layout.Cpuid + (int)(leaf * 16);
            Write(at, result.Eax);
            Write(at + 4, result.Ebx);
            Write(at + 8, result.Ecx);
            Write(at + 12, result.Edx);
            if (leaf == 1)
                Features = result.Edx;
        }

        Write(Layout.CpuidLeaves, leaves);
    }

    /// <summary>The pages now lie at this linear address.</summary>
    internal void MoveTo(uint linearAddress)
    {
        linear = linearAddress;
        Write(Layout.TraceNext, RingStart);
        Write(Layout.BranchNext, BranchStart);
    }

    /// <summary>Shows the handlers the virtual state, before guest-kernel code runs deprivileged.</summary>
    /// <param name="tablesOpen">The shadow does not follow every page table at each write.</param>
    internal void Publish(bool tablesOpen)
    {
        ref VcpuBlock v = ref vcpu.State;
        Write(Layout.InterruptFlag, v.Eflags & InterruptFlag);
        Write(Layout.Pending, lines.Intr || lines.Nmi ? 1u : 0u);

        // The host's processor checks alignment at CPL 3: there AC is not in the physical EFLAGS while the guest's kernel runs.
        uint alignment = isNative ? v.Eflags & AlignmentCheck : 0;
        Write(Layout.FlagsBias, (v.Eflags & IoplMask) + alignment - InterruptFlag);
        PublishTimeStamp(v.TscOffset);
        for (int i = 0; i < 8; i++)
            Write(Layout.Selectors + (i * 4), v.Segments[i].Selector);
        Write(Layout.GdtLimit, v.GdtLimit);
        Write(Layout.GdtBase, v.GdtBase);
        Write(Layout.IdtLimit, v.IdtLimit);
        Write(Layout.IdtBase, v.IdtBase);
        Write(Layout.Cr0, v.Cr0);
        Write(Layout.Cr2, v.Cr2);
        Write(Layout.Cr3, v.Cr3);
        Write(Layout.Cr4, v.Cr4);
        Write(Layout.TaskSwitched, v.Cr0 & Cr0Ts);
        Write(Layout.ReturnBlocked, (v.Eflags & NestedTask) != 0 || lines.NmiBlocked ? 1u : 0u);
        Write(Layout.TablesOpen, tablesOpen ? 1u : 0u);
        segments.Publish(State, ref v, linear);
        ports.Refresh(v.Now);
        if (v.ApicBase != apicBase)
            WriteCpuid();
        uint popf = (v.Eflags & IoplMask) | alignment;
        if (popf != popfImage)
            BuildPopfTables(popf);
    }

    /// <summary>How the guest's time-stamp counter is made of the physical one.</summary>
    private void PublishTimeStamp(ulong offset)
    {
        ulong ahead = isNative ? offset : unchecked(offset - MonitorTables.TimeStampOffset);
        Write(Layout.TimeStampBias, (uint)(ahead >> 32));
        Write(Layout.TimeStampBlocked, isJournalled ? 1 : (uint)ahead); // What ring 3 reads by itself, no journal has.
    }

    /// <summary>Takes over what the handlers changed, after a run.</summary>
    internal void Collect()
    {
        ref VcpuBlock v = ref vcpu.State;
        v.Eflags = (v.Eflags & ~InterruptFlag) | (Read(Layout.InterruptFlag) & InterruptFlag);
        if (Read(Layout.TranslationsStale) != 0)
        {
            Write(Layout.TranslationsStale, 0);
            cpu!.Call<FlushTranslations, Done>(new FlushTranslations(All: true, 0));
        }

        segments.Collect(State, ref v);
        ports.Collect(v.Now);
    }

    /// <summary>Virtual IF was 0 before the last STI that a stub did.</summary>
    internal bool PreviousInterruptFlagClear => (Read(Layout.PreviousInterruptFlag) & InterruptFlag) == 0;

    /// <summary>The return address that a handler, or a gate's dispatcher, took off the guest's stack.</summary>
    internal uint ReturnKey => Read(Layout.ReturnKey);

    /// <summary>The value a handler saved of a general register.</summary>
    /// <param name="register">The register.</param>
    /// <param name="ofGate">A gate's dispatcher saved it.</param>
    internal uint ScratchSlot(int register, bool ofGate) => Read((ofGate ? Layout.GateScratch : Layout.Scratch) + (register * 4));

    /// <summary>Counts what the ring holds and empties it.</summary>
    /// <returns>The linear address of the ring's first record.</returns>
    internal uint DrainRing(long wallStart, long wallEnd)
    {
        uint next = Read(Layout.TraceNext);
        uint start = RingStart;
        if (next == start || linear == 0)
            return start;
        uint count = Math.Min((next - start) / 4, Layout.TracePages * (uint)GuestMemory.FrameSize / 4);
        if (counters.WantsEach)
        {
            for (uint i = 0; i < count; i++)
                CountHandler(ReadRing(FirstFrame + Layout.TracePage, i), "handler", wallStart, wallEnd);
        }
        else
        {
            NoteHandlers(count, wallStart, wallEnd);
        }

        Write(Layout.TraceNext, start);
        return start;
    }

    /// <summary>Counts what the branch trace holds, and empties it.</summary>
    /// <returns>The linear address of its first record.</returns>
    internal uint DrainBranches(long wallStart, long wallEnd)
    {
        uint next = Read(Layout.BranchNext);
        uint start = BranchStart;
        if (next == start || linear == 0 || BranchFrame == uint.MaxValue)
            return start;
        uint count = Math.Min((next - start) / Layout.BranchRecordSize, Layout.BranchPages * (uint)GuestMemory.FrameSize / Layout.BranchRecordSize);
        for (uint i = 0; i < count; i++)
        {
            CountHandler(ReadRing(BranchFrame, i * 2), "branch", wallStart, wallEnd);
            coverage.Note(user: false, ReadRing(BranchFrame, (i * 2) + 1));
        }

        Write(Layout.BranchNext, start);
        return start;
    }

    /// <summary>Counts the ring's records by site: there may be as many as the guest has sensitive instructions, and in a loop the same ones follow one another.</summary>
    private void NoteHandlers(uint count, long wallStart, long wallEnd)
    {
        ReadOnlySpan<uint> ids = MemoryMarshal.Cast<byte, uint>(memory.Frames(FirstFrame + Layout.TracePage, Layout.TracePages))[..(int)count];
        for (int i = 0; i < ids.Length;)
        {
            uint id = ids[i];
            int times = 1;
            if (i + 1 < ids.Length && ids[i + 1] == id)
            {
                int others = ids[i..].IndexOfAnyExcept(id);
                times = others < 0 ? ids.Length - i : others;
            }

            HandlerRecord record = id < records.Count && records[(int)id] is { } known ? known : Resolve(id);
            if (record.Pending == 0)
                noted.Add(record);
            record.Pending += (ulong)times;
            i += times;
        }

        counters.Record(ids, EventOf("handler", wallStart, wallEnd));
        foreach (HandlerRecord record in noted)
            counters.Settle(record);
        noted.Clear();
    }

    private uint ReadRing(uint firstFrame, uint index) =>
        BinaryPrimitives.ReadUInt32LittleEndian(memory.Frame(firstFrame + (index / 1024))[(int)(index % 1024 * 4)..]);

    private void CountHandler(uint id, string reason, long wallStart, long wallEnd)
    {
        HandlerRecord record = Resolve(id);
        counters.Transition(EventOf(reason, wallStart, wallEnd) with { Eip = record.Site.Eip, Site = record.Site, Strategy = record.Strategy });
    }

    private TransitionEvent EventOf(string reason, long wallStart, long wallEnd) => new()
    {
        Kind = TransitionKind.Ring3ToRing3,
        Vector = TransitionEvent.NoVector,
        Strategy = string.Empty,
        GuestRingFrom = 0,
        GuestTime = vcpu.State.Now,
        WallStart = wallStart,
        WallEnd = wallEnd,
        Reason = reason,
    };

    private HandlerRecord Resolve(uint id)
    {
        // The ring is writable by the guest kernel: an id that nobody gave out is counted, not believed.
        if (id >= MaximumRecordId)
            return unknown ??= new HandlerRecord(counters.Site(false, 0, 0), string.Empty);
        while (records.Count <= id)
            records.Add(null);
        if (records[(int)id] is { } cached)
            return cached;
        ResolvedRecord resolved = patcher.Call<ResolveRecord, ResolvedRecord>(new ResolveRecord(id));
        SiteRecord site = counters.Site(false, resolved.GuestEip, resolved.InstructionCode);
        HandlerRecord record = new(site, RoadNames.Of(resolved.Road));
        records[(int)id] = record;
        counters.Introduce(id, record);
        return record;
    }

    private static uint Allocate(GuestMemory memory, int pages)
    {
        uint first = memory.AllocateArenaFrame();
        for (uint page = 1; page < pages; page++)
        {
            if (memory.AllocateArenaFrame() != first + page)
                throw new InvalidOperationException("the virtual CPU pages need consecutive arena frames: create the monitor before other users of the arena, and give it room");
        }

        return first;
    }

    /// <summary>What POPF and IRET may load here.</summary>
    /// <param name="present">IOPL of the guest's EFLAGS, and AC where it is not in the physical ones: then ring 0 loads them all.</param>
    private void BuildPopfTables(uint present)
    {
        popfImage = present;
        Span<byte> state = State;
        for (int image = 0; image < 256; image++)
        {
            bool trapFlag = (image & 0x01) != 0;
            bool nestedTask = (image & 0x40) != 0;
            bool sameIopl = (uint)(image << 8 & IoplMask) == present;
            state[Layout.PopfAllowed + image] = !trapFlag && !nestedTask && sameIopl ? (byte)1 : (byte)0;
            state[Layout.PopfInterrupt + image] = (byte)(image & 0x02);
            state[Layout.ReturnAllowed + image] = (image & ~AlignmentOrIdentification) == 0 ? (byte)1 : (byte)0;
        }
    }

    private void Write(int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(State[offset..], value);

    private uint Read(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(State[offset..]);
}
