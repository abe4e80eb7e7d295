using Plexus.Fuzz.Codec;
using Plexus.Fuzz.Envelopes;
using Plexus.Fuzz.Harness;
using Xunit;

namespace Plexus.Messaging.Tests.Fuzz;

/// <summary>A sample of what <c>bench/fuzz</c> does by the million.</summary>
public sealed class FuzzSampleTests
{
    [Fact]
    public void Codec_survives_a_sample_of_fuzzed_inputs()
    {
        using CodecTarget target = new();
        AssertSurvives(target, 20_000);
    }

    [Fact]
    public void Fabric_survives_a_sample_of_fuzzed_envelopes()
    {
        using EnvelopeTarget target = new();
        AssertSurvives(target, 10_000);
    }

    private static void AssertSurvives(IFuzzTarget target, int inputs)
    {
        FuzzReport report = new Fuzzer(target, seed: 1).Run(0, inputs);

        Assert.Empty(report.Finds);
        Assert.Empty(report.Missing);
    }
}
