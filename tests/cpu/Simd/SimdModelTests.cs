using Iced.Intel;
using Plexus.Cpu.Tests.Core;
using Plexus.Cpu.Tests.Simd.Differential;
using Plexus.Messaging;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Cpu;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Cpu.Tests.Simd;

/// <summary>Which model has what, and XMM registers across RESET#, saving and restoring.</summary>
public sealed class SimdModelTests
{
    private const uint Mmx = 1u << 23, Fxsr = 1u << 24, Sse = 1u << 25, Sse2 = 1u << 26, Clfsh = 1u << 19;

    public static TheoryData<string, uint, bool> Models => new()
    {
        { "486", 0, false },
        { "pentium", 0, false },
        { "pentium-mmx", Mmx, false },
        { "pentium-pro-nofpu", 0, true },
        { "pentium-pro", 0, true },
        { "pentium2", Mmx | Fxsr, true },
        { "pentium3", Mmx | Fxsr | Sse, true },
        { "pentium-m", Mmx | Fxsr | Sse | Sse2 | Clfsh, true },
    };

    [Theory]
    [MemberData(nameof(Models))]
    public void Model_knows_exactly_the_instructions_of_its_features(string model, uint features, bool isFamily6)
    {
        using SimdBench bench = new(model, SimdBench.Osfxsr | SimdBench.Osxmmexcpt);
        Assert.Equal(features, bench.Machine.Call<ReadCpuid, CpuidResult>(new ReadCpuid(1)).Edx & (Mmx | Fxsr | Sse | Sse2 | Clfsh));
        Assert.Equal((features & Clfsh) != 0 ? 0x800u : 0, bench.Machine.Call<ReadCpuid, CpuidResult>(new ReadCpuid(1)).Ebx & 0xFF00);
        int known = 0;
        foreach (SimdInstruction instruction in SimdInstruction.All)
        {
            bench.Machine.Esi = bench.Machine.Edi = CoreMachine.Data;
            bench.Machine.Write(CoreMachine.Data, new byte[512]);
            bench.Sse.Mxcsr = SimdBench.Masked;
            byte[] bytes = instruction.HasImmediate ? [.. instruction.Bytes, 0] : instruction.Bytes;
            Emulated result = bench.StepBytes(bytes);
            uint feature = instruction.Code.CpuidFeatures()[0] switch
            {
                CpuidFeature.MMX => Mmx,
                CpuidFeature.FXSR => Fxsr,
                CpuidFeature.SSE => Sse,
                CpuidFeature.SSE2 => Sse2,
                _ => Clfsh,
            };

            // Prefetches are among the reserved NOPs of the P6.
            bool isPrefetch = instruction.Code is >= Code.Prefetchnta_m8 and <= Code.Prefetcht2_m8;
            bool expected = isPrefetch ? isFamily6 : (features & feature) != 0;
            Assert.True((result.Kind == EmulateKind.Next) == expected, $"{instruction.Name} on {model}: {result.Kind} {result.Vector}");
            if (!expected)
                Assert.Equal((EmulateKind.GuestFault, SimdBench.InvalidOpcode), (result.Kind, result.Vector));
            known += expected && !isPrefetch ? 1 : 0;
        }

        Assert.Equal(features != 0, known > 0);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Pause_is_a_NOP_and_CR4_has_the_bits_of_the_features(string model, uint features, bool isFamily6)
    {
        _ = isFamily6;
        using SimdBench bench = new(model, 0);
        Assert.Equal(EmulateKind.Next, bench.Step("F390").Kind);
        foreach ((uint bit, uint feature) in ((uint, uint)[])[(SimdBench.Osfxsr, Fxsr), (SimdBench.Osxmmexcpt, Sse)])
        {
            bench.Machine.Eax = bit;
            Emulated result = bench.Step(a => a.mov(cr4, eax));
            Assert.Equal((features & feature) != 0 ? bit : 0, bench.Machine.State.Cr4 & bit);
            Assert.Equal((features & feature) != 0, result.Kind == EmulateKind.Next);
        }
    }

    [Theory]
    [InlineData("F20F12C1")] // movddup, SSE3
    [InlineData("F20FF006")] // lddqu, SSE3
    [InlineData("0F3800C1")] // pshufb, SSSE3
    [InlineData("0FAE26")] // xsave
    [InlineData("660FAE3E")] // clflushopt
    [InlineData("0F0D06")] // prefetch, 3DNow!
    [InlineData("660F3A0FC100")] // palignr
    public void What_came_later_is_undefined(string bytes)
    {
        using SimdBench bench = new();
        bench.Machine.Esi = CoreMachine.Data;
        Assert.Equal(SimdBench.InvalidOpcode, bench.Step(bytes).Vector);
    }

    [Fact]
    public void Reset_clears_XMM_registers_and_masks_all_exceptions()
    {
        using SimdBench bench = new();
        bench.Machine.Call<Reset, Done>(new Reset(Cold: false));
        Assert.Equal(SimdBench.Masked, bench.Sse.Mxcsr);
        for (int i = 0; i < 8; i++)
            Assert.Equal((0ul, 0ul), bench.Sse.GetRegister(i));
    }

    [Fact]
    public void Saved_state_has_XMM_registers_and_MXCSR()
    {
        using SimdBench bench = new();
        bench.Sse.Mxcsr = 0x9FC1;
        SavedState saved = bench.Machine.Call<SaveState, SavedState>(default);
        string before = bench.Registers();
        bench.Machine.Call<Reset, Done>(new Reset(Cold: true));
        bench.Machine.Call<RestoreState, Done>(new RestoreState(saved.Data));
        Assert.Equal(before, bench.Registers());
        byte[] old = saved.Data.ToArray();
        old[0] = 2;
        Assert.Throws<ComponentFaultException>(() => bench.Machine.Call<RestoreState, Done>(new RestoreState(old)));
    }

    [Fact]
    public void Mmx_registers_are_the_significands_and_Emms_empties_them()
    {
        using SimdBench bench = new("pentium-mmx", 0);
        bench.Fpu.Status = 5 << 11;
        bench.Machine.Eax = 0x89AB_CDEF;
        bench.Step(a => a.movd(mm3, eax));
        Assert.Equal((0x89AB_CDEFul, (ushort)0xFFFF), bench.Fpu.GetRegister(3));
        Assert.Equal((0, 0xFF), (bench.Fpu.Top, bench.Fpu.Valid));

        // What is only read keeps its exponent.
        bench.Step(a => a.movd(ecx, mm4));
        Assert.Equal((0x0405_0604u, (0x8001_0203_0405_0604ul, (ushort)0x4004)), (bench.Machine.Ecx, bench.Fpu.GetRegister(4)));
        bench.Step(a => a.emms());
        Assert.Equal((0, 0), (bench.Fpu.Top, bench.Fpu.Valid));
        Assert.Equal((0x89AB_CDEFul, (ushort)0xFFFF), bench.Fpu.GetRegister(3));
        bench.Step(a => a.fld1());
        Assert.Equal((1ul << 63, (ushort)0x3FFF), bench.Fpu.GetRegister(7));
    }
}
