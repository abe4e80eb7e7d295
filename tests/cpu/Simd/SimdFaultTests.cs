using Iced.Intel;
using Plexus.Cpu.Tests.Core;
using Plexus.Cpu.Tests.Simd.Differential;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Tests.Simd;

/// <summary>When an instruction may begin, and that one that faults leaves no trace.</summary>
public sealed class SimdFaultTests
{
    private static readonly string[] WithMmx = ["0F6FC1", "0F77", "0FFCC1", "0F70C11B", "0FF7C1", "0FE706", "0FD7C1", "0F6EC0", "0FD4C1"];
    private static readonly string[] WithXmm = ["0F28C1", "0F58C1", "0FAE16", "0FAE1E", "0F50C1", "660FDBC1", "F30F2AC0", "660FD7C1", "0F2FC1", "660F2A06"];
    private static readonly string[] WithBoth = ["0F2AC1", "0F2A06", "0F2DC1", "F30FD6C1", "F20FD6C1", "660F2DC1", "660F2AC1"];
    private static readonly string[] WithNeither = ["0FC306", "0FAEF8", "0FAEE8", "0FAEF0", "0FAE3E", "0F1806", "0F180E", "0F1816", "0F181E", "F390"];

    public static TheoryData<string> MmxInstructions => [.. WithMmx];

    public static TheoryData<string> XmmInstructions => [.. WithXmm];

    public static TheoryData<string> MixedInstructions => [.. WithBoth];

    public static TheoryData<string> OtherInstructions => [.. WithNeither];

    [Theory]
    [MemberData(nameof(MmxInstructions))]
    public void Mmx_instruction_heeds_EM_TS_and_a_pending_exception_in_this_order(string bytes)
    {
        AssertFault(bytes, SimdBench.InvalidOpcode, b => b.Machine.State.Cr0 |= SimdBench.Em | SimdBench.Ts);
        AssertFault(bytes, SimdBench.DeviceNotAvailable, b => b.Machine.State.Cr0 |= SimdBench.Ts);
        AssertFault(bytes, SimdBench.FloatingPointError, _ => { });

        // CR4 says nothing of MMX registers.
        using SimdBench bench = Prepared(cr4: 0);
        Assert.Equal(EmulateKind.Next, bench.Step(bytes).Kind);
        Assert.Equal((0, bytes == "0F77" ? 0 : 0xFF), (bench.Fpu.Top, bench.Fpu.Valid));
    }

    [Theory]
    [MemberData(nameof(XmmInstructions))]
    public void Xmm_instruction_heeds_EM_OSFXSR_and_TS_and_no_pending_exception(string bytes)
    {
        AssertFault(bytes, SimdBench.InvalidOpcode, b => b.Machine.State.Cr0 |= SimdBench.Em | SimdBench.Ts);
        AssertFault(bytes, SimdBench.InvalidOpcode, b => b.Machine.State.Cr4 = SimdBench.Osxmmexcpt);
        AssertFault(bytes, SimdBench.DeviceNotAvailable, b => b.Machine.State.Cr0 |= SimdBench.Ts);
        using SimdBench bench = Prepared();
        bench.MakeExceptionPending();
        bench.Fpu.Valid = 0x5A;
        Assert.Equal(EmulateKind.Next, bench.Step(bytes).Kind);
        Assert.Equal(0x5A, bench.Fpu.Valid);
    }

    [Theory]
    [MemberData(nameof(MixedInstructions))]
    public void Instruction_between_MMX_and_XMM_heeds_what_either_does(string bytes)
    {
        AssertFault(bytes, SimdBench.InvalidOpcode, b => b.Machine.State.Cr0 |= SimdBench.Em | SimdBench.Ts);
        AssertFault(bytes, SimdBench.InvalidOpcode, b => b.Machine.State.Cr4 = 0);
        AssertFault(bytes, SimdBench.DeviceNotAvailable, b => b.Machine.State.Cr0 |= SimdBench.Ts);
        AssertFault(bytes, SimdBench.FloatingPointError, _ => { });
        using SimdBench bench = Prepared();
        bench.Fpu.Status = 3 << 11;
        Assert.Equal(EmulateKind.Next, bench.Step(bytes).Kind);
        Assert.Equal((0, 0xFF), (bench.Fpu.Top, bench.Fpu.Valid));
    }

    [Theory]
    [MemberData(nameof(OtherInstructions))]
    public void Instruction_without_such_registers_always_begins(string bytes)
    {
        using SimdBench bench = Prepared(cr4: 0);
        bench.Machine.State.Cr0 |= SimdBench.Em | SimdBench.Ts;
        bench.MakeExceptionPending();
        bench.Fpu.Valid = 0x5A;
        Assert.Equal(EmulateKind.Next, bench.Step(bytes).Kind);
        Assert.Equal(0x5A, bench.Fpu.Valid);
    }

    [Theory]
    [InlineData("0FAE06")]
    [InlineData("0FAE0E")]
    public void State_image_instructions_heed_EM_and_TS_alike_and_no_pending_exception(string bytes)
    {
        AssertFault(bytes, SimdBench.DeviceNotAvailable, b => b.Machine.State.Cr0 |= SimdBench.Em);
        AssertFault(bytes, SimdBench.DeviceNotAvailable, b => b.Machine.State.Cr0 |= SimdBench.Ts);
        using SimdBench bench = Prepared(cr4: 0);
        bench.MakeExceptionPending();
        Assert.Equal(EmulateKind.Next, bench.Step(bytes).Kind);
    }

    [Fact]
    public void Without_NE_an_MMX_instruction_waits_with_FERR_asserted()
    {
        using SimdBench bench = Prepared();
        bench.Machine.State.Cr0 &= ~SimdBench.Ne;
        bench.MakeExceptionPending();
        string before = bench.Registers();
        Assert.Equal(EmulateKind.Halt, bench.Step("0F6FC1").Kind);
        Assert.True(bench.Machine.Lines.NumericError);
        Assert.Equal(before, bench.Registers());
        bench.Machine.State.Halted = 0;
        bench.Machine.Lines.IgnoreNumericError = true;
        Assert.Equal(EmulateKind.Next, bench.Step("0F6FC1").Kind);
        Assert.Equal(0xFF, bench.Fpu.Valid);
    }

    [Fact]
    public void Operand_of_16_bytes_must_be_aligned_unless_the_instruction_says_otherwise()
    {
        int aligned = 0;
        foreach (SimdInstruction instruction in SimdInstruction.All.Where(i => i.HasMemory))
        {
            using SimdBench bench = Prepared();
            bench.Machine.Esi = CoreMachine.Data + 8;
            string before = bench.Registers();
            Emulated result = bench.StepBytes(WithImmediate(instruction));
            bool isUnaligned = instruction.Code.Mnemonic() is Mnemonic.Movups or Mnemonic.Movupd or Mnemonic.Movdqu;
            int size = OperandSize(instruction);
            if (size < 16 || isUnaligned)
            {
                Assert.True(result.Kind == EmulateKind.Next, instruction.Name);
                continue;
            }

            Assert.True(result.Kind == EmulateKind.GuestFault && result.Vector == SimdBench.GeneralProtection && result.HasErrorCode && result.ErrorCode == 0, instruction.Name);
            Assert.Equal(before, bench.Registers());
            Assert.Equal(0u, bench.Machine.Read32(CoreMachine.Data + 8));
            aligned++;
        }

        Assert.True(aligned > 100, $"only {aligned} of them");
    }

    [Fact]
    public void Operand_on_an_absent_page_leaves_no_trace()
    {
        int checkedForms = 0;
        foreach (SimdInstruction instruction in SimdInstruction.All.Where(i => i.HasMemory || i.Code is Code.Maskmovq_rDI_mm_mm or Code.Maskmovdqu_rDI_xmm_xmm))
        {
            if (instruction.Code.Mnemonic() is Mnemonic.Prefetchnta or Mnemonic.Prefetcht0 or Mnemonic.Prefetcht1 or Mnemonic.Prefetcht2)
                continue;
            using SimdBench bench = Prepared();
            for (int i = 0; i < 8; i++)
            {
                bench.Sse.SetRegister(i, ulong.MaxValue, ulong.MaxValue);
                bench.Fpu.SetRegister(i, ulong.MaxValue, 0x1234);
            }

            bench.Machine.EnablePaging();
            bench.Machine.SetPage(0x35000, 0);
            bench.Machine.Esi = bench.Machine.Edi = 0x35000;
            string before = bench.Registers();
            Emulated result = bench.StepBytes(WithImmediate(instruction));
            Assert.True(result.Kind == EmulateKind.GuestFault && result.Vector == SimdBench.PageFault && result.Linear == 0x35000, $"{instruction.Name}: {result.Kind} {result.Vector}");
            Assert.Equal(before, bench.Registers());
            checkedForms++;
        }

        Assert.True(checkedForms > 200, $"only {checkedForms} of them");
    }

    [Theory]
    [InlineData("0F1106", 2u)] // movups
    [InlineData("F30F7F06", 15u)] // movdqu
    [InlineData("0F7F06", 4u)] // movq m64, mm
    [InlineData("660FD606", 4u)] // movq m64, xmm
    [InlineData("F20F1106", 4u)] // movsd
    [InlineData("0F1706", 4u)] // movhps
    [InlineData("0F7E06", 2u)] // movd m32, mm
    public void Store_that_crosses_into_an_absent_page_writes_nothing(string bytes, uint before)
    {
        using SimdBench bench = Prepared();
        bench.Machine.EnablePaging();
        bench.Machine.SetPage(0x35000, 0);
        bench.Machine.Esi = 0x35000 - before;
        bench.Sse.SetRegister(0, ulong.MaxValue, ulong.MaxValue);
        Emulated result = bench.Step(bytes);
        Assert.Equal((EmulateKind.GuestFault, SimdBench.PageFault, 0x35000u), (result.Kind, result.Vector, result.Linear));
        Assert.All(bench.Machine.Memory.Ram[(0x35000 - 16)..0x35000].ToArray(), value => Assert.Equal(0, value));
        bench.Machine.SetPage(0x35000, 0x35007);
        Assert.Equal(EmulateKind.Next, bench.Step(bytes).Kind);
        Assert.NotEqual(0, bench.Machine.Read16(0x35000 - before));
    }

    [Fact]
    public void Masked_store_looks_only_at_selected_bytes()
    {
        using SimdBench bench = Prepared();
        bench.Machine.EnablePaging();
        bench.Machine.SetPage(0x35000, 0);
        bench.Machine.Edi = 0x35000 - 4;
        bench.Sse.SetRegister(0, 0x8877_6655_4433_2211, 0x00FF_EEDD_CCBB_AA99);
        bench.Sse.SetRegister(1, 0x0000_0000_8000_8000, 0);
        Assert.Equal(EmulateKind.Next, bench.Step("660FF7C1").Kind);
        Assert.Equal(0x4400_2200u, bench.Machine.Read32(0x35000 - 4));
        bench.Machine.Write32(0x35000 - 4, 0);
        bench.Sse.SetRegister(1, 0x0000_0000_8000_8000, 0x8000_0000_0000_0000);
        Emulated result = bench.Step("660FF7C1");
        Assert.Equal((SimdBench.PageFault, 0x35000u + 11), (result.Vector, result.Linear));
        Assert.Equal(0u, bench.Machine.Read32(0x35000 - 4));

        // With an override the destination is elsewhere.
        bench.Machine.SetSegment(SegmentIndex.Fs, 0x10, 0xC093, 0x100);
        bench.Machine.Edi = CoreMachine.Data;
        bench.Sse.SetRegister(1, 0x80, 0);
        bench.Step("64660FF7C1");
        Assert.Equal((0x11, 0), (bench.Machine.Read8(CoreMachine.Data + 0x100), bench.Machine.Read8(CoreMachine.Data)));
    }

    [Fact]
    public void Operand_beyond_the_segment_limit_leaves_no_trace()
    {
        using SimdBench bench = Prepared();
        bench.Machine.SetSegment(SegmentIndex.Ds, 0x10, 0x4093, 0, CoreMachine.Data + 14);
        string before = bench.Registers();
        foreach (string bytes in (string[])["0F2906", "0F1106", "0F2806", "0F5806", "0F16460F", "0FAE06"])
        {
            Assert.Equal(SimdBench.GeneralProtection, bench.Step(bytes).Vector);
            Assert.Equal(before, bench.Registers());
        }

        Assert.Equal(0u, bench.Machine.Read32(CoreMachine.Data));
        Assert.Equal(EmulateKind.Next, bench.Step("0F7F06").Kind);
    }

    [Theory]
    [InlineData("0F6F06", 8)]
    [InlineData("0F7F06", 8)]
    [InlineData("F20F1006", 8)]
    [InlineData("F30F1006", 4)]
    [InlineData("0F1006", 16)]
    [InlineData("660FC40600", 2)]
    public void Alignment_check_follows_the_operand(string bytes, int alignment)
    {
        using SimdBench bench = Prepared();
        bench.Machine.EnterUser();
        bench.Machine.State.Cr0 |= 1u << 18;
        bench.Machine.State.Eflags |= 1u << 18;
        bench.Machine.Esi = CoreMachine.Data + (uint)(alignment / 2);
        Assert.Equal(SimdBench.AlignmentCheck, bench.Step(bytes).Vector);
        bench.Machine.Esi = CoreMachine.Data + (uint)alignment;
        Assert.Equal(EmulateKind.Next, bench.Step(bytes).Kind);
    }

    private static int OperandSize(SimdInstruction instruction)
    {
        byte[] bytes = WithImmediate(instruction);
        Decoder decoder = Decoder.Create(32, new ByteArrayCodeReader(bytes));
        return decoder.Decode().MemorySize.GetSize();
    }

    private static byte[] WithImmediate(SimdInstruction instruction) => instruction.HasImmediate ? [.. instruction.Bytes, 0] : instruction.Bytes;

    private static SimdBench Prepared(uint cr4 = SimdBench.Osfxsr | SimdBench.Osxmmexcpt)
    {
        SimdBench bench = new(cr4: cr4);
        bench.Machine.Esi = bench.Machine.Edi = CoreMachine.Data;
        bench.Machine.Eax = 0x1234;
        bench.Sse.Mxcsr = SimdBench.Masked;
        return bench;
    }

    private static void AssertFault(string bytes, byte vector, Action<SimdBench> prepare)
    {
        using SimdBench bench = Prepared();
        bench.MakeExceptionPending();
        prepare(bench);
        string before = bench.Registers();
        Emulated result = bench.Step(bytes);
        Assert.Equal((EmulateKind.GuestFault, vector), (result.Kind, result.Vector));
        Assert.Equal(before, bench.Registers());
        Assert.Equal(0u, bench.Machine.Read32(CoreMachine.Data));
    }
}
