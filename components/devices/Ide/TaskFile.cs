using static Plexus.Devices.AtaRegisters;

namespace Plexus.Devices;

/// <summary>A drive's copy of the registers that the host writes, two bytes deep for 48-bit addresses (ATA/ATAPI-6, 6.20).</summary>
internal sealed class TaskFile
{
    private readonly byte[] current = new byte[Device + 1];
    private readonly byte[] previous = new byte[Device + 1];

    /// <summary>The features register.</summary>
    public byte Feature => current[Features];

    /// <summary>The sector count register.</summary>
    public byte Count
    {
        get => current[SectorCount];
        set => current[SectorCount] = value;
    }

    /// <summary>The device register.</summary>
    public byte DeviceHead
    {
        get => current[Device];
        set => current[Device] = value;
    }

    /// <summary>LBA mid and high, or the cylinder, or a packet's byte count.</summary>
    public int Cylinder
    {
        get => current[LbaMid] | (current[LbaHigh] << 8);
        set
        {
            current[LbaMid] = (byte)value;
            current[LbaHigh] = (byte)(value >> 8);
        }
    }

    /// <summary>LBA low, or the sector number.</summary>
    public byte Sector
    {
        get => current[LbaLow];
        set => current[LbaLow] = value;
    }

    /// <summary>Sectors wanted by a command: 0 means 256, or 65536.</summary>
    public int Sectors(bool isExtended)
    {
        int count = isExtended ? current[SectorCount] | (previous[SectorCount] << 8) : current[SectorCount];
        return count != 0 ? count : isExtended ? 0x10000 : 0x100;
    }

    /// <summary>Sets the sector count as a result.</summary>
    public void PutSectors(int count, bool isExtended)
    {
        current[SectorCount] = (byte)count;
        if (isExtended)
            previous[SectorCount] = (byte)(count >> 8);
    }

    /// <summary>The address of 28 or 48 bits.</summary>
    public ulong Lba(bool isExtended)
    {
        ulong low = current[LbaLow] | ((uint)current[LbaMid] << 8) | ((uint)current[LbaHigh] << 16);
        return isExtended
            ? low | ((ulong)previous[LbaLow] << 24) | ((ulong)previous[LbaMid] << 32) | ((ulong)previous[LbaHigh] << 40)
            : low | ((ulong)(current[Device] & HeadMask) << 24);
    }

    /// <summary>Sets the address as a result.</summary>
    public void PutLba(ulong lba, bool isExtended)
    {
        for (int i = 0; i < 3; i++)
            current[LbaLow + i] = (byte)(lba >> (8 * i));
        if (!isExtended)
        {
            current[Device] = (byte)((current[Device] & ~HeadMask) | ((byte)(lba >> 24) & HeadMask));
            return;
        }

        for (int i = 0; i < 3; i++)
            previous[LbaLow + i] = (byte)(lba >> (24 + (8 * i)));
    }

    /// <summary>A register as the host reads it.</summary>
    public byte Read(int register, bool highOrder) => highOrder && register != Device ? previous[register] : current[register];

    /// <summary>A register as the host writes it.</summary>
    public void Write(int register, byte value)
    {
        previous[register] = current[register];
        current[register] = value;
    }

    /// <summary>The signature that tells disks from packet devices after a reset (ATA/ATAPI-6, 9.12).</summary>
    public void PutSignature(int cylinder)
    {
        Array.Clear(current);
        Array.Clear(previous);
        Count = 1;
        Sector = 1;
        Cylinder = cylinder;
    }

    public void Save(StateWriter writer)
    {
        writer.Bytes(current);
        writer.Bytes(previous);
    }

    public void Restore(ref StateReader reader)
    {
        foreach (byte[] registers in (ReadOnlySpan<byte[]>)[current, previous])
        {
            reader.Fill(registers, "A drive's registers are not whole.");
        }
    }
}
