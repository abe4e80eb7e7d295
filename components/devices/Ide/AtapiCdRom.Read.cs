using Plexus.Messaging.Contracts.Storage;
using static Plexus.Devices.PacketCommands;

namespace Plexus.Devices;

/// <content>READ, READ CD and SEEK. Sectors come from the medium in pieces that fill the buffer.</content>
internal sealed partial class AtapiCdRom
{
    private const byte UserDataOnly = 0x10;

    // Book-keeping.
    private readonly byte[] raw = new byte[CdSector.RawBytes];

    // Volatile state.
    private uint next;
    private uint sectorsLeft;
    private byte readFlags;

    /// <summary>Where the last transfer ended.</summary>
    private uint head;

    /// <summary>Bytes of each sector that go to the host.</summary>
    private int SectorBytes => readFlags == 0 ? CdSector.UserBytes : CdSector.Length(readFlags);

    /// <summary>Sectors that the next piece will have: blocks of the host fill it without a rest.</summary>
    private int PieceSectors
    {
        get
        {
            int piece = BufferSize / SectorBytes;
            int block = isDma ? 1 : Math.Clamp(LargestBlock(SectorBytes) / SectorBytes, 1, piece);
            return (int)Math.Min((uint)(piece / block * block), sectorsLeft);
        }
    }

    private void Read(uint lba, uint count, ulong now)
    {
        readFlags = UserDataOnly;
        BeginRead(lba, count, now);
    }

    /// <summary>READ CD and READ CD MSF (MMC-3, 6.1.15 and 6.1.16).</summary>
    private void ReadRaw(ulong now)
    {
        int lba = (int)Math.Min(Long(2), int.MaxValue);
        long count = ((long)packet[6] << 16) | Word(7);
        if (packet[0] == ReadCdMsf)
        {
            lba = CdSector.FromMsf(packet.AsSpan(3));
            count = (long)CdSector.FromMsf(packet.AsSpan(6)) - lba;
        }

        int type = (packet[1] >> 2) & 7;
        byte flags = (byte)(packet[9] & 0xF8);
        if (count < 0 || (packet[9] & 0x06) != 0 || (packet[10] & 0x07) != 0 || type > 5)
        {
            Check(Sense.InvalidField); // No C2 pointers and no sub-channels.
        }
        else if (type is not (0 or 2))
        {
            Check(Sense.IllegalMode); // The track is Mode 1.
        }
        else if (lba < 0)
        {
            Check(Sense.OutOfRange);
        }
        else
        {
            readFlags = flags;
            BeginRead((uint)lba, CdSector.Length(flags) == 0 ? 0 : (uint)count, now);
        }
    }

    private void BeginRead(uint lba, uint count, ulong now)
    {
        if (lba >= Sectors || count > Sectors - lba)
        {
            Check(Sense.OutOfRange);
            return;
        }

        if (count == 0)
        {
            Complete();
            return;
        }

        next = lba;
        sectorsLeft = count;
        stage = PacketStage.DataIn;
        Work(DrivePhase.Working, now, DriveTiming.Seek(head, lba, Sectors) + DriveTiming.Transfer((long)PieceSectors * CdSector.UserBytes));
    }

    private void Seek(ulong now)
    {
        uint lba = Long(2);
        if (lba >= Sectors)
        {
            Check(Sense.OutOfRange);
            return;
        }

        stage = PacketStage.Seek;
        ulong time = DriveTiming.Seek(head, lba, Sectors);
        head = lba;
        Work(DrivePhase.Working, now, time);
    }

    /// <summary>Reads the next piece; ends the command when not even its first sector can be read.</summary>
    private bool TryFetch()
    {
        int sectors = PieceSectors;
        EmptyBuffer();
        StorageStatus status = readFlags == UserDataOnly ? FetchUserData(sectors) : FetchRaw(sectors);
        int got = Filled / SectorBytes;
        if (got != 0)
        {
            next += (uint)got;
            sectorsLeft -= (uint)got;
            head = next;
            return true;
        }

        LookAtMedium();
        Check(
            status switch
            {
                StorageStatus.NoMedium => Sense.NoMediumTrayOpen,
                StorageStatus.OutOfRange => Sense.OutOfRange,
                _ => Sense.UnrecoveredRead,
            },
            next);
        return false;
    }

    private StorageStatus FetchUserData(int sectors)
    {
        StorageStatus status = ReadSectors(next, Buffer.AsSpan(0, sectors * CdSector.UserBytes));
        if (status == StorageStatus.Ok)
        {
            Filled = sectors * CdSector.UserBytes;
            return status;
        }

        for (int i = 0; i < sectors; i++)
        {
            status = ReadSectors(next + (uint)i, Buffer.AsSpan(Filled, CdSector.UserBytes));
            if (status != StorageStatus.Ok)
                break;
            Filled += CdSector.UserBytes;
        }

        return status;
    }

    private StorageStatus FetchRaw(int sectors)
    {
        StorageStatus status = StorageStatus.Ok;
        for (int i = 0; i < sectors; i++)
        {
            status = ReadSectors(next + (uint)i, raw.AsSpan(16, CdSector.UserBytes));
            if (status != StorageStatus.Ok)
                break;
            CdSector.Complete(raw, next + (uint)i);
            Filled += CdSector.Select(raw, readFlags, Buffer.AsSpan(Filled));
        }

        return status;
    }

    /// <summary>Reads whole sectors; what an image lacks to its last one reads as zeros.</summary>
    private StorageStatus ReadSectors(uint lba, Span<byte> destination)
    {
        ulong offset = (ulong)lba * CdSector.UserBytes;
        ulong end = offset + (ulong)destination.Length;
        if (end <= medium.Bytes || offset >= medium.Bytes)
            return Link.Read(offset, destination);
        int there = (int)(medium.Bytes - offset);
        destination[there..].Clear();
        return Link.Read(offset, destination[..there]);
    }
}
