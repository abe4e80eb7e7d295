namespace Plexus.Cpu.Tests.Oracle;

/// <summary>What data memory may hold before a case: a few fixed fillings, so that a vector names one by its number.</summary>
internal static class MemoryImages
{
    public const int Count = 8;

    private static readonly byte[][] All = [.. Enumerable.Range(0, Count).Select(Create)];

    public static ReadOnlySpan<byte> Get(int image) => All[image];

    /// <summary>Doublewords: random, corners, small integers, singles, and doubles and extended numbers across two or three of them.</summary>
    private static byte[] Create(int image)
    {
        Random random = new(0x0AC1E + image);
        byte[] bytes = new byte[OracleLayout.DataLength];
        random.NextBytes(bytes);
        for (int at = 0; at + 16 <= bytes.Length; at += 4 * random.Next(1, 5))
        {
            Span<byte> here = bytes.AsSpan(at);
            switch (random.Next(8))
            {
                case 0:
                    BitConverter.TryWriteBytes(here, OracleValues.Corner(random));
                    break;
                case 1:
                    BitConverter.TryWriteBytes(here, random.Next(-9, 40));
                    break;
                case 2:
                    BitConverter.TryWriteBytes(here, (float)(random.NextDouble() * random.Next(-1000, 1000)));
                    break;
                case 3:
                    BitConverter.TryWriteBytes(here, random.NextDouble() * random.Next(-100_000, 100_000));
                    break;
                case 4:
                    BitConverter.TryWriteBytes(here, (ulong)random.NextInt64() | (1ul << 63));
                    BitConverter.TryWriteBytes(here[8..], (ushort)(16383 + random.Next(-70, 70)));
                    break;
            }
        }

        return bytes;
    }
}
