using Iced.Intel;
using Plexus.Messaging.Contracts.Prescan;
using Xunit;

namespace Plexus.Prescan.Tests;

/// <summary>
/// Checks the table against an expectation made the other way round: it knows nothing of mnemonic lists, only what the decoder says of a
/// form (feature, privilege, operands, control flow), plus the holes, which no property shows.
/// </summary>
public sealed class SensitiveInstructionsTests
{
    /// <summary>Features of a Pentium Pro without FPU whose instructions a ring-3 program may simply use.</summary>
    private static readonly HashSet<CpuidFeature> ModelFeatures =
    [
        CpuidFeature.INTEL8086, CpuidFeature.INTEL186, CpuidFeature.INTEL286, CpuidFeature.INTEL386, CpuidFeature.INTEL486,
        CpuidFeature.CMOV, CpuidFeature.CX8, CpuidFeature.PAUSE, CpuidFeature.MULTIBYTENOP,
    ];

    private static readonly HashSet<CpuidFeature> SimdFeatures = [CpuidFeature.MMX, CpuidFeature.FXSR, CpuidFeature.SSE, CpuidFeature.SSE2, CpuidFeature.CLFSH];

    /// <summary>Instructions that neither fault at CPL 3 nor behave there, and that no operand or feature gives away.</summary>
    private static readonly HashSet<string> Holes =
    [
        "PUSHF", "PUSHFD", "POPF", "POPFD", "SGDT", "SIDT", "SLDT", "SMSW", "STR", "LAR", "LSL", "VERR", "VERW", "LDS", "LES", "LFS", "LGS", "LSS",
    ];

    /// <summary>What the model leaves undefined or reserved although its feature says otherwise.</summary>
    private static bool IsAbsent(Code code) =>
        code is Code.Bswap_r16 or Code.Wait or Code.Salc || code.ToString().StartsWith("Reserved", StringComparison.Ordinal);

    private static IEnumerable<Code> CodesOfThirtyTwoAndSixteenBits =>
        Enum.GetValues<Code>().Distinct().Where(code =>
        {
            OpCodeInfo form = code.ToOpCode();
            return form.IsInstruction && (form.Mode16 || form.Mode32);
        });

    [Fact]
    public void Every_form_valid_in_16_or_32_bit_mode_is_classified_as_its_properties_demand()
    {
        var wrong = new List<string>();
        int forms = 0;
        foreach (Code code in CodesOfThirtyTwoAndSixteenBits)
        {
            if (code.FlowControl() == FlowControl.Exception)
                continue; // UD0, UD1, UD2: invalid rather than sensitive
            forms++;
            bool sensitive = SensitiveInstructions.ReasonOf(code) != SensitivityReason.None;
            if (sensitive != ExpectSensitive(code))
                wrong.Add($"{code}: table says {SensitiveInstructions.ReasonOf(code)}");
        }

        Assert.Empty(wrong);
        Assert.True(forms > 3000, $"only {forms} forms seen");
    }

    [Fact]
    public void Every_form_of_MMX_SSE_SSE2_and_their_state_is_sensitive_as_such()
    {
        int forms = 0;
        foreach (Code code in CodesOfThirtyTwoAndSixteenBits)
        {
            bool expected = code.ToOpCode().Encoding == EncodingKind.Legacy && Array.TrueForAll(code.CpuidFeatures(), SimdFeatures.Contains);
            Assert.Equal(expected, SensitiveInstructions.ReasonOf(code) == SensitivityReason.Simd);
            forms += expected ? 1 : 0;
        }

        Assert.True(forms > 280, $"only {forms} forms seen");
    }

    [Fact]
    public void Every_form_valid_only_in_64_bit_mode_is_sensitive()
    {
        foreach (Code code in Enum.GetValues<Code>().Distinct())
        {
            OpCodeInfo form = code.ToOpCode();
            if (form.IsInstruction && form.Mode64 && !form.Mode16 && !form.Mode32)
                Assert.NotEqual(SensitivityReason.None, SensitiveInstructions.ReasonOf(code));
        }
    }

    [Theory]
    [InlineData("0F31", ExecutionUnits.TimeStamp, SensitivityReason.None)] // rdtsc
    [InlineData("0F31", ~ExecutionUnits.TimeStamp, SensitivityReason.Counter)]
    [InlineData("0F33", ExecutionUnits.TimeStamp, SensitivityReason.Counter)] // rdpmc
    [InlineData("F30F1EFB", ExecutionUnits.ConditionalMove, SensitivityReason.None)] // endbr32
    [InlineData("F30F1EFA", ExecutionUnits.ConditionalMove, SensitivityReason.None)] // endbr64
    [InlineData("F30F1EFB", ~ExecutionUnits.ConditionalMove, SensitivityReason.BeyondModel)]
    [InlineData("F30F1EC8", ExecutionUnits.ConditionalMove, SensitivityReason.BeyondModel)] // rdsspd eax
    [InlineData("0F01F9", ExecutionUnits.TimeStamp, SensitivityReason.BeyondModel)] // rdtscp
    public void Time_stamp_and_branch_marks_are_innocuous_with_their_units(string hex, ExecutionUnits units, SensitivityReason expected)
    {
        Decoder decoder = Decoder.Create(32, Convert.FromHexString(hex));
        Assert.Equal(expected, SensitiveInstructions.ReasonOf(decoder.Decode(), units));
    }

    [Theory]
    [InlineData("FA", SensitivityReason.InterruptFlag)] // cli
    [InlineData("FB", SensitivityReason.InterruptFlag)] // sti
    [InlineData("F4", SensitivityReason.InterruptFlag)] // hlt
    [InlineData("9C", SensitivityReason.FlagsImage)] // pushfd
    [InlineData("669D", SensitivityReason.FlagsImage)] // popf
    [InlineData("EC", SensitivityReason.PortAccess)] // in al, dx
    [InlineData("F36D", SensitivityReason.PortAccess)] // rep insd
    [InlineData("0F0110", SensitivityReason.TableLoad)] // lgdt [eax]
    [InlineData("0F01F0", SensitivityReason.TableLoad)] // lmsw ax
    [InlineData("0F0008", SensitivityReason.TableStore)] // str [eax]
    [InlineData("0F01E0", SensitivityReason.TableStore)] // smsw eax
    [InlineData("0F02C1", SensitivityReason.DescriptorCheck)] // lar eax, ecx
    [InlineData("0F00E8", SensitivityReason.DescriptorCheck)] // verw ax
    [InlineData("8CD8", SensitivityReason.SelectorRead)] // mov eax, ds
    [InlineData("8C18", SensitivityReason.SelectorRead)] // mov [eax], ds
    [InlineData("0FA0", SensitivityReason.SelectorRead)] // push fs
    [InlineData("8ED8", SensitivityReason.SelectorLoad)] // mov ds, ax
    [InlineData("1F", SensitivityReason.SelectorLoad)] // pop ds
    [InlineData("0FB200", SensitivityReason.SelectorLoad)] // lss eax, [eax]
    [InlineData("9A000000001000", SensitivityReason.FarTransfer)] // call 10h:0
    [InlineData("FF28", SensitivityReason.FarTransfer)] // jmp far [eax]
    [InlineData("CB", SensitivityReason.FarTransfer)] // retf
    [InlineData("CF", SensitivityReason.InterruptReturn)] // iretd
    [InlineData("CD80", SensitivityReason.SoftwareInterrupt)] // int 80h
    [InlineData("CC", SensitivityReason.SoftwareInterrupt)] // int3
    [InlineData("CE", SensitivityReason.SoftwareInterrupt)] // into
    [InlineData("F1", SensitivityReason.SoftwareInterrupt)] // int1
    [InlineData("0F20C0", SensitivityReason.ControlRegister)] // mov eax, cr0
    [InlineData("0F23F8", SensitivityReason.ControlRegister)] // mov dr7, eax
    [InlineData("0F06", SensitivityReason.ControlRegister)] // clts
    [InlineData("0F0138", SensitivityReason.CacheControl)] // invlpg [eax]
    [InlineData("0FA2", SensitivityReason.Identification)] // cpuid
    [InlineData("0F31", SensitivityReason.Counter)] // rdtsc
    [InlineData("0F33", SensitivityReason.Counter)] // rdpmc
    [InlineData("0F30", SensitivityReason.ModelSpecific)] // wrmsr
    [InlineData("0F34", SensitivityReason.FastTransfer)] // sysenter
    [InlineData("0FAA", SensitivityReason.SystemManagement)] // rsm
    [InlineData("D9E8", SensitivityReason.FloatingPoint)] // fld1
    [InlineData("9B", SensitivityReason.FloatingPoint)] // wait
    [InlineData("DAC1", SensitivityReason.FloatingPoint)] // fcmovb
    [InlineData("0F77", SensitivityReason.Simd)] // emms
    [InlineData("0F6F00", SensitivityReason.Simd)] // movq mm0, [eax]
    [InlineData("0F7EC0", SensitivityReason.Simd)] // movd eax, mm0
    [InlineData("0F57C0", SensitivityReason.Simd)] // xorps
    [InlineData("F20F10C1", SensitivityReason.Simd)] // movsd xmm0, xmm1
    [InlineData("F20F1100", SensitivityReason.Simd)] // movsd [eax], xmm0
    [InlineData("F20FC2C100", SensitivityReason.Simd)] // cmpsd xmm0, xmm1, 0
    [InlineData("660F6F00", SensitivityReason.Simd)] // movdqa xmm0, [eax]
    [InlineData("F30F2DC1", SensitivityReason.Simd)] // cvtss2si eax, xmm1
    [InlineData("0FC30A", SensitivityReason.Simd)] // movnti
    [InlineData("0FF7C1", SensitivityReason.Simd)] // maskmovq
    [InlineData("0FAE00", SensitivityReason.Simd)] // fxsave
    [InlineData("0FAE08", SensitivityReason.Simd)] // fxrstor
    [InlineData("0FAE10", SensitivityReason.Simd)] // ldmxcsr
    [InlineData("0FAEF8", SensitivityReason.Simd)] // sfence
    [InlineData("F20F12C1", SensitivityReason.BeyondModel)] // movddup, SSE3
    [InlineData("0F3800C1", SensitivityReason.BeyondModel)] // pshufb, SSSE3
    [InlineData("C5F857C0", SensitivityReason.BeyondModel)] // vxorps
    [InlineData("F30FBCC1", SensitivityReason.BeyondModel)] // tzcnt, rep bsf on the model
    [InlineData("F30FBDC1", SensitivityReason.BeyondModel)] // lzcnt, rep bsr on the model
    [InlineData("F30FB8C1", SensitivityReason.BeyondModel)] // popcnt
    [InlineData("C5F877", SensitivityReason.BeyondModel)] // vzeroupper, lds with a register on the model
    [InlineData("C4E278F2C1", SensitivityReason.BeyondModel)] // andn, les with a register on the model
    [InlineData("62F17C4858C1", SensitivityReason.BeyondModel)] // evex, bound with a register on the model
    [InlineData("0F38F000", SensitivityReason.BeyondModel)] // movbe
    [InlineData("F20F38F1C0", SensitivityReason.BeyondModel)] // crc32
    [InlineData("0FC7F0", SensitivityReason.BeyondModel)] // rdrand
    [InlineData("0FAE38", SensitivityReason.Simd)] // clflush
    [InlineData("0F01C8", SensitivityReason.BeyondModel)] // monitor
    [InlineData("0F01D0", SensitivityReason.BeyondModel)] // xgetbv
    [InlineData("0F01F9", SensitivityReason.BeyondModel)] // rdtscp
    [InlineData("0F05", SensitivityReason.BeyondModel)] // syscall
    [InlineData("0F01CA", SensitivityReason.BeyondModel)] // clac
    [InlineData("0F1800", SensitivityReason.Simd)] // prefetchnta
    [InlineData("0FAEE8", SensitivityReason.Simd)] // lfence
    [InlineData("F30F1EFB", SensitivityReason.BeyondModel)] // endbr32
    [InlineData("660FC8", SensitivityReason.BeyondModel)] // bswap ax
    [InlineData("D6", SensitivityReason.BeyondModel)] // salc
    [InlineData("2E8B00", SensitivityReason.CodeSegmentData)] // mov eax, cs:[eax]
    [InlineData("2EA100000000", SensitivityReason.CodeSegmentData)] // mov eax, cs:[0]
    [InlineData("2ED7", SensitivityReason.CodeSegmentData)] // xlatb cs:
    [InlineData("2EAC", SensitivityReason.CodeSegmentData)] // lodsb cs:
    [InlineData("2EF3A5", SensitivityReason.CodeSegmentData)] // rep movsd from cs:
    [InlineData("2EA6", SensitivityReason.CodeSegmentData)] // cmpsb from cs:
    [InlineData("2EFF2485A0000000", SensitivityReason.CodeSegmentData)] // jmp cs:[eax*4+A0h]
    [InlineData("2EFF30", SensitivityReason.CodeSegmentData)] // push cs:[eax]
    [InlineData("662E0F1F840000000000", SensitivityReason.None)] // nop cs:[eax+eax]: touches no memory
    [InlineData("2E8D00", SensitivityReason.None)] // lea eax, cs:[eax]: touches no memory
    [InlineData("2E7400", SensitivityReason.None)] // je, not taken hint
    [InlineData("2EAA", SensitivityReason.None)] // stosb: ES cannot be overridden
    [InlineData("2E01C8", SensitivityReason.None)] // add eax, ecx: no memory
    [InlineData("2E3E8B00", SensitivityReason.None)] // the last override wins: DS
    [InlineData("3E2E8B00", SensitivityReason.CodeSegmentData)] // the last override wins: CS
    [InlineData("F390", SensitivityReason.None)] // pause, rep nop on the model
    [InlineData("0F1F00", SensitivityReason.None)] // nop [eax]
    [InlineData("63C8", SensitivityReason.None)] // arpl ax, cx
    [InlineData("0FC70B", SensitivityReason.None)] // cmpxchg8b [ebx]
    [InlineData("0F44C1", SensitivityReason.None)] // cmove
    [InlineData("0FC8", SensitivityReason.None)] // bswap eax
    [InlineData("6200", SensitivityReason.None)] // bound eax, [eax]
    [InlineData("F3A5", SensitivityReason.None)] // rep movsd
    [InlineData("9E", SensitivityReason.None)] // sahf
    public void Instruction_in_32_bit_code_has_its_reason(string bytes, SensitivityReason expected) =>
        Assert.Equal(expected, ReasonOf(32, bytes));

    [Theory]
    [InlineData("D9C0", ExecutionUnits.X87)] // fld st0
    [InlineData("9B", ExecutionUnits.X87)] // wait
    [InlineData("DBC1", ExecutionUnits.X87 | ExecutionUnits.ConditionalMove)] // fcmovnb
    [InlineData("0FEFC1", ExecutionUnits.Mmx)] // pxor mm0, mm1
    [InlineData("0FAE00", ExecutionUnits.Fxsr)] // fxsave
    [InlineData("0F58C1", ExecutionUnits.Sse)] // addps
    [InlineData("0F2AC1", ExecutionUnits.Sse)] // cvtpi2ps: MMX came with SSE
    [InlineData("660F58C1", ExecutionUnits.Sse2)] // addpd
    [InlineData("0FAE38", ExecutionUnits.Clflush)]
    public void Unit_of_the_guests_is_innocuous_only_when_all_of_it_is(string bytes, ExecutionUnits needed)
    {
        const ExecutionUnits All = (ExecutionUnits)0x7F;
        Assert.NotEqual(SensitivityReason.None, ReasonOf(32, bytes));
        Assert.Equal(SensitivityReason.None, ReasonOf(32, bytes, All));
        foreach (ExecutionUnits unit in Enum.GetValues<ExecutionUnits>().Where(unit => unit != ExecutionUnits.None && (needed & unit) != 0))
            Assert.NotEqual(SensitivityReason.None, ReasonOf(32, bytes, All & ~unit));
    }

    [Theory]
    [InlineData("2ED900", SensitivityReason.CodeSegmentData)] // fld cs:[eax]
    [InlineData("DF08", SensitivityReason.FloatingPoint)] // fisttp, of SSE3
    [InlineData("9C", SensitivityReason.FlagsImage)]
    public void Units_change_nothing_else(string bytes, SensitivityReason expected) =>
        Assert.Equal(expected, ReasonOf(32, bytes, (ExecutionUnits)0x7F));

    [Theory]
    [InlineData("9C", SensitivityReason.FlagsImage)]
    [InlineData("669D", SensitivityReason.FlagsImage)]
    [InlineData("8CD8", SensitivityReason.SelectorRead)]
    [InlineData("EA00000010", SensitivityReason.FarTransfer)]
    [InlineData("66EA000000001000", SensitivityReason.FarTransfer)]
    [InlineData("66CF", SensitivityReason.InterruptReturn)]
    [InlineData("67660F0100", SensitivityReason.TableStore)]
    [InlineData("2E8B07", SensitivityReason.CodeSegmentData)]
    [InlineData("2E66678B00", SensitivityReason.CodeSegmentData)]
    [InlineData("6701C8", SensitivityReason.None)]
    [InlineData("67E300", SensitivityReason.None)]
    public void Instruction_in_16_bit_code_has_its_reason(string bytes, SensitivityReason expected) =>
        Assert.Equal(expected, ReasonOf(16, bytes));

    private static SensitivityReason ReasonOf(int bits, string bytes, ExecutionUnits units = ExecutionUnits.None)
    {
        byte[] code = Convert.FromHexString(bytes);
        var decoder = Decoder.Create(bits, new ByteArrayCodeReader(code));
        decoder.Decode(out Instruction instruction);
        Assert.False(instruction.IsInvalid, bytes);
        Assert.Equal(code.Length, instruction.Length);
        return SensitiveInstructions.ReasonOf(instruction, units);
    }

    private static bool ExpectSensitive(Code code)
    {
        OpCodeInfo form = code.ToOpCode();
        if (form.Encoding != EncodingKind.Legacy || IsAbsent(code) || code.IsPrivileged())
            return true;
        if (code.CpuidFeatures().Any(feature => !ModelFeatures.Contains(feature)))
            return true;
        if (Holes.Contains(code.Mnemonic().ToString().ToUpperInvariant()))
            return true;
        if (code.FlowControl() == FlowControl.Interrupt || code.IsJmpFar() || code.IsJmpFarIndirect() || code.IsCallFar() || code.IsCallFarIndirect())
            return true;
        if (code.FlowControl() == FlowControl.Return && !code.Mnemonic().ToString().Equals("Ret", StringComparison.Ordinal))
            return true;
        for (int i = 0; i < form.OpCount; i++)
        {
            switch (form.GetOpKind(i))
            {
                case OpCodeOperandKind.seg_reg:
                case OpCodeOperandKind.cr_reg:
                case OpCodeOperandKind.dr_reg:
                case OpCodeOperandKind.tr_reg:
                case OpCodeOperandKind.es:
                case OpCodeOperandKind.cs:
                case OpCodeOperandKind.ss:
                case OpCodeOperandKind.ds:
                case OpCodeOperandKind.fs:
                case OpCodeOperandKind.gs:
                    return true;
            }
        }

        return false;
    }
}
