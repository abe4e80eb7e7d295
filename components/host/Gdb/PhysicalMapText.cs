using System.Globalization;
using System.Text;
using Plexus.Messaging.Shared;

namespace Plexus.Host.Gdb;

/// <summary>What lies at guest-physical addresses, as text.</summary>
internal static class PhysicalMapText
{
    /// <summary>Ranges that are memory, and of what kind. What is not listed belongs to the bus.</summary>
    public static string Write(GuestMemory memory)
    {
        StringBuilder text = new();
        for (uint page = 0; page < GuestMemory.PhysicalPages;)
        {
            uint first = page;
            uint read = memory.ReadFrame(page);
            uint write = memory.WriteFrame(page);
            for (page++; page < GuestMemory.PhysicalPages && Follows(memory.ReadFrame(page), read, page - first) && Follows(memory.WriteFrame(page), write, page - first); page++)
            {
                // One more of the same kind.
            }

            if (read != GuestMemory.NoFrame || write != GuestMemory.NoFrame)
                text.Append(CultureInfo.InvariantCulture, $"{(ulong)first << 12:x8}-{(ulong)page << 12:x8} {KindOf(memory, read, write)}\n");
        }

        return text.ToString();
    }

    private static bool Follows(uint frame, uint first, uint distance) => first == GuestMemory.NoFrame ? frame == first : frame == first + distance;

    private static string KindOf(GuestMemory memory, uint read, uint write)
    {
        string reads = NameOf(memory, read);
        string writes = NameOf(memory, write);
        return read == write ? reads : $"reads {reads}, writes {writes}";
    }

    private static string NameOf(GuestMemory memory, uint frame) =>
        frame == GuestMemory.NoFrame ? "bus" : frame < memory.RamFrames ? $"RAM at {(ulong)frame << 12:x8}" : "device memory";
}
