using Plexus.Cpu.Tests.Core;
using Plexus.Cpu.Tests.Simd.Differential;

namespace Plexus.Cpu.Tests.Simd;

/// <summary>A bounded sample of what <c>bench/fpu --simd</c> does at length: every MMX, SSE and SSE2 instruction on random states, against the processor that runs the tests.</summary>
public sealed class SimdDifferentialTests
{
    private const int CasesPerInstruction = 320;

    [SkippableOnOtherHosts]
    public void Instructions_agree_with_the_host()
    {
        using SimdComparison comparison = new(20261125);
        List<string> failures = [];
        foreach (SimdInstruction instruction in SimdInstruction.All)
            failures.AddRange(comparison.Run(instruction, CasesPerInstruction, limit: 1));
        Assert.True(failures.Count == 0, $"{failures.Count} instructions differ:\n" + string.Join('\n', failures));
        Assert.True(comparison.Executed > 200_000, $"only {comparison.Executed} executed");
        Assert.True(comparison.Faulted > 5_000, $"only {comparison.Faulted} raised an exception");
    }
}
