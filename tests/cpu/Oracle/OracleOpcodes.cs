using Iced.Intel;
using Plexus.Cpu.Processor;

namespace Plexus.Cpu.Tests.Oracle;

/// <summary>The opcodes that cases are made of, by kind.</summary>
/// <remarks>
/// Left out, because they show the host and not the processor: CPUID, RDTSC, RDPMC, SGDT, SIDT, SLDT, STR, SMSW, LAR, LSL, VERR, VERW, moves and pops of segment registers, LDS and its kin,
/// far transfers, IRET, SYSENTER, SYSCALL, and INT 80h. Left out because the host's table and the guest's differ by model: what a REP prefix makes a later instruction of (TZCNT, LZCNT, PAUSE).
/// </remarks>
internal sealed class OracleOpcodes
{
    private static readonly HashSet<Mnemonic> IntegerMnemonics =
    [
        Mnemonic.Add, Mnemonic.Or, Mnemonic.Adc, Mnemonic.Sbb, Mnemonic.And, Mnemonic.Sub, Mnemonic.Xor, Mnemonic.Cmp, Mnemonic.Test, Mnemonic.Neg, Mnemonic.Not, Mnemonic.Inc, Mnemonic.Dec,
        Mnemonic.Mov, Mnemonic.Movzx, Mnemonic.Movsx, Mnemonic.Xchg, Mnemonic.Bswap, Mnemonic.Lea, Mnemonic.Nop, Mnemonic.Xlatb, Mnemonic.Cmpxchg, Mnemonic.Xadd, Mnemonic.Cmpxchg8b,
        Mnemonic.Cbw, Mnemonic.Cwde, Mnemonic.Cwd, Mnemonic.Cdq, Mnemonic.Clc, Mnemonic.Stc, Mnemonic.Cmc, Mnemonic.Cld, Mnemonic.Std, Mnemonic.Sahf, Mnemonic.Lahf,
        Mnemonic.Aaa, Mnemonic.Aas, Mnemonic.Aam, Mnemonic.Aad, Mnemonic.Daa, Mnemonic.Das, Mnemonic.Salc,
    ];

    private static readonly HashSet<Mnemonic> ShiftMnemonics =
        [Mnemonic.Shl, Mnemonic.Sal, Mnemonic.Shr, Mnemonic.Sar, Mnemonic.Rol, Mnemonic.Ror, Mnemonic.Rcl, Mnemonic.Rcr, Mnemonic.Shld, Mnemonic.Shrd];

    private static readonly HashSet<Mnemonic> MultiplyMnemonics = [Mnemonic.Mul, Mnemonic.Imul, Mnemonic.Div, Mnemonic.Idiv];

    private static readonly HashSet<Mnemonic> BitMnemonics = [Mnemonic.Bt, Mnemonic.Bts, Mnemonic.Btr, Mnemonic.Btc, Mnemonic.Bsf, Mnemonic.Bsr];

    private static readonly HashSet<Mnemonic> StackMnemonics =
    [
        Mnemonic.Push, Mnemonic.Pop, Mnemonic.Pusha, Mnemonic.Pushad, Mnemonic.Popa, Mnemonic.Popad, Mnemonic.Pushf, Mnemonic.Pushfd, Mnemonic.Popf, Mnemonic.Popfd, Mnemonic.Enter, Mnemonic.Leave,
    ];

    private static readonly HashSet<Mnemonic> TrapMnemonics = [Mnemonic.Bound, Mnemonic.Into];

    private static readonly HashSet<Mnemonic> StringMnemonics =
    [
        Mnemonic.Movsb, Mnemonic.Movsw, Mnemonic.Movsd, Mnemonic.Cmpsb, Mnemonic.Cmpsw, Mnemonic.Cmpsd, Mnemonic.Scasb, Mnemonic.Scasw, Mnemonic.Scasd,
        Mnemonic.Lodsb, Mnemonic.Lodsw, Mnemonic.Lodsd, Mnemonic.Stosb, Mnemonic.Stosw, Mnemonic.Stosd,
    ];

    /// <summary>
    /// What these give differs between processors: approximations within the manual's bound, and whether CVTPI2PS goes over to MMX when its source is memory (the manual: yes; AMD: no).
    /// </summary>
    private static readonly HashSet<Mnemonic> VendorSpecific = [Mnemonic.Rcpps, Mnemonic.Rcpss, Mnemonic.Rsqrtps, Mnemonic.Rsqrtss, Mnemonic.Cvtpi2ps];

    public OracleOpcodes(CpuModel model, bool longMode)
    {
        Code[] all = [.. Enum.GetValues<Code>().Where(code => Runs(code, longMode) && model.HasInstruction(code))];
        Integer = Group(all, IntegerMnemonics);
        Shift = Group(all, ShiftMnemonics);
        Multiply = Group(all, MultiplyMnemonics);
        Bit = Group(all, BitMnemonics);
        Stack = Group(all, StackMnemonics);
        Trap = Group(all, TrapMnemonics);
        String = Group([.. all.Where(code => !code.ToString().Contains("xmm", StringComparison.Ordinal))], StringMnemonics);
        Set = [[.. all.Where(code => code.ToString().StartsWith("Set", StringComparison.Ordinal))], [.. all.Where(code => code.ToString().StartsWith("Cmov", StringComparison.Ordinal))]];
        Simd = [.. all.Where(code => IsSimd(code) && !VendorSpecific.Contains(code.Mnemonic())).GroupBy(code => code.Mnemonic()).Select(group => group.ToArray())];
    }

    /// <summary>Each inner array is one mnemonic, so that none is rare because it has few forms.</summary>
    public Code[][] Integer { get; }

    public Code[][] Shift { get; }

    public Code[][] Multiply { get; }

    public Code[][] Bit { get; }

    public Code[][] Stack { get; }

    public Code[][] Trap { get; }

    public Code[][] String { get; }

    /// <summary>SETcc and CMOVcc.</summary>
    public Code[][] Set { get; }

    /// <summary>MMX, SSE and SSE2, as far as the model has them.</summary>
    public Code[][] Simd { get; }

    private static Code[][] Group(Code[] all, HashSet<Mnemonic> mnemonics) =>
        [.. all.Where(code => mnemonics.Contains(code.Mnemonic()) && !IsSimd(code)).GroupBy(code => code.Mnemonic()).Select(group => group.ToArray())];

    private static bool IsSimd(Code code) => Array.Exists(code.CpuidFeatures(), feature => feature is CpuidFeature.MMX or CpuidFeature.SSE or CpuidFeature.SSE2);

    private static bool Runs(Code code, bool longMode)
    {
        OpCodeInfo info = code.ToOpCode();
        if (!info.Mode32 || info.Encoding != EncodingKind.Legacy || info.IsPrivileged || (longMode && !info.Mode64))
            return false;

        // Undocumented encodings of CMPXCHG that only an early 486 has, and the 16-bit BSWAP, undefined by the manual.
        if (code is Code.Cmpxchg486_rm8_r8 or Code.Cmpxchg486_rm16_r16 or Code.Cmpxchg486_rm32_r32 or Code.Bswap_r16)
            return false;
        for (int i = 0; i < info.OpCount; i++)
        {
            if (info.GetOpKind(i) is OpCodeOperandKind.seg_reg or OpCodeOperandKind.cr_reg or OpCodeOperandKind.dr_reg or OpCodeOperandKind.tr_reg
                or OpCodeOperandKind.es or OpCodeOperandKind.cs or OpCodeOperandKind.ss or OpCodeOperandKind.ds or OpCodeOperandKind.fs or OpCodeOperandKind.gs)
            {
                return false;
            }
        }

        return true;
    }
}
