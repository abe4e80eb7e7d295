namespace Plexus.Monitor.Shadow;

/// <summary>The shadow mappings of one slot of a space, with the guest entries they were made from.</summary>
internal sealed class ShadowTable
{
    internal const uint NoFrame = uint.MaxValue;

    /// <summary>Guest frame of the page table; <see cref="NoFrame"/> with paging off or for a large page.</summary>
    internal uint TableFrame { get; set; } = NoFrame;

    /// <summary>The page-directory entry when the slot was first filled.</summary>
    internal ulong DirectoryEntry { get; set; }

    /// <summary>RAM frame mapped per page; <see cref="NoFrame"/> when not mapped.</summary>
    internal uint[] Frames { get; } = NewFrames();

    /// <summary>Page-table entry recorded per page.</summary>
    internal ulong[] Entries { get; } = new ulong[1024];

    /// <summary>Whether the mapping is writable.</summary>
    internal bool[] Writable { get; } = new bool[1024];

    /// <summary>Whether code may run in the mapping as it stands.</summary>
    internal bool[] Executable { get; } = new bool[1024];

    /// <summary>Whether a code page is mapped in the code view because of this entry (recorded in <see cref="Entries"/> as well).</summary>
    internal bool[] Code { get; } = new bool[1024];

    /// <summary>Code pages noted.</summary>
    internal int CodeCount { get; set; }

    /// <summary>Data pages mapped.</summary>
    internal int Mapped { get; set; }

    private static uint[] NewFrames()
    {
        uint[] frames = new uint[1024];
        Array.Fill(frames, NoFrame);
        return frames;
    }
}
