using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Contracts.Handlers;
using Plexus.Messaging.Contracts.Monitor;
using Plexus.Messaging.Contracts.Patcher;
using Plexus.Messaging.Shared;
using Xunit;

namespace Plexus.Monitor.Tests;

/// <summary>What the monitor does about ring-3 gates and planted CALLs: where its IDT leads, entries from the handler segment, and faults that are the road's own.</summary>
public sealed class GateDriveTests : IDisposable
{
    private const uint Stack = 0x8000;
    private const uint Site = 0x1004;

    private readonly Bench bench = new(new MonitorOptions { Strategy = Strategy.Int3Ring3, Ring3Gates = [13] });
    private uint dispatcher;

    public GateDriveTests()
    {
        bench.Vcpu.State.SetGpr(4, Stack);
        bench.Patcher.Answer<SetLayout, LayoutSet>(layout =>
        {
            if (layout.User)
                return new LayoutSet([], []);
            Assert.Equal([3, 13], layout.Gates.ToArray());
            Assert.NotEqual(uint.MaxValue, layout.TableFrame);
            dispatcher = layout.Layout.Near.Start + 0x40;
            return new LayoutSet([], [new GateEntry(3, dispatcher), new GateEntry(13, dispatcher + 0x100)]);
        });
    }

    public void Dispose() => bench.Dispose();

    [Fact]
    public void Gates_lead_into_the_segment_and_are_pointed_anew_when_the_windows_move()
    {
        bench.EnablePaging();
        bench.Write(0x11000 + 4, 0x1003);
        List<uint> targets = [];
        bench.Cpu.Answer<Run, CpuExit>(run =>
        {
            Assert.Equal(((uint)MonitorTables.HandlerCode << 16 | (dispatcher & 0xFFFF), (dispatcher & 0xFFFF0000) | 0xEF00), bench.Tables.Gate(3));
            Assert.Equal(0x8F00u, bench.Tables.Gate(13).High & 0xFFFF);
            Assert.True(bench.Tables.TryDescriptor(MonitorTables.HandlerCode, out uint low, out uint high));
            Assert.Equal(run.CodeBase, (low >> 16) | ((high & 0xFF) << 16) | (high & 0xFF000000));
            targets.Add(dispatcher);
            if (targets.Count == 1)
                bench.Write(0x10000 + (run.CodeBase >> 22 << 2), 0x12003);
            else
                bench.Vcpu.State.Retired = 9;
            return new CpuExit(targets.Count == 1 ? ExitKind.Resample : ExitKind.Limit, 0, false, 0, 0, null);
        });
        bench.Run(9);
        Assert.Equal(2, targets.Count);
        Assert.Equal(2, bench.Patcher.Of<SetLayout>().Count(layout => !layout.User));
    }

    [Fact]
    public void Dispatcher_that_finds_nothing_gives_ring_0_the_exception_it_was_entered_with()
    {
        Push(eip: 0x1234, flags: 0x0000_4CD7, error: 0x58);
        bench.Cpu.Answer<Run, CpuExit>(_ => Enter(dispatcher + 0x100, restored: 1));
        bench.Patcher.Answer<Locate, GuestPoint>(l => l.CodeEip >= dispatcher
            ? new GuestPoint(PointKind.StubDeferred, 13, 0, false, 0, 13, Origin: StubOrigin.GateFrame, StackShift: 16, Road: Road.Gate)
            : new GuestPoint(PointKind.Plain, l.CodeEip, 0, false, 0, l.CodeEip));
        Emulates(0x1234, Stack);
        Assert.Equal(MachineExitKind.Limit, bench.Run(1).Kind);
        Assert.Equal(0x4CD7u, bench.Vcpu.State.Eflags & 0x4DFF);
        Assert.Equal(0u, bench.Vcpu.State.PhysicalCs);
    }

    [Fact]
    public void Site_whose_code_defers_is_emulated_at_its_own_eip()
    {
        bench.Cpu.Answer<Run, CpuExit>(_ => Enter(dispatcher + 0x400, restored: 0));
        bench.Patcher.Answer<Locate, GuestPoint>(_ => new GuestPoint(PointKind.StubDeferred, Site, 0, false, 5, Site, Road: Road.Gate));
        Emulates(Site, Stack);
        bench.Run(1);
        Assert.Equal(1ul, bench.Counter("strategy.int3-ring3"));
    }

    [Fact]
    public void Stop_in_a_shared_handler_asks_the_branch_table_who_called()
    {
        bench.Write(Stack - 4, 0x1009);
        bench.Vcpu.State.SetGpr(4, Stack - 4);
        bench.Cpu.Answer<Run, CpuExit>(_ =>
        {
            bench.Vcpu.State.Eip = dispatcher + 0x500;
            bench.Vcpu.State.Retired = 1;
            return new CpuExit(ExitKind.Limit, 0, false, 0, 0, null);
        });
        bench.Patcher.Answer<Locate, GuestPoint>(_ => new GuestPoint(PointKind.Stub, 0, 0, false, 0, 0, Origin: StubOrigin.CallFrame, StackShift: 4, Road: Road.Call));
        bench.Patcher.Answer<LocateReturn, GuestPoint>(r =>
        {
            Assert.Equal((0x1009u, false), (r.ReturnEip, r.Gate));
            return new GuestPoint(PointKind.Stub, Site, 0, false, 5, Site, Road: Road.Call);
        });
        bench.Run(1);
        Assert.Equal((Site, Stack), (bench.Vcpu.State.Eip, bench.Vcpu.State.GetGpr(4)));
    }

    [Fact]
    public void Stop_in_a_dispatcher_entered_from_the_segment_goes_back_through_that_place()
    {
        Push(eip: 0, flags: 2, error: null);
        bench.Cpu.Answer<Run, CpuExit>(_ =>
        {
            bench.Write(Stack - 12, dispatcher + 0x401);
            bench.Vcpu.State.Eip = dispatcher;
            bench.Vcpu.State.Retired = 1;
            return new CpuExit(ExitKind.Limit, 0, false, 0, 0, null);
        });
        bench.Patcher.Answer<Locate, GuestPoint>(l => l.CodeEip == dispatcher
            ? new GuestPoint(PointKind.Stub, 3, 0, false, 0, 3, Origin: StubOrigin.GateFrame, StackShift: 12, Road: Road.Gate)
            : new GuestPoint(PointKind.StubDeferred, Site, 0, false, 5, Site, Road: Road.Call));
        bench.Run(1);
        Assert.Equal((Site, Stack), (bench.Vcpu.State.Eip, bench.Vcpu.State.GetGpr(4)));
    }

    [Fact]
    public void Push_of_the_road_that_faults_is_absorbed_and_the_guest_instruction_emulated()
    {
        bench.EnablePaging();
        bench.Write(0x11000 + 4, 0x1003);
        bench.Cpu.Answer<Run, CpuExit>(_ =>
        {
            bench.Vcpu.State.Eip = Site;
            return new CpuExit(ExitKind.Trap, 14, true, 6, Stack - 4, null);
        });
        bench.Patcher.Answer<Locate, GuestPoint>(l => new GuestPoint(PointKind.Site, l.CodeEip, 0, false, 5, l.CodeEip));
        Emulates(Site, Stack);
        bench.Run(1);
        Assert.Empty(bench.Cpu.Of<Deliver>());
    }

    [Fact]
    public void Road_that_has_taken_effect_is_never_rolled_back()
    {
        bench.Cpu.Answer<Run, CpuExit>(_ =>
        {
            bench.Vcpu.State.Eip = dispatcher + 0x400;
            bench.Vcpu.State.Retired = 1;
            return new CpuExit(ExitKind.Limit, 0, false, 0, 0, null);
        });
        bench.Patcher.Answer<Locate, GuestPoint>(_ => new GuestPoint(PointKind.Stub, Site, 0, false, 5, Site, Committed: true));
        Assert.Throws<InvalidOperationException>(() => bench.Run(1));
    }

    /// <summary>INT 20h at an EIP of the segment.</summary>
    private CpuExit Enter(uint eip, uint restored)
    {
        bench.Vcpu.State.Eip = eip + 2;
        bench.Vcpu.State.PhysicalCs = MonitorTables.HandlerCode;
        if (restored != 0)
            bench.Vcpu.State.SetGpr(4, Stack - 16);
        return new CpuExit(ExitKind.Trap, MonitorTables.EntryVector, false, 0, 0, null);
    }

    private void Push(uint eip, uint flags, uint? error)
    {
        bench.Write(Stack - 4, flags);
        bench.Write(Stack - 8, MonitorTables.GuestCode);
        bench.Write(Stack - 12, eip);
        bench.Write(Stack - 16, error ?? 0);
        bench.Vcpu.State.SetGpr(4, Stack - (error is null ? 12u : 16));
    }

    private void Emulates(uint eip, uint esp) => bench.Cpu.Answer<EmulateOne, Emulated>(_ =>
    {
        Assert.Equal((eip, esp), (bench.Vcpu.State.Eip, bench.Vcpu.State.GetGpr(4)));
        bench.Vcpu.State.Retired++;
        bench.Vcpu.State.Eip++;
        return new Emulated(EmulateKind.Next, 0, false, 0, 0, 5, null);
    });
}
