using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Contracts.Monitor;
using Plexus.Messaging.Contracts.Patcher;
using Plexus.Messaging.Shared;
using Xunit;

namespace Plexus.Monitor.Tests;

public sealed class Ring3DriveTests : IDisposable
{
    private const uint If = 0x200;

    private readonly Bench bench = new();

    public void Dispose() => bench.Dispose();

    private static CpuExit Trap(byte vector, uint error = 0, uint linear = 0) => new(ExitKind.Trap, vector, false, error, linear, null);

    private void RunsAs(Func<Run, CpuExit> run) => bench.Cpu.Answer(run);

    private void Emulates(Func<Emulated> emulate) => bench.Cpu.Answer<EmulateOne, Emulated>(_ =>
    {
        bench.Vcpu.State.Retired++;
        return emulate();
    });

    [Fact]
    public void Breakpoint_at_a_site_emulates_the_guest_instruction_and_counts_one_round_trip()
    {
        RunsAs(_ =>
        {
            bench.Vcpu.State.Eip = 0x1005;
            return Trap(3);
        });
        bench.Patcher.Answer<Locate, GuestPoint>(l => new GuestPoint(PointKind.Site, l.CodeEip, 0, false, 77, l.CodeEip));
        uint emulatedAt = 0;
        Emulates(() =>
        {
            emulatedAt = bench.Vcpu.State.Eip;
            bench.Vcpu.State.Eip++;
            return new Emulated(EmulateKind.Next, 0, false, 0, 0, 77, null);
        });
        Assert.Equal(MachineExitKind.Limit, bench.Run(retireLimit: 1).Kind);
        Assert.Equal(0x1004u, emulatedAt);
        Assert.Equal(1ul, bench.Counter("transition.3-0"));
        Assert.Equal(1ul, bench.Counter("strategy.int3-monitor"));
    }

    [Fact]
    public void Unscanned_byte_is_scanned_planted_and_mapped_executable_never_writable()
    {
        int runs = 0;
        RunsAs(r =>
        {
            runs++;
            uint linearPage = (0x1000 + r.CodeBase) >> 12;
            if (!bench.Mappings.TryGetValue((r.Space, linearPage), out (uint Frame, MappingRights Rights) mapping))
                return Trap(14, 0x14, 0x1000 + r.CodeBase);
            Assert.Equal(MappingRights.Execute, mapping.Rights);
            Assert.Equal(bench.Planted, mapping.Frame);
            bench.Vcpu.State.Retired = 10;
            return new CpuExit(ExitKind.Limit, 0, false, 0, 0, null);
        });
        bench.Patcher.Answer<Locate, GuestPoint>(l => new GuestPoint(PointKind.Unscanned, l.CodeEip, 0, false, 0, l.CodeEip));
        Assert.Equal(MachineExitKind.Limit, bench.Run(10).Kind);
        Assert.Equal(2, runs);
        Assert.Single(bench.Prescan.Of<Messaging.Contracts.Prescan.Scan>());
    }

    [Fact]
    public void Data_fault_is_hidden_when_the_guest_allows_it_and_reflected_when_not()
    {
        bench.EnablePaging();
        bench.Write(0x11000 + (5 * 4), 0x20003);
        int step = 0;
        RunsAs(r => step++ switch
        {
            0 => Trap(14, 6, 0x5000),
            1 when bench.Mappings[(r.Space, 5)] == (0x20u, MappingRights.Read | MappingRights.Write) => Trap(14, 4, 0x6000),
            _ => throw new InvalidOperationException("unexpected run"),
        });
        Emulates(() => new Emulated(EmulateKind.GuestFault, 14, true, 0, 0x6000, 1, null));
        bench.Cpu.Answer<Deliver, Delivered>(d =>
        {
            Assert.Equal(14, d.Vector);
            Assert.Equal(0x6000u, d.Linear);
            return new Delivered(DeliverKind.TripleFault, null);
        });
        Assert.Equal(MachineExitKind.TripleFault, bench.Run().Kind);
        Assert.Equal(0x60u, bench.Read(0x11000 + (5 * 4)) & 0x60);
        Assert.Equal(1ul, bench.Counter("transition.injection"));
    }

    [Fact]
    public void Page_table_write_drops_exactly_the_changed_mapping()
    {
        bench.EnablePaging();
        bench.Write(0x11000 + (5 * 4), 0x20003);
        bench.Write(0x11000 + (6 * 4), 0x21003);
        int step = 0;
        RunsAs(r =>
        {
            switch (step++)
            {
                case 0:
                    return Trap(14, 4, 0x5000);
                case 1:
                    return Trap(14, 4, 0x6000);
                case 2:
                    Assert.True(bench.Mappings.ContainsKey((r.Space, 5)) && bench.Mappings.ContainsKey((r.Space, 6)));
                    bench.Write(0x11000 + (5 * 4), 0x22003);
                    return new CpuExit(ExitKind.Resample, 0, false, 0, 0, null);
                default:
                    Assert.False(bench.Mappings.ContainsKey((r.Space, 5)));
                    Assert.True(bench.Mappings.ContainsKey((r.Space, 6)));
                    bench.Vcpu.State.Retired = 9;
                    return new CpuExit(ExitKind.Limit, 0, false, 0, 0, null);
            }
        });
        bench.Run(9);
        Assert.Equal(4, step);
    }

    [Fact]
    public void Page_that_becomes_a_page_table_loses_write_access_in_every_space()
    {
        bench.EnablePaging();
        bench.Write(0x10004, 0x20003);
        bench.Write(0x11000 + (5 * 4), 0x20003);
        bench.Write(0x20000, 0x30003);
        int step = 0;
        RunsAs(r =>
        {
            switch (step++)
            {
                case 0:
                    return Trap(14, 6, 0x5000);
                case 1:
                    Assert.Equal(MappingRights.Read | MappingRights.Write, bench.Mappings[(r.Space, 5)].Rights);
                    return Trap(14, 4, 0x400000);
                default:
                    Assert.Equal(MappingRights.Read, bench.Mappings[(r.Space, 5)].Rights);
                    bench.Vcpu.State.Retired = 9;
                    return new CpuExit(ExitKind.Limit, 0, false, 0, 0, null);
            }
        });
        bench.Run(9);
        Assert.Equal(3, step);
    }

    [Fact]
    public void Windows_lie_in_empty_directory_entries_and_move_when_the_guest_takes_one()
    {
        bench.EnablePaging();
        bench.Write(0x11000 + (1 * 4), 0x1003);
        int step = 0;
        uint firstBase = 0;
        RunsAs(r =>
        {
            switch (step++)
            {
                case 0:
                    firstBase = r.CodeBase;
                    Assert.Equal(0u, bench.Read(0x10000 + (firstBase >> 22 << 2)) & 1);
                    Assert.NotEqual(0u, firstBase);
                    bench.Write(0x10000 + (firstBase >> 22 << 2), 0x12003);
                    return new CpuExit(ExitKind.Resample, 0, false, 0, 0, null);
                default:
                    Assert.NotEqual(firstBase, r.CodeBase);
                    Assert.DoesNotContain(bench.Mappings, m => m.Key.Page >> 10 == firstBase >> 22);
                    bench.Vcpu.State.Retired = 9;
                    return new CpuExit(ExitKind.Limit, 0, false, 0, 0, null);
            }
        });
        bench.Run(9);
        Assert.Equal(2, step);
        Assert.Equal(2ul, bench.Counter("work.layout-move"));
    }

    [Fact]
    public void Far_area_serves_the_kernel_after_it_jumped_to_the_upper_half()
    {
        bench.EnablePaging();
        bench.Write(0x10000 + (768 * 4), 0x11003);
        bench.Write(0x11000 + (1 * 4), 0x1003);
        int step = 0;
        RunsAs(_ =>
        {
            if (step++ == 0)
            {
                AssertFarTraps(0);
                bench.Vcpu.State.Eip = 0xC0001000;
                return new CpuExit(ExitKind.Resample, 0, false, 0, 0, null);
            }

            AssertFarTraps(0xC0000000);
            bench.Vcpu.State.Retired = 9;
            return new CpuExit(ExitKind.Limit, 0, false, 0, 0, null);
        });
        bench.Run(9);
        Assert.Equal(2, step);

        void AssertFarTraps(uint code)
        {
            Assert.NotEqual(0u, bench.Layout.Far.Length);
            foreach (uint displacement in (uint[])[bench.Layout.Far.Start - (code + 0x3FFFFF), bench.Layout.Far.Start + bench.Layout.Far.Length - 1 - code])
                Assert.True(displacement >> 24 is (>= 0x6C and <= 0x6F) or (>= 0xE4 and <= 0xE7) or (>= 0xEC and <= 0xEF), $"{displacement:X8}");
        }
    }

    [Fact]
    public void Interrupt_waits_for_virtual_if_and_the_handlers_see_it_pending()
    {
        bench.Lines.Intr = true;
        int step = 0;
        RunsAs(r =>
        {
            (uint state, _) = bench.Mappings[(r.Space, bench.Layout.VirtualCpuLinear >> 12)];
            Span<byte> page = bench.Memory.Frame(state);
            Assert.Equal(1, page[VirtualCpuPage.Pending]);
            Assert.Equal(0, page[VirtualCpuPage.InterruptFlag + 1]);
            Assert.Equal(0, step++);
            page[VirtualCpuPage.InterruptFlag + 1] = 2;
            return new CpuExit(ExitKind.Resample, 0, false, 0, 0, null);
        });
        bench.Cpu.Answer<Deliver, Delivered>(d =>
        {
            Assert.True(d.External);
            Assert.Equal(0x20, d.Vector);
            Assert.NotEqual(0u, bench.Vcpu.State.Eflags & If);
            return new Delivered(DeliverKind.TripleFault, null);
        });
        Assert.Equal(MachineExitKind.TripleFault, bench.Run().Kind);
    }

    [Fact]
    public void Stop_inside_a_stub_shows_the_guest_instruction_with_scratch_registers_restored()
    {
        RunsAs(r =>
        {
            (uint state, _) = bench.Mappings[(r.Space, bench.Layout.VirtualCpuLinear >> 12)];
            bench.Memory.Frame(state)[VirtualCpuPage.Scratch + 4] = 0x5A;
            bench.Vcpu.State.SetGpr(1, 0xDEAD);
            bench.Vcpu.State.Eip = bench.Layout.Near.Start + 0x10;
            bench.Vcpu.State.Retired = 3;
            return new CpuExit(ExitKind.Limit, 0, false, 0, 0, null);
        });
        bench.Patcher.Answer<Locate, GuestPoint>(_ => new GuestPoint(PointKind.Stub, 0x1234, 2, true, 5, 0x1230));
        bench.Run(3);
        Assert.Equal(0x1234u, bench.Vcpu.State.Eip);
        Assert.Equal(0x5Au, bench.Vcpu.State.GetGpr(1));
        Assert.Equal(1u, bench.Vcpu.State.Shadow);
    }

    [Fact]
    public void Resume_flag_ends_with_the_first_instruction_that_completes()
    {
        const uint Rf = 0x10000;
        bench.Vcpu.State.Eflags |= Rf;
        int step = 0;
        RunsAs(_ =>
        {
            if (step++ == 0)
            {
                // Nothing completed yet: RF is still there.
                return Trap(14, 4, 0x5000);
            }

            Assert.NotEqual(0u, bench.Vcpu.State.Eflags & Rf);
            bench.Vcpu.State.Retired = 1;
            return new CpuExit(ExitKind.Limit, 0, false, 0, 0, null);
        });
        bench.Run(1);
        Assert.Equal(2, step);
        Assert.Equal(0u, bench.Vcpu.State.Eflags & Rf);
    }

    [Theory]
    [InlineData(1u)]
    [InlineData(2u)]
    public void Ring_1_or_2_is_interpreted(uint cpl)
    {
        bench.Vcpu.State.Cpl = cpl;
        RunsAs(r =>
        {
            Assert.Equal(RunMode.Interpreted, r.Mode);
            bench.Vcpu.State.Retired = 1;
            return new CpuExit(ExitKind.Limit, 0, false, 0, 0, null);
        });
        Assert.Equal(MachineExitKind.Limit, bench.Run(1).Kind);
        Assert.Equal(1ul, bench.Counter("transition.interpreted"));
    }

    [Fact]
    public void Halt_with_interrupts_disabled_ends_the_machine_with_a_clear_report()
    {
        bench.Vcpu.State.Halted = 1;
        MachineExit exit = bench.Run();
        Assert.Equal(MachineExitKind.HaltedForever, exit.Kind);
        Assert.Contains("00001000h", exit.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Halt_with_interrupts_enabled_passes_time_to_the_next_timer()
    {
        bench.Vcpu.State.Halted = 1;
        bench.Vcpu.State.Eflags |= If;
        bench.Lines.TimerDeadline = 12_345;
        bench.Bus.Answer<Messaging.Contracts.Bus.RunTimers, Messaging.Contracts.Bus.NextDeadline>(t =>
        {
            Assert.Equal(12_345ul, t.Now);
            bench.Lines.HostStop = true;
            return new Messaging.Contracts.Bus.NextDeadline(ulong.MaxValue);
        });
        Assert.Equal(MachineExitKind.HostStop, bench.Run().Kind);
    }

    [Fact]
    public void Trap_path_allocates_nothing_once_warm()
    {
        int left = 0;
        bool recording = true;
        RunsAs(_ =>
        {
            bench.Vcpu.State.Eip = 0x1005;
            if (--left <= 0)
                bench.Lines.HostStop = true;
            return Trap(3);
        });
        bench.Patcher.Answer<Locate, GuestPoint>(l => new GuestPoint(PointKind.Site, l.CodeEip, 0, false, 77, l.CodeEip));
        Emulates(() =>
        {
            bench.Vcpu.State.Eip++;
            return new Emulated(EmulateKind.Next, 0, false, 0, 0, 77, null);
        });
        foreach (ScriptedEndpoint endpoint in bench.Port.Endpoints.Values)
            endpoint.Record = recording = false;
        Assert.False(recording);
        left = 2000;
        bench.Run();
        bench.Lines.HostStop = false;
        left = 5000;
        long before = GC.GetAllocatedBytesForCurrentThread();
        bench.Port.Call<RunMachine, MachineExit>(new RunMachine(ulong.MaxValue, ulong.MaxValue));
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(left <= 0);
    }
}
