namespace Plexus.Monitor.Shadow;

/// <summary>What one page-directory entry covers, its <em>slot</em>: 4 MiB in 1024 entries of 32 bits, or 2 MiB in 512 entries of 64 bits (SDM vol. 3, 4.3 and 4.4).</summary>
internal sealed class TableGeometry
{
    /// <summary>32-bit entries; paging off as well.</summary>
    internal static readonly TableGeometry Narrow = new(10, 4);

    /// <summary>64-bit entries.</summary>
    internal static readonly TableGeometry Wide = new(9, 8);

    private TableGeometry(int bits, uint entrySize)
    {
        Bits = bits;
        EntrySize = entrySize;
    }

    /// <summary>Bits of a linear page number below the slot's.</summary>
    internal int Bits { get; }

    /// <summary>Bytes in an entry.</summary>
    internal uint EntrySize { get; }

    /// <summary>Pages in a slot, and entries in a table or directory.</summary>
    internal uint Pages => 1u << Bits;

    /// <summary>Slots in the linear address space.</summary>
    internal int Slots => 1 << (20 - Bits);

    internal int SlotOf(uint linearPage) => (int)(linearPage >> Bits);

    internal int IndexOf(uint linearPage) => (int)(linearPage & (Pages - 1));

    /// <summary>Number of the directory that holds a slot's entry.</summary>
    internal int DirectoryOf(int slot) => slot >> Bits;

    internal static TableGeometry Of(PagingModes modes) => (modes & PagingModes.WideEntries) != 0 ? Wide : Narrow;
}
