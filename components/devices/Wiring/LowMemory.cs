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
    private readonly uint[] behind = new uint[EndPage - FirstPage];

    internal LowMemory(Chipset chipset)
    {
        this.chipset = chipset;
        Array.Fill(behind, GuestMemory.NoFrame);
    }

    /// <summary>Puts ROM behind a page: what is read where the bridge does not show RAM.</summary>
    /// <param name="page">First page.</param>
    /// <param name="frame">First frame.</param>
    /// <param name="count">Pages.</param>
    public void PutBehind(uint page, uint frame, uint count)
    {
        for (uint i = 0; i < count; i++)
            behind[page - FirstPage + i] = frame + i;
    }

    /// <summary>Shows RAM, or what lies behind it, at some pages.</summary>
    /// <param name="page">First page, at least <see cref="FirstPage"/>.</param>
    /// <param name="count">Pages, up to <see cref="EndPage"/>.</param>
    /// <param name="readRam">Reads and fetches reach RAM.</param>
    /// <param name="writeRam">Writes reach RAM; otherwise the bus, for ROM is not written.</param>
    public void Show(uint page, uint count, bool readRam, bool writeRam)
    {
        if (chipset.Memory is not { } memory)
            return;
        for (uint i = page; i < page + count; i++)
        {
            uint read = readRam ? i : behind[i - FirstPage];
            uint write = writeRam ? i : GuestMemory.NoFrame;
            if (memory.ReadFrame(i) != read)
                memory.MapReads(i, read, 1);
            if (memory.WriteFrame(i) != write)
                memory.MapWrites(i, write, 1);
        }
    }
}
