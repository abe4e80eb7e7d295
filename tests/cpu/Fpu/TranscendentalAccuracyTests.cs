using System.Numerics;
using Plexus.Cpu.Fpu;

namespace Plexus.Cpu.Tests.Fpu;

/// <summary>The transcendental instructions against big integers: half a unit of the last place, but for what truncation of 128 bits can add.</summary>
public sealed class TranscendentalAccuracyTests
{
    private const int Arguments = 400;
    private const ushort NearestControl = 0x37F;

    /// <summary>Thousandths of a unit in the last place that a result may be off: rounding to nearest is 500.</summary>
    private const int Thousandths = 501;

    private readonly Random random = new(20261125);

    [Fact]
    public void F2xm1_is_rounded_correctly() =>
        Check(() => Number(-1, 50), Transcendental.PowerMinusOne, BigReference.PowerMinusOne);

    [Fact]
    public void Fsin_is_rounded_correctly_after_reduction_by_66_bits_of_pi() =>
        Check(() => Number(62, 40), Transcendental.Sine, BigReference.Sine);

    [Fact]
    public void Fcos_is_rounded_correctly_after_reduction_by_66_bits_of_pi() =>
        Check(() => Number(62, 40), Transcendental.Cosine, BigReference.Cosine);

    [Fact]
    public void Fptan_is_rounded_correctly_after_reduction_by_66_bits_of_pi() =>
        Check(() => Number(62, 40), Transcendental.Tangent, BigReference.Tangent);

    [Fact]
    public void Sine_is_rounded_correctly_beside_multiples_of_half_pi()
    {
        int multiple = 1;
        Check(() => Near(multiple++), Transcendental.Sine, BigReference.Sine);
        multiple = 1;
        Check(() => Near(multiple++), Transcendental.Cosine, BigReference.Cosine);
    }

    [Fact]
    public void Fpatan_is_rounded_correctly() =>
        Check2(() => Number(40, 40), () => Number(40, 40), Transcendental.Angle, BigReference.Angle);

    [Fact]
    public void Fyl2x_is_rounded_correctly() =>
        Check2(() => Number(60, 60).Absolute, () => Number(20, 20), Transcendental.YLog2X, (x, y) => BigReference.Multiply(y, BigReference.Base2(x)));

    [Fact]
    public void Fyl2x_is_rounded_correctly_beside_one() =>
        Check2(() => Extended.Pack(false, Extended.Bias - random.Next(2), ulong.MaxValue - ((ulong)random.NextInt64() >> random.Next(4, 60))), () => Number(20, 20), Transcendental.YLog2X, (x, y) => BigReference.Multiply(y, BigReference.Base2(x)));

    [Fact]
    public void Fyl2xp1_is_rounded_correctly() =>
        Check2(() => Number(-2, 50), () => Number(20, 20), Transcendental.YLog2XPlus1, (x, y) => BigReference.Multiply(y, BigReference.Base2OfOnePlus(x)));

    [Theory]
    [InlineData(0xC90F_DAA2_2168_C235, 0x4000, 0x8000_0000_0000_0000, 0xBFBF)] // sin π: what 66 bits of π leave of the 64-bit one, −2^-64
    [InlineData(0xC90F_DAA2_2168_C234, 0x4000, 0xC000_0000_0000_0000, 0x3FC0)] // 0.75 · 2^-62
    public void Fsin_of_what_programs_take_for_pi_is_what_processors_give(ulong significand, ushort signExponent, ulong expected, ushort expectedSignExponent)
    {
        FpuContext context = new(NearestControl);
        Assert.Equal(new Extended(expected, expectedSignExponent), Transcendental.Sine(new Extended(significand, signExponent), ref context));
        Assert.Equal(FpuFlags.Precision, context.Flags);
    }

    private delegate Extended Unary(in Extended a, ref FpuContext context);

    private delegate Extended Binary(in Extended a, in Extended b, ref FpuContext context);

    private void Check(Func<Extended> argument, Unary function, Func<BigInteger, BigInteger> reference)
    {
        for (int i = 0; i < Arguments; i++)
        {
            Extended a = argument();
            FpuContext context = new(NearestControl);
            Extended result = function(a, ref context);
            AssertClose(result, reference(BigReference.Of(a)), $"{a.SignExponent:X4}_{a.Significand:X16}");
        }
    }

    private void Check2(Func<Extended> first, Func<Extended> second, Binary function, Func<BigInteger, BigInteger, BigInteger> reference)
    {
        for (int i = 0; i < Arguments; i++)
        {
            Extended a = first();
            Extended b = second();
            FpuContext context = new(NearestControl);
            Extended result = function(a, b, ref context);
            AssertClose(result, reference(BigReference.Of(a), BigReference.Of(b)), $"{a.SignExponent:X4}_{a.Significand:X16}, {b.SignExponent:X4}_{b.Significand:X16}");
        }
    }

    private static void AssertClose(in Extended result, BigInteger exact, string argument)
    {
        if (result.IsZero && exact.IsZero)
            return;
        BigInteger unit = BigInteger.One << (BigReference.Bits + result.Exponent - Extended.Bias - 63);
        BigInteger error = BigInteger.Abs(BigReference.Of(result) - exact);
        Assert.True(error * 1000 <= unit * Thousandths, $"f({argument}) = {result.SignExponent:X4}_{result.Significand:X16} is off by {(double)(error * 1000000 / unit) / 1e6} ulp");
    }

    /// <summary>A number of magnitude below 2^(top + 1).</summary>
    private Extended Number(int top, int depth) =>
        Extended.Pack(random.Next(2) == 0, Extended.Bias + top - random.Next(depth), Extended.IntegerBit | (ulong)random.NextInt64());

    /// <summary>A multiple of π/2, rounded.</summary>
    private static Extended Near(int multiple)
    {
        BigInteger value = BigReference.Pi * multiple / 2;
        int bits = (int)value.GetBitLength();
        return Extended.Pack((multiple & 1) != 0, Extended.Bias + bits - 1 - BigReference.Bits, (ulong)(value >> (bits - 64)));
    }
}
