using Iced.Intel;
using Plexus.Cpu.Tests.Core;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Cpu.Tests.Fpu;

/// <summary>Images of environment and state in all four layouts, pointers, and the tag word (SDM vol. 1, 8.1.7 to 8.1.10).</summary>
public sealed class FpuEnvironmentTests
{
    private const uint Image = CoreMachine.Data;
    private const uint Operand = CoreMachine.Data + 0x800;

    [Fact]
    public void Fnstenv_in_protected_mode_stores_seven_words_of_the_operand_size()
    {
        using FpuBench bench = new();
        Prepare(bench);
        uint faddAddress = CoreMachine.CodeAddress + 2;
        bench.Step(a =>
        {
            a.fld1();
            a.fadd(__dword_ptr[Operand]);
            a.fnstenv(__[Image]);
        });
        Assert.Equal(0xFFFF_027Fu, bench.Machine.Read32(Image));
        Assert.Equal(0xFFFF_0000u | (7 << 11), bench.Machine.Read32(Image + 4));
        Assert.Equal(0xFFFF_3FFFu, bench.Machine.Read32(Image + 8));
        Assert.Equal(faddAddress, bench.Machine.Read32(Image + 12));
        Assert.Equal(0x0005_0008u, bench.Machine.Read32(Image + 16));
        Assert.Equal(Operand, bench.Machine.Read32(Image + 20));
        Assert.Equal(0xFFFF_0010u, bench.Machine.Read32(Image + 24));
        Assert.Equal(0x27F, bench.Fpu.Control);
        bench.StepBytes([0x66, 0xD9, 0x35, .. BitConverter.GetBytes(Image + 64)]);
        Assert.Equal("7F020038FF3F", Convert.ToHexString(bench.Machine.Memory.Ram.Slice((int)Image + 64, 6)));
        Assert.Equal((ushort)faddAddress, bench.Machine.Read16(Image + 70));
        Assert.Equal(8, bench.Machine.Read16(Image + 72));
        Assert.Equal(unchecked((ushort)Operand), bench.Machine.Read16(Image + 74));
        Assert.Equal(0x10, bench.Machine.Read16(Image + 76));
    }

    [Fact]
    public void Fnstenv_in_real_mode_stores_linear_pointers_and_the_opcode()
    {
        using FpuBench bench = new();
        bench.Machine.EnterRealMode();
        bench.Machine.SetSegment(SegmentIndex.Ds, 0x3000, 0x93, 0x30000, 0xFFFF);
        bench.Machine.Write(0x10000, [0xD9, 0xE8, 0xD8, 0x06, 0x00, 0x08, 0xD9, 0x36, 0x00, 0x00, 0x66, 0xD9, 0x36, 0x40, 0x00]);
        for (int i = 0; i < 4; i++)
            Assert.Equal(EmulateKind.Next, bench.Machine.Step().Kind);
        Assert.Equal("7F030038FF3F", Convert.ToHexString(bench.Machine.Memory.Ram.Slice((int)Image, 6)));
        Assert.Equal(0x0002, bench.Machine.Read16(Image + 6));
        Assert.Equal(0x1006, bench.Machine.Read16(Image + 8));
        Assert.Equal(0x0800, bench.Machine.Read16(Image + 10));
        Assert.Equal(0x3000, bench.Machine.Read16(Image + 12));
        Assert.Equal(0xFFFF_0002u, bench.Machine.Read32(Image + 0x4C));
        Assert.Equal(0x0000_1006u, bench.Machine.Read32(Image + 0x50));
        Assert.Equal(0xFFFF_0800u, bench.Machine.Read32(Image + 0x54));
        Assert.Equal(0x0000_3000u, bench.Machine.Read32(Image + 0x58));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Frstor_after_fnsave_gives_the_state_back(bool real, bool wide)
    {
        using FpuBench bench = new();
        Random random = new(7);
        if (real)
        {
            bench.Machine.EnterRealMode();
            bench.Machine.SetSegment(SegmentIndex.Ds, 0x3000, 0x93, 0x30000, 0xFFFF);
        }

        bench.Fpu.Control = 0x0A7F;
        bench.Fpu.Status = 0x5DA7 & 0x7F7F;
        bench.Fpu.Valid = 0x5A;
        for (int i = 0; i < 8; i++)
            bench.Fpu.SetRegister(i, (ulong)random.NextInt64(), (ushort)random.Next(65536));
        FpuState before = bench.Fpu;
        byte[] prefix = wide == real ? [0x66] : [];
        byte[] save = real ? [.. prefix, 0xDD, 0x36, 0, 0] : [.. prefix, 0xDD, 0x35, .. BitConverter.GetBytes(Image)];
        byte[] restore = real ? [.. prefix, 0xDD, 0x26, 0, 0] : [.. prefix, 0xDD, 0x25, .. BitConverter.GetBytes(Image)];
        bench.Machine.Write(CoreMachine.CodeAddress, save);
        Assert.Equal(EmulateKind.Next, bench.Machine.Step().Kind);
        Assert.Equal(0x37F, bench.Fpu.Control);
        Assert.Equal(0, bench.Fpu.Status);
        Assert.Equal(0, bench.Fpu.Valid);
        bench.Machine.Write(CoreMachine.CodeAddress, restore);
        bench.Machine.State.Eip = real ? 0 : CoreMachine.CodeAddress;
        Assert.Equal(EmulateKind.Next, bench.Machine.Step().Kind);
        Assert.Equal(before.Control, bench.Fpu.Control);
        Assert.Equal(before.Status, bench.Fpu.Status);
        Assert.Equal(before.Valid, bench.Fpu.Valid);
        for (int i = 0; i < 8; i++)
            Assert.Equal(before.GetRegister(i), bench.Fpu.GetRegister(i));
    }

    [Fact]
    public void Tag_word_is_made_from_the_contents_and_only_empty_is_believed()
    {
        using FpuBench bench = new();
        bench.Push(1.0);
        bench.Push(0.0);
        bench.Push(double.PositiveInfinity);
        bench.Push(1, 0);
        bench.Step(a => a.fnstenv(__[Image]));
        Assert.Equal(0b00_01_10_10_11_11_11_11, bench.Machine.Read16(Image + 8));

        // All tags say zero: the registers are what they are.
        bench.Machine.Write16(Image + 8, 0b01_01_01_01_11_11_11_11);
        bench.Step(a =>
        {
            a.fldenv(__[Image]);
            a.fnstenv(__[Image]);
        });
        Assert.Equal(0b00_01_10_10_11_11_11_11, bench.Machine.Read16(Image + 8));
    }

    [Fact]
    public void Control_instructions_leave_the_pointers_alone()
    {
        using FpuBench bench = new();
        Prepare(bench);
        bench.Step(a => a.fld(__dword_ptr[Operand]));
        FpuState pointers = bench.Fpu;
        bench.Step(a =>
        {
            a.nop();
            a.fnstcw(__word_ptr[Operand + 16]);
            a.fldcw(__word_ptr[Operand + 16]);
            a.fnstsw(ax);
            a.fnstsw(__word_ptr[Operand + 20]);
            a.fnclex();
            a.wait();
        });
        Assert.Equal((pointers.Ip, pointers.Dp, pointers.Opcode, pointers.Cs, pointers.Ds), (bench.Fpu.Ip, bench.Fpu.Dp, bench.Fpu.Opcode, bench.Fpu.Cs, bench.Fpu.Ds));
        bench.Step(a => a.fninit());
        Assert.Equal((0u, 0u, 0), (bench.Fpu.Ip, bench.Fpu.Dp, bench.Fpu.Opcode));
    }

    [Fact]
    public void Fnstenv_that_reaches_an_absent_page_changes_nothing()
    {
        using FpuBench bench = new();
        Prepare(bench);
        bench.Machine.EnablePaging();
        bench.Machine.SetPage(0x35000, 0);
        FpuState before = bench.Fpu;
        Emulated result = bench.Step(a => a.fnstenv(__[0x35000 - 14]));
        Assert.Equal((EmulateKind.GuestFault, (byte)14, 0x35000u), (result.Kind, result.Vector, result.Linear));
        Assert.Equal(0u, bench.Machine.Read32(0x35000 - 14));
        Assert.Equal(before.Control, bench.Fpu.Control);
    }

    /// <summary>Precision 53 and 1.0 in memory.</summary>
    private static void Prepare(FpuBench bench)
    {
        bench.Fpu.Control = 0x27F;
        bench.Machine.Write32(Operand, BitConverter.SingleToUInt32Bits(1.0f));
    }
}
