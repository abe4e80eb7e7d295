using System.Buffers.Binary;
using Plexus.Messaging.Shared;
using Layout = Plexus.Messaging.Shared.VirtualCpuPage;

namespace Plexus.Monitor.Views;

/// <summary>
/// The cache of segments: descriptors that the guest has loaded, for which the physical processor has one of its own, so that handlers can load them again
/// (<see cref="VirtualCpuPage.SegmentCache"/>).
/// </summary>
internal sealed class SegmentLoads(MonitorTables tables)
{
    private const int Accessed = 0x01, Readable = 0x02, Conforming = 0x04, Code = 0x08, System = 0x10, Present = 0x80;
    private const ushort Granular = 0x8000;
    private const uint LocalTable = 4;

    /// <summary>The entry of selector 0; 1, 2 and 3, null too, follow.</summary>
    private const int FirstNull = 1;

    /// <summary>A word that no selector cancels.</summary>
    private const uint Never = 1;

    private static readonly SegmentIndex[] Loadable = [SegmentIndex.Es, SegmentIndex.Ds, SegmentIndex.Fs, SegmentIndex.Gs];

    private readonly Known[] known = new Known[MonitorTables.SegmentSlots];
    private (uint Linear, uint GdtBase, uint GdtLimit, uint LdtBase, uint LdtLimit, uint LdtUsable) basis;
    private int next;

    /// <summary>Nothing is known any more.</summary>
    internal void Clear() => basis = default;

    /// <summary>Learns what the segment registers hold, and tells the handlers.</summary>
    /// <param name="state">The virtual CPU page.</param>
    /// <param name="v">The guest's state.</param>
    /// <param name="linear">The page's linear address.</param>
    internal void Publish(Span<byte> state, ref VcpuBlock v, uint linear)
    {
        ref readonly SegmentRegister ldtr = ref v.Segments[(int)SegmentIndex.Ldtr];
        var now = (linear, v.GdtBase, v.GdtLimit, ldtr.Base, ldtr.Limit, ldtr.Usable);
        if (now != basis)
        {
            basis = now;
            Empty(state);
        }

        foreach (SegmentIndex index in Loadable)
            Learn(state, in v.Segments[(int)index]);
        ref readonly SegmentRegister cs = ref v.Segments[(int)SegmentIndex.Cs];
        Span<byte> entry = state.Slice(Layout.ReturnSegment, Layout.PhysicalSelector);
        if (MayReturnTo(cs.Selector, cs.Attributes) && TryFind(cs.Selector, out uint descriptor))
            Write(entry, 0u - cs.Selector, descriptor, Halves(in cs));
        else
            Write(entry, Never, linear + Layout.NullDescriptor, default);
    }

    /// <summary>Takes over what handlers loaded, after a run.</summary>
    internal void Collect(Span<byte> state, ref VcpuBlock v)
    {
        foreach (SegmentIndex index in Loadable)
        {
            int place = state[Layout.SegmentLoaded + (int)index] / 4;
            state[Layout.SegmentLoaded + (int)index] = 0;
            int slot = place - Layout.FirstSegmentSlot;
            ref SegmentRegister register = ref v.Segments[(int)index];

            // Of a physical processor only the selectors come back, if at all: the hidden part is the guest's own, not the one with DPL 3.
            if ((uint)slot < (uint)known.Length && known[slot].Register.Usable != 0)
                register = known[slot].Register;
            else if (place is >= FirstNull and < Layout.FirstSegmentSlot)
                register = register.WithNull((ushort)(place - FirstNull));
        }
    }

    private void Empty(Span<byte> state)
    {
        Array.Clear(known);
        state.Slice(Layout.SegmentSlot, 256).Clear();
        for (int i = 0; i < Layout.SegmentEntries; i++)
            Write(Entry(state, i), Never, basis.Linear + Layout.NullDescriptor, default);
        for (uint selector = 0; selector < 4; selector++)
        {
            Span<byte> entry = Entry(state, FirstNull + (int)selector);
            Write(entry, 0 - selector, basis.Linear + Layout.NullDescriptor, default);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[Layout.PhysicalSelector..], selector);
            state[Layout.SegmentSlot + (int)selector] = (byte)(4 * (FirstNull + selector));
        }
    }

    private void Learn(Span<byte> state, ref readonly SegmentRegister register)
    {
        uint selector = register.Selector;
        if (register.Usable == 0 || selector <= 3)
            return;
        ref byte place = ref state[Layout.SegmentSlot + (byte)selector];
        int slot = (place / 4) - Layout.FirstSegmentSlot;
        bool isKnown = (uint)slot < (uint)known.Length && known[slot].Register.Selector == selector;
        if (isKnown && known[slot].IsSame(in register))
            return;
        if (!MayLoad(selector, register.Attributes) || !TryFind(selector, out uint descriptor))
            return;
        if (!isKnown)
        {
            slot = next;
            next = (next + 1) % known.Length;
            ref byte old = ref state[Layout.SegmentSlot + (byte)known[slot].Register.Selector];
            if (old / 4 == slot + Layout.FirstSegmentSlot)
                old = 0;
        }

        known[slot] = new Known(register);
        (uint low, uint high) = Halves(in register);
        tables.SetSlot(slot, low, high);
        Span<byte> entry = Entry(state, slot + Layout.FirstSegmentSlot);
        Write(entry, 0 - selector, descriptor, (low, high));
        BinaryPrimitives.WriteUInt32LittleEndian(entry[Layout.PhysicalSelector..], MonitorTables.SlotSelector(slot));
        place = (byte)(4 * (slot + Layout.FirstSegmentSlot));
    }

    /// <summary>The linear address of a selector's descriptor.</summary>
    private bool TryFind(uint selector, out uint descriptor)
    {
        bool isLocal = (selector & LocalTable) != 0;
        descriptor = (isLocal ? basis.LdtBase : basis.GdtBase) + (selector & ~7u);
        return (!isLocal || basis.LdtUsable != 0) && selector > 3 && (selector | 7) <= (isLocal ? basis.LdtLimit : basis.GdtLimit);
    }

    /// <summary>The descriptor that a register was loaded from (SDM vol. 3, 3.4.5).</summary>
    private static (uint Low, uint High) Halves(ref readonly SegmentRegister register)
    {
        uint limit = (register.Attributes & Granular) != 0 ? register.Limit >> 12 : register.Limit;
        return ((limit & 0xFFFF) | (register.Base << 16),
            ((register.Base >> 16) & 0xFF) | (((uint)register.Attributes & 0xF0FF) << 8) | (limit & 0xF0000) | (register.Base & 0xFF000000));
    }

    /// <summary>A data segment, or code that can be read, which CPL 0 may load with this RPL (SDM vol. 2, MOV).</summary>
    private static bool MayLoad(uint selector, ushort attributes)
    {
        const int Needed = Present | System | Accessed;
        if ((attributes & Needed) != Needed || (attributes & (Code | Readable)) == Code)
            return false;
        return (attributes & (Code | Conforming)) == (Code | Conforming) || ((attributes >> 5) & 3) >= (selector & 3);
    }

    /// <summary>Code of ring 0.</summary>
    private static bool MayReturnTo(uint selector, ushort attributes)
    {
        const int Needed = Present | System | Code | Accessed;
        return (attributes & Needed) == Needed && (selector & 3) == 0 && ((attributes >> 5) & 3) == 0;
    }

    private static Span<byte> Entry(Span<byte> state, int number) => state.Slice(Layout.SegmentCache + (number * Layout.SegmentEntrySize), Layout.SegmentEntrySize);

    private static void Write(Span<byte> entry, uint negated, uint descriptor, (uint Low, uint High) halves)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(entry, negated);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[Layout.LoadDescriptor..], descriptor);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[Layout.LoadLow..], 0 - halves.Low);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[Layout.LoadHigh..], 0 - halves.High);
    }

    /// <summary>What is in a segment slot, as the guest has it.</summary>
    private readonly record struct Known(SegmentRegister Register)
    {
        internal bool IsSame(ref readonly SegmentRegister other) => Register.Attributes == other.Attributes && Register.Base == other.Base && Register.Limit == other.Limit;
    }
}
