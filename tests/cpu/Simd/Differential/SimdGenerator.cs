namespace Plexus.Cpu.Tests.Simd.Differential;

/// <summary>States and operands at random, most of them where something happens: ends of ranges, special encodings, related pairs, ties.</summary>
public sealed unsafe class SimdGenerator(int seed)
{
    private const uint DenormalsAreZeros = 0x40;
    private const uint FlushToZero = 0x8000;
    private const uint AllMasked = 0x1F80;

    private static readonly int[] SmallShifts = [0, 1, 7, 8, 15, 16, 31, 32, 63, 64, 127];

    private readonly Random random = new(seed);

    /// <summary>A byte.</summary>
    public byte Immediate() => (byte)random.Next(256);

    /// <summary>Fills in a case.</summary>
    public void Fill(SimdInstruction instruction, ref SimdCase target)
    {
        target = default;
        FillImage(instruction, ref target.Before);
        for (int i = 0; i < 4; i++)
            target.GeneralBefore[i] = Integer();
        target.FlagsBefore = 0x202 | ((uint)random.Next() & 0x8D5);
        fixed (byte* operand = target.Operand, copy = target.OperandBefore)
        {
            ulong* words = (ulong*)operand;
            for (int i = 0; i < SimdCase.OperandBytes / 8; i++)
                words[i] = i < 2 ? Quadword(instruction.Element) : 0xEEEE_EEEE_EEEE_EEEE;
            if (instruction.Element == SimdElement.Mxcsr)
                *(uint*)operand = (uint)random.Next(0x10000);
            else if (instruction.Element == SimdElement.Image)
                FillImage(instruction, ref *(SimdImage*)operand);
            else if (random.Next(4) == 0)
                Relate(instruction.Element, words, target.Before.Xmm[0]);
            Buffer.MemoryCopy(operand, copy, SimdCase.OperandBytes, SimdCase.OperandBytes);
        }
    }

    private void FillImage(SimdInstruction instruction, ref SimdImage image)
    {
        image = default;
        image.Control = 0x37F;
        image.Status = (ushort)((random.Next(8) << 11) | (random.Next(2) == 0 ? random.Next(8) << 8 : 0) | (random.Next(2) << 14));
        image.Valid = random.Next(2) == 0 ? (byte)0 : (byte)random.Next(256);

        // Exception flags clear, set, or any; to nearest half the time; other bits rarely, so that each is met alone, too.
        uint mxcsr = random.Next(3) switch { 0 => 0u, 1 => 0x3Fu, _ => (uint)random.Next(64) };
        mxcsr |= random.Next(2) == 0 ? 0 : (uint)random.Next(4) << 13;
        mxcsr |= random.Next(3) == 0 ? DenormalsAreZeros : 0;
        mxcsr |= random.Next(3) == 0 ? FlushToZero : 0;
        mxcsr |= random.Next(4) != 0 ? AllMasked : (uint)random.Next(64) << 7;
        image.Mxcsr = mxcsr;
        for (int i = 0; i < 8; i++)
        {
            image.Registers[i * 2] = Quadword(SimdElement.Integer);
            image.Registers[(i * 2) + 1] = (ushort)random.Next(65536);
        }

        // An element, its own and the others of the register may be alike.
        for (int i = 0; i < 16; i++)
        {
            image.Xmm[i] = Quadword(instruction.Element);
            if (i > 0 && random.Next(4) == 0)
            {
                fixed (ulong* at = &image.Xmm[i])
                    Relate(instruction.Element, at, image.Xmm[i % 2]);
            }
        }

        // Counts of shifts.
        if (instruction.Element == SimdElement.Integer && random.Next(2) == 0)
        {
            int at = random.Next(16);
            image.Xmm[at] = (ulong)SmallShifts[random.Next(SmallShifts.Length)];
            image.Registers[random.Next(8) * 2] = (ulong)SmallShifts[random.Next(SmallShifts.Length)];
        }
    }

    private ulong Bits64() => (ulong)random.NextInt64(long.MinValue, long.MaxValue);

    private ulong Quadword(SimdElement element) => element switch
    {
        SimdElement.Single => Single() | ((ulong)Single() << 32),
        SimdElement.Double => Double(),
        _ => Integer() | ((ulong)Integer() << 32),
    };

    private uint Integer()
    {
        switch (random.Next(5))
        {
            case 0:
                {
                    // Bytes at ends of ranges.
                    ReadOnlySpan<byte> ends = [0, 1, 0x7F, 0x80, 0x81, 0xFF, 0xFE];
                    uint value = 0;
                    for (int i = 0; i < 4; i++)
                        value = (value << 8) | ends[random.Next(ends.Length)];
                    return value;
                }

            case 1:
                {
                    ReadOnlySpan<uint> ends = [0, 1, 0x7FFF_FFFF, 0x8000_0000, 0x8000_0001, 0xFFFF_FFFF, 0x8000_7FFF, 0x7FFF_8000, 0x0100_0001, 0x0180_0001];
                    return ends[random.Next(ends.Length)];
                }

            case 2:
                return (uint)((int)Bits64() >> random.Next(32));
            default:
                return (uint)Bits64();
        }
    }

    private uint Single() => (uint)Number(8, 23);

    private ulong Double() => Number(11, 52);

    private ulong Number(int exponentBits, int fractionBits)
    {
        ulong maximum = (1ul << exponentBits) - 1;
        ulong bias = maximum >> 1;
        ulong exponent = random.Next(12) switch
        {
            0 => 0,
            1 => maximum,
            2 => 1 + (ulong)random.Next(3),
            3 => maximum - 1 - (ulong)random.Next(3),
            4 => bias / 2 + (ulong)random.Next(4),
            5 => bias + (bias / 2) + (ulong)random.Next(4),
            6 => bias + 28 + (ulong)random.Next(6),
            7 => (ulong)random.NextInt64(0, (long)maximum + 1),
            _ => bias - 4 + (ulong)random.Next(9),
        };
        ulong mask = (1ul << fractionBits) - 1;
        ulong fraction = random.Next(6) switch
        {
            0 => 0,
            1 => 1ul << random.Next(fractionBits),
            2 => mask << random.Next(fractionBits + 1),
            3 => mask >> random.Next(fractionBits + 1),
            4 => Bits64() << random.Next(fractionBits),
            _ => Bits64(),
        };
        return (((ulong)random.Next(2) << exponentBits) | exponent) << fractionBits | (fraction & mask);
    }

    /// <summary>A number near another, or its opposite.</summary>
    private void Relate(SimdElement element, ulong* at, ulong other)
    {
        ulong step = (ulong)random.Next(-2, 3);
        *at = element switch
        {
            SimdElement.Double => (other + step) ^ ((ulong)random.Next(2) << 63),
            SimdElement.Single => (other & 0xFFFF_FFFF_0000_0000) | (uint)((uint)(other + step) ^ ((uint)random.Next(2) << 31)),
            _ => other + step,
        };
    }
}
