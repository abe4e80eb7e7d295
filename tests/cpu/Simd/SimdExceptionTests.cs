using Plexus.Cpu.Tests.Core;
using Plexus.Messaging.Contracts.Cpu;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Cpu.Tests.Simd;

/// <summary>SIMD floating-point exceptions: which vector, which flags, and what stays (SDM vol. 1, 11.5).</summary>
public sealed class SimdExceptionTests
{
    private const uint One = 0x3F80_0000;
    private const uint Denormal = 0x0000_0001;
    private const uint Largest = 0x7F7F_FFFF;
    private const uint SmallestNormal = 0x0080_0000;
    private const uint SignalingNaN = 0x7F80_0001;

    [Theory]
    [InlineData(SimdBench.Osfxsr | SimdBench.Osxmmexcpt, SimdBench.SimdException)]
    [InlineData(SimdBench.Osfxsr, SimdBench.InvalidOpcode)]
    public void Unmasked_exception_is_raised_as_CR4_says_with_its_flags_set_and_no_result(uint cr4, byte vector)
    {
        using SimdBench bench = new(cr4: cr4);
        bench.Sse.Mxcsr = 0x1D80;
        bench.Sse.SetRegister(0, Pair(One, One), Pair(One, One));
        bench.Sse.SetRegister(1, Pair(0, One), Pair(One, 0x4040_0000));
        Emulated result = bench.Step("0F5EC1");
        Assert.Equal((EmulateKind.GuestFault, vector, CoreMachine.CodeAddress), (result.Kind, result.Vector, bench.Machine.State.Eip));
        Assert.Equal(0x1D84u, bench.Sse.Mxcsr);
        Assert.Equal((Pair(One, One), Pair(One, One)), bench.Sse.GetRegister(0));
    }

    [Fact]
    public void Exception_before_the_operation_in_one_element_hides_what_others_would_raise_after_it()
    {
        using SimdBench bench = new();
        bench.Sse.SetRegister(0, Pair(Denormal, Largest), 0);
        bench.Sse.SetRegister(1, Pair(One, Largest), 0);
        bench.Sse.Mxcsr = SimdBench.Masked;
        Assert.Equal(EmulateKind.Next, bench.Step("0F59C1").Kind);
        Assert.Equal(SimdBench.Masked | 0x2A, bench.Sse.Mxcsr);

        bench.Sse.SetRegister(0, Pair(Denormal, Largest), 0);
        bench.Sse.Mxcsr = SimdBench.Masked & ~0x100u;
        Assert.Equal(SimdBench.SimdException, bench.Step("0F59C1").Vector);
        Assert.Equal((SimdBench.Masked & ~0x100u) | 2, bench.Sse.Mxcsr);

        bench.Sse.SetRegister(0, Pair(Denormal, Largest), 0);
        bench.Sse.Mxcsr = SimdBench.Masked & ~0x400u;
        Assert.Equal(SimdBench.SimdException, bench.Step("0F59C1").Vector);
        Assert.Equal((SimdBench.Masked & ~0x400u) | 0x2A, bench.Sse.Mxcsr);
    }

    [Fact]
    public void Tiny_exact_result_is_an_underflow_only_when_unmasked_or_flushed()
    {
        using SimdBench bench = new();
        foreach ((uint mxcsr, uint after, uint result) in ((uint, uint, uint)[])
            [(SimdBench.Masked, SimdBench.Masked, 0x0040_0000), (0x9F80, 0x9FB0, 0), (0x1780, 0x1790, SmallestNormal), (0x9780, 0x9790, SmallestNormal)])
        {
            bench.Sse.Mxcsr = mxcsr;
            bench.Sse.SetRegister(0, SmallestNormal, 0);
            bench.Sse.SetRegister(1, 0x3F00_0000, 0);
            bool isRaised = bench.Step("F30F59C1").Kind != EmulateKind.Next;
            Assert.Equal((mxcsr & 0x800) == 0, isRaised);
            Assert.Equal((after, (ulong)result), (bench.Sse.Mxcsr, bench.Sse.GetRegister(0).Low));
        }
    }

    [Fact]
    public void Unmasked_invalid_comparison_leaves_the_flags()
    {
        using SimdBench bench = new();
        bench.Machine.State.Eflags = 0x8D7;
        bench.Sse.Mxcsr = SimdBench.Masked & ~0x80u;
        bench.Sse.SetRegister(0, SignalingNaN, 0);
        Assert.Equal(SimdBench.SimdException, bench.Step("0F2EC1").Vector);
        Assert.Equal(0x8D7u, bench.Machine.State.Eflags);

        // UCOMISS does not mind a quiet NaN, COMISS does.
        bench.Sse.SetRegister(0, 0x7FC0_0000, 0);
        bench.Sse.Mxcsr = SimdBench.Masked & ~0x80u;
        Assert.Equal(EmulateKind.Next, bench.Step("0F2EC1").Kind);
        Assert.Equal(0x47u, bench.Machine.State.Eflags);
        Assert.Equal(SimdBench.SimdException, bench.Step("0F2FC1").Vector);
    }

    [Fact]
    public void Raised_flags_do_not_raise_again()
    {
        using SimdBench bench = new();
        bench.Sse.Mxcsr = 0x3F;
        bench.Sse.SetRegister(0, One, 0);
        bench.Sse.SetRegister(1, One, 0);
        Assert.Equal(EmulateKind.Next, bench.Step("F30F58C1").Kind);
        Assert.Equal(0x4000_0000ul, bench.Sse.GetRegister(0).Low);
    }

    [Fact]
    public void Exception_is_delivered_at_its_instruction_in_a_running_block_and_the_block_goes_on_after_the_handler()
    {
        using SimdBench bench = new();
        bench.Machine.CatchExceptions();
        bench.Sse.Mxcsr = 0x1D80;
        bench.Sse.SetRegister(0, One, 0);
        bench.Sse.SetRegister(1, 0, 0);
        bench.Machine.Load(a =>
        {
            a.inc(ebx);
            a.addss(xmm0, xmm0);
            a.divss(xmm0, xmm1);
            a.inc(ecx);
            a.hlt();
        });
        bench.Machine.RunToHalt();
        Assert.Equal((19u, 1u, 0u), (bench.Machine.Edx, bench.Machine.Ebx, bench.Machine.Ecx));
        Assert.Equal(CoreMachine.CodeAddress + 5, bench.Machine.Read32(bench.Machine.Esp));
        Assert.Equal(0x4000_0000ul, bench.Sse.GetRegister(0).Low);
        Assert.Equal(0x1D84u, bench.Sse.Mxcsr);
    }

    [Fact]
    public void Predicates_beyond_seven_are_those_of_the_low_three_bits()
    {
        using SimdBench bench = new();
        bench.Sse.Mxcsr = SimdBench.Masked;
        for (int predicate = 0; predicate < 256; predicate++)
        {
            bench.Sse.SetRegister(0, Pair(One, 0x7FC0_0000), Pair(0x8000_0000, Largest));
            bench.Sse.SetRegister(1, Pair(Largest, One), Pair(0, One));
            Assert.Equal(EmulateKind.Next, bench.StepBytes(0x0F, 0xC2, 0xC1, (byte)predicate).Kind);
            (ulong low, ulong high) = bench.Sse.GetRegister(0);

            // Less; unordered; equal; greater.
            int[] expected = (predicate & 7) switch { 0 => [0, 0, 1, 0], 1 => [1, 0, 0, 0], 2 => [1, 0, 1, 0], 3 => [0, 1, 0, 0], 4 => [1, 1, 0, 1], 5 => [0, 1, 1, 1], 6 => [0, 1, 0, 1], _ => [1, 0, 1, 1] };
            int[] actual = [(int)(low & 1), (int)(low >> 63), (int)(high & 1), (int)(high >> 63)];
            Assert.Equal(expected, actual);
        }
    }

    private static ulong Pair(uint low, uint high) => low | ((ulong)high << 32);
}
