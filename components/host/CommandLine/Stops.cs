using System.Globalization;
using Plexus.Host.Symbols;
using Plexus.Messaging.Contracts.Cpu;

namespace Plexus.Host.CommandLine;

/// <summary>What <c>--break</c> and <c>--watch</c> say, as breakpoints of the host.</summary>
public static class Stops
{
    /// <summary>Reads them.</summary>
    /// <param name="breaks">Values of <c>--break</c>.</param>
    /// <param name="watches">Values of <c>--watch</c>.</param>
    /// <param name="symbols">Symbols of the guest; null for none.</param>
    /// <exception cref="InputException">One is malformed, or names a symbol that is not there.</exception>
    public static Breakpoint[] Parse(IEnumerable<string> breaks, IEnumerable<string> watches, SymbolTable? symbols) =>
        [.. breaks.Select(text => Break(text, symbols)), .. watches.Select(text => Watch(text, symbols))];

    private static Breakpoint Break(string text, SymbolTable? symbols) => new(BreakpointKind.Execute, Address(text, symbols, "--break"), 1);

    private static Breakpoint Watch(string text, SymbolTable? symbols)
    {
        string[] parts = text.Split(',', StringSplitOptions.TrimEntries);
        uint length = 4;
        BreakpointKind kind = BreakpointKind.Access;
        foreach (string part in parts.Skip(1))
        {
            if (part == "write")
                kind = BreakpointKind.Write;
            else if (!uint.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out length) || length == 0)
                throw new InputException($"--watch {text}: {part} is neither a length in bytes nor write");
        }

        return new Breakpoint(kind, Address(parts[0], symbols, "--watch"), length);
    }

    private static uint Address(string text, SymbolTable? symbols, string option)
    {
        // A symbol first: some are also hexadecimal numbers.
        if (symbols?.Symbols.FirstOrDefault(symbol => symbol.Name == text) is { Name: not null } found)
            return found.Address;
        string digits = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? text[2..] : text;
        return uint.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint address)
            ? address
            : throw new InputException($"{option} {text}: write a linear address in hexadecimal{(symbols is null ? ", or give symbols with --symbols" : $", or a symbol of {symbols.Source}")}");
    }
}
