namespace Plexus.Cpu.Tests.Oracle;

/// <summary>Operand values.</summary>
internal static class OracleValues
{
    private static readonly uint[] Corners =
        [0, 1, 2, 3, 7, 8, 0xF, 0x10, 0x1F, 0x20, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFF80, 0xFFFFFFFE, 0xFFFFFFFF, 0x99, 0x9A, 0x55555555];

    public static uint Corner(Random random) => Corners[random.Next(Corners.Length)];

    public static uint Any(Random random) => random.Next(3) == 0 ? Corner(random) : (uint)random.NextInt64(1L << 32);
}
