namespace Plexus.Cpu.Tests.Fpu.Differential;

/// <summary>An x87 instruction under comparison.</summary>
/// <param name="Name">Mnemonic and operands.</param>
/// <param name="Bytes">Encoding, the same in 32- and 64-bit mode.</param>
/// <param name="Operand">Its memory operand, at [ESI].</param>
/// <param name="Transcendental">Results are compared to 1 ulp, and neither C1 nor PE is compared.</param>
public sealed record FpuInstruction(string Name, byte[] Bytes, FpuOperandKind Operand = FpuOperandKind.None, bool Transcendental = false)
{
    /// <summary>Every instruction that can be compared: memory forms with [ESI], register forms with every register.</summary>
    public static IReadOnlyList<FpuInstruction> All { get; } = [.. Create()];

    private static IEnumerable<FpuInstruction> Create()
    {
        string[] arithmetic = ["fadd", "fmul", "fcom", "fcomp", "fsub", "fsubr", "fdiv", "fdivr"];
        for (int i = 0; i < 8; i++)
        {
            yield return new($"{arithmetic[i]} m32", [0xD8, Memory(i)], FpuOperandKind.Real32);
            yield return new($"{arithmetic[i]} m64", [0xDC, Memory(i)], FpuOperandKind.Real64);
            yield return new($"fi{arithmetic[i][1..]} m32", [0xDA, Memory(i)], FpuOperandKind.Int32);
            yield return new($"fi{arithmetic[i][1..]} m16", [0xDE, Memory(i)], FpuOperandKind.Int16);
        }

        yield return new("fld m32", [0xD9, Memory(0)], FpuOperandKind.Real32);
        yield return new("fst m32", [0xD9, Memory(2)], FpuOperandKind.Output);
        yield return new("fstp m32", [0xD9, Memory(3)], FpuOperandKind.Output);
        yield return new("fldcw", [0xD9, Memory(5)], FpuOperandKind.Control);
        yield return new("fnstcw", [0xD9, Memory(7)], FpuOperandKind.Output);
        yield return new("fld m64", [0xDD, Memory(0)], FpuOperandKind.Real64);
        yield return new("fst m64", [0xDD, Memory(2)], FpuOperandKind.Output);
        yield return new("fstp m64", [0xDD, Memory(3)], FpuOperandKind.Output);
        yield return new("fnstsw m16", [0xDD, Memory(7)], FpuOperandKind.Output);
        yield return new("fild m32", [0xDB, Memory(0)], FpuOperandKind.Int32);
        yield return new("fist m32", [0xDB, Memory(2)], FpuOperandKind.Output);
        yield return new("fistp m32", [0xDB, Memory(3)], FpuOperandKind.Output);
        yield return new("fld m80", [0xDB, Memory(5)], FpuOperandKind.Real80);
        yield return new("fstp m80", [0xDB, Memory(7)], FpuOperandKind.Output);
        yield return new("fild m16", [0xDF, Memory(0)], FpuOperandKind.Int16);
        yield return new("fist m16", [0xDF, Memory(2)], FpuOperandKind.Output);
        yield return new("fistp m16", [0xDF, Memory(3)], FpuOperandKind.Output);
        yield return new("fbld", [0xDF, Memory(4)], FpuOperandKind.Bcd);
        yield return new("fild m64", [0xDF, Memory(5)], FpuOperandKind.Int64);
        yield return new("fbstp", [0xDF, Memory(6)], FpuOperandKind.Output);
        yield return new("fistp m64", [0xDF, Memory(7)], FpuOperandKind.Output);
        (byte First, byte Second, string Name)[] registerForms =
        [
            (0xD8, 0xC0, "fadd st0"), (0xD8, 0xC8, "fmul st0"), (0xD8, 0xD0, "fcom"), (0xD8, 0xD8, "fcomp"), (0xD8, 0xE0, "fsub st0"), (0xD8, 0xE8, "fsubr st0"), (0xD8, 0xF0, "fdiv st0"), (0xD8, 0xF8, "fdivr st0"),
            (0xD9, 0xC0, "fld"), (0xD9, 0xC8, "fxch"), (0xD9, 0xD8, "fstpnce"),
            (0xDA, 0xC0, "fcmovb"), (0xDA, 0xC8, "fcmove"), (0xDA, 0xD0, "fcmovbe"), (0xDA, 0xD8, "fcmovu"),
            (0xDB, 0xC0, "fcmovnb"), (0xDB, 0xC8, "fcmovne"), (0xDB, 0xD0, "fcmovnbe"), (0xDB, 0xD8, "fcmovnu"), (0xDB, 0xE8, "fucomi"), (0xDB, 0xF0, "fcomi"),
            (0xDC, 0xC0, "fadd sti"), (0xDC, 0xC8, "fmul sti"), (0xDC, 0xD0, "fcom2"), (0xDC, 0xD8, "fcomp3"), (0xDC, 0xE0, "fsubr sti"), (0xDC, 0xE8, "fsub sti"), (0xDC, 0xF0, "fdivr sti"), (0xDC, 0xF8, "fdiv sti"),
            (0xDD, 0xC0, "ffree"), (0xDD, 0xC8, "fxch4"), (0xDD, 0xD0, "fst"), (0xDD, 0xD8, "fstp"), (0xDD, 0xE0, "fucom"), (0xDD, 0xE8, "fucomp"),
            (0xDE, 0xC0, "faddp"), (0xDE, 0xC8, "fmulp"), (0xDE, 0xD0, "fcomp5"), (0xDE, 0xE0, "fsubrp"), (0xDE, 0xE8, "fsubp"), (0xDE, 0xF0, "fdivrp"), (0xDE, 0xF8, "fdivp"),
            (0xDF, 0xC0, "ffreep"), (0xDF, 0xC8, "fxch7"), (0xDF, 0xD0, "fstp8"), (0xDF, 0xD8, "fstp9"), (0xDF, 0xE8, "fucomip"), (0xDF, 0xF0, "fcomip"),
        ];
        foreach ((byte first, byte second, string name) in registerForms)
        {
            for (int i = 0; i < 8; i++)
                yield return new($"{name} st{i}", [first, (byte)(second + i)]);
        }

        (byte First, byte Second, string Name)[] fixedForms =
        [
            (0xD9, 0xD0, "fnop"), (0xD9, 0xE0, "fchs"), (0xD9, 0xE1, "fabs"), (0xD9, 0xE4, "ftst"), (0xD9, 0xE5, "fxam"), (0xD9, 0xE8, "fld1"), (0xD9, 0xE9, "fldl2t"), (0xD9, 0xEA, "fldl2e"),
            (0xD9, 0xEB, "fldpi"), (0xD9, 0xEC, "fldlg2"), (0xD9, 0xED, "fldln2"), (0xD9, 0xEE, "fldz"), (0xD9, 0xF4, "fxtract"), (0xD9, 0xF5, "fprem1"), (0xD9, 0xF6, "fdecstp"), (0xD9, 0xF7, "fincstp"),
            (0xD9, 0xF8, "fprem"), (0xD9, 0xFA, "fsqrt"), (0xD9, 0xFC, "frndint"), (0xD9, 0xFD, "fscale"), (0xDA, 0xE9, "fucompp"), (0xDB, 0xE2, "fnclex"), (0xDB, 0xE3, "fninit"), (0xDE, 0xD9, "fcompp"), (0xDF, 0xE0, "fnstsw ax"),
        ];
        foreach ((byte first, byte second, string name) in fixedForms)
            yield return new(name, [first, second]);
        (byte Second, string Name)[] transcendentals = [(0xF0, "f2xm1"), (0xF1, "fyl2x"), (0xF2, "fptan"), (0xF3, "fpatan"), (0xF9, "fyl2xp1"), (0xFB, "fsincos"), (0xFE, "fsin"), (0xFF, "fcos")];
        foreach ((byte second, string name) in transcendentals)
            yield return new(name, [0xD9, second], Transcendental: true);
    }

    /// <summary>ModRM of [ESI] with an opcode extension.</summary>
    private static byte Memory(int extension) => (byte)((extension << 3) | 6);
}
