using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Tests.Privilege;

/// <summary>IA32_APIC_BASE, what CPUID tells of the local APIC, and INIT (SDM vol. 3, 10.4.3, 10.4.4 and table 9-1).</summary>
public sealed unsafe class ApicBaseTests
{
    private const uint ApicBase = 0x1B;
    private const uint ApicFeature = 1 << 9;

    [Theory]
    [InlineData("486", false, false)]
    [InlineData("pentium", true, false)]
    [InlineData("pentium-mmx", true, false)]
    [InlineData("pentium-pro-nofpu", true, true)]
    [InlineData("pentium2", true, true)]
    [InlineData("pentium-m", true, true)]
    public void Model_has_it_where_the_machine_does(string model, bool hasApic, bool hasRegister)
    {
        using ProtectedBench bench = Make(model);
        Assert.Equal(hasApic, HasFeature(bench));
        Assert.Equal(hasApic ? PlatformLines.ApicBaseAtReset : 0, bench.V->ApicBase);
        if (model != "486")
            Assert.Equal(hasRegister ? Outcome.Done : Outcome.Gp(0), bench.ReadMsr(ApicBase, out _));

        using var without = new ProtectedBench(model);
        without.Enter(0);
        Assert.False(HasFeature(without));
        Assert.NotEqual(Outcome.Done, without.ReadMsr(ApicBase, out _));
    }

    [Theory]
    [InlineData("486", 0u)]
    [InlineData("pentium", 0x0003_0014u)]
    [InlineData("pentium3", 0x0004_0014u)]
    [InlineData("pentium-m", 0x0005_0014u)]
    public void Version_counts_the_models_entries(string model, uint version) => Assert.Equal(version, CpuModels.ApicVersion(model));

    [Fact]
    public void Global_enable_shows_in_cpuid_and_the_local_apic_follows()
    {
        using ProtectedBench bench = Make("pentium2");
        Assert.Equal(Outcome.Done, bench.WriteMsr(ApicBase, 0xF_FEC0_0000));
        Assert.False(HasFeature(bench));
        Assert.Equal((0xF_FEC0_0000ul, 0ul), (bench.Bench.Lines.ApicBase, bench.Bench.Lines.TimerDeadline));
        Assert.Equal(Outcome.Done, bench.WriteMsr(ApicBase, 0xFED0_0900));
        Assert.True(HasFeature(bench));
        Assert.Equal(Outcome.Done, bench.ReadMsr(ApicBase, out ulong value));
        Assert.Equal((0xFED0_0900ul, 0xFED0_0900ul), (value, bench.Bench.Lines.ApicBase));
        bench.Bench.Call<Reset, Done>(new Reset(false));
        Assert.Equal((PlatformLines.ApicBaseAtReset, PlatformLines.ApicBaseAtReset), (bench.V->ApicBase, bench.Bench.Lines.ApicBase));
    }

    [Theory]
    [InlineData(0xFEE0_0901ul)]
    [InlineData(0xFEE0_0B00ul)]
    [InlineData(0xFEE0_0D00ul)]
    [InlineData(0x10_FEE0_0900ul)]
    public void Reserved_bits_are_refused(ulong value)
    {
        using ProtectedBench bench = Make("pentium2");
        Assert.Equal(Outcome.Gp(0), bench.WriteMsr(ApicBase, value));
        Assert.Equal(PlatformLines.ApicBaseAtReset, bench.Bench.Lines.ApicBase);
    }

    [Fact]
    public void Saved_state_brings_the_base_back()
    {
        using ProtectedBench bench = Make("pentium2");
        bench.WriteMsr(ApicBase, 0xFED0_0900);
        SavedState state = bench.Bench.Call<SaveState, SavedState>(default);
        bench.WriteMsr(ApicBase, 0xFEE0_0000);
        bench.Bench.Call<RestoreState, Done>(new RestoreState(state.Data));
        Assert.Equal(0xFED0_0900ul, bench.Bench.Lines.ApicBase);
    }

    [Fact]
    public void Init_begins_at_the_reset_vector_and_keeps_what_it_keeps()
    {
        using ProtectedBench bench = Make("pentium3");
        bench.WriteMsr(ApicBase, 0xFED0_0900);
        bench.WriteMsr(0x174, 0x1234);
        bench.WriteMsr(0x200, 0x1000_0006);
        bench.V->Fpu.Control = 0x1234;
        bench.V->Sse.Mxcsr = 0x1F81;
        bench.V->Halted = 1;
        bench.V->Dr[7] = 0x401;
        bench.V->Cr3 = 0x5000;
        bench.V->Cr0 |= 0x4000_0000;
        ulong retired = bench.V->Retired;
        bench.Bench.Call<Initialize, Done>(default);

        Assert.Equal((0xFFF0u, 0xF000, 0xFFFF_0000u), (bench.V->Eip, bench.Bench.Segment(SegmentIndex.Cs).Selector, bench.Bench.Segment(SegmentIndex.Cs).Base));
        Assert.Equal((0x4000_0010u, 0u, 0u, 2u, 0x400u), (bench.V->Cr0, bench.V->Cr3, bench.V->Halted, bench.V->Eflags, bench.V->Dr[7]));
        Assert.Equal((0x1234, 0x1F81u, 0x1234u, retired), (bench.V->Fpu.Control, bench.V->Sse.Mxcsr, bench.V->SysenterCs, bench.V->Retired));
        Assert.Equal((0xFED0_0900ul, 0xFED0_0900ul), (bench.V->ApicBase, bench.Bench.Lines.ApicBase));
        Assert.Equal(0x1000_0006ul, bench.Bench.Call<ReadModelRegister, ModelRegister>(new ReadModelRegister(0x200)).Value);
    }

    private static ProtectedBench Make(string model)
    {
        var bench = new ProtectedBench(model);
        bench.Bench.Lines.HasLocalApic = true;
        bench.Bench.Call<Reset, Done>(new Reset(true));

        // Entering a ring makes the block anew.
        ulong apicBase = bench.V->ApicBase;
        bench.Enter(0);
        bench.V->ApicBase = apicBase;
        return bench;
    }

    private static bool HasFeature(ProtectedBench bench)
    {
        bench.V->Gpr[0] = 1;
        Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Execute(0x0F, 0xA2)));
        return (bench.V->Gpr[2] & ApicFeature) != 0;
    }
}
