using System.Runtime.InteropServices;
using Iced.Intel;
using Plexus.Cpu.Native;
using Plexus.Cpu.Native.Engine;
using Plexus.Cpu.Processor;
using Plexus.Messaging.Shared;
using Plexus.Tests.Native;
using static Iced.Intel.AssemblerRegisters;
using L = Plexus.Cpu.Native.Engine.EngineLayout;
using R = Plexus.Cpu.Tests.Native.ContainerRig;

namespace Plexus.Cpu.Tests.Native;

/// <summary>What a guest container runs and tells, without a monitor.</summary>
public sealed partial class GuestContainerTests
{
    private const int SignalInterrupt = 2, SignalTerminate = 15;
    private const uint SmallData = 0x41, SmallCode = 0x45;

    [NativeFact]
    public void Registers_go_in_and_come_out()
    {
        using R rig = new();
        for (int i = 0; i < 8; i++)
        {
            if (i != 4)
                rig.Set(i, (uint)(0x1111_1111 * (i + 1)));
        }

        Assert.Null(rig.Run(c =>
        {
            c.inc(eax);
            c.not(edi);
            c.stc();
            c.int3();
        }));

        Assert.Equal((3, MonitorTables.GuestCode, R.Code + 5ul), (rig.Vector, rig.Cs, rig.Rip));
        Assert.Equal(
            [0x1111_1112u, 0x2222_2222, 0x3333_3333, 0x4444_4444, R.Stack, 0x6666_6666, 0x7777_7777, 0x7777_7777],
            Enumerable.Range(0, 8).Select(rig.Get));
        Assert.Equal(1, rig.Container.State(L.Eflags) & 1);
    }

    [NativeTheory]
    [InlineData(new byte[] { 0xF4 }, 13, 0u, 0u)]
    [InlineData(new byte[] { 0xCD, 0x20 }, 13, 0x102u, 0u)]
    [InlineData(new byte[] { 0x0F, 0x0B }, 6, 0u, 0u)]
    [InlineData(new byte[] { 0xF7, 0xF1 }, 0, 0u, 0u)]
    [InlineData(new byte[] { 0xA1, 0x00, 0x20, 0x20, 0x00 }, 14, 4u, R.Absent)]
    [InlineData(new byte[] { 0xA2, 0x10, 0x20, 0x20, 0x00 }, 14, 6u, R.Absent + 16)]
    [InlineData(new byte[] { 0xA2, 0x08, 0x10, 0x20, 0x00 }, 14, 7u, R.ReadOnly + 8)]
    [InlineData(new byte[] { 0xA2, 0x00, 0x00, 0x10, 0x00 }, 14, 7u, R.Code)]
    public void Fault_is_told_with_vector_error_code_and_address(byte[] code, int vector, uint error, uint address)
    {
        using R rig = new();

        Assert.Null(rig.Run(c => c.db(code)));

        Assert.Equal((vector, error, MonitorTables.GuestCode, (ulong)R.Code), (rig.Vector, rig.Error, rig.Cs, rig.Rip));
        if (vector == 14)
            Assert.Equal(address, rig.Cr2);
    }

    [NativeFact]
    public void Data_is_not_executed()
    {
        using R rig = new();

        Assert.Null(rig.Run(c => c.jmp(R.Data)));

        Assert.Equal((14, 0x15u, R.Data, (ulong)R.Data), (rig.Vector, rig.Error, rig.Cr2, rig.Rip));
    }

    [NativeFact]
    public void Endless_loop_is_kicked_when_its_time_is_up()
    {
        using R rig = new();
        rig.Set(1, 0);

        Assert.Null(rig.Run(Loop, 2_000_000));

        Assert.Equal((SystemCall.SignalUser1, MonitorTables.GuestCode), (rig.Signal, rig.Cs));
        Assert.NotEqual(0u, rig.Get(1));
        Assert.InRange(rig.Rip, R.Code, R.Code + 2ul);
    }

    [NativeFact]
    public void Endless_loop_is_kicked_when_the_host_wants_a_stop_and_goes_on_later()
    {
        using R rig = new();
        int asked = 0;
        Assert.Null(rig.Run(Loop, 1));
        rig.Container.SetOrder(L.EntryEip, (uint)rig.Rip);
        rig.Set(1, 0);

        Assert.Null(rig.Container.Run(long.MaxValue, () => ++asked > 1));

        Assert.Equal(SystemCall.SignalUser1, rig.Signal);
        Assert.NotEqual(0u, rig.Get(1));
    }

    [NativeFact]
    public void Data_segment_has_its_base_and_its_limit()
    {
        using R rig = new();
        rig[0x110] = 0xCAFE;
        rig.Container.SetSegment(5, R.Data + 0x100, 0x1F, SmallData);
        rig.Container.SetOrder(L.EntryFs, (5 << 3) | 7);

        Assert.Null(rig.Run(c =>
        {
            c.mov(eax, __dword_ptr.fs[0x10]);
            c.mov(__dword_ptr.fs[0x1C], eax);
            c.mov(ebx, __dword_ptr.fs[0x1D]);
        }));

        Assert.Equal((13, 0u, 0xCAFEu, 0xCAFEu), (rig.Vector, rig.Error, rig.Get(0), rig[0x11C]));
    }

    [NativeFact]
    public void Segment_that_changes_is_the_new_one_at_the_next_entry()
    {
        using R rig = new();
        (rig[0], rig[0x100]) = (1, 2);
        rig.Container.SetOrder(L.EntryGs, (6 << 3) | 7);
        for (uint i = 0; i < 2; i++)
        {
            rig.Container.SetSegment(6, R.Data + (i * 0x100), 0xFF, SmallData);
            Assert.Null(rig.Run(c =>
            {
                c.mov(eax, __dword_ptr.gs[0]);
                c.int3();
            }));
            Assert.Equal((3, i + 1), (rig.Vector, rig.Get(0)));
        }
    }

    [NativeFact]
    public void Code_segment_has_its_base_and_its_limit()
    {
        using R rig = new();
        rig.Container.SetSegment(MonitorTables.HandlerCode >> 3, R.Code - 0x1000, 0x1FFF, SmallCode);
        rig.Container.SetOrder(L.EntryCs, MonitorTables.HandlerCode);
        rig.Container.SetOrder(L.EntryEip, 0x1000);

        Assert.Null(rig.Run(c =>
        {
            c.inc(eax);
            c.jmp(R.Code + 0x1000);
        }));

        Assert.Equal((13, 0u, MonitorTables.HandlerCode, 0x1001ul), (rig.Vector, rig.Error, rig.Cs, rig.Rip));
    }

    [NativeFact]
    public void Code_segment_wraps_at_four_gigabytes()
    {
        using R rig = new();
        rig.Container.SetSegment(MonitorTables.HandlerCode >> 3, 0xA000_0000, 0xF_FFFF, 0x55);
        rig.Container.SetOrder(L.EntryCs, MonitorTables.HandlerCode);
        rig.Container.SetOrder(L.EntryEip, 0x6000_0000 + R.Code);

        Assert.Null(rig.Run(c => c.int3()));

        Assert.Equal((3, 0x6000_0001ul + R.Code), (rig.Vector, rig.Rip));
    }

    [NativeFact]
    public void Floating_point_state_goes_in_and_comes_out()
    {
        using R rig = new();
        VcpuBlock state = default;
        state.Fpu.Control = 0x37F;
        state.Fpu.Valid = 1;
        state.Fpu.SetRegister(0, 0x8000_0000_0000_0000, 0x4000); // 2.0
        state.Sse.Mxcsr = 0x1F80;
        state.Sse.SetRegister(3, 0x1111, 0x2222);
        FxImage.Write(state, hasSse: true, rig.Container.EntryFx);

        Assert.Null(rig.Run(c =>
        {
            c.fld1();
            c.faddp(st1, st0);
            c.movaps(xmm5, xmm3);
            c.int3();
        }));

        VcpuBlock after = default;
        FxImage.Read(rig.Container.ExitFx, hasSse: true, ref after);
        Assert.Equal((0x37F, 1, 0x1F80u), (after.Fpu.Control, after.Fpu.Valid, after.Sse.Mxcsr));
        Assert.Equal((0xC000_0000_0000_0000, (ushort)0x4000), after.Fpu.GetRegister(0));
        Assert.Equal((0x1111ul, 0x2222ul), after.Sse.GetRegister(5));
    }

    [NativeFact]
    public void Batch_longer_than_the_order_page_is_carried_out_in_order()
    {
        using R rig = new();
        const uint pages = L.MaximumOrders + 100;
        const uint first = 0x1000_0000;
        BitConverter.TryWriteBytes(rig.Frame(R.FirstSpareFrame), 0x1234u);
        for (uint i = 0; i < pages; i++)
            rig.Container.Map((first >> 12) + (i * 2), R.FirstSpareFrame, 1, ContainerAccess.Read);
        rig.Container.Protect((first >> 12) + (pages * 2) - 2, 1, ContainerAccess.Read | ContainerAccess.Write);

        Assert.Null(rig.Run(c =>
        {
            c.mov(eax, __dword_ptr[first]);
            c.mov(ebx, __dword_ptr[first + ((pages * 2) - 2) * 0x1000]);
            c.mov(__dword_ptr[first + (((pages * 2) - 2) * 0x1000) + 4], eax);
            c.mov(__dword_ptr[first], eax);
        }));

        Assert.Equal((14, 7u, first), (rig.Vector, rig.Error, rig.Cr2));
        Assert.Equal((0x1234u, 0x1234u, 0x1234u), (rig.Get(0), rig.Get(3), BitConverter.ToUInt32(rig.Frame(R.FirstSpareFrame)[4..])));
    }

    [NativeFact]
    public void Page_that_was_unmapped_is_absent()
    {
        using R rig = new();
        Assert.Null(rig.Run(Read));
        Assert.Equal(3, rig.Vector);
        rig.Container.Unmap(R.Data >> 12, 1);

        Assert.Null(rig.Run(Read));

        Assert.Equal((14, 4u, (ulong)R.Data), (rig.Vector, rig.Error, rig.Cr2));

        static void Read(Assembler c)
        {
            c.mov(eax, __dword_ptr[R.Data]);
            c.int3();
        }
    }

    [NativeFact]
    public void Mapping_that_the_host_refuses_is_told()
    {
        using R rig = new();
        rig.Container.Map(0x300, 0, 0, ContainerAccess.Read);

        string? failure = rig.Run(c => c.int3());

        Assert.NotNull(failure);
        Assert.StartsWith("the host refused a mapping of the guest's container: error 22 ", failure, StringComparison.Ordinal);
    }

    [NativeFact]
    public void Gate_leads_to_the_handler_with_a_frame_on_the_guests_stack()
    {
        using R rig = new();
        rig.Container.SetOrder(L.Gates + (3 * 4), R.Code + 16);
        rig.Container.SetOrder(L.GateSelector, MonitorTables.GuestCode);

        Assert.Null(rig.Run(c =>
        {
            c.stc();
            c.int3();
            c.hlt();
            while (c.Instructions.Count < 16)
                c.nop();
            c.mov(ebx, esp);
            c.hlt();
        }));

        Assert.Equal((13, R.Code + 18ul, R.Stack - 12), (rig.Vector, rig.Rip, rig.Get(3)));
        Assert.Equal((R.Code + 2, MonitorTables.GuestCode, 0x203u), (rig[0x7F4], rig[0x7F8], rig[0x7FC] & 0x203));
        Assert.Equal(1, rig.Container.State(L.GatesTaken));
    }

    [NativeFact]
    public void Frame_that_cannot_be_pushed_is_told_with_the_exceptions_own_registers()
    {
        using R rig = new();
        rig.Container.SetOrder(L.Gates + (3 * 4), R.Code + 16);
        rig.Container.SetOrder(L.GateSelector, MonitorTables.GuestCode);
        rig.Set(4, R.ReadOnly + 8);
        rig.Set(2, 0xD00D);

        Assert.Null(rig.Run(c => c.int3()));

        Assert.Equal((0x103, MonitorTables.GuestCode, R.Code + 1ul), (rig.Container.State(L.GatePush), rig.Cs, rig.Rip));
        Assert.Equal((7u, R.ReadOnly + 4ul, 0xD00Du, R.ReadOnly + 8), (rig.Error, rig.Cr2, rig.Get(2), rig.Get(4)));
    }

    /// <summary>A guest that takes one gate after the other is in the host's kernel and in the container's own code nearly all the time.</summary>
    [NativeFact]
    public void Guest_that_takes_gates_without_end_is_stopped_before_one_or_behind()
    {
        const int Runs = 40;
        using R rig = new();
        rig.Container.SetOrder(L.Gates + (3 * 4), R.Code + 16);
        rig.Container.SetOrder(L.GateSelector, MonitorTables.GuestCode);
        for (int run = 0; run < Runs; run++)
        {
            rig[0x7F4] = 0;
            Assert.Null(rig.Run(
                c =>
                {
                    Label top = c.CreateLabel();
                    c.Label(ref top);
                    c.int3();
                    while (c.Instructions.Count < 16)
                        c.nop();
                    c.add(esp, 12);
                    c.jmp(top);
                },
                300_000 + (run * 1_000)));
            Assert.Equal(SystemCall.SignalUser1, rig.Signal);
            bool isTaken = rig.Rip == R.Code + 16;
            Assert.True(rig.Rip is R.Code or R.Code + 16 or R.Code + 19, $"EIP {rig.Rip:X}");
            Assert.Equal(R.Stack - (isTaken ? 12u : 0), rig.Get(4));
            Assert.True(!isTaken || (rig[0x7F4], rig[0x7F8]) == (R.Code + 1, MonitorTables.GuestCode));
        }
    }

    /// <summary>A kick that was on its way when the guest stopped by itself meets the container asleep, and the monitor before it has read why.</summary>
    [NativeFact]
    public void Kick_that_comes_late_leaves_what_was_told_of_a_frame_that_could_not_be_pushed()
    {
        using R rig = new();
        rig.Container.SetOrder(L.Gates + (3 * 4), R.Code + 16);
        rig.Container.SetOrder(L.GateSelector, MonitorTables.GuestCode);
        rig.Set(4, R.ReadOnly + 8);
        Assert.Null(rig.Run(c => c.int3()));
        Assert.Null(rig.Container.Settle());

        Assert.Equal(0, Send(rig.Container.ProcessId, SystemCall.SignalUser1));
        while (!File.ReadAllText($"/proc/{rig.Container.ProcessId}/status").Contains("ShdPnd:\t0000000000000000\n", StringComparison.Ordinal))
            Thread.Yield();
        Assert.Null(rig.Container.Settle());

        Assert.Equal((0x103, MonitorTables.GuestCode, R.Code + 1ul), (rig.Container.State(L.GatePush), rig.Cs, rig.Rip));
    }

    [NativeFact]
    public void Alignment_check_of_the_guest_does_not_disturb_the_handler()
    {
        using R rig = new();
        rig.Container.SetOrder(L.EntryEflags, 0x4_0202);

        Assert.Null(rig.Run(c => c.mov(eax, __dword_ptr[R.Data + 1])));

        Assert.Equal((17, 0u, (ulong)R.Code), (rig.Vector, rig.Error, rig.Rip));
    }

    [NativeFact]
    public void Container_that_was_killed_is_reported()
    {
        using R rig = new();
        Assert.Null(rig.Run(c => c.int3()));
        Assert.Equal(0, Send(rig.Container.ProcessId, SystemCall.SignalKill));

        Assert.Equal("the container was ended by signal 9", rig.Run());
        Assert.Equal("the container was ended by signal 9", rig.Run());
    }

    /// <summary>A key in the terminal reaches every process of the group.</summary>
    [NativeTheory]
    [InlineData(SignalInterrupt)]
    [InlineData(SignalTerminate)]
    public void Signal_from_a_terminal_changes_nothing(int signal)
    {
        using R rig = new();
        Assert.Null(rig.Run(c => c.int3()));
        Assert.Equal(0, Send(rig.Container.ProcessId, signal));

        Assert.Null(rig.Run(Loop, 1_000_000));

        Assert.Equal(SystemCall.SignalUser1, rig.Signal);
    }

    [NativeFact]
    public void Container_has_one_descriptor_and_no_environment()
    {
        using R rig = new();
        string folder = $"/proc/{rig.Container.ProcessId}";
        FileInfo only = new(Assert.Single(Directory.EnumerateFiles(Path.Combine(folder, "fd"))));

        Assert.StartsWith("/memfd:plexus-test", only.LinkTarget, StringComparison.Ordinal);
        Assert.Empty(File.ReadAllBytes(Path.Combine(folder, "environ")));
        Assert.Equal("plexus-guest\n", File.ReadAllText(Path.Combine(folder, "comm")));
        foreach (string task in Directory.EnumerateDirectories(Path.Combine(folder, "task")))
            Assert.Contains("Seccomp:\t2\n", File.ReadAllText(Path.Combine(task, "status")), StringComparison.Ordinal);
    }

    [NativeFact]
    public void Thread_that_came_back_has_stopped_and_goes_on_when_it_is_let()
    {
        using R rig = new();
        for (int run = 0; run < 20; run++)
        {
            Assert.Null(rig.Run(c => c.int3()));
            Assert.Null(rig.Container.Settle());
            Assert.Equal(3, rig.Vector);
        }
    }

    /// <summary>The kick may be on its way still, or come while the container waits already.</summary>
    [NativeFact]
    public void Thread_that_was_kicked_has_stopped_and_goes_on_when_it_is_let()
    {
        using R rig = new();
        for (int run = 0; run < 20; run++)
        {
            Assert.Null(rig.Run(Loop, 1 + (run * 20_000)));
            Assert.Null(rig.Container.Settle());
            Assert.Equal(SystemCall.SignalUser1, rig.Signal);
        }
    }

    private static void Loop(Assembler c)
    {
        Label top = c.CreateLabel();
        c.Label(ref top);
        c.inc(ecx);
        c.jmp(top);
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Send(int process, int signal);
}
