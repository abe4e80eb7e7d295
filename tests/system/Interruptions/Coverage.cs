using Plexus.Messaging.Contracts.Handlers;

namespace Plexus.System.Tests.Interruptions;

/// <summary>
/// Which entries of the handler segment's map were stopped at, over all shapes of a road. Code that stands for the same guest instruction by the same road is
/// the same code, wherever it lies.
/// </summary>
/// <param name="hasGateSites">The road has sites behind INT3 in the branch table.</param>
internal sealed class Coverage(bool hasGateSites)
{
    private readonly Dictionary<string, (SegmentPiece Piece, int Index, bool Stopped)> entries = new(StringComparer.Ordinal);

    internal int Entries => entries.Count;

    internal void Add(SegmentMap map)
    {
        foreach (SegmentPiece piece in map.Pieces.Values)
        {
            int first = 0;
            for (int i = 0; i < piece.Map.Length; i++)
            {
                if (i > 0 && piece.Map[i].GuestEip != piece.Map[i - 1].GuestEip)
                    first = i;
                if (piece.Map[i].Origin == StubOrigin.Static && piece.Map[i].GuestEip >> 12 == GuestProgram.Handlers >> 12)
                    continue; // the guest's own handlers, which no shape is about
                string name = $"{piece.NameOf(piece.Map[first])} #{i - first}";
                bool stopped = piece.Stopped[i] || (entries.TryGetValue(name, out var known) && known.Stopped);
                entries[name] = (piece, i, stopped);
            }
        }
    }

    /// <summary>Entries that nothing stopped at and that no reason excuses.</summary>
    internal List<string> Missing() =>
        [.. from entry in entries
            let piece = entry.Value.Piece
            where !entry.Value.Stopped
            let text = piece.Decode(entry.Value.Index).ToString()
            where WhyUnreachable(entry.Key, piece.Map[entry.Value.Index], text) is null
            select $"{entry.Key}: {text}" into what
            orderby what
            select what];

    /// <summary>Why nothing can stop at an entry, by design.</summary>
    private string? WhyUnreachable(string name, in StubMapEntry entry, string text)
    {
        bool entersRing0 = entry.Deferred || (entry.RestoreMask != 0 && !entry.Committed && text.StartsWith("mov e", StringComparison.Ordinal));
        if (name.StartsWith("Call shared ", StringComparison.Ordinal) && entry.Origin == StubOrigin.CallFrame && entersRing0)
            return "a shared handler is reached from planted CALLs alone, and those are in the branch table";
        if (name.Contains(" FB! in the shadow ", StringComparison.Ordinal) && entersRing0)
            return "an interrupt that waits is seen by the STI before; one that comes in its shadow has the instruction emulated";
        if (name.StartsWith("gate ", StringComparison.Ordinal) && !hasGateSites)
            return "no site is entered for the gate: what comes there came from elsewhere, and enters ring 0";
        if (name.StartsWith("gate ", StringComparison.Ordinal) && !name.StartsWith("gate 3 ", StringComparison.Ordinal))
            return "sites are entered for INT3";
        return null;
    }
}
