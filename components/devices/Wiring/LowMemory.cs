using Plexus.Messaging.Shared;

namespace Plexus.Devices;

/// <summary>
/// The address space from A0000h to FFFFFh, page by page: RAM, or what lies behind it (the firmware's ROM, or the bus). A host bridge with shadow RAM control moves it;
/// without one, the area is RAM, as where a firmware was copied into shadow RAM for good.
/// </summary>
public sealed class LowMemory
{
    /// <summary>First page, A0000h.</summary>
    public const uint FirstPage = 0xA0;

    /// <summary>Page behind the last, 100000h.</summary>
    public const uint EndPage = 0x100;

    private readonly Chipset chipset;
    private readonly uint[] behindReads = new uint[EndPage - FirstPage];
    private readonly uint[] behindWrites = new uint[EndPage - FirstPage];
    private readonly bool[] readsRam = new bool[EndPage - FirstPage];
    private readonly bool[] writesRam = new bool[EndPage - FirstPage];

    internal LowMemory(Chipset chipset)
    {
        this.chipset = chipset;
        Array.Fill(behindReads, GuestMemory.NoFrame);
        Array.Fill(behindWrites, GuestMemory.NoFrame);
        Array.Fill(readsRam, true);
        Array.Fill(writesRam, true);
    }

    /// <summary>Puts ROM or a device's memory behind some pages: what is reached where the bridge does not show RAM.</summary>
    /// <param name="page">First page.</param>
    /// <param name="frame">First frame; <see cref="GuestMemory.NoFrame"/> for the bus.</param>
    /// <param name="count">Pages.</param>
    /// <param name="isWritable">Writes reach it too; otherwise they reach the bus, for ROM is not written.</param>
    public void PutBehind(uint page, uint frame, uint count, bool isWritable = false)
    {
        for (uint i = 0; i < count; i++)
        {
            uint here = frame == GuestMemory.NoFrame ? frame : frame + i;
            behindReads[page - FirstPage + i] = here;
            behindWrites[page - FirstPage + i] = isWritable ? here : GuestMemory.NoFrame;
            Map(page + i);
        }
    }

    /// <summary>Shows RAM, or what lies behind it, at some pages.</summary>
    /// <param name="page">First page, at least <see cref="FirstPage"/>.</param>
    /// <param name="count">Pages, up to <see cref="EndPage"/>.</param>
    /// <param name="readRam">Reads and fetches reach RAM.</param>
    /// <param name="writeRam">Writes reach RAM.</param>
    public void Show(uint page, uint count, bool readRam, bool writeRam)
    {
        for (uint i = page; i < page + count; i++)
        {
            readsRam[i - FirstPage] = readRam;
            writesRam[i - FirstPage] = writeRam;
            Map(i);
        }
    }

    private void Map(uint page)
    {
        if (chipset.Memory is not { } memory)
            return;
        uint read = readsRam[page - FirstPage] ? page : behindReads[page - FirstPage];
        uint write = writesRam[page - FirstPage] ? page : behindWrites[page - FirstPage];
        if (memory.ReadFrame(page) != read)
            memory.MapReads(page, read, 1);
        if (memory.WriteFrame(page) != write)
            memory.MapWrites(page, write, 1);
    }
}
