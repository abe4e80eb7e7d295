using Plexus.Cpu.Native;
using Plexus.Cpu.Native.Engine;
using Plexus.Cpu.Processor;
using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu;

/// <summary>
/// The <c>cpu</c> component: the virtual processor and the physical processor behind one contract.
/// Both work on the <see cref="VcpuBlock"/>; port I/O, memory-mapped I/O and INTA are Calls to <c>bus</c>.
/// </summary>
public sealed class CpuComponent : IComponent, IDisposable
{
    private const byte StateVersion = 5;

    private readonly Vcpu vcpu;
    private readonly GuestMemory memory;
    private readonly BusAccess bus;
    private readonly X86Processor virtualProcessor;
    private readonly X86Processor physicalProcessor;
    private readonly Dictionary<uint, MappingSpace> spaces = [];
    private readonly NativeProcessor? native;

    /// <summary>Makes a processor for a machine.</summary>
    /// <param name="vcpu">Registers and virtual privileged state; owned by the caller.</param>
    /// <param name="memory">Guest memory; owned by the caller.</param>
    /// <param name="lines">Interrupt, A20 and stop lines.</param>
    /// <param name="tables">The monitor's descriptor tables, for the physical processor; without them every exception enters ring 0.</param>
    /// <param name="overwritten">Where the physical processor notes what roads overwrite below the guest's stack pointer; null for nowhere.</param>
    /// <param name="model">One of <see cref="CpuModels.Names"/>.</param>
    /// <param name="shared">Where guest memory lies, when deprivileged code is to run on the host's own processor; null for the interpreter.</param>
    /// <param name="journal">Whether the host's counter is asked for through a journal in the bus' place, for what the guest reads.</param>
    /// <param name="habits">What the guest sees of the host's processor; by default nothing.</param>
    /// <exception cref="ArgumentException">There is no such model.</exception>
    public CpuComponent(
        Vcpu vcpu,
        GuestMemory memory,
        PlatformLines lines,
        MonitorTables? tables = null,
        OverwrittenBytes? overwritten = null,
        string model = CpuModels.Default,
        SharedRegion? shared = null,
        JournalMode journal = JournalMode.None,
        HostHabits habits = default)
    {
        ArgumentNullException.ThrowIfNull(vcpu);
        ArgumentNullException.ThrowIfNull(memory);
        ArgumentNullException.ThrowIfNull(lines);
        this.vcpu = vcpu;
        this.memory = memory;
        CpuModel cpuModel = CpuModels.Find(model);
        bus = new BusAccess(vcpu);
        Func<ulong>? cycles = shared is null ? null : HostTimeStamp.Read;
        Func<ulong>? seen = journal == JournalMode.None ? cycles : () => bus.ReadTimeStamp(cycles?.Invoke() ?? 0);
        unsafe
        {
            virtualProcessor = new X86Processor(vcpu.Block, memory, lines, cpuModel, bus, physical: false) { HostCycles = seen };
            physicalProcessor = new X86Processor(vcpu.Block, memory, lines, cpuModel, bus, physical: true) { Tables = tables ?? new MonitorTables(), Overwritten = overwritten, HostCycles = cycles };
            virtualProcessor.ResetApicBase();
            virtualProcessor.Follow(in habits);
        }

        if (shared is not null)
            native = new NativeProcessor(vcpu, lines, physicalProcessor.Tables!, shared, cpuModel.Has(CpuFeatures.Sse));
    }

    /// <inheritdoc/>
    public string Name => "cpu";

    /// <inheritdoc/>
    public void Attach(IComponentPort port)
    {
        ArgumentNullException.ThrowIfNull(port);
        bus.Endpoint = port.Connect("bus");
        port.OnCall<Run, CpuExit>(OnRun);
        port.OnCall<EmulateOne, Emulated>((in EmulateOne request) => virtualProcessor.EmulateOne(request.Iterations));
        port.OnCall<Deliver, Delivered>(OnDeliver);
        port.OnCall<Walk, Walked>(OnWalk);
        port.OnCall<ApplyMappings, Applied>(OnApplyMappings);
        port.OnCall<FlushTranslations, Done>(OnFlushTranslations);
        port.OnCall<CanRunDeprivileged, Runnability>(OnCanRunDeprivileged);
        port.OnCall<ReadCpuid, CpuidResult>(OnReadCpuid);
        port.OnCall<ReadRingChange, RingChange>((in ReadRingChange _) => virtualProcessor.LastRingChange);
        port.OnCall<ReadHostCrossings, HostCrossings>((in ReadHostCrossings _) => native?.Crossings ?? default);
        port.OnCall<SetBreakpoints, Done>(OnSetBreakpoints);
        port.OnCall<WriteRegister, RegisterWritten>(OnWriteRegister);
        port.OnCall<ReadModelRegister, ModelRegister>((in ReadModelRegister request) => virtualProcessor.ReadModelRegister(request.Number));
        port.OnCall<Reset, Done>(OnReset);
        port.OnCall<Initialize, Done>(OnInitialize);
        port.OnCall<SaveState, SavedState>(OnSaveState);
        port.OnCall<RestoreState, Done>(OnRestoreState);
        port.OnCall<Describe, Description>((in Describe _) => new Description(Name, $"{virtualProcessor.Model.Name}; interpreter as virtual {(native is null ? "and as physical processor" : "processor, the host's as physical one")}"));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        native?.Dispose();
        virtualProcessor.Dispose();
        physicalProcessor.Dispose();
        foreach (MappingSpace space in spaces.Values)
            space.Dispose();
        spaces.Clear();
    }

    private Done OnInitialize(in Initialize request)
    {
        virtualProcessor.InitState();
        return default;
    }

    private CpuExit OnRun(in Run request)
    {
        if (request.Mode != RunMode.Deprivileged)
        {
            if (native is { HasRun: true })
            {
                // Guest code wrote memory without a word: blocks that were decoded before are to be trusted only where it cannot.
                native.HasRun = false;
                virtualProcessor.ForgetUnguarded();
            }

            return virtualProcessor.RunVirtual(request.Mode == RunMode.Interpreted, request.Deadline, request.RetireLimit, request.EndAtRingChange, request.EndAtDelivery, request.Quiet);
        }

        MappingSpace space = SpaceOf(request.Space);
        physicalProcessor.EnterSpace(space, request.CodeBase);
        return native is null || request.Steps != 0
            ? physicalProcessor.RunPhysical(request.Deadline, request.RetireLimit, request.Steps)
            : native.Run(space, in request, physicalProcessor);
    }

    private Delivered OnDeliver(in Deliver request)
    {
        InterruptKind kind = request.External ? InterruptKind.External : InterruptKind.Exception;
        DeliverKind result = virtualProcessor.DeliverNow(request.Vector, kind, request.HasErrorCode, request.ErrorCode, request.Linear);
        return new Delivered(result, null);
    }

    private Walked OnWalk(in Walk request)
    {
        virtualProcessor.UpdatePhysicalMap();
        bool ok = virtualProcessor.WalkPages(request.Linear, request.Access, request.User, request.Commit, out PageWalk walk);
        return new Walked(ok, walk.ErrorCode, walk.Physical, walk.Writable, walk.UserAccessible, walk.Dirty, walk.Global, walk.DirectoryEntry, walk.TableEntry);
    }

    private Applied OnApplyMappings(in ApplyMappings request)
    {
        MappingSpace space = SpaceOf(request.Space);
        native?.Follow(request.Space, in request, request.Operation == MappingOperation.Map && space.Leads(request.LinearPage, request.Frame, request.Pages));
        switch (request.Operation)
        {
            case MappingOperation.Map:
                if ((ulong)request.Frame + request.Pages > (ulong)memory.GuestFrames + memory.ArenaFrames)
                    throw new ArgumentOutOfRangeException(nameof(request), request.Frame, "the frames lie outside guest memory");
                space.Map(request.LinearPage, request.Frame, request.Pages, request.Rights);
                break;
            case MappingOperation.Unmap:
                space.Unmap(request.LinearPage, request.Pages);
                break;
            case MappingOperation.Clear:
                spaces.Remove(request.Space);
                space.Dispose();
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(request), request.Operation, "no such mapping operation");
        }

        return default;
    }

    private Done OnFlushTranslations(in FlushTranslations request)
    {
        if (request.All)
            virtualProcessor.FlushTranslations(global: true);
        else
            virtualProcessor.FlushPage(request.Linear);
        return default;
    }

    private Runnability OnCanRunDeprivileged(in CanRunDeprivileged request)
    {
        string? reason = virtualProcessor.WhyNotDeprivileged();
        return new Runnability(reason == null, reason);
    }

    private CpuidResult OnReadCpuid(in ReadCpuid request)
    {
        (uint eax, uint ebx, uint ecx, uint edx) = virtualProcessor.Cpuid(request.Leaf);
        return new CpuidResult(virtualProcessor.Model.MaximumLeaf, eax, ebx, ecx, edx);
    }

    private Done OnSetBreakpoints(in SetBreakpoints request)
    {
        virtualProcessor.SetHostBreakpoints(request.Breakpoints, request.PassHere, request.Registers);
        return default;
    }

    private RegisterWritten OnWriteRegister(in WriteRegister request) =>
        new(virtualProcessor.WriteFromOutside(request.Kind, request.Index, request.Value));

    private Done OnReset(in Reset request)
    {
        virtualProcessor.ResetState(request.Cold);
        return default;
    }

    private SavedState OnSaveState(in SaveState request)
    {
        byte[] processor = virtualProcessor.SaveState();
        byte[] data = new byte[1 + processor.Length];
        data[0] = StateVersion;
        processor.CopyTo(data.AsSpan(1));
        return new SavedState(data);
    }

    private Done OnRestoreState(in RestoreState request)
    {
        if (request.Data.Length == 0 || request.Data.Span[0] != StateVersion)
            throw new ArgumentException("not a state of this processor", nameof(request));
        virtualProcessor.RestoreState(request.Data.Span[1..]);
        return default;
    }

    private MappingSpace SpaceOf(uint id)
    {
        if (!spaces.TryGetValue(id, out MappingSpace? space))
            spaces.Add(id, space = new MappingSpace(memory));
        return space;
    }

    /// <summary>
    /// Calls to the bus. Where guest time is the wall clock's, a device is asked at the time it is: what is interpreted is slower than its share of guest time, and a guest that measures its
    /// time-stamp counter by a timer would find the counter too fast.
    /// </summary>
    private sealed class BusAccess(Vcpu vcpu) : IBusAccess
    {
        public IEndpoint? Endpoint { get; set; }

        public uint PortRead(ushort port, int width, ulong now) =>
            Endpoint!.Call<PortRead, BusResult>(new PortRead(port, width, Present(now))).Value;

        public void PortWrite(ushort port, int width, uint value, ulong now) =>
            Endpoint!.Call<PortWrite, BusResult>(new PortWrite(port, width, value, Present(now)));

        public ReadOnlyMemory<byte> PortReadBlock(ushort port, int width, int count, ulong now) =>
            Endpoint!.Call<PortReadBlock, PortBlock>(new PortReadBlock(port, width, count, now)).Data;

        public int PortWriteBlock(ushort port, int width, ReadOnlyMemory<byte> data, ulong now) =>
            Endpoint!.Call<PortWriteBlock, PortBlockTaken>(new PortWriteBlock(port, width, data, now)).Count;

        public uint MmioRead(uint address, int width, ulong now) =>
            Endpoint!.Call<MmioRead, BusResult>(new MmioRead(address, width, Present(now))).Value;

        public void MmioWrite(uint address, int width, uint value, ulong now) =>
            Endpoint!.Call<MmioWrite, BusResult>(new MmioWrite(address, width, value, Present(now)));

        public ulong ReadTimeStamp(ulong cycles) => Endpoint!.Call<ReadTimeStamp, TimeStamp>(new ReadTimeStamp(cycles)).Cycles;

        public byte Acknowledge(ulong now) => Endpoint!.Call<Acknowledge, Vector>(new Acknowledge(now)).Value;

        private ulong Present(ulong now)
        {
            if (vcpu.Clock is null)
                return now;
            vcpu.CatchUp();
            return vcpu.State.Now;
        }
    }
}
