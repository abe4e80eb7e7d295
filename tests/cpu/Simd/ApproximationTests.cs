using System.Globalization;
using Plexus.Cpu.Simd;

namespace Plexus.Cpu.Tests.Simd;

/// <summary>RCPPS and RSQRTPS: special operands, the bound of the manual, and that results are always the same.</summary>
public sealed class ApproximationTests
{
    private const double Bound = 1.5 / 4096;

    [Theory]
    [InlineData("00000000", "7F800000", "7F800000")]
    [InlineData("80000000", "FF800000", "FF800000")]
    [InlineData("00000001", "7F800000", "7F800000")] // denormals count as zeros
    [InlineData("807FFFFF", "FF800000", "FF800000")]
    [InlineData("7F800000", "00000000", "00000000")]
    [InlineData("FF800000", "80000000", "FFC00000")]
    [InlineData("7F800001", "7FC00001", "7FC00001")]
    [InlineData("FFC12345", "FFC12345", "FFC12345")]
    [InlineData("7F000000", "00000000", "1FB504F3")] // tiny: flushed
    [InlineData("FF000000", "80000000", "FFC00000")]
    [InlineData("BF800000", "BF800000", "FFC00000")]
    [InlineData("40400000", "3EAAAAAB", "3F13CD3A")] // golden: the same on every host
    [InlineData("00800000", "7E800000", "5F000000")]
    public void Special_operands_and_golden_results(string operand, string reciprocal, string reciprocalSquareRoot)
    {
        uint a = uint.Parse(operand, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        Assert.Equal(reciprocal, $"{Approximation.Reciprocal(a):X8}");
        Assert.Equal(reciprocalSquareRoot, $"{Approximation.ReciprocalSquareRoot(a):X8}");
    }

    [Fact]
    public void Results_are_within_the_bound_of_the_manual()
    {
        Random random = new(1);
        for (int i = 0; i < 200_000; i++)
        {
            // 2^-126 to 2^125: neither operand nor reciprocal is tiny.
            uint a = (uint)random.Next(0x0080_0000, 0x7E80_0000);
            double value = BitConverter.UInt32BitsToSingle(a);
            Assert.True(Math.Abs((BitConverter.UInt32BitsToSingle(Approximation.Reciprocal(a)) * value) - 1) <= Bound, $"{a:X8}");
            double root = BitConverter.UInt32BitsToSingle(Approximation.ReciprocalSquareRoot(a));
            Assert.True(Math.Abs((root * Math.Sqrt(value)) - 1) <= Bound, $"{a:X8}");
        }
    }
}
