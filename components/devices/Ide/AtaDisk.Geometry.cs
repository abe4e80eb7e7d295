using static Plexus.Devices.AtaRegisters;

namespace Plexus.Devices;

/// <content>Cylinders, heads and sectors: what the disk says it has, and the translation that INITIALIZE DEVICE PARAMETERS chose (ATA/ATAPI-5, 6.2 and 8.16).</content>
internal sealed partial class AtaDisk
{
    private const int MostHeads = 16;

    private ulong LastSector => Math.Max(Capacity, 1) - 1;

    private DiskGeometry Default => DiskGeometry.Of(Capacity);

    private int CurrentHeads => heads != 0 ? heads : Default.Heads;

    private int CurrentTrack => sectorsPerTrack != 0 ? sectorsPerTrack : Default.Sectors;

    private ulong CurrentCylinders => heads == 0 ? (ulong)Default.Cylinders : Math.Min(Capacity / (ulong)(CurrentHeads * CurrentTrack), ushort.MaxValue);

    private void InitializeGeometry()
    {
        if (Registers.Count == 0)
        {
            Fail(Aborted);
            return;
        }

        sectorsPerTrack = Registers.Count;
        heads = (Registers.DeviceHead & HeadMask) + 1;
        Finish();
    }

    /// <summary>Takes the address in the registers as the next sector's.</summary>
    /// <returns>False when it is none: no sector 0, no such head.</returns>
    private bool TryAddress()
    {
        usesLba = (Registers.DeviceHead & UseLba) != 0;
        remaining = 0;
        if (usesLba || isExtended)
        {
            next = Registers.Lba(isExtended);
            return usesLba;
        }

        int headNumber = Registers.DeviceHead & HeadMask;
        if (Registers.Sector == 0 || Registers.Sector > CurrentTrack || headNumber >= CurrentHeads)
            return false;
        next = (((ulong)Registers.Cylinder * (ulong)CurrentHeads) + (ulong)headNumber) * (ulong)CurrentTrack;
        next += (ulong)Registers.Sector - 1;
        return true;
    }

    /// <summary>Puts a sector's address into the registers, in the form the command used.</summary>
    private void PutAddress(ulong sector, bool extended)
    {
        if (extended || (Registers.DeviceHead & UseLba) != 0)
        {
            Registers.PutLba(sector, extended);
            return;
        }

        ulong track = sector / (ulong)CurrentTrack;
        Registers.Sector = (byte)((sector % (ulong)CurrentTrack) + 1);
        Registers.DeviceHead = (byte)((Registers.DeviceHead & ~HeadMask) | (byte)(track % (ulong)CurrentHeads));
        Registers.Cylinder = (int)Math.Min(track / (ulong)CurrentHeads, ushort.MaxValue);
    }
}
