using Iced.Intel;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Cpu.Tests.Core;

/// <summary>What the decoder accepts, and where fetching ends.</summary>
public sealed class FetchTests
{
    public static TheoryData<byte[]> Undefined => new()
    {
        new byte[] { 0x0F, 0x0B },
        new byte[] { 0x0F, 0xFF, 0xC0 },
        new byte[] { 0x0F, 0xB9, 0xC0 },
        new byte[] { 0xF0, 0x40 },
        new byte[] { 0xF0, 0x01, 0xC8 },
        new byte[] { 0xF0, 0x3B, 0x03 },
        new byte[] { 0xF0, 0xF7, 0x03, 0, 0, 0, 0 },
        new byte[] { 0x8D, 0xC0 },
        new byte[] { 0xC4, 0xC0 },
        new byte[] { 0x62, 0xC0 },
        new byte[] { 0x0F, 0x01, 0xD0 },
        new byte[] { 0x0F, 0x6F, 0xC0 },
        new byte[] { 0x0F, 0x10, 0xC0 },
        new byte[] { 0x0F, 0xAE, 0x38 },
        new byte[] { 0x0F, 0xAE, 0xE8 },
        new byte[] { 0xF3, 0x0F, 0xB8, 0xC0 },
        new byte[] { 0x0F, 0x34 },
        new byte[] { 0x0F, 0xA7, 0xC0 },
        new byte[] { 0x0F, 0x38, 0xF0, 0x00 },
        new byte[] { 0xC7, 0xC8, 0, 0, 0, 0 },
        new byte[] { 0x8C, 0xF0 },
        new byte[] { 0x8E, 0xC8 },
        new byte[] { 0x0F, 0xC7, 0xC8 },
        new byte[] { 0xFF, 0xF8 },
        new byte[] { 0x0F, 0xC3, 0x00 },
        new byte[] { 0x0F, 0x0D, 0x00 },
    };

    [Theory]
    [MemberData(nameof(Undefined))]
    public void What_the_model_lacks_is_an_undefined_opcode(byte[] bytes)
    {
        using CoreMachine machine = new();
        machine.Ebx = CoreMachine.Data;
        machine.LoadBytes(bytes);

        Emulated result = machine.Step();

        Assert.Equal(EmulateKind.GuestFault, result.Kind);
        Assert.Equal(6, result.Vector);
        Assert.False(result.HasErrorCode);
    }

    [Fact]
    public void Rep_before_bit_scan_is_ignored_on_this_model()
    {
        using CoreMachine machine = new();
        machine.LoadBytes(0xF3, 0x0F, 0xBC, 0xC3, 0xF3, 0x0F, 0xBD, 0xCB, 0xF3, 0x90, 0xF4);
        machine.Ebx = 0;
        machine.Eax = 0x1234;
        machine.Ecx = 0x5678;

        machine.RunToHalt();

        Assert.Equal(0x1234u, machine.Eax);
        Assert.Equal(0x5678u, machine.Ecx);
        Assert.NotEqual(0u, machine.State.Eflags & 0x40);
    }

    [Fact]
    public void Multi_byte_nops_do_not_touch_memory()
    {
        using CoreMachine machine = new();
        machine.EnablePaging();
        machine.SetPage(0x100000, 0);
        machine.LoadBytes(0x0F, 0x1F, 0x05, 0, 0, 0x10, 0, 0x0F, 0x18, 0x05, 0, 0, 0x10, 0, 0xF3, 0x0F, 0x1E, 0xFA, 0xF4);

        machine.RunToHalt();

        Assert.Equal(4ul, machine.State.Retired);
    }

    [Fact]
    public void Fifteen_bytes_run_and_sixteen_are_a_general_protection_fault()
    {
        using CoreMachine machine = new();
        byte[] bytes = Enumerable.Repeat((byte)0x2E, 16).ToArray();
        bytes[14] = 0x40;
        machine.LoadBytes(bytes);
        Emulated fits = machine.Step();
        bytes[14] = 0x2E;
        bytes[15] = 0x40;
        machine.LoadBytes(bytes);

        Emulated tooLong = machine.Step();

        Assert.Equal(EmulateKind.Next, fits.Kind);
        Assert.Equal(1u, machine.Eax);
        Assert.Equal(EmulateKind.GuestFault, tooLong.Kind);
        Assert.Equal((13, true, 0u), (tooLong.Vector, tooLong.HasErrorCode, tooLong.ErrorCode));
    }

    [Theory]
    [InlineData(0x10003u, true)]
    [InlineData(0x10004u, false)]
    public void Instruction_that_reaches_beyond_the_code_limit_faults(uint limit, bool faults)
    {
        using CoreMachine machine = new();
        machine.CatchExceptions();
        machine.SetSegment(SegmentIndex.Cs, 0x08, 0x409B, 0, limit);
        machine.Edx = 77;
        machine.Load(a => a.mov(eax, 0x12345678));

        CpuExit exit = machine.Run(limit: 1);
        if (faults)
            machine.RunToHalt();

        Assert.Equal(ExitKind.Limit, exit.Kind);
        Assert.Equal(faults ? 0u : 0x12345678u, machine.Eax);
        Assert.Equal(faults ? 13u : 77u, machine.Edx);
    }

    [Fact]
    public void Near_jump_of_16_bits_wraps_within_64_KiB()
    {
        using CoreMachine machine = new();
        machine.EnterRealMode();
        machine.Write(0x1FFFC, [0xEB, 0x10]);
        machine.Write(0x1000E, [0xF4]);
        machine.State.Eip = 0xFFFC;

        machine.RunToHalt();

        Assert.Equal(0xFu, machine.State.Eip);
    }

    [Fact]
    public void Real_mode_code_runs_across_an_unaligned_segment()
    {
        using CoreMachine machine = new();
        machine.EnterRealMode(0x1003);
        machine.Load(
            a =>
            {
                Label top = a.CreateLabel();
                a.mov(cx, 300);
                a.Label(ref top);
                a.add(ax, cx);
                a.call(0x10030 + 0x1800);
                a.loop(top);
                a.hlt();
            },
            0x10030,
            16);
        machine.Write(0x10030 + 0x1800, CoreMachine.Assemble(
            a =>
            {
                a.inc(bx);
                a.ret();
            },
            0x10030 + 0x1800,
            16));

        machine.RunToHalt();

        Assert.Equal(300u, machine.Ebx);
        Assert.Equal(300u * 301 / 2 & 0xFFFF, machine.Eax & 0xFFFF);
        Assert.Equal(1ul + (300 * 5) + 1, machine.State.Retired);
    }

    [Fact]
    public void Hot_loop_with_a_page_straddling_instruction_counts_exactly()
    {
        using CoreMachine machine = new();
        uint start = CoreMachine.CodeAddress + 0xFFD;
        machine.Write(start, [0x05, 1, 0, 0, 0, 0x49, 0x75, 0xF8, 0xF4]);
        machine.State.Eip = start;
        machine.Ecx = 1000;

        machine.RunToHalt();

        Assert.Equal(1000u, machine.Eax);
        Assert.Equal(3001ul, machine.State.Retired);
    }
}
