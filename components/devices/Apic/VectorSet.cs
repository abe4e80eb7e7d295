using System.Numerics;

namespace Plexus.Devices;

/// <summary>A 256-bit register of the local APIC, a bit per vector: IRR, ISR or TMR.</summary>
internal sealed class VectorSet
{
    private const int Words = 8;

    private readonly uint[] words = new uint[Words];

    /// <summary>The highest vector in it, −1 for none.</summary>
    public int Highest
    {
        get
        {
            for (int i = Words - 1; i >= 0; i--)
            {
                if (words[i] != 0)
                    return (32 * i) + 31 - BitOperations.LeadingZeroCount(words[i]);
            }

            return -1;
        }
    }

    /// <summary>Thirty-two vectors as a register reads.</summary>
    public uint this[int word] => words[word];

    public bool Has(int vector) => (words[vector >> 5] >> (vector & 31) & 1) != 0;

    public void Set(int vector) => words[vector >> 5] |= 1u << (vector & 31);

    public void Remove(int vector) => words[vector >> 5] &= ~(1u << (vector & 31));

    public void Clear() => Array.Clear(words);

    public void Save(StateWriter writer)
    {
        foreach (uint word in words)
            writer.Int32(unchecked((int)word));
    }

    /// <summary>Vectors 0 to 15 are never in it.</summary>
    public void Restore(ref StateReader reader)
    {
        for (int i = 0; i < Words; i++)
            words[i] = unchecked((uint)reader.Int32());
        words[0] &= 0xFFFF_0000;
    }
}
