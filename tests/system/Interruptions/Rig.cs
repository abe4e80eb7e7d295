using Plexus.Cpu;
using Plexus.Handlers;
using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Contracts.Handlers;
using Plexus.Messaging.Contracts.Monitor;
using Plexus.Messaging.Contracts.Patcher;
using Plexus.Messaging.Shared;
using Plexus.Monitor;
using Plexus.Patcher;
using Plexus.Prescan;

namespace Plexus.System.Tests.Interruptions;

/// <summary>
/// A machine of real components with a scripted bus, whose guest can be put back to its beginning; everything the monitor and the patcher made stays.
/// While <see cref="Before"/> is set, the physical processor executes one instruction at a time and asks before each.
/// </summary>
internal sealed class Rig : IDisposable
{
    /// <summary>A port that may be read from, one that only latches, and one that takes one write.</summary>
    internal const byte ReadablePort = 0x21;
    internal const byte LatchPort = 0x80;
    internal const byte OncePort = 0x40;
    private static readonly byte[] StableValues = [0xFB, 0x5C];

    private readonly GuestMemory memory = new(GuestProgram.RamSize, arenaFrames: 512);
    private readonly Vcpu vcpu = new();
    private readonly PlatformLines lines = new();
    private readonly FakeFabric fabric = new() { IsRecording = false };
    private Shape shape = new("nothing", _ => { });
    private byte[] image = [];
    private readonly byte[] ports = new byte[256];
    private byte[]? statePage;
    private readonly bool forgetsTargets;
    private uint stateFrame = uint.MaxValue;
    private uint targetFrame = uint.MaxValue;
    private VcpuBlock beginning;

    internal Rig(Engine engine, RoadUnderTest road, Func<string, StubMapEntry, StubMapEntry>? damage = null)
    {
        Map = new SegmentMap(damage);
        forgetsTargets = road.ForgetsTargets;
        MonitorTables tables = new();
        ScriptBus();
        MonitorOptions options = new() { Engine = engine, Strategy = road.Strategy, Ring3Gates = road.Gates, Branches = road.Branches, PromotionHeat = 1 };
        fabric.Attach(new MonitorComponent(memory, vcpu, lines, options, tables));
        fabric.Attach(new InterceptedComponent(new CpuComponent(vcpu, memory, lines, tables, Overwritten))
            .Wrap<Run, CpuExit>(inner => (in Run request) => OnRun(request, inner))
            .Wrap<ApplyMappings, Applied>(inner => (in ApplyMappings request) => OnApply(request, inner)));
        fabric.Attach(new PrescanComponent());
        fabric.Attach(new PatcherComponent(memory));
        fabric.Attach(new InterceptedComponent(new HandlersComponent())
            .Wrap<BuildSegment, Segment>(inner => (in BuildSegment request) => Map.Note(request, inner(request)))
            .Wrap<BuildStub, Stub>(inner => (in BuildStub request) => Map.Note(request, inner(request)))
            .Wrap<FreeStub, Done>(inner => (in FreeStub request) =>
            {
                Map.Forget(request);
                return inner(request);
            }));
    }

    internal SegmentMap Map { get; }

    internal OverwrittenBytes Overwritten { get; } = new();

    internal PlatformLines Lines => lines;

    internal ref VcpuBlock State => ref vcpu.State;

    internal ReadOnlySpan<byte> Image => image;

    /// <summary>Asked before each physical instruction; an answer ends the run with it.</summary>
    internal Func<CpuExit?>? Before { get; set; }

    /// <summary>Mapping space that guest-kernel code ran in last.</summary>
    internal uint Space { get; private set; }

    /// <summary>Begins with another guest: what the monitor and the patcher made of the last one goes.</summary>
    internal void Load(Shape next)
    {
        shape = next;
        image = GuestProgram.Image(next);
        statePage = null;
        fabric.Call<Reset, Done>("monitor", new Reset(true));
        memory.WritePhysical(0, image);
        while (memory.TryTakeHit(out _))
        {
            // Nothing is left of what these frames were watched for.
        }

        fabric.Call<FlushTranslations, Done>("cpu", new FlushTranslations(true, 0));
        Map.Clear();
        GuestProgram.Arrange(ref beginning, next, GuestProgram.Entry);
        Restore();
    }

    /// <summary>Runs the snippet and its twin until the code pages are as they will be.</summary>
    internal void Warm()
    {
        foreach (uint entry in (uint[])[GuestProgram.Entry, GuestProgram.TwinEntry, GuestProgram.Entry, GuestProgram.TwinEntry, GuestProgram.Entry])
        {
            Restore();
            State.Eip = entry;
            RunToEnd();
        }

        if (stateFrame != uint.MaxValue)
            statePage = memory.Frames(stateFrame, VirtualCpuPage.StatePages).ToArray();
    }

    /// <summary>Puts the guest back to its beginning.</summary>
    internal void Restore()
    {
        Before = null;
        lines.Intr = lines.Nmi = lines.NmiMasked = lines.HostStop = false;
        lines.NmiBlocked = shape.NmisBlocked;
        lines.TimerDeadline = ulong.MaxValue;
        Span<byte> table = memory.Ram.Slice((int)GuestProgram.PageTable, 128);
        ReadOnlySpan<byte> original = image.AsSpan((int)GuestProgram.PageTable, 128);
        if (!table.SequenceEqual(original))
        {
            memory.WritePhysical(GuestProgram.PageTable, original);
            fabric.Call<FlushTranslations, Done>("cpu", new FlushTranslations(true, 0));
        }

        image.CopyTo(memory.Ram);
        vcpu.State = beginning;
        RestoreStatePage();
        if (forgetsTargets)
            ForgetTargets();
        ports.AsSpan().Clear();
        ports[ReadablePort] = StableValues[0];
        ports[LatchPort] = StableValues[1];
        Overwritten.Clear();
        if (shape.LineAtStart)
            lines.Intr = true;
    }

    /// <summary>The handlers' state; but for the tables by IOPL, and the cache of segments, which the monitor rewrites when it knows that they no longer fit.</summary>
    private void RestoreStatePage()
    {
        if (statePage is null)
            return;
        Span<byte> page = memory.Frames(stateFrame, VirtualCpuPage.StatePages);
        statePage.AsSpan(0, VirtualCpuPage.PopfAllowed).CopyTo(page);
        const int segmentsEnd = VirtualCpuPage.SegmentCache + (VirtualCpuPage.SegmentEntries * VirtualCpuPage.SegmentEntrySize);
        statePage.AsSpan(VirtualCpuPage.PortGroup..VirtualCpuPage.SegmentSlot).CopyTo(page[VirtualCpuPage.PortGroup..]);
        statePage.AsSpan(segmentsEnd).CopyTo(page[segmentsEnd..]);
    }

    /// <summary>Runs the machine until it halts for good, or stops.</summary>
    internal MachineExit RunToEnd(ulong retireLimit = ulong.MaxValue) =>
        fabric.Call<RunMachine, MachineExit>("monitor", new RunMachine(ulong.MaxValue, retireLimit));

    /// <summary>Runs to the end and takes down how it came out.</summary>
    internal Snapshot Outcome()
    {
        try
        {
            MachineExit exit = RunToEnd();
            return Take($"{exit.Kind}: {exit.Detail}", ports);
        }
        catch (ComponentFaultException fault)
        {
            return Take($"host failure: {fault.Detail}", ports);
        }
    }

    internal Snapshot Take(string end = "", byte[]? withPorts = null) => Snapshot.Take(vcpu.State, memory.Ram, image, end, withPorts);

    internal ulong Counter(string name) =>
        fabric.Call<ReadCounters, Counters>("monitor", default).Values.FirstOrDefault(counter => string.Equals(counter.Name, name, StringComparison.Ordinal)).Value;

    /// <summary>One boundary further on, as the virtual processor sees it.</summary>
    /// <returns>False when the machine has come to its end.</returns>
    internal bool Emulate()
    {
        ref VcpuBlock v = ref vcpu.State;
        if (v.PendingDebug == 0 && v.Shadow == 0 && (lines.NmiDeliverable || (lines.Intr && (v.Eflags & 0x200) != 0)))
        {
            byte vector = 2;
            if (lines.NmiDeliverable)
                (lines.Nmi, lines.NmiBlocked) = (false, true);
            else
                vector = fabric.Call<Acknowledge, Vector>("bus", new Acknowledge(v.Now)).Value;
            return fabric.Call<Deliver, Delivered>("cpu", new Deliver(vector, false, 0, 0, External: true)).Kind == DeliverKind.Delivered;
        }

        if (v.Halted != 0 && v.PendingDebug == 0)
            return false;
        Emulated result = fabric.Call<EmulateOne, Emulated>("cpu", default);
        return result.Kind switch
        {
            EmulateKind.Next or EmulateKind.Halt => true,
            EmulateKind.GuestFault => fabric.Call<Deliver, Delivered>("cpu", new Deliver(result.Vector, result.HasErrorCode, result.ErrorCode, result.Linear, External: false)).Kind == DeliverKind.Delivered,
            _ => false,
        };
    }

    /// <summary>Changes a page's entry in the guest's table, as a write by somebody else would.</summary>
    internal void SetPageTableEntry(uint page, uint entry)
    {
        memory.WritePhysical(GuestProgram.PageTable + (page * 4), BitConverter.GetBytes(entry));
        fabric.Call<FlushTranslations, Done>("cpu", new FlushTranslations(true, 0));
        DropShadow(page);
    }

    /// <summary>Takes a page out of the mapping space alone.</summary>
    internal void DropShadow(uint page)
    {
        if (Space != 0)
            fabric.Call<ApplyMappings, Applied>("cpu", new ApplyMappings(Space, MappingOperation.Unmap, page, 0, 1, default));
    }

    /// <summary>As if the ring that ECX points into, the trace's or the branches', had been full when the handler looked at it.</summary>
    internal void FillRing()
    {
        uint page = (vcpu.State.GetGpr(1) - Map.Layout.VirtualCpuLinear) / GuestMemory.FrameSize;
        bool isBranches = page >= VirtualCpuPage.BranchPage;
        uint end = Map.Layout.VirtualCpuLinear
            + (uint)((isBranches ? VirtualCpuPage.BranchPage + VirtualCpuPage.BranchPages : VirtualCpuPage.TracePage + VirtualCpuPage.TracePages) * GuestMemory.FrameSize);
        BitConverter.TryWriteBytes(memory.Frame(stateFrame)[(isBranches ? VirtualCpuPage.BranchNext : VirtualCpuPage.TraceNext)..], end);
        vcpu.State.SetGpr(1, end);
    }

    /// <summary>Spoils the keys of the verified targets behind the patcher's back: it believes that they are there, and does not add them again.</summary>
    private void ForgetTargets()
    {
        if (targetFrame == uint.MaxValue)
            return;
        for (uint page = VirtualCpuPage.TableHeadPages; page < VirtualCpuPage.TargetPages; page++)
        {
            Span<byte> entries = memory.Frame(targetFrame + page);
            for (int entry = 0; entry < GuestMemory.FrameSize; entry += VirtualCpuPage.TargetSize)
                entries.Slice(entry + VirtualCpuPage.EntryKey, 4).Clear();
        }
    }

    public void Dispose()
    {
        memory.Dispose();
        vcpu.Dispose();
    }

    private CpuExit OnRun(in Run request, CallHandler<Run, CpuExit> inner)
    {
        if (request.Mode != RunMode.Deprivileged)
            return inner(request);
        Space = request.Space;
        while (Before is { } ask)
        {
            if (ask() is { } answer)
                return answer;
            CpuExit exit = inner(request with { Steps = 1 });
            if (exit.Kind != ExitKind.Step)
                return exit;
        }

        return inner(request);
    }

    private Applied OnApply(in ApplyMappings request, CallHandler<ApplyMappings, Applied> inner)
    {
        if (request.Operation == MappingOperation.Map && request.LinearPage == Map.Layout.VirtualCpuLinear >> 12)
            stateFrame = request.Frame;
        if (request.Operation == MappingOperation.Map && request.LinearPage == (Map.Layout.VirtualCpuLinear >> 12) + VirtualCpuPage.TargetPage)
            targetFrame = request.Frame;
        return inner(request);
    }

    private void ScriptBus() => fabric
        .Answer<ReadStablePorts, StablePorts>("bus", (in ReadStablePorts _) => new StablePorts(shape.NoStablePorts ? [] : [new(ReadablePort, true, PortWrites.None, StableValues[0]), new(OncePort, false, PortWrites.Once, 0), new(LatchPort, true, PortWrites.Any, StableValues[1])]))
        .Answer<ReadStablePort, StablePortState>("bus", (in ReadStablePort request) => request.Port == OncePort
            ? new StablePortState(false, PortWrites.Once, 0)
            : new StablePortState(true, request.Port == LatchPort ? PortWrites.Any : PortWrites.None, ports[request.Port & 0xFF]))
        .Answer<PortRead, BusResult>("bus", (in PortRead request) => new BusResult(AccessStatus.Ok, (uint)(ports[request.Port & 0xFF] + (request.Port >> 8 << 4))))
        .Answer<PortWrite, BusResult>("bus", (in PortWrite request) =>
        {
            ports[request.Port & 0xFF] = (byte)request.Value;
            return new BusResult(AccessStatus.Ok, 0);
        })
        .Answer<RunTimers, NextDeadline>("bus", new NextDeadline(ulong.MaxValue))
        .Answer<Acknowledge, Vector>("bus", (in Acknowledge _) =>
        {
            lines.Intr = false;
            return new Vector(GuestProgram.InterruptVector);
        })
        .Answer<MmioRead, BusResult>("bus", new BusResult(AccessStatus.Unmapped, 0xFFFF_FFFF))
        .Answer<MmioWrite, BusResult>("bus", new BusResult(AccessStatus.Unmapped, 0));
}
