using System.Globalization;
using System.Text;
using Plexus.Host.Symbols;
using Plexus.Messaging.Contracts.Monitor;

namespace Plexus.Host.Coverage;

/// <summary>
/// LCOV's tracefile format (geninfo(1)). A guest kernel has no source here, so the "source" is the list of its symbols, one a line: a System.map as it is,
/// or a listing made like one. A function's count is how often its first block was entered, or its busiest one if it was never entered at the top.
/// </summary>
internal static class LcovWriter
{
    /// <returns>Blocks that belong to no symbol.</returns>
    internal static int Write(IReadOnlyList<CoverageBlock> blocks, SymbolTable symbols, string listing, Stream stream)
    {
        ulong[] counts = new ulong[symbols.Symbols.Count];
        bool[] atTop = new bool[counts.Length];
        int nameless = 0;
        foreach (CoverageBlock block in blocks)
        {
            int index = block.User ? -1 : symbols.Find(block.Eip);
            if (index < 0)
            {
                nameless++;
                continue;
            }

            if (symbols.Symbols[index].Address == block.Eip)
            {
                counts[index] = block.Count;
                atTop[index] = true;
            }
            else if (!atTop[index])
            {
                counts[index] = Math.Max(counts[index], block.Count);
            }
        }

        StringBuilder text = new();
        text.Append("TN:plexus\n").Append("SF:").Append(listing).Append('\n');
        for (int i = 0; i < counts.Length; i++)
            text.Append(CultureInfo.InvariantCulture, $"FN:{LineOf(symbols, i)},{symbols.Symbols[i].Name}\n");
        for (int i = 0; i < counts.Length; i++)
            text.Append(CultureInfo.InvariantCulture, $"FNDA:{counts[i]},{symbols.Symbols[i].Name}\n");
        int hit = counts.Count(c => c != 0);
        text.Append(CultureInfo.InvariantCulture, $"FNF:{counts.Length}\nFNH:{hit}\n");
        foreach (int i in Enumerable.Range(0, counts.Length).OrderBy(i => LineOf(symbols, i)))
            text.Append(CultureInfo.InvariantCulture, $"DA:{LineOf(symbols, i)},{counts[i]}\n");
        text.Append(CultureInfo.InvariantCulture, $"LF:{counts.Length}\nLH:{hit}\nend_of_record\n");
        stream.Write(Encoding.Latin1.GetBytes(text.ToString()));
        return nameless;
    }

    /// <summary>Writes the symbols as a System.map.</summary>
    internal static void WriteListing(SymbolTable symbols, string path) =>
        File.WriteAllLines(path, symbols.Symbols.Select(s => string.Create(CultureInfo.InvariantCulture, $"{s.Address:x8} T {s.Name}")), Encoding.Latin1);

    private static int LineOf(SymbolTable symbols, int index) => symbols.Symbols[index].Line > 0 ? symbols.Symbols[index].Line : index + 1;
}
