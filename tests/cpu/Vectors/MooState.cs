namespace Plexus.Cpu.Tests.Vectors;

/// <summary>One side of a captured case: the registers that are named in it and the bytes of memory that matter.</summary>
/// <param name="Mask">Bit i set: register i of <see cref="Names"/> has a value.</param>
/// <param name="Registers">Fourteen slots, valid where the mask says so.</param>
/// <param name="Memory">Physical address and byte.</param>
public sealed record MooState(ushort Mask, ushort[] Registers, (uint Address, byte Value)[] Memory)
{
    /// <summary>Registers in the order of the file format.</summary>
    public static readonly string[] Names = ["ax", "bx", "cx", "dx", "cs", "ss", "ds", "es", "sp", "bp", "si", "di", "ip", "flags"];

    public const int Cs = 4;
    public const int Ss = 5;
    public const int Ds = 6;
    public const int Es = 7;
    public const int Ip = 12;
    public const int Flags = 13;

    /// <summary>Whether register <paramref name="index"/> has a value.</summary>
    public bool Has(int index) => (Mask & (1 << index)) != 0;
}
