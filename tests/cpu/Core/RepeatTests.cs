using Iced.Intel;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Cpu.Tests.Core;

public sealed class RepeatTests
{
    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(5, 5)]
    [InlineData(5000, 5000)]
    public void Each_iteration_counts_one_and_none_counts_one(uint count, ulong expected)
    {
        using CoreMachine machine = new();
        machine.Load(a =>
        {
            a.rep.movsb();
            a.hlt();
        });
        machine.Ecx = count;
        machine.Esi = CoreMachine.Data;
        machine.Edi = CoreMachine.Data + 0x8000;

        machine.RunToHalt();

        Assert.Equal(expected + 1, machine.State.Retired);
        Assert.Equal(0u, machine.Ecx);
        Assert.Equal(CoreMachine.Data + count, machine.Esi);
    }

    [Theory]
    [InlineData(1u)]
    [InlineData(63u)]
    [InlineData(100u)]
    [InlineData(2000u)]
    [InlineData(4999u)]
    public void Limit_inside_stops_between_iterations_with_eip_on_the_instruction(uint limit)
    {
        using CoreMachine machine = new();
        machine.Load(a =>
        {
            a.rep.stosd();
            a.hlt();
        });
        machine.Ecx = 5000;
        machine.Eax = 0x12345678;
        machine.Edi = CoreMachine.Data + 2;

        CpuExit exit = machine.Run(limit);

        Assert.Equal(ExitKind.Limit, exit.Kind);
        Assert.Equal((ulong)limit, machine.State.Retired);
        Assert.Equal(CoreMachine.CodeAddress, machine.State.Eip);
        Assert.Equal(5000 - limit, machine.Ecx);
        Assert.Equal(CoreMachine.Data + 2 + (limit * 4), machine.Edi);
        Assert.Equal(0u, machine.Read32(machine.Edi));
        machine.RunToHalt();
        Assert.Equal(5001ul, machine.State.Retired);
        Assert.Equal(0x12345678u, machine.Read32(CoreMachine.Data + 2 + (4999 * 4)));
    }

    [Fact]
    public void Interrupt_inside_is_taken_between_iterations_and_the_rest_follows()
    {
        using CoreMachine machine = new();
        machine.SetGate(0x20, CoreMachine.HandlerAddress);
        machine.Write(CoreMachine.HandlerAddress, CoreMachine.Assemble(
            a =>
            {
                a.mov(edx, ecx);
                a.iretd();
            },
            CoreMachine.HandlerAddress));
        machine.Load(a =>
        {
            a.rep.lodsb();
            a.hlt();
        });
        machine.State.Eflags |= 0x200;
        machine.Ecx = 3000;
        machine.Esi = CoreMachine.Data;
        machine.Run(deadline: 1000 * 10);

        machine.Lines.Intr = true;
        machine.RunToHalt();

        Assert.Equal(2000u, machine.Edx);
        Assert.Equal(3000ul + 2 + 1, machine.State.Retired);
    }

    [Fact]
    public void Fault_inside_leaves_the_registers_at_the_faulting_iteration()
    {
        using CoreMachine machine = new();
        machine.CatchExceptions();
        machine.EnablePaging();
        machine.SetPage(CoreMachine.Data + 0x1000, 0);
        machine.Load(a => a.rep.stosd());
        machine.Ecx = 0x1000;
        machine.Edi = CoreMachine.Data + 0x800;

        machine.RunToHalt();

        Assert.Equal(14u, machine.Edx);
        Assert.Equal(CoreMachine.Data + 0x1000, machine.State.Cr2);
        Assert.Equal(CoreMachine.Data + 0x1000, machine.Edi);
        Assert.Equal(0x1000u - 0x200, machine.Ecx);
        Assert.Equal(2u, machine.Read32(machine.Esp));
        Assert.Equal(CoreMachine.CodeAddress, machine.Read32(machine.Esp + 4));
    }

    [Fact]
    public void Overlapping_forward_copy_repeats_the_pattern()
    {
        using CoreMachine machine = new();
        machine.Write(CoreMachine.Data, "abc"u8);
        machine.Load(a =>
        {
            a.rep.movsb();
            a.hlt();
        });
        machine.Ecx = 9;
        machine.Esi = CoreMachine.Data;
        machine.Edi = CoreMachine.Data + 3;

        machine.RunToHalt();

        Assert.True(machine.Memory.Ram.Slice((int)CoreMachine.Data, 12).SequenceEqual("abcabcabcabc"u8));
    }

    [Fact]
    public void Backward_copy_moves_the_last_element_first()
    {
        using CoreMachine machine = new();
        machine.Write(CoreMachine.Data, "abcdef"u8);
        machine.Load(a =>
        {
            a.std();
            a.rep.movsb();
            a.cld();
            a.hlt();
        });
        machine.Ecx = 6;
        machine.Esi = CoreMachine.Data + 5;
        machine.Edi = CoreMachine.Data + 7;

        machine.RunToHalt();

        Assert.True(machine.Memory.Ram.Slice((int)CoreMachine.Data, 8).SequenceEqual("ababcdef"u8));
        Assert.Equal(CoreMachine.Data - 1, machine.Esi);
    }

    [Fact]
    public void Repne_scan_stops_after_the_match_with_zf()
    {
        using CoreMachine machine = new();
        machine.Write(CoreMachine.Data, "hello\0"u8);
        machine.Load(a =>
        {
            a.repne.scasb();
            a.hlt();
        });
        machine.Ecx = uint.MaxValue;
        machine.Eax = 0;
        machine.Edi = CoreMachine.Data;

        machine.RunToHalt();

        Assert.Equal(CoreMachine.Data + 6, machine.Edi);
        Assert.Equal(uint.MaxValue - 6, machine.Ecx);
        Assert.NotEqual(0u, machine.State.Eflags & 0x40);
        Assert.Equal(7ul, machine.State.Retired);
    }

    [Fact]
    public void Repe_compare_stops_after_the_difference()
    {
        using CoreMachine machine = new();
        machine.Write(CoreMachine.Data, "abcX"u8);
        machine.Write(CoreMachine.Data + 16, "abcY"u8);
        machine.Load(a =>
        {
            a.repe.cmpsb();
            a.hlt();
        });
        machine.Ecx = 10;
        machine.Esi = CoreMachine.Data;
        machine.Edi = CoreMachine.Data + 16;

        machine.RunToHalt();

        Assert.Equal(6u, machine.Ecx);
        Assert.NotEqual(0u, machine.State.Eflags & 1);
    }

    [Fact]
    public void Source_segment_can_be_overridden_and_the_destination_cannot()
    {
        using CoreMachine machine = new();
        machine.SetSegment(SegmentIndex.Fs, 0x10, 0xC093, 0x1000);
        machine.Write32(CoreMachine.Data + 0x1000, 0xCAFEF00D);

        // FS: MOVSD
        machine.LoadBytes(0x64, 0xA5, 0xF4);
        machine.Esi = CoreMachine.Data;
        machine.Edi = CoreMachine.Data + 0x100;

        machine.RunToHalt();

        Assert.Equal(0xCAFEF00Du, machine.Read32(CoreMachine.Data + 0x100));
    }

    [Fact]
    public void Address_size_16_uses_cx_si_di_and_wraps_at_64_KiB()
    {
        using CoreMachine machine = new();
        machine.SetSegment(SegmentIndex.Es, 0x10, 0xC093, 0x30000);

        // 67 F3 AA: REP STOSB with DI
        machine.LoadBytes(0x67, 0xF3, 0xAA, 0xF4);
        machine.Ecx = 0xABCD0004;
        machine.Edi = 0x1234FFFE;
        machine.Eax = 0x77;

        machine.RunToHalt();

        Assert.Equal(0xABCD0000u, machine.Ecx);
        Assert.Equal(0x12340002u, machine.Edi);
        Assert.Equal(0x77, machine.Read8(0x3FFFF));
        Assert.Equal(0x77, machine.Read8(0x30001));
        Assert.Equal(0, machine.Read8(0x40000));
    }

    [Fact]
    public void Emulate_one_does_one_iteration()
    {
        using CoreMachine machine = new();
        machine.Load(a => a.rep.stosb());
        machine.Ecx = 3;
        machine.Edi = CoreMachine.Data;

        Emulated first = machine.Step();

        Assert.Equal(EmulateKind.Next, first.Kind);
        Assert.Equal(2u, machine.Ecx);
        Assert.Equal(CoreMachine.CodeAddress, machine.State.Eip);
        machine.Step();
        machine.Step();
        Assert.Equal(CoreMachine.CodeAddress + 2, machine.State.Eip);
        Assert.Equal(3ul, machine.State.Retired);
    }
}
