using Iced.Intel;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Cpu.Tests.Core;

/// <summary>Interrupts, deadlines, shadows, single-step and debug registers, at exact instruction boundaries.</summary>
public sealed class BoundaryTests
{
    private static CoreMachine MachineWithHandler()
    {
        CoreMachine machine = new();
        machine.SetGate(0x20, CoreMachine.HandlerAddress);
        machine.Write(CoreMachine.HandlerAddress, CoreMachine.Assemble(
            a =>
            {
                a.mov(edx, __dword_ptr[esp]);
                a.iretd();
            },
            CoreMachine.HandlerAddress));
        return machine;
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(1u)]
    [InlineData(10u)]
    [InlineData(777u)]
    public void Deadline_stops_at_the_first_boundary_at_or_after_it(uint instructions)
    {
        using CoreMachine machine = new();
        machine.Load(a =>
        {
            Label top = a.CreateLabel();
            a.Label(ref top);
            a.inc(eax);
            a.jmp(top);
        });

        CpuExit exit = machine.Run(deadline: instructions == 0 ? 0 : (instructions * 10ul) - 9);

        Assert.Equal(ExitKind.Deadline, exit.Kind);
        Assert.Equal((ulong)instructions, machine.State.Retired);
    }

    [Fact]
    public void Timer_deadline_of_a_device_ends_the_run_with_resample()
    {
        using CoreMachine machine = new();
        machine.OnPortWrite = _ => machine.Lines.TimerDeadline = 500;
        machine.Load(a =>
        {
            Label top = a.CreateLabel();
            a.@out(0x40, al);
            a.Label(ref top);
            a.inc(eax);
            a.jmp(top);
        });

        CpuExit exit = machine.Run();

        Assert.Equal(ExitKind.Resample, exit.Kind);
        Assert.Equal(50ul, machine.State.Retired);
    }

    [Fact]
    public void Interrupt_raised_by_a_port_write_is_taken_at_the_next_boundary()
    {
        using CoreMachine machine = MachineWithHandler();
        machine.State.Eflags |= 0x200;
        machine.OnPortWrite = _ => machine.Lines.Intr = true;
        machine.Load(a =>
        {
            a.nop();
            a.@out(0x40, al);
            a.mov(ebx, 1);
            a.hlt();
        });

        machine.RunToHalt();

        Assert.Equal(CoreMachine.CodeAddress + 3, machine.Edx);
        Assert.Equal(20ul, machine.AcknowledgedAt);
        Assert.Equal(1u, machine.Ebx);
    }

    [Fact]
    public void Sti_holds_interrupts_back_for_one_instruction()
    {
        using CoreMachine machine = MachineWithHandler();
        machine.Lines.Intr = true;
        machine.Load(a =>
        {
            a.sti();
            a.nop();
            a.nop();
            a.hlt();
        });

        machine.RunToHalt();

        Assert.Equal(CoreMachine.CodeAddress + 2, machine.Edx);
    }

    [Fact]
    public void Sti_with_interrupts_already_on_has_no_shadow()
    {
        using CoreMachine machine = MachineWithHandler();
        machine.State.Eflags |= 0x200;
        machine.OnPortWrite = _ => machine.Lines.Intr = true;
        machine.Load(a =>
        {
            a.@out(0x40, al);
            a.sti();
            a.nop();
            a.hlt();
        });

        machine.RunToHalt();

        Assert.Equal(CoreMachine.CodeAddress + 2, machine.Edx);
    }

    [Fact]
    public void Sti_hlt_halts_before_the_interrupt_and_returns_after_the_hlt()
    {
        using CoreMachine machine = MachineWithHandler();
        machine.Lines.Intr = true;
        machine.Load(a =>
        {
            a.sti();
            a.hlt();
            a.cli();
            a.hlt();
        });

        CpuExit exit = machine.Run();

        Assert.Equal(ExitKind.Halt, exit.Kind);
        Assert.Equal(CoreMachine.CodeAddress + 2, machine.Edx);
        Assert.Equal(CoreMachine.CodeAddress + 4, machine.State.Eip);
        Assert.Equal(6ul, machine.State.Retired);
    }

    [Fact]
    public void Nmi_is_taken_with_interrupts_off_and_not_again_before_iret()
    {
        using CoreMachine machine = new();
        machine.SetGate(2, CoreMachine.HandlerAddress);
        machine.Write(CoreMachine.HandlerAddress, CoreMachine.Assemble(
            a =>
            {
                a.inc(ebx);
                a.@out(0x80, al);
                a.mov(ecx, ebx);
                a.iretd();
            },
            CoreMachine.HandlerAddress));
        int writes = 0;
        machine.OnPortWrite = _ => machine.Lines.Nmi = ++writes == 1;
        machine.Lines.Nmi = true;
        machine.Load(a =>
        {
            a.nop();
            a.hlt();
        });

        machine.RunToHalt();

        Assert.Equal(2u, machine.Ebx);
        Assert.Equal(2u, machine.Ecx);
        Assert.Equal((2 * 4) + 2ul, machine.State.Retired);
    }

    [Fact]
    public void Trap_flag_traps_after_each_instruction()
    {
        using CoreMachine machine = new();
        machine.SetGate(1, CoreMachine.HandlerAddress);
        machine.Write(CoreMachine.HandlerAddress, CoreMachine.Assemble(
            a =>
            {
                a.inc(ebx);
                a.mov(edx, __dword_ptr[esp]);
                a.iretd();
            },
            CoreMachine.HandlerAddress));
        machine.Load(a =>
        {
            a.pushfd();
            a.or(__dword_ptr[esp], 0x100);
            a.popfd();
            a.nop();
            a.nop();
            a.pushfd();
            a.and(__dword_ptr[esp], ~0x100);
            a.popfd();
            a.nop();
            a.hlt();
        });

        machine.RunToHalt();

        Assert.Equal(5u, machine.Ebx);
        Assert.Equal(CoreMachine.CodeAddress + 20, machine.Edx);
        Assert.NotEqual(0u, machine.State.Dr6() & 0x4000);
    }

    [Fact]
    public void Mov_ss_postpones_the_single_step_trap()
    {
        using CoreMachine machine = new();
        machine.SetGate(1, CoreMachine.HandlerAddress);
        machine.Write(CoreMachine.HandlerAddress, CoreMachine.Assemble(
            a =>
            {
                a.mov(edx, __dword_ptr[esp]);
                a.hlt();
            },
            CoreMachine.HandlerAddress));
        machine.Load(a =>
        {
            a.mov(ss, eax);
            a.nop();
            a.nop();
        });
        machine.Eax = 0x10;
        machine.State.Eflags |= 0x100;

        machine.RunToHalt();

        Assert.Equal(CoreMachine.CodeAddress + 3, machine.Edx);
    }

    [Fact]
    public void Armed_instruction_breakpoint_faults_before_and_resume_flag_passes_it()
    {
        using CoreMachine machine = new();
        machine.SetGate(1, CoreMachine.HandlerAddress);
        machine.Write(CoreMachine.HandlerAddress, CoreMachine.Assemble(
            a =>
            {
                a.inc(ebx);
                a.mov(ecx, eax);
                a.or(__dword_ptr[esp + 8], 0x10000);
                a.iretd();
            },
            CoreMachine.HandlerAddress));
        machine.Load(a =>
        {
            a.mov(eax, 1);
            a.mov(eax, 2);
            a.hlt();
        });
        machine.State.SetDr(0, CoreMachine.CodeAddress + 5);
        machine.State.SetDr(7, 0x403);

        machine.RunToHalt();

        Assert.Equal(1u, machine.Ebx);
        Assert.Equal(1u, machine.Ecx);
        Assert.Equal(2u, machine.Eax);
        Assert.Equal(1u, machine.State.Dr6() & 0xF);
    }

    [Theory]
    [InlineData(1u, false, true)]
    [InlineData(3u, true, true)]
    [InlineData(1u, true, false)]
    public void Armed_data_breakpoint_traps_after_the_access(uint kind, bool read, bool expected)
    {
        using CoreMachine machine = new();
        machine.SetGate(1, CoreMachine.HandlerAddress);
        machine.Write(CoreMachine.HandlerAddress, CoreMachine.Assemble(
            a =>
            {
                a.mov(edx, __dword_ptr[esp]);
                a.hlt();
            },
            CoreMachine.HandlerAddress));
        machine.Load(a =>
        {
            if (read)
                a.mov(al, __byte_ptr[CoreMachine.Data + 2]);
            else
                a.mov(__byte_ptr[CoreMachine.Data + 2], al);
            a.nop();
            a.hlt();
        });
        machine.Edx = 0;
        machine.State.SetDr(1, CoreMachine.Data);
        machine.State.SetDr(7, 0x40C | (kind << 20) | (3u << 22));

        machine.RunToHalt();

        Assert.Equal(expected ? CoreMachine.CodeAddress + 5u : 0u, machine.Edx);
        Assert.Equal(expected ? 2u : 0u, machine.State.Dr6() & 0xF);
    }

    [Fact]
    public void Emulate_one_reports_a_fault_and_changes_nothing()
    {
        using CoreMachine machine = new();
        machine.EnablePaging();
        machine.SetPage(0x100000, 0);
        machine.Load(a => a.push(__dword_ptr[0x100004]));

        Emulated result = machine.Step();

        Assert.Equal(EmulateKind.GuestFault, result.Kind);
        Assert.Equal(14, result.Vector);
        Assert.True(result.HasErrorCode);
        Assert.Equal(0u, result.ErrorCode);
        Assert.Equal(0x100004u, result.Linear);
        Assert.Equal((int)Code.Push_rm32, result.InstructionCode);
        Assert.Equal(CoreMachine.CodeAddress, machine.State.Eip);
        Assert.Equal(CoreMachine.StackTop, machine.Esp);
        Assert.Equal(0ul, machine.State.Retired);
        Assert.Equal(0u, machine.State.Cr2);
    }

    [Fact]
    public void Interpreted_ends_where_the_state_can_run_deprivileged()
    {
        using CoreMachine machine = new();
        machine.State.Cr0 &= ~1u;
        machine.Load(a =>
        {
            a.mov(eax, 0x11);
            a.mov(cr0, eax);
            a.mov(ebx, 7);
            a.hlt();
        });

        CpuExit exit = machine.Run(mode: RunMode.Interpreted);

        Assert.Equal(ExitKind.Runnable, exit.Kind);
        Assert.Equal(CoreMachine.CodeAddress + 8, machine.State.Eip);
        Assert.Equal(0u, machine.Ebx);
    }

    [Fact]
    public void Stop_request_ends_the_run_after_the_port_write()
    {
        using CoreMachine machine = new();
        machine.OnPortWrite = _ => machine.Lines.GuestExitCode = 3;
        machine.Load(a =>
        {
            a.@out(0xF4, al);
            a.inc(ebx);
            a.hlt();
        });

        CpuExit exit = machine.Run();

        Assert.Equal(ExitKind.Stop, exit.Kind);
        Assert.Equal(0u, machine.Ebx);
        Assert.Equal(1ul, machine.State.Retired);
    }
}
