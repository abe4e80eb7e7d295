using Plexus.Host.Symbols;
using Plexus.Messaging.Contracts.Monitor;

namespace Plexus.Host.Coverage;

/// <summary>Writes which basic blocks were entered: LCOV by function when symbols are known, DRCOV by block otherwise.</summary>
public static class CoverageFile
{
    /// <summary>Writes the file, and for symbols that lie in no text file a listing beside it, to which the LCOV records refer.</summary>
    /// <param name="blocks">The blocks, ascending.</param>
    /// <param name="symbols">Names of guest code; null when none are known.</param>
    /// <param name="module">What ran, for DRCOV's module table.</param>
    /// <param name="path">The coverage file.</param>
    /// <param name="stream">The coverage file, open.</param>
    /// <returns>One line that says what was written.</returns>
    /// <exception cref="IOException">It could not be written.</exception>
    public static string Write(IReadOnlyList<CoverageBlock> blocks, SymbolTable? symbols, string module, string path, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(blocks);
        ArgumentNullException.ThrowIfNull(stream);
        if (symbols is null)
        {
            DrcovWriter.Write(blocks, module, stream);
            return $"{blocks.Count} basic blocks in DRCOV";
        }

        string listing = symbols.IsText ? Path.GetFullPath(symbols.Source) : Path.GetFullPath(path) + ".map";
        if (!symbols.IsText)
            LcovWriter.WriteListing(symbols, listing);
        int nameless = LcovWriter.Write(blocks, symbols, listing, stream);
        string rest = nameless == 0 ? "" : $"; {nameless} blocks lie in no function and are left out";
        return $"functions of {symbols.Source} in LCOV, listed in {listing}{rest}";
    }
}
