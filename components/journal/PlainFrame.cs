using System.Runtime.InteropServices;
using Plexus.Messaging.Shared;

namespace Plexus.Journal;

/// <summary>A frame of guest RAM for a comparison: accessed and dirty bits of page tables are left out, since an engine with shadow paging may set them before the access.</summary>
internal static class PlainFrame
{
    /// <summary>Of an entry of a page table.</summary>
    internal const uint AccessedAndDirty = 0x60;

    internal static bool IsTable(GuestMemory memory, uint frame) => (memory.WatchOf(frame) & (Watch.PageTable | Watch.OpenTable)) != 0;

    internal static void Read(GuestMemory memory, uint frame, Span<byte> into, bool isTable)
    {
        memory.Frame(frame).CopyTo(into);
        if (!isTable)
            return;
        foreach (ref uint word in MemoryMarshal.Cast<byte, uint>(into))
            word &= ~AccessedAndDirty;
    }
}
