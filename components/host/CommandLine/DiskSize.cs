using System.Globalization;

namespace Plexus.Host.CommandLine;

/// <summary>Sizes of disks: a number of bytes, or with suffix K, M, G or T.</summary>
public static class DiskSize
{
    private const int Sector = 512;

    /// <summary>Reads a size.</summary>
    /// <param name="text">For example <c>1474560</c>, <c>1440K</c>, <c>20G</c>.</param>
    /// <param name="where">What gave it, for the message.</param>
    /// <returns>Bytes, a multiple of 512 and not 0.</returns>
    /// <exception cref="InputException">Not a size.</exception>
    public static long Parse(string text, string where)
    {
        ArgumentNullException.ThrowIfNull(text);
        string digits = text;
        int shift = 0;
        if (digits.Length != 0 && !char.IsAsciiDigit(digits[^1]))
        {
            shift = char.ToUpperInvariant(digits[^1]) switch { 'B' => 0, 'K' => 10, 'M' => 20, 'G' => 30, 'T' => 40, _ => -1 };
            digits = digits[..^1];
        }

        if (shift < 0 || !long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long number) || number > long.MaxValue >> shift)
            throw new InputException($"{where} {text}: not a size; write for example 1440K or 20G");
        long bytes = number << shift;
        return bytes > 0 && bytes % Sector == 0 ? bytes : throw new InputException($"{where} {text}: a disk must have a multiple of {Sector} bytes, and some");
    }
}
