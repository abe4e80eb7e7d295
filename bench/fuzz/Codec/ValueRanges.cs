using Plexus.Fuzz.Harness;
using Plexus.Messaging.Codec;

namespace Plexus.Fuzz.Codec;

/// <summary>Mutations that know where the values of a MessagePack text begin and end.</summary>
public static class ValueRanges
{
    /// <summary>Replaces, removes, repeats or empties a random value, at whatever depth.</summary>
    /// <param name="random">Random numbers.</param>
    /// <param name="bytes">Well-formed, or nearly so.</param>
    /// <param name="other">Where values are borrowed from.</param>
    public static byte[] Mutate(Random random, byte[] bytes, byte[] other)
    {
        List<(int Start, int End)> values = Find(bytes);
        if (values.Count == 0)
            return bytes;
        (int start, int end) = values[random.Next(values.Count)];
        ReadOnlySpan<byte> replacement = random.Next(8) switch
        {
            0 => [0xC0],
            1 => [],
            2 => [.. bytes.AsSpan(start, end - start), .. bytes.AsSpan(start, end - start)],
            3 or 4 => Borrow(random, other),
            5 => Header(random),
            _ => ValueGenerator.Value(random),
        };
        return [.. bytes.AsSpan(0, start), .. replacement, .. bytes.AsSpan(end)];
    }

    private static ReadOnlySpan<byte> Borrow(Random random, byte[] other)
    {
        List<(int Start, int End)> values = Find(other);
        if (values.Count == 0)
            return [];
        (int start, int end) = values[random.Next(values.Count)];
        return other.AsSpan(start, end - start);
    }

    /// <summary>A header with a length that is not there.</summary>
    private static byte[] Header(Random random)
    {
        uint claimed = Mutator.Number(random);
        ReadOnlySpan<byte> long32 = [0xC6, 0xC9, 0xDB, 0xDD, 0xDF];
        return [long32[random.Next(long32.Length)], (byte)(claimed >> 24), (byte)(claimed >> 16), (byte)(claimed >> 8), (byte)claimed];
    }

    /// <summary>Start and end of every value, containers included.</summary>
    private static List<(int Start, int End)> Find(byte[] bytes)
    {
        List<(int Start, int End)> found = [];
        int at = 0;
        while (at < bytes.Length)
        {
            int end = at;
            if (!MessagePackPrimitives.TrySkip(bytes, ref end, out _))
                break;
            found.Add((at, end));

            // Into a container: its elements follow the header.
            int inner = at;
            bool container = MessagePackPrimitives.TryReadArrayHeader(bytes, ref inner, out _, out _) || MessagePackPrimitives.TryReadMapHeader(bytes, ref inner, out _, out _);
            at = container ? inner : end;
        }

        return found;
    }
}
