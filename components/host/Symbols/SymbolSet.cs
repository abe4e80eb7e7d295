using System.Globalization;
using Plexus.Host.Loaders;

namespace Plexus.Host.Symbols;

/// <summary>Names of guest code from several files, for example of a kernel and of its modules: of two names for an address the nearer one holds.</summary>
/// <param name="tables">The files' symbols.</param>
public sealed class SymbolSet(params IReadOnlyList<SymbolTable> tables)
{
    private readonly Dictionary<uint, string> known = [];

    /// <summary>Reads the files that the user named.</summary>
    /// <exception cref="InputException">One is not an ELF file with symbols and not a System.map.</exception>
    public static SymbolSet Read(IEnumerable<string> paths) => new([.. paths.Select(path => SymbolTable.Read(GuestImage.FromFile(path, "--symbols")))]);

    /// <summary>An address as <c>name+1Ah</c>; in eight hexadecimal digits when no symbol holds it.</summary>
    public string Describe(uint address)
    {
        if (!known.TryGetValue(address, out string? text))
            known.Add(address, text = NearestTo(address)?.Describe(address) ?? address.ToString("X8", CultureInfo.InvariantCulture));
        return text;
    }

    /// <summary>An address in eight hexadecimal digits, and its symbol behind it.</summary>
    public string DescribeBoth(uint address)
    {
        string digits = address.ToString("X8", CultureInfo.InvariantCulture);
        string name = Describe(address);
        return name == digits ? digits : $"{digits} {name}";
    }

    private SymbolTable? NearestTo(uint address)
    {
        SymbolTable? nearest = null;
        uint best = 0;
        foreach (SymbolTable table in tables)
        {
            int index = table.Find(address);
            if (index < 0 || (nearest is not null && table.Symbols[index].Address <= best))
                continue;
            nearest = table;
            best = table.Symbols[index].Address;
        }

        return nearest;
    }
}
