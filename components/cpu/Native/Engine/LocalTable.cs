using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Native.Engine;

/// <summary>
/// What a container's LDT holds: the monitor's entries, and behind them the segments that guest code was entered with. The LDT is kept small: Linux copies all of it
/// at every change (DESIGN.md, 3).
/// </summary>
internal sealed class LocalTable
{
    private const int FirstOwn = MonitorTables.LocalDescriptors, Own = 16;

    /// <summary>The first entries: empty, and the flat code segment of the start.</summary>
    private const int FirstOfMonitor = 2;

    private const uint Code = 8, Writable = 2;
    private const uint SystemBit = 0x1000, Present = 0x8000, BigBit = 0x40_0000, GranularBit = 0x80_0000;

    private readonly ulong[] written = new ulong[FirstOwn];
    private readonly (uint Base, uint Limit, ushort Attributes)[] own = new (uint, uint, ushort)[Own];
    private uint generation;
    private int next;

    /// <summary>Orders the changes of the monitor's entries.</summary>
    public void Follow(MonitorTables tables, GuestContainer container)
    {
        if (generation == tables.LocalGeneration)
            return;
        generation = tables.LocalGeneration;
        for (int i = FirstOfMonitor; i < written.Length; i++)
        {
            ulong descriptor = tables.LocalDescriptor(i);
            if (descriptor == written[i])
                continue;
            written[i] = descriptor;
            (uint low, uint high) = ((uint)descriptor, (uint)(descriptor >> 32));
            Order(container, i, (low >> 16) | ((high & 0xFF) << 16) | (high & 0xFF00_0000), (low & 0xFFFF) | (high & 0xF_0000), high);
        }
    }

    /// <summary>The physical selector that stands for what a segment register holds.</summary>
    /// <returns>False when the host has no such segment.</returns>
    public bool TrySelect(in SegmentRegister register, GuestContainer container, out uint selector)
    {
        selector = register.Selector & 3u;
        if (register.Usable == 0)
            return true;
        uint high = (uint)register.Attributes << 8;
        if ((high & (SystemBit | Present)) != (SystemBit | Present))
            return false;
        uint type = register.Attributes & 0xFu;
        if (register.Base == 0 && register.Limit == uint.MaxValue && (type & (Code | 4 | Writable)) == Writable)
        {
            selector = EngineProgram.UserData;
            return true;
        }

        // Expand-down segments with a bound of 16 bits: Linux may have been built without 16-bit segments.
        if ((type & (Code | 4)) == 4 && (high & BigBit) == 0)
            return false;
        var key = (register.Base, register.Limit, (ushort)(register.Attributes & 0xC01F));
        int index = Array.IndexOf(own, key);
        if (index < 0)
        {
            index = next;
            next = (next + 1) % Own;
            own[index] = key;
            Order(container, FirstOwn + index, register.Base, (high & GranularBit) != 0 ? register.Limit >> 12 : register.Limit, high);
        }

        selector = (uint)((FirstOwn + index) * 8) | 7;
        return true;
    }

    /// <summary>A descriptor as <c>struct user_desc</c>: seg_32bit, contents, read_exec_only, limit_in_pages, seg_not_present, useable.</summary>
    /// <param name="container">Whose LDT it is.</param>
    /// <param name="entry">The entry.</param>
    /// <param name="segmentBase">Base.</param>
    /// <param name="limit">Limit, 20 bits.</param>
    /// <param name="high">Bytes 4-7 of the descriptor.</param>
    private static void Order(GuestContainer container, int entry, uint segmentBase, uint limit, uint high)
    {
        uint type = (high >> 8) & 0xF;
        bool code = (type & Code) != 0;

        // At CPL 3 nothing conforms; and of a data segment that grows up, 16 bits or 32 is nobody's concern.
        uint contents = code ? 2u : (type >> 2) & 1;
        uint big = !code && contents == 0 ? 1 : (high & BigBit) != 0 ? 1u : 0;
        uint readOnly = (type & Writable) != 0 ? 0u : 1;
        uint pages = (high & GranularBit) != 0 ? 1u : 0;
        container.SetSegment((uint)entry, segmentBase, limit, big | (contents << 1) | (readOnly << 3) | (pages << 4) | (1u << 6));
    }
}
