using System.Globalization;
using System.Text;
using Plexus.Host.Loaders;

namespace Plexus.Host.Symbols;

/// <summary>Names of guest code by address: from the symbol table of an ELF file, or from a System.map.</summary>
public sealed class SymbolTable
{
    private readonly Symbol[] symbols;

    private SymbolTable(string source, bool isText, IEnumerable<Symbol> found)
    {
        Source = source;
        IsText = isText;
        symbols = [.. found.OrderBy(s => s.Address).ThenBy(s => s.Line).DistinctBy(s => s.Address)];
    }

    /// <summary>The file they came from.</summary>
    public string Source { get; }

    /// <summary>The file is text: <see cref="Symbol.Line"/> counts its lines.</summary>
    public bool IsText { get; }

    /// <summary>All symbols, ascending by address; one an address.</summary>
    public IReadOnlyList<Symbol> Symbols => symbols;

    /// <summary>Reads a file that the user named.</summary>
    /// <exception cref="InputException">Not an ELF file with symbols and not a System.map.</exception>
    public static SymbolTable Read(GuestImage file)
    {
        ArgumentNullException.ThrowIfNull(file);
        if (ElfSymbols.Recognises(file))
            return OfElf(file) ?? throw new InputException($"--symbols {file.Name}: the ELF file has no symbol table; name one that was not stripped, or a System.map");
        return OfMap(file);
    }

    /// <summary>The symbols of an ELF file; null when it is none, or has none.</summary>
    public static SymbolTable? OfElf(GuestImage file)
    {
        ArgumentNullException.ThrowIfNull(file);
        Symbol[] found = ElfSymbols.Recognises(file) ? [.. ElfSymbols.Read(file)] : [];
        return found.Length == 0 ? null : new SymbolTable(file.Name, isText: false, found);
    }

    /// <summary>The symbol that an address belongs to: the last one at or below it, as far as its size reaches.</summary>
    /// <returns>Its index in <see cref="Symbols"/>, or −1.</returns>
    public int Find(uint address)
    {
        int low = 0;
        int high = symbols.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) >> 1;
            if (symbols[middle].Address <= address)
                low = middle + 1;
            else
                high = middle - 1;
        }

        return high >= 0 && (symbols[high].Size == 0 || address - symbols[high].Address < symbols[high].Size) ? high : -1;
    }

    /// <summary>An address as <c>name+1Ah</c>, or null when no symbol holds it.</summary>
    public string? Describe(uint address)
    {
        int index = Find(address);
        if (index < 0)
            return null;
        uint offset = address - symbols[index].Address;
        return offset == 0 ? symbols[index].Name : string.Create(CultureInfo.InvariantCulture, $"{symbols[index].Name}+{offset:X}h");
    }

    /// <summary>The lines <c>address type name</c> that nm and the Linux build write; only code counts.</summary>
    private static SymbolTable OfMap(GuestImage file)
    {
        List<Symbol> found = [];
        int line = 0;
        foreach (string text in Encoding.Latin1.GetString(file.Data.Span).Split('\n'))
        {
            line++;
            string[] parts = text.TrimEnd('\r').Split(' ', 3);
            if (parts.Length == 1 && parts[0].Length == 0)
                continue;
            if (parts.Length != 3 || parts[1].Length != 1 || !ulong.TryParse(parts[0], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong address))
                throw new InputException($"--symbols {file.Name}: line {line} is not \"address type name\"; name a System.map or an ELF file");
            if (address <= uint.MaxValue && parts[1] is "t" or "T" or "w" or "W")
                found.Add(new Symbol(parts[2], (uint)address, 0, line));
        }

        return found.Count > 0
            ? new SymbolTable(file.Name, isText: true, found)
            : throw new InputException($"--symbols {file.Name}: holds no symbol of 32-bit code; name the guest kernel's System.map or ELF file");
    }
}
