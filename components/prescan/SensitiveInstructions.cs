using Iced.Intel;
using Plexus.Messaging.Contracts.Prescan;

namespace Plexus.Prescan;

/// <summary>
/// The table of instructions that may not run as they stand at ring 3, form by form.
/// It is an allow-list at heart: a form is innocuous only when its mnemonic is listed as such, it has a legacy encoding, and no rule
/// names it sensitive. Whatever the decoder learns in future is sensitive until somebody lists it.
/// </summary>
public static class SensitiveInstructions
{
    /// <summary>
    /// Mnemonics whose legacy integer forms do at CPL 3 exactly what they do at CPL 0 on the guest's model, but for the forms that
    /// <see cref="Forms"/> takes back. ARPL compares two RPL fields in general operands: these come from selectors the guest read, and
    /// selector reads are emulated. PAUSE is REP NOP on the model. NOP with an operand is in the P6 from its beginning.
    /// </summary>
    private static readonly Mnemonic[] Innocuous =
    [
        Mnemonic.Aaa, Mnemonic.Aad, Mnemonic.Aam, Mnemonic.Aas, Mnemonic.Adc, Mnemonic.Add, Mnemonic.And, Mnemonic.Arpl,
        Mnemonic.Bound, Mnemonic.Bsf, Mnemonic.Bsr, Mnemonic.Bswap, Mnemonic.Bt, Mnemonic.Btc, Mnemonic.Btr, Mnemonic.Bts,
        Mnemonic.Call, Mnemonic.Cbw, Mnemonic.Cdq, Mnemonic.Clc, Mnemonic.Cld, Mnemonic.Cmc, Mnemonic.Cmp,
        Mnemonic.Cmova, Mnemonic.Cmovae, Mnemonic.Cmovb, Mnemonic.Cmovbe, Mnemonic.Cmove, Mnemonic.Cmovg, Mnemonic.Cmovge,
        Mnemonic.Cmovl, Mnemonic.Cmovle, Mnemonic.Cmovne, Mnemonic.Cmovno, Mnemonic.Cmovnp, Mnemonic.Cmovns, Mnemonic.Cmovo,
        Mnemonic.Cmovp, Mnemonic.Cmovs,
        Mnemonic.Cmpsb, Mnemonic.Cmpsw, Mnemonic.Cmpsd, Mnemonic.Cmpxchg, Mnemonic.Cmpxchg8b, Mnemonic.Cwd, Mnemonic.Cwde,
        Mnemonic.Daa, Mnemonic.Das, Mnemonic.Dec, Mnemonic.Div, Mnemonic.Enter, Mnemonic.Idiv, Mnemonic.Imul, Mnemonic.Inc,
        Mnemonic.Ja, Mnemonic.Jae, Mnemonic.Jb, Mnemonic.Jbe, Mnemonic.Jcxz, Mnemonic.Je, Mnemonic.Jecxz, Mnemonic.Jg, Mnemonic.Jge,
        Mnemonic.Jl, Mnemonic.Jle, Mnemonic.Jmp, Mnemonic.Jne, Mnemonic.Jno, Mnemonic.Jnp, Mnemonic.Jns, Mnemonic.Jo, Mnemonic.Jp,
        Mnemonic.Js,
        Mnemonic.Lahf, Mnemonic.Lea, Mnemonic.Leave, Mnemonic.Lodsb, Mnemonic.Lodsw, Mnemonic.Lodsd, Mnemonic.Loop, Mnemonic.Loope,
        Mnemonic.Loopne, Mnemonic.Mov, Mnemonic.Movsb, Mnemonic.Movsw, Mnemonic.Movsd, Mnemonic.Movsx, Mnemonic.Movzx, Mnemonic.Mul,
        Mnemonic.Neg, Mnemonic.Nop, Mnemonic.Not, Mnemonic.Or, Mnemonic.Pause, Mnemonic.Pop, Mnemonic.Popa, Mnemonic.Popad,
        Mnemonic.Push, Mnemonic.Pusha, Mnemonic.Pushad, Mnemonic.Rcl, Mnemonic.Rcr, Mnemonic.Ret, Mnemonic.Rol, Mnemonic.Ror,
        Mnemonic.Sahf, Mnemonic.Sal, Mnemonic.Sar, Mnemonic.Sbb, Mnemonic.Scasb, Mnemonic.Scasw, Mnemonic.Scasd,
        Mnemonic.Seta, Mnemonic.Setae, Mnemonic.Setb, Mnemonic.Setbe, Mnemonic.Sete, Mnemonic.Setg, Mnemonic.Setge, Mnemonic.Setl,
        Mnemonic.Setle, Mnemonic.Setne, Mnemonic.Setno, Mnemonic.Setnp, Mnemonic.Setns, Mnemonic.Seto, Mnemonic.Setp, Mnemonic.Sets,
        Mnemonic.Shl, Mnemonic.Shld, Mnemonic.Shr, Mnemonic.Shrd, Mnemonic.Stc, Mnemonic.Std, Mnemonic.Stosb, Mnemonic.Stosw,
        Mnemonic.Stosd, Mnemonic.Sub, Mnemonic.Test, Mnemonic.Xadd, Mnemonic.Xchg, Mnemonic.Xlatb, Mnemonic.Xor,
    ];

    /// <summary>Mnemonics that are sensitive in every form.</summary>
    private static readonly (SensitivityReason Reason, Mnemonic[] Mnemonics)[] Mnemonics =
    [
        (SensitivityReason.InterruptFlag, [Mnemonic.Cli, Mnemonic.Sti, Mnemonic.Hlt]),
        (SensitivityReason.FlagsImage, [Mnemonic.Pushf, Mnemonic.Pushfd, Mnemonic.Popf, Mnemonic.Popfd]),
        (SensitivityReason.PortAccess,
            [Mnemonic.In, Mnemonic.Out, Mnemonic.Insb, Mnemonic.Insw, Mnemonic.Insd, Mnemonic.Outsb, Mnemonic.Outsw, Mnemonic.Outsd]),
        (SensitivityReason.TableLoad, [Mnemonic.Lgdt, Mnemonic.Lidt, Mnemonic.Lldt, Mnemonic.Ltr, Mnemonic.Lmsw]),
        (SensitivityReason.TableStore, [Mnemonic.Sgdt, Mnemonic.Sidt, Mnemonic.Sldt, Mnemonic.Smsw, Mnemonic.Str]),
        (SensitivityReason.DescriptorCheck, [Mnemonic.Lar, Mnemonic.Lsl, Mnemonic.Verr, Mnemonic.Verw]),
        (SensitivityReason.SelectorLoad, [Mnemonic.Lds, Mnemonic.Les, Mnemonic.Lfs, Mnemonic.Lgs, Mnemonic.Lss]),
        (SensitivityReason.FarTransfer, [Mnemonic.Retf]),
        (SensitivityReason.InterruptReturn, [Mnemonic.Iret, Mnemonic.Iretd]),
        (SensitivityReason.SoftwareInterrupt, [Mnemonic.Int, Mnemonic.Int1, Mnemonic.Int3, Mnemonic.Into]),
        (SensitivityReason.ControlRegister, [Mnemonic.Clts]),
        (SensitivityReason.CacheControl, [Mnemonic.Invd, Mnemonic.Wbinvd, Mnemonic.Invlpg]),
        (SensitivityReason.Identification, [Mnemonic.Cpuid]),
        (SensitivityReason.Counter, [Mnemonic.Rdtsc, Mnemonic.Rdpmc]),
        (SensitivityReason.ModelSpecific, [Mnemonic.Rdmsr, Mnemonic.Wrmsr]),
        (SensitivityReason.FastTransfer, [Mnemonic.Sysenter, Mnemonic.Sysexit]),
        (SensitivityReason.SystemManagement, [Mnemonic.Rsm]),
        (SensitivityReason.FloatingPoint, [Mnemonic.Wait]),
    ];

    /// <summary>Forms that are sensitive although other forms of their mnemonic are not.</summary>
    private static readonly (SensitivityReason Reason, Code[] Codes)[] Forms =
    [
        (SensitivityReason.SelectorRead,
            [
                Code.Mov_rm16_Sreg, Code.Mov_r32m16_Sreg,
                Code.Pushw_ES, Code.Pushd_ES, Code.Pushw_CS, Code.Pushd_CS, Code.Pushw_SS, Code.Pushd_SS,
                Code.Pushw_DS, Code.Pushd_DS, Code.Pushw_FS, Code.Pushd_FS, Code.Pushw_GS, Code.Pushd_GS,
            ]),
        (SensitivityReason.SelectorLoad,
            [
                Code.Mov_Sreg_rm16, Code.Mov_Sreg_r32m16,
                Code.Popw_ES, Code.Popd_ES, Code.Popw_SS, Code.Popd_SS, Code.Popw_DS, Code.Popd_DS,
                Code.Popw_FS, Code.Popd_FS, Code.Popw_GS, Code.Popd_GS,
            ]),
        (SensitivityReason.FarTransfer,
            [
                Code.Call_ptr1616, Code.Call_ptr1632, Code.Call_m1616, Code.Call_m1632,
                Code.Jmp_ptr1616, Code.Jmp_ptr1632, Code.Jmp_m1616, Code.Jmp_m1632,
            ]),
        (SensitivityReason.ControlRegister, [Code.Mov_r32_cr, Code.Mov_cr_r32, Code.Mov_r32_dr, Code.Mov_dr_r32]),

        // POP CS of the 8086, test registers of the 386 and 486, CMPXCHG of the first 486: not on the model.
        // BSWAP of 16 bits is undefined (SDM vol. 2, BSWAP).
        (SensitivityReason.BeyondModel,
            [
                Code.Popw_CS, Code.Mov_r32_tr, Code.Mov_tr_r32, Code.Cmpxchg486_rm8_r8, Code.Cmpxchg486_rm16_r16,
                Code.Cmpxchg486_rm32_r32, Code.Bswap_r16,
            ]),

        // The SSE2 namesakes of two string instructions.
        (SensitivityReason.Simd, [Code.Cmpsd_xmm_xmmm64_imm8, Code.Movsd_xmm_xmmm64, Code.Movsd_xmmm64_xmm]),
    ];

    /// <summary>A form that no set of units makes innocuous.</summary>
    private const ExecutionUnits Never = (ExecutionUnits)(-1);

    private static readonly SensitivityReason[] Reasons = Build();
    private static readonly ExecutionUnits[] Units = [.. Enumerable.Range(0, Reasons.Length).Select(code => UnitsOf((Code)code))];

    /// <summary>Why a form is sensitive, whatever its operands; <see cref="SensitivityReason.None"/> when it is not.</summary>
    public static SensitivityReason ReasonOf(Code code) => Reasons[(int)code];

    /// <summary>Why an instruction is sensitive, its segment override considered; <see cref="SensitivityReason.None"/> when it is innocuous.</summary>
    /// <param name="instruction">The instruction.</param>
    /// <param name="units">Units whose instructions are innocuous.</param>
    public static SensitivityReason ReasonOf(in Instruction instruction, ExecutionUnits units = ExecutionUnits.None)
    {
        SensitivityReason reason = Reasons[(int)instruction.Code];
        if (NeedsUnits(reason, instruction.Code) && (Units[(int)instruction.Code] & ~units) == 0)
            reason = SensitivityReason.None;
        if (reason == SensitivityReason.None && instruction.SegmentPrefix == Register.CS && AccessesOverriddenSegment(instruction))
            return SensitivityReason.CodeSegmentData;
        return reason;
    }

    /// <summary>
    /// Whether a form always faults on the physical processor at CPL 3, with IOPL 0 and no port permitted (SDM vol. 3, 5.9; vol. 1, 19.5): user code needs no patch for it, since the fault
    /// leads to the emulation, which knows the guest's IOPL and I/O bitmap.
    /// </summary>
    public static bool FaultsInUserCode(Code code) => Reasons[(int)code] is SensitivityReason.InterruptFlag or SensitivityReason.PortAccess or SensitivityReason.TableLoad
        or SensitivityReason.ControlRegister or SensitivityReason.CacheControl or SensitivityReason.ModelSpecific;

    /// <summary>
    /// Whether it depends on the units that an instruction is sensitive for this reason. ENDBR is beyond the model, and a NOP on every processor that has the long NOPs of the Pentium Pro,
    /// as long as nobody switches branch tracking on (SDM vol. 1, 17.3); compilers put it at the beginning of every function.
    /// </summary>
    private static bool NeedsUnits(SensitivityReason reason, Code code) =>
        reason is SensitivityReason.FloatingPoint or SensitivityReason.Simd or SensitivityReason.Counter || code is Code.Endbr32 or Code.Endbr64;

    private static ExecutionUnits UnitsOf(Code code)
    {
        ExecutionUnits units = ExecutionUnits.None;
        foreach (CpuidFeature feature in code.CpuidFeatures())
        {
            units |= feature switch
            {
                CpuidFeature.FPU or CpuidFeature.FPU287 or CpuidFeature.FPU387 => ExecutionUnits.X87,
                CpuidFeature.MMX => ExecutionUnits.Mmx,
                CpuidFeature.FXSR => ExecutionUnits.Fxsr,
                CpuidFeature.SSE => ExecutionUnits.Sse,
                CpuidFeature.SSE2 => ExecutionUnits.Sse2,
                CpuidFeature.CLFSH => ExecutionUnits.Clflush,
                CpuidFeature.CMOV or CpuidFeature.CET_IBT => ExecutionUnits.ConditionalMove,
                CpuidFeature.TSC => ExecutionUnits.TimeStamp,
                _ => Never,
            };
        }

        return code == Code.Wait ? ExecutionUnits.X87 : units == ExecutionUnits.None ? Never : units;
    }

    /// <summary>True when the instruction reads or writes memory through the segment that an override prefix replaces.</summary>
    private static bool AccessesOverriddenSegment(in Instruction instruction)
    {
        // LEA and NOP have a memory operand but touch no memory (SDM vol. 2); before a branch the prefix is a hint.
        if (instruction.Mnemonic is Mnemonic.Lea or Mnemonic.Nop)
            return false;
        for (int i = 0; i < instruction.OpCount; i++)
        {
            if (instruction.GetOpKind(i) is OpKind.Memory or OpKind.MemorySegSI or OpKind.MemorySegESI or OpKind.MemorySegDI or OpKind.MemorySegEDI)
                return true;
        }

        return false;
    }

    private static SensitivityReason[] Build()
    {
        var byMnemonic = new Dictionary<Mnemonic, SensitivityReason>();
        foreach (Mnemonic mnemonic in Innocuous)
            byMnemonic.Add(mnemonic, SensitivityReason.None);
        foreach ((SensitivityReason reason, Mnemonic[] mnemonics) in Mnemonics)
        {
            foreach (Mnemonic mnemonic in mnemonics)
                byMnemonic.Add(mnemonic, reason);
        }

        var byForm = new Dictionary<Code, SensitivityReason>();
        foreach ((SensitivityReason reason, Code[] codes) in Forms)
        {
            foreach (Code code in codes)
                byForm.Add(code, reason);
        }

        var reasons = new SensitivityReason[(int)Enum.GetValues<Code>().Max() + 1];
        for (int i = 0; i < reasons.Length; i++)
        {
            var code = (Code)i;
            if (byForm.TryGetValue(code, out SensitivityReason reason))
                reasons[i] = reason;
            else if (IsLegacy(code) && byMnemonic.TryGetValue(code.Mnemonic(), out reason))
                reasons[i] = reason;
            else
                reasons[i] = IsFloatingPoint(code) ? SensitivityReason.FloatingPoint : IsSimd(code) ? SensitivityReason.Simd : SensitivityReason.BeyondModel;
        }

        return reasons;
    }

    /// <summary>True for the encodings the model knows: neither VEX and its kin nor 64-bit forms.</summary>
    private static bool IsLegacy(Code code)
    {
        OpCodeInfo form = code.ToOpCode();
        return form.Encoding == EncodingKind.Legacy && (form.Mode16 || form.Mode32);
    }

    private static bool IsFloatingPoint(Code code)
    {
        foreach (CpuidFeature feature in code.CpuidFeatures())
        {
            if (feature is CpuidFeature.FPU or CpuidFeature.FPU287 or CpuidFeature.FPU287XL_ONLY or CpuidFeature.FPU387 or CpuidFeature.FPU387SL_ONLY)
                return true;
        }

        return false;
    }

    private static bool IsSimd(Code code)
    {
        foreach (CpuidFeature feature in code.CpuidFeatures())
        {
            if (feature is not (CpuidFeature.MMX or CpuidFeature.FXSR or CpuidFeature.SSE or CpuidFeature.SSE2 or CpuidFeature.CLFSH))
                return false;
        }

        return IsLegacy(code);
    }
}
