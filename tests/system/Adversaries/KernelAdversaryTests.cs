using Xunit;

namespace Plexus.System.Tests.Adversaries;

/// <summary>Kernels that look for the monitor, or get in its way: they see what they would see on a processor of their own.</summary>
public sealed class KernelAdversaryTests
{
    public static TheoryData<string, string> Configurations() => UserAdversaryTests.Configurations();

    /// <summary>Those in which a computed jump is looked at.</summary>
    public static TheoryData<string, string> Virtualised()
    {
        TheoryData<string, string> data = [];
        foreach ((string strategy, string branches) in AdversaryRun.Configurations.Where(c => c.Branches != "native"))
            data.Add(strategy, branches);
        return data;
    }

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

    [Theory]
    [MemberData(nameof(Configurations))]
    public void Page_tables_mean_what_they_say_when_translations_are_forgotten(string strategy, string branches) =>
        AdversaryRun.AssertSame(new Adversary { Kernel = TableAttacks.EmitStorm }, strategy, branches);

    [Theory]
    [InlineData("auto", "native")]
    [InlineData("call-table", "all")]
    public void Windows_move_when_the_kernel_takes_their_place(string strategy, string branches) =>
        AdversaryRun.AssertSame(new Adversary { Kernel = KernelAttacks.EmitWindows }, strategy, branches);

    [Theory]
    [MemberData(nameof(Virtualised))]
    public void Computed_jumps_into_the_windows_fault(string strategy, string branches) =>
        AdversaryRun.AssertSame(new Adversary { Kernel = KernelAttacks.EmitHandlers }, strategy, branches);
}
