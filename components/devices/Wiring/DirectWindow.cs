using Plexus.Messaging.Shared;

namespace Plexus.Devices;

/// <summary>Memory of a device that the guest reaches without the bus: frames that lie at an address of the guest's choice, or nowhere. RAM and other windows that are there already win.</summary>
/// <param name="memory">Guest memory.</param>
/// <param name="firstFrame">The device's first frame.</param>
/// <param name="pages">Its pages.</param>
/// <param name="isWritable">Writes reach it; otherwise it is ROM.</param>
public sealed class DirectWindow(GuestMemory memory, uint firstFrame, uint pages, bool isWritable)
{
    private uint? place;

    /// <summary>Pages of the window.</summary>
    public uint Pages => pages;

    /// <summary>First frame of the window.</summary>
    public uint FirstFrame => firstFrame;

    /// <summary>Moves the window.</summary>
    /// <param name="page">First guest-physical page; null for nowhere.</param>
    public void Move(uint? page)
    {
        if (page is { } wanted && (ulong)wanted + pages > GuestMemory.PhysicalPages)
            page = null;
        if (page == place)
            return;
        if (place is { } old)
        {
            for (uint i = 0; i < pages; i++)
            {
                if (memory.ReadFrame(old + i) != firstFrame + i)
                    continue;
                memory.MapReads(old + i, GuestMemory.NoFrame, 1);
                memory.MapWrites(old + i, GuestMemory.NoFrame, 1);
            }
        }

        place = page;
        if (page is not { } first)
            return;
        for (uint i = 0; i < pages; i++)
        {
            if (memory.ReadFrame(first + i) != GuestMemory.NoFrame || memory.WriteFrame(first + i) != GuestMemory.NoFrame)
                continue;
            memory.MapReads(first + i, firstFrame + i, 1);
            if (isWritable)
                memory.MapWrites(first + i, firstFrame + i, 1);
        }
    }
}
