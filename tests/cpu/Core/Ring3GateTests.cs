using Iced.Intel;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Cpu.Tests.Core;

/// <summary>Exceptions of the physical processor through gates of the monitor's IDT that lead to ring 3 (SDM vol. 3, 6.12; vol. 2, INT n and IRET).</summary>
public sealed class Ring3GateTests : IDisposable
{
    private const uint Handler = PhysicalMachine.CodeEip + 0x200;
    private const uint Stack = 0x40800;
    private const uint Tf = 0x100;
    private const uint If = 0x200;
    private const uint Nt = 0x4000;
    private const uint Rf = 0x10000;

    private readonly PhysicalMachine machine = new();

    public Ring3GateTests()
    {
        machine.Core.Esp = Stack;
        machine.Core.Tables.SetCodeBase(PhysicalMachine.CodeBase);
        machine.Core.Memory.Weights(machine.CodeFrame).Slice(0x200, 0x100).Clear();
    }

    public void Dispose() => machine.Dispose();

    [Fact]
    public void Breakpoint_pushes_flags_selector_and_the_eip_behind_it()
    {
        Gate(3);
        machine.Core.State.Eflags |= 0x8C5;
        machine.Load(a => a.int3());
        Assert.Equal(ExitKind.Step, Step().Kind);
        Assert.Equal((Handler, Stack - 12), (machine.Core.State.Eip, machine.Core.Esp));
        Assert.Equal((PhysicalMachine.CodeEip + 1, MonitorTables.GuestCode, 0x8C7u | If), Frame(0));
        Assert.Equal((uint)MonitorTables.HandlerCode, machine.Core.State.PhysicalCs);
        Assert.Equal(0ul, machine.Core.State.Retired);
    }

    [Fact]
    public void Fault_with_an_error_code_pushes_it_last_and_has_rf_in_the_image()
    {
        Gate(13);
        machine.Load(a => a.mov(ds, bx));
        machine.Core.Ebx = 0x58;
        Step();
        Assert.Equal(Stack - 16, machine.Core.Esp);
        Assert.Equal(0x58u, machine.Core.Read32(Stack - 16));
        (uint eip, ushort _, uint flags) = Frame(4);
        Assert.Equal((PhysicalMachine.CodeEip, Rf), (eip, flags & Rf));
    }

    [Fact]
    public void Fault_without_an_error_code_pushes_three_words()
    {
        Gate(6);
        machine.Load(a => a.ud2());
        Step();
        Assert.Equal((PhysicalMachine.CodeEip, Stack - 12, Rf), (Frame(0).Eip, machine.Core.Esp, Frame(0).Flags & Rf));
    }

    [Fact]
    public void Gate_clears_nt_and_keeps_if()
    {
        Gate(3);
        machine.Core.State.Eflags |= Nt;
        machine.Load(a => a.int3());
        machine.Load(a =>
        {
            a.pushfd();
            a.int3();
        });
        Step();
        Step();
        Assert.Equal(Nt, Frame(0).Flags & Nt);
        Assert.Equal(0u, machine.Core.State.Eflags & Nt);
        LoadHandler(a => a.pushfd());
        Step();
        Assert.Equal(If, machine.Core.Read32(machine.Core.Esp) & (If | Nt | Tf));
    }

    [Fact]
    public void Gate_to_ring_0_ends_the_run()
    {
        machine.Load(a => a.int3());
        CpuExit exit = Step();
        Assert.Equal((ExitKind.Trap, (byte)3, Stack, PhysicalMachine.CodeEip + 1), (exit.Kind, exit.Vector, machine.Core.Esp, machine.Core.State.Eip));
    }

    [Theory]
    [InlineData(0x80)]
    [InlineData(13)]
    public void Software_interrupt_above_the_gates_privilege_is_a_protection_fault(byte vector)
    {
        machine.Load(a => a.@int(vector));
        CpuExit exit = machine.Run();
        Assert.Equal(((byte)13, (vector * 8u) + 2, PhysicalMachine.CodeEip), (exit.Vector, exit.ErrorCode, machine.Core.State.Eip));
    }

    [Fact]
    public void Entry_vector_reaches_ring_0_behind_the_instruction_with_the_address_of_the_last_page_fault()
    {
        machine.Load(a =>
        {
            a.mov(eax, __dword_ptr[0x7000_0000]);
            a.@int(MonitorTables.EntryVector);
        });
        Assert.Equal(0x7000_0000u, machine.Run().Linear);
        machine.Core.State.Eip += 5;
        CpuExit exit = machine.Run();
        Assert.Equal((MonitorTables.EntryVector, PhysicalMachine.CodeEip + 7, 0x7000_0000u), (exit.Vector, machine.Core.State.Eip, exit.Linear));
    }

    [Theory]
    [InlineData(0u, 0)]
    [InlineData(4u, 4)]
    [InlineData(8u, 8)]
    public void Frame_that_cannot_be_pushed_enters_ring_0_at_the_instruction_with_esp_as_it_was(uint above, int written)
    {
        Gate(3);
        machine.Unmap(0x40, 1);
        machine.Core.Esp = 0x41000 + above;
        machine.Load(a => a.int3());
        CpuExit exit = machine.Run();
        Assert.Equal((ExitKind.Trap, (byte)14, 6u, 0x40FFCu), (exit.Kind, exit.Vector, exit.ErrorCode, exit.Linear));
        Assert.Equal((PhysicalMachine.CodeEip, 0x41000 + above, 0u), (machine.Core.State.Eip, machine.Core.Esp, machine.Core.State.PhysicalCs));
        Assert.Equal(written, machine.Core.Overwritten.Count);
    }

    [Fact]
    public void Frame_is_noted_as_overwritten_byte_by_byte()
    {
        Gate(3);
        machine.Load(a => a.int3());
        Step();
        Assert.Equal(12, machine.Core.Overwritten.Count);
        for (uint at = Stack - 12; at < Stack; at++)
            Assert.True(machine.Core.Overwritten.Excuses(at, machine.Core.Memory.Ram[(int)at]));
    }

    [Fact]
    public void Return_within_ring_3_takes_flags_but_not_if_or_iopl()
    {
        Gate(3);
        machine.Load(a => a.int3());
        LoadHandler(a => a.iretd());
        Step();
        machine.Core.Write32(Stack - 4, 0x0000_7CD7);
        Step();
        Assert.Equal((PhysicalMachine.CodeEip + 1, Stack, 0u), (machine.Core.State.Eip, machine.Core.Esp, machine.Core.State.PhysicalCs));
        Assert.Equal(0x4CD7u, machine.Core.State.Eflags & 0x7DD7);
    }

    [Theory]
    [InlineData(0x00u)]
    [InlineData(0x08u)]
    [InlineData(0x0Bu)]
    [InlineData(0x10u)]
    [InlineData(0x13u)]
    [InlineData(0x27u)]
    public void Return_to_a_bad_selector_is_a_protection_fault(uint selector)
    {
        Push(PhysicalMachine.CodeEip + 0x40, selector, 2);
        machine.Load(a => a.iretd());
        CpuExit exit = machine.Run();
        Assert.Equal(((byte)13, selector & 0xFFFC, PhysicalMachine.CodeEip), (exit.Vector, exit.ErrorCode, machine.Core.State.Eip));
    }

    [Fact]
    public void Return_with_nt_set_has_no_task_to_return_to()
    {
        Push(PhysicalMachine.CodeEip + 0x40, MonitorTables.GuestCode, 2);
        machine.Core.State.Eflags |= Nt;
        machine.Load(a => a.iretd());
        CpuExit exit = machine.Run();
        Assert.Equal(((byte)10, true, 0u), (exit.Vector, exit.HasErrorCode, exit.ErrorCode));
    }

    [Fact]
    public void Return_from_an_unmapped_stack_is_a_page_fault()
    {
        machine.Unmap(0x40, 1);
        machine.Load(a => a.iretd());
        CpuExit exit = machine.Run();
        Assert.Equal(((byte)14, 4u, Stack), (exit.Vector, exit.ErrorCode, exit.Linear));
        Assert.Equal(Stack, machine.Core.Esp);
    }

    [Fact]
    public void Steps_stop_wherever_that_is_and_an_exception_within_ring_3_is_one()
    {
        Gate(3);
        machine.Load(a =>
        {
            a.nop();
            a.int3();
        });
        LoadHandler(a =>
        {
            a.nop();
            a.nop();
            a.iretd();
        });
        List<uint> stops = [];
        for (ulong steps = 1; steps <= 5; steps++)
        {
            machine.Core.State.Eip = PhysicalMachine.CodeEip;
            machine.Core.State.PhysicalCs = 0;
            machine.Core.Esp = Stack;
            Assert.Equal(ExitKind.Step, machine.Run(steps: steps).Kind);
            stops.Add(machine.Core.State.Eip);
        }

        Assert.Equal([PhysicalMachine.CodeEip + 1, Handler, Handler + 1, Handler + 2, PhysicalMachine.CodeEip + 2], stops);
    }

    [Fact]
    public void Planted_call_and_handlers_own_stores_are_noted_and_the_guests_are_not()
    {
        machine.Core.Memory.Weights(machine.CodeFrame).Clear();
        machine.Load(a =>
        {
            a.call(PhysicalMachine.CodeEip + 5);
            a.mov(__dword_ptr[esp], eax);
            a.db(0x36);
            a.mov(__dword_ptr[esp - 8], eax);
            a.hlt();
        });
        machine.Run();
        Assert.Equal(8, machine.Core.Overwritten.Count);
        uint below = machine.Core.Esp - 8;
        Assert.True(machine.Core.Overwritten.Excuses(below, machine.Core.Memory.Ram[(int)below]));
    }

    private void Gate(byte vector) => machine.Core.Tables.SetGate(false, vector, MonitorTables.HandlerCode, Handler, dpl: vector == 3 ? 3 : 0);

    private CpuExit Step() => machine.Run(steps: 1);

    private void LoadHandler(Action<Assembler> write)
    {
        CoreMachine.Assemble(write, Handler).CopyTo(machine.Core.Memory.Frame(machine.CodeFrame)[0x200..]);
        machine.Core.Memory.NoteWrite(machine.CodeFrame, 0x200, 0x100);
    }

    private void Push(uint eip, uint selector, uint flags)
    {
        machine.Core.Esp = Stack - 12;
        machine.Core.Write32(Stack - 12, eip);
        machine.Core.Write32(Stack - 8, selector);
        machine.Core.Write32(Stack - 4, flags);
    }

    private (uint Eip, ushort Selector, uint Flags) Frame(uint above)
    {
        uint at = machine.Core.Esp + above;
        return (machine.Core.Read32(at), (ushort)machine.Core.Read32(at + 4), machine.Core.Read32(at + 8));
    }
}
