namespace Plexus.Devices;

/// <summary>One channel of an 8237A: base and current registers, and the mode.</summary>
internal sealed class DmaCounter
{
    private const int TransferMask = 0x0C, AutoInitialize = 0x10, Decrement = 0x20, ServiceMask = 0xC0;

    private ushort baseAddress;
    private ushort baseCount;

    /// <summary>Address of the next transfer: a byte's, or a word's on the second controller.</summary>
    public ushort Address { get; private set; }

    /// <summary>Transfers left, less one.</summary>
    public ushort Count { get; private set; }

    /// <summary>Mode register bits 7-2.</summary>
    public byte Mode { get; set; }

    /// <summary>Direction; the illegal combination drives nothing, as a verify.</summary>
    public DmaTransfer Transfer => (Mode & TransferMask) switch
    {
        0x04 => DmaTransfer.Write,
        0x08 => DmaTransfer.Read,
        _ => DmaTransfer.Verify,
    };

    /// <summary>Demand, single, block or cascade.</summary>
    public DmaService Service => (DmaService)((Mode & ServiceMask) >> 6);

    /// <summary>The channel begins again at the terminal count.</summary>
    public bool IsAutoInitialize => (Mode & AutoInitialize) != 0;

    /// <summary>Addresses fall.</summary>
    public bool IsDecrement => (Mode & Decrement) != 0;

    /// <summary>Writes half of base and current address.</summary>
    public void WriteAddress(bool high, byte value)
    {
        baseAddress = With(baseAddress, high, value);
        Address = With(Address, high, value);
    }

    /// <summary>Writes half of base and current count.</summary>
    public void WriteCount(bool high, byte value)
    {
        baseCount = With(baseCount, high, value);
        Count = With(Count, high, value);
    }

    /// <summary>Moves on after some transfers, at most <see cref="Count"/> + 1.</summary>
    /// <param name="transfers">How many.</param>
    /// <param name="holdAddress">The address stays.</param>
    /// <returns>True at the terminal count; base values are current again if the mode says so.</returns>
    public bool Advance(int transfers, bool holdAddress = false)
    {
        bool terminal = transfers > Count;
        Count = (ushort)(Count - transfers);
        if (!holdAddress)
            Address = (ushort)(IsDecrement ? Address - transfers : Address + transfers);
        if (terminal && IsAutoInitialize)
        {
            Address = baseAddress;
            Count = baseCount;
        }

        return terminal;
    }

    /// <summary>The state before anybody programs it.</summary>
    public void Clear()
    {
        Address = Count = baseAddress = baseCount = 0;
        Mode = 0;
    }

    public void Save(StateWriter writer)
    {
        writer.Int32(Address);
        writer.Int32(Count);
        writer.Int32(baseAddress);
        writer.Int32(baseCount);
        writer.Byte(Mode);
    }

    public void Restore(ref StateReader reader)
    {
        Address = (ushort)reader.Int32(0, ushort.MaxValue);
        Count = (ushort)reader.Int32(0, ushort.MaxValue);
        baseAddress = (ushort)reader.Int32(0, ushort.MaxValue);
        baseCount = (ushort)reader.Int32(0, ushort.MaxValue);
        Mode = reader.Byte();
    }

    private static ushort With(ushort old, bool high, byte value) => (ushort)(high ? (old & 0x00FF) | (value << 8) : (old & 0xFF00) | value);
}
