using Plexus.Cpu.Tests.Core;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Cpu.Tests.Fpu;

/// <summary>The tables of the manual (SDM vol. 2, FXAM, FPATAN, FYL2X, FBSTP; vol. 1, 4.7 and 8.1.5).</summary>
public sealed class FpuTableTests
{
    private const ulong One = 1ul << 63;

    [Theory]
    [InlineData(0ul, 0x0000, FpuBench.C3)] // zero
    [InlineData(0ul, 0x8000, FpuBench.C3 | FpuBench.C1)]
    [InlineData(One, 0x3FFF, FpuBench.C2)] // normal
    [InlineData(One, 0xBFFF, FpuBench.C2 | FpuBench.C1)]
    [InlineData(One, 0x7FFF, FpuBench.C2 | FpuBench.C0)] // infinity
    [InlineData(One | 1, 0x7FFF, FpuBench.C0)] // NaN
    [InlineData(One | (One >> 1), 0xFFFF, FpuBench.C0 | FpuBench.C1)]
    [InlineData(1ul, 0x0000, FpuBench.C3 | FpuBench.C2)] // denormal
    [InlineData(One, 0x0000, FpuBench.C3 | FpuBench.C2)] // pseudo-denormal
    [InlineData(1ul, 0x3FFF, 0)] // unnormal
    [InlineData(0ul, 0x7FFF, 0)] // pseudo-infinity
    [InlineData(1ul, 0xFFFF, FpuBench.C1)] // pseudo-NaN
    public void Fxam_of_a_class_gives_its_code(ulong significand, int signExponent, int expected)
    {
        using FpuBench bench = new();
        bench.Push(significand, (ushort)signExponent);
        bench.Step(a => a.fxam());
        Assert.Equal(expected, bench.Status & 0x4700);
        Assert.Equal(0, bench.Errors);
    }

    [Fact]
    public void Fxam_of_an_empty_register_says_empty_and_its_sign()
    {
        using FpuBench bench = new();
        bench.Fpu.SetRegister(0, One, 0xBFFF);
        bench.Step(a => a.fxam());
        Assert.Equal(FpuBench.C3 | FpuBench.C0 | FpuBench.C1, bench.Status & 0x4700);
    }

    /// <summary>π, π/2, π/4, 3π/4, by the quadrant and what is infinite or zero.</summary>
    [Theory]
    [InlineData(double.PositiveInfinity, double.PositiveInfinity, 0x3FFE, 0xC90F_DAA2_2168_C235)]
    [InlineData(double.PositiveInfinity, double.NegativeInfinity, 0x4000, 0x96CB_E3F9_990E_91A8)]
    [InlineData(double.NegativeInfinity, double.NegativeInfinity, 0xC000, 0x96CB_E3F9_990E_91A8)]
    [InlineData(double.NegativeInfinity, 5.0, 0xBFFF, 0xC90F_DAA2_2168_C235)]
    [InlineData(3.0, double.NegativeInfinity, 0x4000, 0xC90F_DAA2_2168_C235)]
    [InlineData(-3.0, double.PositiveInfinity, 0x8000, 0)]
    [InlineData(0.0, 1.0, 0x0000, 0)]
    [InlineData(-0.0, 0.0, 0x8000, 0)]
    [InlineData(0.0, -0.0, 0x4000, 0xC90F_DAA2_2168_C235)]
    [InlineData(-0.0, -7.0, 0xC000, 0xC90F_DAA2_2168_C235)]
    [InlineData(2.0, 0.0, 0x3FFF, 0xC90F_DAA2_2168_C235)]
    [InlineData(-2.0, -0.0, 0xBFFF, 0xC90F_DAA2_2168_C235)]
    [InlineData(1.0, 1.0, 0x3FFE, 0xC90F_DAA2_2168_C235)]
    [InlineData(1.0, -1.0, 0x4000, 0x96CB_E3F9_990E_91A8)]
    public void Fpatan_of_special_points_gives_the_manuals_angle(double y, double x, int signExponent, ulong significand)
    {
        using FpuBench bench = new();
        bench.Push(y);
        bench.Push(x);
        bench.Step(a => a.fpatan());
        Assert.Equal((significand, (ushort)signExponent), bench.St(0));
        Assert.Equal(0, bench.Errors & ~FpuBench.Inexact);
        Assert.Equal(7, bench.Fpu.Top);
    }

    [Theory]
    [InlineData(0.0, 3.0, double.NegativeInfinity, FpuBench.ZeroDivide)]
    [InlineData(0.0, -3.0, double.PositiveInfinity, FpuBench.ZeroDivide)]
    [InlineData(-0.0, double.PositiveInfinity, double.NegativeInfinity, 0)]
    [InlineData(0.0, 0.0, double.NaN, FpuBench.Invalid)]
    [InlineData(-1.0, 1.0, double.NaN, FpuBench.Invalid)]
    [InlineData(double.NegativeInfinity, 1.0, double.NaN, FpuBench.Invalid)]
    [InlineData(1.0, double.PositiveInfinity, double.NaN, FpuBench.Invalid)]
    [InlineData(1.0, -5.0, -0.0, 0)]
    [InlineData(0.5, double.PositiveInfinity, double.NegativeInfinity, 0)]
    [InlineData(0.5, 0.0, -0.0, 0)]
    [InlineData(4.0, double.NegativeInfinity, double.NegativeInfinity, 0)]
    [InlineData(double.PositiveInfinity, -2.0, double.NegativeInfinity, 0)]
    [InlineData(double.PositiveInfinity, 0.0, double.NaN, FpuBench.Invalid)]
    [InlineData(8.0, 2.5, 7.5, FpuBench.Inexact)]
    public void Fyl2x_of_special_operands_gives_the_manuals_result(double x, double y, double expected, int errors)
    {
        using FpuBench bench = new();
        bench.Push(y);
        bench.Push(x);
        bench.Step(a => a.fyl2x());
        Assert.Equal(double.IsNaN(expected) ? (0xC000_0000_0000_0000, (ushort)0xFFFF) : FpuBench.Extend(expected), bench.St(0));
        Assert.Equal(errors, bench.Errors);
    }

    [Theory]
    [InlineData(0.0, "00000000000000000000")]
    [InlineData(-0.0, "00000000000000000080")]
    [InlineData(1234567890.0, "90785634120000000000")]
    [InlineData(-42.5, "42000000000000000080")]
    [InlineData(1e18, "00000000000000C0FFFF")]
    [InlineData(double.NaN, "00000000000000C0FFFF")]
    public void Fbstp_stores_digits_or_the_indefinite(double value, string expected)
    {
        using FpuBench bench = new();
        bench.Push(value);
        bench.Step(a => a.fbstp(__tbyte_ptr[CoreMachine.Data]));
        Assert.Equal(expected, Convert.ToHexString(bench.Machine.Memory.Ram.Slice((int)CoreMachine.Data, 10)));
        Assert.Equal(expected.EndsWith("FFFF", StringComparison.Ordinal), (bench.Errors & FpuBench.Invalid) != 0);
        Assert.Equal(0, bench.Fpu.Valid);
    }

    [Theory]
    [InlineData(0x037F, 0xC90F_DAA2_2168_C235, 0xB8AA_3B29_5C17_F0BC, 0xD49A_784B_CD1B_8AFE)]
    [InlineData(0x077F, 0xC90F_DAA2_2168_C234, 0xB8AA_3B29_5C17_F0BB, 0xD49A_784B_CD1B_8AFE)]
    [InlineData(0x0B7F, 0xC90F_DAA2_2168_C235, 0xB8AA_3B29_5C17_F0BC, 0xD49A_784B_CD1B_8AFF)]
    [InlineData(0x0F7F, 0xC90F_DAA2_2168_C234, 0xB8AA_3B29_5C17_F0BB, 0xD49A_784B_CD1B_8AFE)]
    public void Constants_are_rounded_by_the_rounding_control(int control, ulong pi, ulong log2E, ulong log2Ten)
    {
        using FpuBench bench = new();
        bench.Fpu.Control = (ushort)control;
        bench.Step(a =>
        {
            a.fldpi();
            a.fldl2e();
            a.fldl2t();
        });
        Assert.Equal((log2Ten, (ushort)0x4000), bench.St(0));
        Assert.Equal((log2E, (ushort)0x3FFF), bench.St(1));
        Assert.Equal((pi, (ushort)0x4000), bench.St(2));
        Assert.Equal(0, bench.Errors);
    }

    [Fact]
    public void Fsin_beyond_its_range_sets_C2_and_leaves_the_operand()
    {
        using FpuBench bench = new();
        bench.Push(9.3e18);
        bench.Step(a => a.fsin());
        Assert.Equal(FpuBench.Extend(9.3e18), bench.St(0));
        Assert.Equal(FpuBench.C2, bench.Conditions);
    }

    [Fact]
    public void Fptan_pushes_one_above_the_tangent()
    {
        using FpuBench bench = new();
        bench.Push(0.0);
        bench.Step(a => a.fptan());
        Assert.Equal((One, (ushort)0x3FFF), bench.St(0));
        Assert.Equal((0ul, (ushort)0), bench.St(1));
    }

    [Fact]
    public void Fprem_loops_to_the_exact_remainder_of_distant_operands()
    {
        using FpuBench bench = new();
        bench.Push(3.0);
        bench.Push(Math.ScaleB(1, 500));
        int rounds = 0;
        do
        {
            bench.Step(a => a.fprem());
            rounds++;
        }
        while ((bench.Status & FpuBench.C2) != 0);
        Assert.Equal(FpuBench.Extend(1.0), bench.St(0));
        Assert.InRange(rounds, 8, 16);
        Assert.Equal(0, bench.Errors);
    }
}
