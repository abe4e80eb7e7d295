using System.Buffers.Binary;

namespace Plexus.Messaging.Shared;

/// <summary>
/// The monitor's own descriptor tables, as the physical processor sees them while guest code runs deprivileged: a GDT, an LDT with all that is of DPL 3, and one IDT for each
/// guest privilege class, in the processor's format (SDM vol. 3, 3.4.5 and 6.11). The monitor alone writes them; the CPU reads them at every exception.
/// A gate whose target has DPL 0 ends the run (an entry to ring 0); one whose target has DPL 3 is vectored through without leaving ring 3.
/// </summary>
/// <remarks>A new instance sends every vector to ring 0; INT3, INTO and <see cref="EntryVector"/> may be executed at CPL 3.</remarks>
public sealed class MonitorTables
{
    /// <summary>Selector of the monitor's own code: DPL 0.</summary>
    public const ushort MonitorCode = 0x08;

    /// <summary>Physical selector of guest code, in the LDT, RPL and DPL 3.</summary>
    public const ushort GuestCode = 0x17;

    /// <summary>Physical selector of the ring-3 handler segment as gates name it, in the LDT, RPL and DPL 3.</summary>
    public const ushort HandlerCode = 0x1F;

    /// <summary>The vector by which code of the handler segment enters ring 0: <c>INT 20h</c>, two bytes.</summary>
    public const byte EntryVector = 0x20;

    /// <summary>What the physical processor's time-stamp counter is ahead of the guest's by. A multiple of 2^32: an RDTSC that nobody looked after shows at once.</summary>
    public const ulong TimeStampOffset = 1ul << 52;

    /// <summary>Descriptors that the physical processor may load into DS, ES, FS and GS while the guest's kernel runs deprivileged.</summary>
    public const int SegmentSlots = 16;

    private const int Vectors = 256;
    private const int EntrySize = 8;
    private const int FirstSlot = 4;
    private const int Local = 4;
    private const uint Dpl3 = 3 << 13;
    private const uint Present = 0x8000;
    private const uint InterruptGate32 = 0x0E00;
    private const uint TrapGate32 = 0x0F00;
    private const uint FlatCode32 = 0x00CF9B00;

    private readonly byte[] gdt = new byte[((MonitorCode / EntrySize) + 1) * EntrySize];
    private readonly byte[] ldt = new byte[LocalDescriptors * EntrySize];
    private uint presentBase;
    private readonly byte[][] idts = [new byte[Vectors * EntrySize], new byte[Vectors * EntrySize]];

    /// <summary>Descriptors in the LDT. Entries 0 and 1 are empty.</summary>
    public const int LocalDescriptors = FirstSlot + SegmentSlots;

    /// <summary>Makes tables in which every gate leads to ring 0.</summary>
    public MonitorTables()
    {
        WriteCode(MonitorCode, 0, 0);
        SetCodeBase(0);
        ClearGates(user: false);
        ClearGates(user: true);
    }

    /// <summary>Which IDT is in force: that of guest user code, or that of the guest's kernel.</summary>
    public bool User { get; set; }

    /// <summary>
    /// Linear address of the branch table while the guest's kernel runs on the host's own processor; 0 for none. There an INT3 is a signal, whose handler looks the site up by itself and goes on in
    /// the site's own code: a ring-3 gate without the frame on the guest's stack.
    /// </summary>
    public uint BranchTable { get; set; }

    /// <summary>Raised whenever a gate may have changed.</summary>
    public uint GateGeneration { get; private set; }

    /// <summary>Sends every vector of a class to ring 0 again.</summary>
    public void ClearGates(bool user)
    {
        for (int vector = 0; vector < Vectors; vector++)
            SetGate(user, (byte)vector, MonitorCode, 0, vector is 3 or 4 or EntryVector ? 3 : 0);
    }

    /// <summary>
    /// Writes a 32-bit gate: an interrupt gate to ring 0, a trap gate to ring 3. An interrupt gate clears IF, which the IRET that leaves a
    /// ring-3 handler could not set again (SDM vol. 2, IRET: IF changes only where CPL ≤ IOPL).
    /// </summary>
    /// <param name="user">The class whose IDT it is.</param>
    /// <param name="vector">The vector.</param>
    /// <param name="selector">Code selector of the target.</param>
    /// <param name="offset">EIP of the target.</param>
    /// <param name="dpl">Highest CPL that may use the gate by INT n, INT3 or INTO.</param>
    public void SetGate(bool user, byte vector, ushort selector, uint offset, int dpl)
    {
        GateGeneration++;
        Span<byte> gate = idts[user ? 1 : 0].AsSpan(vector * EntrySize, EntrySize);
        BinaryPrimitives.WriteUInt32LittleEndian(gate, ((uint)selector << 16) | (offset & 0xFFFF));
        BinaryPrimitives.WriteUInt32LittleEndian(gate[4..], (offset & 0xFFFF0000) | Present | ((uint)dpl << 13) | ((selector & 3) == 3 ? TrapGate32 : InterruptGate32));
    }

    /// <summary>Sets the base of both ring-3 code segments: the code view's.</summary>
    public void SetCodeBase(uint codeBase)
    {
        if (codeBase == presentBase && LocalGeneration != 0)
            return;
        presentBase = codeBase;
        WriteCode(GuestCode, codeBase, 3);
        WriteCode(HandlerCode, codeBase, 3);
        LocalGeneration++;
    }

    /// <summary>The physical selector of a segment slot, RPL 3.</summary>
    public static ushort SlotSelector(int slot) => (ushort)(((FirstSlot + slot) * EntrySize) | Local | 3);

    /// <summary>Fills a segment slot with a descriptor of the guest's, which becomes one of DPL 3.</summary>
    /// <param name="slot">0 to <see cref="SegmentSlots"/> - 1.</param>
    /// <param name="low">Bytes 0-3: a data segment or code that can be read, present and accessed.</param>
    /// <param name="high">Bytes 4-7.</param>
    public void SetSlot(int slot, uint low, uint high)
    {
        Span<byte> descriptor = ldt.AsSpan((FirstSlot + slot) * EntrySize, EntrySize);
        BinaryPrimitives.WriteUInt32LittleEndian(descriptor, low);
        BinaryPrimitives.WriteUInt32LittleEndian(descriptor[4..], high | Dpl3);
        LocalGeneration++;
    }

    /// <summary>Raised whenever a descriptor of the LDT may have changed.</summary>
    public uint LocalGeneration { get; private set; }

    /// <summary>A descriptor of the LDT, all 8 bytes; 0 for an empty entry.</summary>
    /// <param name="index">Below <see cref="LocalDescriptors"/>.</param>
    public ulong LocalDescriptor(int index) => BinaryPrimitives.ReadUInt64LittleEndian(ldt.AsSpan(index * EntrySize, EntrySize));

    /// <summary>The descriptor in a segment slot, as a load or VERW finds it; none for guest user code.</summary>
    public bool TrySlot(ushort selector, out uint low, out uint high)
    {
        high = 0;
        low = 0;
        return !User && (selector & Local) != 0 && selector >= SlotSelector(0) && TryDescriptor(selector, out low, out high);
    }

    /// <summary>The two halves of a gate in the IDT in force.</summary>
    public (uint Low, uint High) Gate(byte vector) => Read(idts[User ? 1 : 0], vector * EntrySize);

    /// <summary>The two halves of a descriptor.</summary>
    /// <returns>False when the selector names none: index 0, beyond the limit, or an empty entry.</returns>
    public bool TryDescriptor(ushort selector, out uint low, out uint high)
    {
        int offset = selector & 0xFFF8;
        byte[] table = (selector & Local) != 0 ? ldt : gdt;
        if (offset == 0 || offset + EntrySize > table.Length)
        {
            low = high = 0;
            return false;
        }

        (low, high) = Read(table, offset);
        return (high & Present) != 0;
    }

    private static (uint Low, uint High) Read(byte[] table, int offset) =>
        (BinaryPrimitives.ReadUInt32LittleEndian(table.AsSpan(offset)), BinaryPrimitives.ReadUInt32LittleEndian(table.AsSpan(offset + 4)));

    private void WriteCode(ushort selector, uint segmentBase, uint dpl)
    {
        Span<byte> descriptor = ((selector & Local) != 0 ? ldt : gdt).AsSpan(selector & 0xFFF8, EntrySize);
        BinaryPrimitives.WriteUInt32LittleEndian(descriptor, (segmentBase << 16) | 0xFFFF);
        BinaryPrimitives.WriteUInt32LittleEndian(descriptor[4..], (segmentBase & 0xFF000000) | ((segmentBase >> 16) & 0xFF) | FlatCode32 | (dpl << 13));
    }
}
