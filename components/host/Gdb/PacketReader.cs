using System.Text;

namespace Plexus.Host.Gdb;

/// <summary>Reads a packet's payload from left to right.</summary>
/// <param name="payload">The payload.</param>
internal ref struct PacketReader(ReadOnlySpan<byte> payload)
{
    /// <summary>What has not been read.</summary>
    public ReadOnlySpan<byte> Rest { get; private set; } = payload;

    /// <summary>Everything has been read.</summary>
    public readonly bool AtEnd => Rest.Length == 0;

    /// <summary>Reads a word, if it stands there.</summary>
    public bool Take(string word)
    {
        if (Rest.Length < word.Length)
            return false;
        for (int i = 0; i < word.Length; i++)
        {
            if (Rest[i] != word[i])
                return false;
        }

        Rest = Rest[word.Length..];
        return true;
    }

    /// <summary>Reads a hexadecimal number of at most 32 bits.</summary>
    public bool TakeNumber(out uint value)
    {
        value = 0;
        int digits = 0;
        while (digits < Rest.Length && PacketText.Digit(Rest[digits]) is var digit and < 16)
        {
            if (value >> 28 != 0)
                return false;
            value = (value << 4) | (uint)digit;
            digits++;
        }

        Rest = Rest[digits..];
        return digits != 0;
    }

    /// <summary>Reads up to a character, which is passed over, or to the end.</summary>
    public ReadOnlySpan<byte> TakeUntil(char end)
    {
        int at = Rest.IndexOf((byte)end);
        ReadOnlySpan<byte> taken = at < 0 ? Rest : Rest[..at];
        Rest = at < 0 ? [] : Rest[(at + 1)..];
        return taken;
    }

    /// <summary>What has not been read, as text.</summary>
    public readonly string RestText => Encoding.Latin1.GetString(Rest);
}
