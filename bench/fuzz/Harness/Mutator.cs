using System.Buffers.Binary;

namespace Plexus.Fuzz.Harness;

/// <summary>Mutations that know nothing of a format.</summary>
public static class Mutator
{
    /// <summary>Numbers at which length, offset and sign arithmetic breaks.</summary>
    public static readonly uint[] Interesting =
    [
        0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 255, 256, 511, 512, 1023, 4095, 4096, 4097, 0x7FFF, 0x8000, 0xFFFF, 0x10000,
        0x9FC00, 0xA0000, 0xFFFFF, 0x100000, 0x100001, 0x1FFFFF, 0x200000, 0x200001, 0x3FFFFF, 0x400000, 0x37FFFFFF, 0x7FFFFFFE, 0x7FFFFFFF, 0x80000000, 0x80000001,
        0xC0000000, 0xFFEFFFFF, 0xFFF00000, 0xFFFFEFFF, 0xFFFFF000, 0xFFFFF001, 0xFFFFFFFE, 0xFFFFFFFF,
    ];

    /// <summary>One of <see cref="Interesting"/>, one beside it, or any number.</summary>
    public static uint Number(Random random) => random.Next(8) switch
    {
        0 => (uint)random.NextInt64(1L << 32),
        1 => (uint)random.Next(0x400000),
        2 => unchecked(Interesting[random.Next(Interesting.Length)] + (uint)random.Next(-2, 3)),
        _ => Interesting[random.Next(Interesting.Length)],
    };

    /// <summary>Random bytes.</summary>
    public static byte[] Bytes(Random random, int length)
    {
        byte[] bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }

    /// <summary>The input with some mutations; may be empty.</summary>
    /// <param name="random">Random numbers.</param>
    /// <param name="input">Left alone.</param>
    /// <param name="other">Another input, to splice with.</param>
    /// <param name="times">How many mutations.</param>
    public static byte[] Mutate(Random random, byte[] input, byte[] other, int times)
    {
        byte[] bytes = (byte[])input.Clone();
        for (int i = 0; i < times; i++)
            bytes = Once(random, bytes, other);
        return bytes;
    }

    /// <summary>Everything without ever smaller chunks, then everything with ever smaller chunks zeroed.</summary>
    public static IEnumerable<byte[]> Reductions(byte[] input)
    {
        for (int chunk = Math.Max(input.Length / 2, 1); chunk > 0; chunk /= 2)
        {
            for (int at = 0; at < input.Length; at += chunk)
                yield return Without(input, at, Math.Min(chunk, input.Length - at));
        }

        for (int chunk = Math.Max(input.Length / 2, 1); chunk > 0; chunk /= 2)
        {
            for (int at = 0; at < input.Length; at += chunk)
            {
                int length = Math.Min(chunk, input.Length - at);
                if (input.AsSpan(at, length).IndexOfAnyExcept((byte)0) < 0)
                    continue;
                byte[] zeroed = (byte[])input.Clone();
                zeroed.AsSpan(at, length).Clear();
                yield return zeroed;
            }
        }
    }

    private static byte[] Once(Random random, byte[] bytes, byte[] other)
    {
        if (bytes.Length == 0)
            return Bytes(random, random.Next(1, 9));
        int at = random.Next(bytes.Length);
        switch (random.Next(10))
        {
            case 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                return bytes;
            case 1:
                bytes[at] = (byte)random.Next(256);
                return bytes;
            case 2:
                bytes[at] = (byte)(bytes[at] + random.Next(-3, 4));
                return bytes;
            case 3 when bytes.Length - at >= 4:
                WriteNumber(random, bytes.AsSpan(at));
                return bytes;
            case 4:
                return bytes[..at];
            case 5:
                return Without(bytes, at, random.Next(1, Math.Min(bytes.Length - at, 16) + 1));
            case 6:
                return [.. bytes[..at], .. Bytes(random, random.Next(1, 9)), .. bytes[at..]];
            case 7:
                int length = random.Next(Math.Min(bytes.Length - at, 64) + 1);
                return [.. bytes[..at], .. bytes.AsSpan(at, length), .. bytes[at..]];
            case 8 when other.Length != 0:
                return [.. bytes[..at], .. other[random.Next(other.Length)..]];
            default:
                bytes.AsSpan(at, Math.Min(bytes.Length - at, random.Next(1, 9))).Fill((byte)(random.Next(2) * 255));
                return bytes;
        }
    }

    private static void WriteNumber(Random random, Span<byte> at)
    {
        uint value = Number(random);
        switch (random.Next(4))
        {
            case 0:
                BinaryPrimitives.WriteUInt32LittleEndian(at, value);
                break;
            case 1:
                BinaryPrimitives.WriteUInt32BigEndian(at, value);
                break;
            case 2:
                BinaryPrimitives.WriteUInt16LittleEndian(at, (ushort)value);
                break;
            default:
                BinaryPrimitives.WriteUInt16BigEndian(at, (ushort)value);
                break;
        }
    }

    private static byte[] Without(byte[] bytes, int at, int length) => [.. bytes.AsSpan(0, at), .. bytes.AsSpan(at + length)];
}
