using Plexus.Cpu.Tests.Core;
using Plexus.Cpu.Tests.Fpu.Differential;

namespace Plexus.Cpu.Tests.Fpu;

/// <summary>A bounded sample of what <c>bench/fpu</c> does at length: every x87 instruction on random states, against the unit of the processor that runs the tests.</summary>
public sealed class FpuDifferentialTests
{
    private const int CasesPerInstruction = 600;

    [SkippableOnOtherHosts]
    public void Instructions_agree_with_the_host()
    {
        using FpuComparison comparison = new(20261125);
        List<string> failures = [];
        foreach (FpuInstruction instruction in FpuInstruction.All)
            failures.AddRange(comparison.Run(instruction, CasesPerInstruction, limit: 1));
        Assert.True(failures.Count == 0, $"{failures.Count} instructions differ:\n" + string.Join('\n', failures));
        Assert.True(comparison.Executed > 250_000, $"only {comparison.Executed} executed");
    }
}
