namespace Plexus.Journal;

/// <summary>The form of a journal: eight bytes, then a gzip stream of values (two bytes of length, little-endian, and MessagePack), and behind the last entry guest RAM.</summary>
internal static class JournalFile
{
    /// <summary>The first bytes: a name and a version.</summary>
    internal static ReadOnlySpan<byte> Magic => "PLXJRNL\x02"u8;

    internal const int BufferSize = 1 << 16;
}
