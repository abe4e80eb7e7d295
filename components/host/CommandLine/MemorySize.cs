using System.Globalization;

namespace Plexus.Host.CommandLine;

/// <summary>Memory sizes as QEMU spells them: a number with suffix K, M or G; M when there is none.</summary>
public static class MemorySize
{
    /// <summary>Smallest guest RAM: 1 MiB.</summary>
    public const uint Minimum = 1 << 20;

    /// <summary>Largest guest RAM: 2047 MiB.</summary>
    public const uint Maximum = 2047u << 20;

    /// <summary>Reads a size.</summary>
    /// <param name="text">For example <c>64</c>, <c>64M</c>, <c>size=1G</c>.</param>
    /// <param name="where">What gave it, for the message: an option or a manifest's path.</param>
    /// <returns>Bytes, a multiple of 4096.</returns>
    /// <exception cref="InputException">Not a size, or out of range.</exception>
    public static uint Parse(string text, string where) => Parse(text, where, "guest memory", Minimum, Maximum);

    /// <summary>Reads the size of something else.</summary>
    /// <param name="text">The size.</param>
    /// <param name="where">What gave it.</param>
    /// <param name="what">What it is the size of.</param>
    /// <param name="minimum">Fewest bytes.</param>
    /// <param name="maximum">Most bytes.</param>
    /// <returns>Bytes, a multiple of 4096.</returns>
    /// <exception cref="InputException">Not a size, or out of range.</exception>
    public static uint Parse(string text, string where, string what, uint minimum, uint maximum)
    {
        ArgumentNullException.ThrowIfNull(text);
        string digits = text.StartsWith("size=", StringComparison.Ordinal) ? text["size=".Length..] : text;
        int shift = 20;
        if (digits.Length != 0 && !char.IsAsciiDigit(digits[^1]))
        {
            shift = char.ToUpperInvariant(digits[^1]) switch { 'B' => 0, 'K' => 10, 'M' => 20, 'G' => 30, _ => -1 };
            digits = digits[..^1];
        }

        if (shift < 0 || !ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number))
            throw new InputException($"{where} {text}: not a memory size; write for example 64M or 1G");
        ulong bytes = number > ulong.MaxValue >> shift ? ulong.MaxValue : number << shift;
        if (bytes < minimum || bytes > maximum)
            throw new InputException($"{where} {text}: {what} must be between {Text(minimum)} and {Text(maximum)}");
        if (bytes % 4096 != 0)
            throw new InputException($"{where} {text}: {what} must be a multiple of 4K");
        return (uint)bytes;
    }

    private static string Text(uint bytes) => bytes % (1 << 20) == 0 ? $"{bytes >> 20}M" : $"{bytes >> 10}K";
}
