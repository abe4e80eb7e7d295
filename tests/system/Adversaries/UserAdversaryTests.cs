using Iced.Intel;
using Xunit;
using static Iced.Intel.AssemblerRegisters;
using L = Plexus.System.Tests.Adversaries.AdversaryLayout;

namespace Plexus.System.Tests.Adversaries;

/// <summary>User programs that attack their kernel and the monitor: what they see is what they would see on a processor of their own.</summary>
public sealed class UserAdversaryTests
{
    public static TheoryData<string, string> Configurations()
    {
        TheoryData<string, string> data = [];
        foreach ((string strategy, string branches) in AdversaryRun.Configurations)
            data.Add(strategy, branches);
        return data;
    }

    /// <summary>Reads, writes and jumps all over the linear address space, at places where windows may lie.</summary>
    [Theory]
    [MemberData(nameof(Configurations))]
    public void Memory_of_others_stays_out_of_reach(string strategy, string branches) =>
        AdversaryRun.AssertSame(new Adversary { User = MemoryAttacks.Emit }, strategy, branches);

    [Theory]
    [MemberData(nameof(Configurations))]
    public void Selectors_give_what_the_tables_say(string strategy, string branches) =>
        AdversaryRun.AssertSame(new Adversary { User = SelectorAttacks.Emit }, strategy, branches);

    [Theory]
    [MemberData(nameof(Configurations))]
    public void Privileged_instructions_and_flags_obey_the_virtual_privilege(string strategy, string branches) =>
        AdversaryRun.AssertSame(new Adversary { User = PrivilegeAttacks.Emit }, strategy, branches);

    [Theory]
    [MemberData(nameof(Configurations))]
    public void Privileged_instructions_and_flags_obey_the_virtual_iopl(string strategy, string branches) =>
        AdversaryRun.AssertSame(new Adversary { User = PrivilegeAttacks.Emit, UserFlags = 0x3202 }, strategy, branches);

    [Theory]
    [MemberData(nameof(Configurations))]
    public void Code_that_changes_runs_as_it_is(string strategy, string branches) =>
        AdversaryRun.AssertSame(new Adversary { User = CodeAttacks.Emit, Services = CodeAttacks.Services }, strategy, branches);
}
