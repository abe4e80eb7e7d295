using System.Globalization;
using Iced.Intel;

namespace Plexus.Cpu.Tests.Simd.Differential;

/// <summary>What the elements of an instruction's operands are.</summary>
public enum SimdElement
{
    /// <summary>Integers, or bits.</summary>
    Integer,

    /// <summary>Singles.</summary>
    Single,

    /// <summary>Doubles.</summary>
    Double,

    /// <summary>An MXCSR.</summary>
    Mxcsr,

    /// <summary>An image of FXRSTOR.</summary>
    Image,
}

/// <summary>An encoding under comparison: the same in 32- and 64-bit mode.</summary>
/// <param name="Code">The instruction.</param>
/// <param name="Name">What to call it.</param>
/// <param name="Bytes">Its bytes without the immediate.</param>
/// <param name="HasImmediate">A byte follows.</param>
/// <param name="Element">What its source operand holds.</param>
public sealed record SimdInstruction(Code Code, string Name, byte[] Bytes, bool HasImmediate, SimdElement Element)
{
    /// <summary>It has a memory operand.</summary>
    public bool HasMemory => Name.EndsWith("[esi]", StringComparison.Ordinal);

    /// <summary>Result within 1.5 · 2^-12 of the value, whatever the processor.</summary>
    public bool IsApproximation => Code.Mnemonic() is Mnemonic.Rcpps or Mnemonic.Rcpss or Mnemonic.Rsqrtps or Mnemonic.Rsqrtss;

    /// <summary>Every encoding of MMX, FXSR, SSE, SSE2 and CLFLUSH: the memory form with [ESI], and register forms.</summary>
    public static IReadOnlyList<SimdInstruction> All { get; } = [.. Enum.GetValues<Code>().Distinct().Where(IsSimd).SelectMany(Create)];

    /// <summary>What the decoder says belongs to these extensions and is valid in 32-bit code.</summary>
    public static bool IsSimd(Code code)
    {
        OpCodeInfo form = code.ToOpCode();
        return form.Encoding == EncodingKind.Legacy && form.Mode32 && Array.TrueForAll(
            code.CpuidFeatures(),
            feature => feature is CpuidFeature.MMX or CpuidFeature.FXSR or CpuidFeature.SSE or CpuidFeature.SSE2 or CpuidFeature.CLFSH);
    }

    private static IEnumerable<SimdInstruction> Create(Code code)
    {
        // "66 0F 71 /2 ib", "NP 0F AE E8".
        string[] parts = code.ToOpCode().ToOpCodeString().Split(' ');
        List<byte> opcode = [];
        int extension = -1;
        bool hasModRm = false;
        bool hasImmediate = false;
        foreach (string part in parts)
        {
            if (part == "/r")
                hasModRm = true;
            else if (part.StartsWith('/'))
                (hasModRm, extension) = (true, part[1] - '0');
            else if (part == "ib")
                hasImmediate = true;
            else if (part != "NP")
                opcode.Add(byte.Parse(part, NumberStyles.HexNumber, CultureInfo.InvariantCulture));
        }

        string name = code.ToString().ToUpperInvariant();
        SimdElement element = ElementOf(code.Mnemonic());
        if (!hasModRm)
        {
            yield return new(code, name, [.. opcode], hasImmediate, element);
            yield break;
        }

        OpCodeInfo form = code.ToOpCode();
        OpCodeOperandKind[] kinds = [.. Enumerable.Range(0, form.OpCount).Select(form.GetOpKind)];
        bool hasMemory = kinds.Any(kind => kind is OpCodeOperandKind.mem or OpCodeOperandKind.xmm_or_mem or OpCodeOperandKind.mm_or_mem or OpCodeOperandKind.r32_or_mem);
        bool hasRegisters = !kinds.Any(kind => kind is OpCodeOperandKind.mem);
        bool hasGeneral = kinds.Any(kind => kind is OpCodeOperandKind.r32_or_mem or OpCodeOperandKind.r32_reg or OpCodeOperandKind.r32_rm);
        if (hasMemory)
            yield return new(code, name + " [esi]", [.. opcode, (byte)(((extension < 0 ? 3 : extension) << 3) | 6)], hasImmediate, element);
        if (!hasRegisters)
            yield break;
        (int, int)[] pairs = hasGeneral ? [(0, 1), (3, 3), (2, 0)] : [(0, 1), (3, 3), (2, 0), (7, 5), (4, 6)];
        foreach ((int register, int other) in pairs)
            yield return new(code, $"{name} {register},{other}", [.. opcode, (byte)(0xC0 | ((extension < 0 ? register : extension) << 3) | other)], hasImmediate, element);
    }

    private static SimdElement ElementOf(Mnemonic mnemonic)
    {
        string name = mnemonic.ToString().ToUpperInvariant();
        if (mnemonic == Mnemonic.Ldmxcsr)
            return SimdElement.Mxcsr;
        if (mnemonic == Mnemonic.Fxrstor)
            return SimdElement.Image;
        if (name.StartsWith('P') || name.StartsWith("MOV", StringComparison.Ordinal))
            return SimdElement.Integer;
        if (name.StartsWith("CVT", StringComparison.Ordinal))
            name = name[..name.IndexOf('2', StringComparison.Ordinal)];
        return name[^2..] switch
        {
            "PS" or "SS" => SimdElement.Single,
            "PD" or "SD" => SimdElement.Double,
            _ => SimdElement.Integer,
        };
    }
}
