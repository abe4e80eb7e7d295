using Xunit;

namespace Plexus.System.Tests.Adversaries;

/// <summary>Kernels that look for the monitor, or get in its way: they see what they would see on a processor of their own.</summary>
public sealed class KernelAdversaryTests
{
    public static TheoryData<string, string> Configurations() => UserAdversaryTests.Configurations();

    [Theory]
    [MemberData(nameof(Configurations))]
    public void Selectors_give_what_the_tables_say(string strategy, string branches) =>
        AdversaryRun.AssertSame(new Adversary { Kernel = KernelAttacks.EmitSelectors }, strategy, branches);

    [Theory]
    [MemberData(nameof(Configurations))]
    public void Patched_code_reads_as_the_kernel_wrote_it(string strategy, string branches) =>
        AdversaryRun.AssertSame(new Adversary { Kernel = KernelAttacks.EmitReading }, strategy, branches);

    [Theory]
    [MemberData(nameof(Configurations))]
    public void Landings_in_patches_are_noticed(string strategy, string branches) =>
        AdversaryRun.AssertSame(new Adversary { Kernel = a => KernelAttacks.EmitLandings(a, interiors: branches != "native") }, strategy, branches);
}
