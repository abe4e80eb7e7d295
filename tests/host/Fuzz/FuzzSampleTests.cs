using Plexus.Fuzz.Harness;
using Plexus.Fuzz.Loaders;
using Plexus.Fuzz.Manifests;
using Xunit;

namespace Plexus.Host.Tests.Fuzz;

/// <summary>A sample of what <c>bench/fuzz</c> does by the million.</summary>
public sealed class FuzzSampleTests
{
    [Fact]
    public void Manifests_survive_a_sample_of_fuzzed_files()
    {
        using ManifestTarget target = new(thoroughEvery: 8);
        AssertSurvives(target, 4_000);
    }

    [Fact]
    public void Loaders_survive_a_sample_of_fuzzed_images()
    {
        using LoaderTarget target = new();
        AssertSurvives(target, 8_000);
    }

    private static void AssertSurvives(IFuzzTarget target, int inputs)
    {
        FuzzReport report = new Fuzzer(target, seed: 1).Run(0, inputs);

        Assert.Empty(report.Finds);
        Assert.Empty(report.Missing);
    }
}
