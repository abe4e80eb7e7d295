using System.Buffers.Binary;
using System.Text;
using Plexus.Messaging.Contracts.Storage;
using static Plexus.Devices.VirtFeatures;

namespace Plexus.Devices;

/// <content>Requests (virtio 1.1, 5.2.6): a header of 16 bytes to read, data, and a status byte at the very end. How they are cut into buffers does not matter.</content>
public sealed partial class VirtioBlk
{
    private const int HeaderBytes = 16;
    private const uint TypeIn = 0, TypeOut = 1, TypeFlush = 4, TypeGetId = 8, TypeDiscard = 11, TypeWriteZeroes = 13;
    private const byte StatusOk = 0, StatusIoError = 1, StatusUnsupported = 2;
    private const int IdBytes = 20;
    private const int PieceBytes = 64 << 10;

    /// <summary>The most data of one request: drivers that take heed of the limits come nowhere near.</summary>
    private const ulong MostData = 128 << 20;

    // Book-keeping.
    private readonly byte[] piece = new byte[PieceBytes];

    /// <summary>Begins the next request, if the device is free and there is one.</summary>
    private void TakeNext(ulong now)
    {
        VirtQueue queue = Queues[0];
        if (isBusy || !IsDriven || !IsMaster || !queue.IsEnabled)
            return;
        bool? taken = queue.Take(HasEventIndex, out ushort first);
        Span<byte> header = stackalloc byte[HeaderBytes];
        if (taken is null || (taken == true && !TryHeader(first, header)))
        {
            Break();
            return;
        }

        if (taken == false)
            return;
        isBusy = true;
        current = first;
        deadline = DriveTiming.After(now, TimeOf(header));
    }

    private bool TryHeader(ushort first, Span<byte> header) =>
        Queues[0].TryFollow(first, (Features & IndirectDescriptors) != 0, chain) && chain.Readable >= HeaderBytes && chain.Writable >= 1 && chain.TryRead(0, header);

    private ulong TimeOf(ReadOnlySpan<byte> header)
    {
        uint type = BinaryPrimitives.ReadUInt32LittleEndian(header);
        ulong sector = BinaryPrimitives.ReadUInt64LittleEndian(header[8..]);
        ulong data = Math.Min(type == TypeIn ? chain.Writable - 1 : chain.Readable - HeaderBytes, MostData);
        return DriveTiming.Overhead + type switch
        {
            TypeIn => DriveTiming.Seek(head, sector, Capacity) + DriveTiming.Transfer((long)data),
            TypeOut => DriveTiming.Seek(head, sector, Capacity) + DriveTiming.Transfer((long)data) + (WritesThrough ? DriveTiming.Flush : 0),
            TypeFlush => DriveTiming.Flush,
            TypeDiscard or TypeWriteZeroes when WritesThrough => DriveTiming.Flush,
            _ => 0,
        };
    }

    /// <summary>Carries the request out and gives its chain back.</summary>
    private void Complete(ulong now)
    {
        isBusy = false;
        Span<byte> header = stackalloc byte[HeaderBytes];
        if (!IsDriven || !TryHeader(current, header))
        {
            Break();
            return;
        }

        moved = 0;
        ulong statusOffset = chain.Writable - 1;
        byte? result = Execute(BinaryPrimitives.ReadUInt32LittleEndian(header), BinaryPrimitives.ReadUInt64LittleEndian(header[8..]));
        if (result is not { } outcome || !chain.TryWrite(statusOffset, [outcome]))
        {
            Break();
            return;
        }

        // What was written from the begin on: the status counts only when it follows at once.
        uint written = (uint)(moved == statusOffset ? moved + 1 : moved);
        if (Queues[0].Give(current, written, HasEventIndex) is not { } wantsInterrupt)
        {
            Break();
            return;
        }

        if (wantsInterrupt)
            RaiseQueueInterrupt();
        TakeNext(now);
    }

    /// <returns>The request's status; null when its buffers are not in memory.</returns>
    private byte? Execute(uint type, ulong sector) => type switch
    {
        TypeIn => ReadSectors(sector),
        TypeOut => WriteSectors(sector),
        TypeFlush when (Features & Flush) != 0 => Result(link?.Flush()),
        TypeGetId => GiveId(),
        TypeDiscard when (Features & Discard) != 0 => Zero(isDiscard: true),
        TypeWriteZeroes when (Features & WriteZeroes) != 0 => Zero(isDiscard: false),
        _ => StatusUnsupported,
    };

    private static byte Result(StorageStatus? status) => status == StorageStatus.Ok ? StatusOk : StatusIoError;

    private bool IsOnMedium(ulong sector, ulong bytes) =>
        bytes <= MostData && bytes % SectorSize == 0 && bytes / SectorSize <= Capacity && sector <= Capacity - (bytes / SectorSize);

    private byte? ReadSectors(ulong sector)
    {
        ulong length = chain.Writable - 1;
        if (!IsOnMedium(sector, length))
            return StatusIoError;
        for (ulong done = 0; done < length;)
        {
            Span<byte> part = piece.AsSpan(0, (int)Math.Min(PieceBytes, length - done));
            if (link is null || link.Read((sector * SectorSize) + done, part) != StorageStatus.Ok)
                return StatusIoError;
            if (!chain.TryWrite(done, part))
                return null;
            done += (ulong)part.Length;
            moved = done;
        }

        head = sector + (length / SectorSize);
        return StatusOk;
    }

    private byte? WriteSectors(ulong sector)
    {
        ulong length = chain.Readable - HeaderBytes;
        if (!IsOnMedium(sector, length) || Medium.ReadOnly)
            return StatusIoError;
        for (ulong done = 0; done < length;)
        {
            int size = (int)Math.Min(PieceBytes, length - done);
            if (!chain.TryRead(HeaderBytes + done, piece.AsSpan(0, size)))
                return null;
            if (link is null || link.Write((sector * SectorSize) + done, piece.AsMemory(0, size)) != StorageStatus.Ok)
                return StatusIoError;
            done += (ulong)size;
        }

        head = sector + (length / SectorSize);
        return WritesThrough ? Result(link?.Flush()) : StatusOk;
    }

    private byte? GiveId()
    {
        Span<byte> id = stackalloc byte[IdBytes];
        id.Clear();
        string name = link?.Name ?? string.Empty;
        Encoding.ASCII.GetBytes(name.AsSpan(0, Math.Min(name.Length, IdBytes)), id);
        moved = Math.Min(IdBytes, chain.Writable - 1);
        return chain.TryWrite(0, id[..(int)moved]) ? StatusOk : null;
    }

    /// <summary>Discard and write zeroes: ranges of sector, number of sectors and flags, of which the only one is that zeroes may be unmapped.</summary>
    private byte? Zero(bool isDiscard)
    {
        const int RangeBytes = 16;
        const uint Unmap = 1;
        ulong length = chain.Readable - HeaderBytes;
        if (length == 0 || length % RangeBytes != 0 || length > MostZeroSegments * RangeBytes || Medium.ReadOnly)
            return StatusIoError;
        Span<byte> ranges = stackalloc byte[(int)length];
        if (!chain.TryRead(HeaderBytes, ranges))
            return null;

        // All of them are looked at before the first is carried out.
        for (int i = 0; i < ranges.Length; i += RangeBytes)
        {
            uint flags = BinaryPrimitives.ReadUInt32LittleEndian(ranges[(i + 12)..]);
            if ((flags & ~(isDiscard ? 0 : Unmap)) != 0)
                return StatusUnsupported;
            uint count = BinaryPrimitives.ReadUInt32LittleEndian(ranges[(i + 8)..]);
            ulong sector = BinaryPrimitives.ReadUInt64LittleEndian(ranges[i..]);
            if (count > MostZeroSectors || count > Capacity || sector > Capacity - count)
                return StatusIoError;
        }

        for (int i = 0; i < ranges.Length; i += RangeBytes)
        {
            ulong bytes = (ulong)BinaryPrimitives.ReadUInt32LittleEndian(ranges[(i + 8)..]) * SectorSize;
            if (bytes != 0 && link?.Zero(BinaryPrimitives.ReadUInt64LittleEndian(ranges[i..]) * SectorSize, bytes) != StorageStatus.Ok)
                return StatusIoError;
        }

        return WritesThrough ? Result(link?.Flush()) : StatusOk;
    }
}
