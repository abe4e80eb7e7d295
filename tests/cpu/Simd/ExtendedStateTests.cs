using Plexus.Cpu.Tests.Core;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Tests.Simd;

/// <summary>FXSAVE and FXRSTOR: the image byte for byte, what of it a model has, and what makes them fault.</summary>
public sealed class ExtendedStateTests
{
    private const string Save = "0FAE06";
    private const string Restore = "0FAE0E";

    [Theory]
    [InlineData("pentium-m", SimdBench.Osfxsr, true, 0xFFFFu)]
    [InlineData("pentium3", SimdBench.Osfxsr, true, 0u)] // stands for FFBFh
    [InlineData("pentium-m", 0u, false, 0u)]
    [InlineData("pentium2", SimdBench.Osfxsr, false, 0u)]
    public void Image_is_the_manuals_and_the_rest_of_memory_stays(string model, uint cr4, bool withXmm, uint mask)
    {
        using SimdBench bench = Prepared(model, cr4);
        bench.Machine.Memory.Ram.Slice((int)CoreMachine.Data, 512).Fill(0xEE);
        Assert.Equal(EmulateKind.Next, bench.Step(Save).Kind);
        byte[] expected = new byte[512];
        expected.AsSpan(withXmm ? 288 : 160).Fill(0xEE);
        void Put16(int at, int value) => BitConverter.TryWriteBytes(expected.AsSpan(at), (ushort)value);
        void Put32(int at, uint value) => BitConverter.TryWriteBytes(expected.AsSpan(at), value);
        void Put64(int at, ulong value) => BitConverter.TryWriteBytes(expected.AsSpan(at), value);
        Put16(0, 0x37F);
        Put16(2, 0x2B00);
        expected[4] = 0x61;
        Put16(6, 0x5C7);
        Put32(8, 0x1234_5678);
        Put16(12, 0x1B);
        Put32(16, 0x9ABC_DEF0);
        Put16(20, 0x23);
        for (int i = 0; i < 8; i++)
        {
            // ST(i) is R(5 + i).
            Put64(32 + (i * 16), 0x8001_0203_0405_0600ul + (ulong)((5 + i) & 7));
            Put16(40 + (i * 16), 0x4000 + ((5 + i) & 7));
        }

        if (withXmm)
        {
            Put32(24, 0x1FA5);
            Put32(28, mask);
            for (int i = 0; i < 8; i++)
            {
                Put64(160 + (i * 16), 0x1111_1111_1111_1111ul * (ulong)i);
                Put64(168 + (i * 16), 0xA000_0000_0000_0000ul + (ulong)i);
            }
        }
        else
        {
            expected.AsSpan(24, 8).Fill(0xEE);
        }

        Assert.Equal(Convert.ToHexString(expected), Convert.ToHexString(bench.Machine.Memory.Ram.Slice((int)CoreMachine.Data, 512)));
    }

    [Theory]
    [InlineData("pentium-m", SimdBench.Osfxsr)]
    [InlineData("pentium3", SimdBench.Osfxsr)]
    [InlineData("pentium2", 0u)]
    public void What_was_saved_comes_back(string model, uint cr4)
    {
        using SimdBench bench = Prepared(model, cr4);
        string before = bench.Registers();
        bench.Step(Save);
        bench.Fpu = new FpuState { Control = 0x40, Status = 0x7F00, Valid = 0xFF, Ip = 1, Cs = 2, Dp = 3, Ds = 4, Opcode = 5 };
        if (model != "pentium2")
        {
            bench.Sse = default;
        }

        Assert.Equal(EmulateKind.Next, bench.Step(Restore).Kind);
        bench.Machine.State.Eip = CoreMachine.CodeAddress;
        Assert.Equal(before, bench.Registers());
        Assert.Equal((0x1234_5678u, 0x1B, 0x9ABC_DEF0u, 0x23, 0x5C7), (bench.Fpu.Ip, bench.Fpu.Cs, bench.Fpu.Dp, bench.Fpu.Ds, bench.Fpu.Opcode));
    }

    [Fact]
    public void Without_OSFXSR_XMM_registers_and_MXCSR_are_not_loaded()
    {
        using SimdBench bench = Prepared("pentium-m", 0);
        bench.Machine.Memory.Ram.Slice((int)CoreMachine.Data, 512).Fill(0xFF);
        (ulong, ulong) xmm7 = bench.Sse.GetRegister(7);
        Assert.Equal(EmulateKind.Next, bench.Step(Restore).Kind);
        Assert.Equal((0x1FA5u, xmm7), (bench.Sse.Mxcsr, bench.Sse.GetRegister(7)));
        Assert.Equal((0x1F7F, 0xFFFF, 0xFF), (bench.Fpu.Control, bench.Fpu.Status | 0x8080, bench.Fpu.Valid));
    }

    [Theory]
    [InlineData("pentium-m", 0x1_0000u)]
    [InlineData("pentium-m", 0x8000_0000u)]
    [InlineData("pentium3", 0x40u)]
    public void Reserved_bit_of_MXCSR_is_a_general_protection_exception(string model, uint bit)
    {
        using SimdBench bench = Prepared(model, SimdBench.Osfxsr);
        bench.Machine.Write32(CoreMachine.Data + 24, bit);
        string before = bench.Registers();
        Emulated restore = bench.Step(Restore);
        Assert.Equal((SimdBench.GeneralProtection, 0u), (restore.Vector, restore.ErrorCode));
        Assert.Equal(before, bench.Registers());
        bench.Machine.Write32(CoreMachine.Data, bit);
        Assert.Equal(SimdBench.GeneralProtection, bench.Step("0FAE16").Vector);
        Assert.Equal(before, bench.Registers());
        bench.Machine.Write32(CoreMachine.Data, 0xFFBF);
        Assert.Equal(EmulateKind.Next, bench.Step("0FAE16").Kind);
        Assert.Equal(0xFFBFu, bench.Sse.Mxcsr);
    }

    [Theory]
    [InlineData(Save)]
    [InlineData(Restore)]
    public void Operand_is_checked_whole_before_anything_changes(string bytes)
    {
        using SimdBench bench = Prepared("pentium-m", SimdBench.Osfxsr);
        bench.Machine.Esi = CoreMachine.Data + 8;
        string before = bench.Registers();
        Assert.Equal((SimdBench.GeneralProtection, 0u), (bench.Step(bytes).Vector, bench.Machine.Read32(CoreMachine.Data + 8)));
        bench.Machine.Esi = 0x35000 - 496;
        bench.Machine.EnablePaging();
        bench.Machine.SetPage(0x35000, 0);
        before = bench.Registers();
        Emulated result = bench.Step(bytes);
        Assert.Equal((SimdBench.PageFault, 0x35000u, 0u), (result.Vector, result.Linear, bench.Machine.Read32(0x35000 - 496)));
        Assert.Equal(before, bench.Registers());
        bench.Machine.SetPage(0x35000, 0x35007);
        bench.Machine.SetSegment(SegmentIndex.Ds, 0x10, 0x4093, 0, 0x35000 - 496 + 510);
        Assert.Equal((SimdBench.GeneralProtection, 0u), (bench.Step(bytes).Vector, bench.Machine.Read32(0x35000 - 496)));
        Assert.Equal(before, bench.Registers());
    }

    [Fact]
    public void Exception_in_a_restored_image_waits_for_the_next_waiting_instruction()
    {
        using SimdBench bench = Prepared("pentium-m", SimdBench.Osfxsr);
        bench.Machine.Write16(CoreMachine.Data, 0x37E);
        bench.Machine.Write16(CoreMachine.Data + 2, 0x0001);
        Assert.Equal(EmulateKind.Next, bench.Step(Restore).Kind);
        Assert.Equal(0x8081, bench.Fpu.Status);
        Assert.Equal(EmulateKind.Next, bench.Step(Save).Kind);
        Assert.Equal(SimdBench.FloatingPointError, bench.Step("9B").Vector);
    }

    private static SimdBench Prepared(string model, uint cr4)
    {
        SimdBench bench = new(model, cr4);
        bench.Machine.Esi = CoreMachine.Data;
        bench.Fpu.Status = 0x2B00;
        bench.Fpu.Valid = 0x61;
        bench.Fpu.Opcode = 0x5C7;
        bench.Fpu.Ip = 0x1234_5678;
        bench.Fpu.Cs = 0x1B;
        bench.Fpu.Dp = 0x9ABC_DEF0;
        bench.Fpu.Ds = 0x23;
        bench.Sse.Mxcsr = 0x1FA5;
        return bench;
    }
}
