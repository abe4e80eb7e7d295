using Plexus.Messaging.Contracts.Storage;
using static Plexus.Devices.AtaCommands;
using static Plexus.Devices.AtaRegisters;

namespace Plexus.Devices;

/// <content>
/// Reading, writing and verifying sectors. Data goes to and from the medium in pieces of up to 128 sectors, to the host by blocks of one sector or as many as SET MULTIPLE MODE said,
/// to the bus master by pieces. After an error the address is that of the sector that failed, and the sector count says how many were left with it.
/// </content>
internal sealed partial class AtaDisk
{
    private const int PieceSectors = BufferSize / SectorSize;
    private const int MostMultiple = 16;

    // Volatile state.
    private AtaTransfer transfer;
    private bool isExtended;
    private bool usesLba;
    private int blockSectors;
    private int remaining;
    private ulong next;

    /// <summary>Where the heads are: behind the last sector moved.</summary>
    private ulong head;

    private bool IsDma => transfer is AtaTransfer.DmaIn or AtaTransfer.DmaOut;

    private int FirstPiece => Math.Min(remaining, IsDma || transfer == AtaTransfer.Verify ? PieceSectors : blockSectors);

    private static AtaTransfer TransferOf(byte command, out bool isExtended, out bool isMultiple)
    {
        isExtended = command is ReadSectorsExt or ReadDmaExt or ReadMultipleExt or WriteSectorsExt or WriteDmaExt or WriteMultipleExt or ReadVerifyExt;
        isMultiple = command is ReadMultiple or ReadMultipleExt or WriteMultiple or WriteMultipleExt;
        return command switch
        {
            ReadSectors or ReadSectorsOnce or ReadSectorsExt or ReadMultiple or ReadMultipleExt => AtaTransfer.PioIn,
            WriteSectors or WriteSectorsOnce or WriteSectorsExt or WriteMultiple or WriteMultipleExt => AtaTransfer.PioOut,
            ReadDma or ReadDmaOnce or ReadDmaExt => AtaTransfer.DmaIn,
            WriteDma or WriteDmaOnce or WriteDmaExt => AtaTransfer.DmaOut,
            ReadVerify or ReadVerifyOnce or ReadVerifyExt => AtaTransfer.Verify,
            _ => AtaTransfer.None,
        };
    }

    private ulong SeekTime() => DriveTiming.Seek(head, next, Capacity);

    /// <inheritdoc/>
    protected override void BlockTaken(ulong now)
    {
        if (transfer == AtaTransfer.None)
        {
            Finish(interrupt: false); // IDENTIFY DEVICE.
            return;
        }

        if (remaining == 0)
        {
            EndTransfer(interrupt: false);
            return;
        }

        Work(DrivePhase.Working, now, Position == Filled ? DriveTiming.Transfer(Math.Min(remaining, PieceSectors) * SectorSize) : DriveTiming.Turnaround);
    }

    /// <inheritdoc/>
    protected override void BlockGiven(ulong now)
    {
        Work(DrivePhase.Working, now, SeekTime() + DriveTiming.Transfer(BlockEnd));
    }

    private void BeginTransfer(ulong now)
    {
        bool isMultiple = CurrentCommand is ReadMultiple or ReadMultipleExt or WriteMultiple or WriteMultipleExt;
        if ((isMultiple && multiple == 0) || (IsDma && !hasDma) || (isExtended && (Registers.DeviceHead & UseLba) == 0))
        {
            FailTransfer(Aborted);
            return;
        }

        if (remaining == 0)
        {
            // Cylinder, head or sector outside of the translation.
            FailTransfer(IdNotFound);
            return;
        }

        if (transfer == AtaTransfer.PioOut)
            AskForBlock(interrupt: false);
        else
            ContinueTransfer(now);
    }

    private void ContinueTransfer(ulong now)
    {
        switch (transfer)
        {
            case AtaTransfer.PioIn:
                OfferBlock();
                break;
            case AtaTransfer.PioOut:
                Commit(now);
                break;
            case AtaTransfer.DmaIn:
                MoveToMemory(now);
                break;
            case AtaTransfer.DmaOut:
                MoveFromMemory(now);
                break;
            default:
                Verify(now);
                break;
        }
    }

    private void OfferBlock()
    {
        if (Position == Filled && !TryFetch())
            return;
        int sectors = Math.Min(blockSectors, (Filled - Position) / SectorSize);
        BlockEnd = Position + (sectors * SectorSize);
        Pass(sectors);
        Offer(DrivePhase.DataIn, interrupt: true);
    }

    private void AskForBlock(bool interrupt)
    {
        ulong left = Left();
        if (left == 0)
        {
            FailTransfer(IdNotFound);
            return;
        }

        Position = 0;
        Filled = BlockEnd = (int)Math.Min((ulong)Math.Min(blockSectors, remaining), left) * SectorSize;
        Offer(DrivePhase.DataOut, interrupt);
    }

    /// <summary>Writes what the host gave: a PIO block, or a piece that the bus master brought.</summary>
    private void Commit(ulong now)
    {
        if (remaining == 0)
        {
            // The data is written; with the write cache off it had to be flushed too.
            if (Link.Flush() == StorageStatus.Ok)
                EndTransfer(interrupt: true);
            else
                FailTransfer(Aborted);
            return;
        }

        int done = WriteSectorsFromBuffer(Filled / SectorSize, out StorageStatus result);
        Pass(done);
        if (result != StorageStatus.Ok)
        {
            FailTransfer(result switch
            {
                StorageStatus.OutOfRange => IdNotFound,
                StorageStatus.ReadOnly => (byte)(WriteProtected | Aborted),
                _ => Aborted,
            });
            return;
        }

        EmptyBuffer();
        if (remaining == 0 && writeCache)
            EndTransfer(interrupt: true);
        else if (remaining == 0)
            Work(DrivePhase.Working, now, DriveTiming.Flush);
        else if (transfer == AtaTransfer.PioOut)
            AskForBlock(interrupt: true);
        else
            Work(DrivePhase.Working, now, DriveTiming.Transfer(Math.Min(remaining, PieceSectors) * SectorSize));
    }

    private void MoveToMemory(ulong now)
    {
        if (Position == Filled && !TryFetch())
            return;
        Position += Channel?.Dma?.ToMemory(Buffer.AsSpan(Position, Filled - Position)) ?? 0;
        BlockEnd = Filled;
        if (Position < Filled)
        {
            AwaitDma();
            return;
        }

        Pass(Filled / SectorSize);
        EmptyBuffer();
        if (remaining == 0)
            EndTransfer(interrupt: true);
        else
            Work(DrivePhase.Working, now, DriveTiming.Transfer(Math.Min(remaining, PieceSectors) * SectorSize));
    }

    private void MoveFromMemory(ulong now)
    {
        if (remaining == 0)
        {
            Commit(now);
            return;
        }

        if (Filled == 0)
        {
            ulong left = Left();
            if (left == 0)
            {
                FailTransfer(IdNotFound);
                return;
            }

            Filled = BlockEnd = (int)Math.Min((ulong)Math.Min(PieceSectors, remaining), left) * SectorSize;
        }

        Position += Channel?.Dma?.FromMemory(Buffer.AsSpan(Position, Filled - Position)) ?? 0;
        if (Position < Filled)
            AwaitDma();
        else
            Commit(now);
    }

    private void Verify(ulong now)
    {
        if (!TryFetch())
            return;
        Pass(Filled / SectorSize);
        EmptyBuffer();
        if (remaining == 0)
            EndTransfer(interrupt: true);
        else
            Work(DrivePhase.Working, now, DriveTiming.Transfer(Math.Min(remaining, PieceSectors) * SectorSize));
    }

    /// <summary>Reads the next piece into the buffer; ends the command when not even its first sector can be read.</summary>
    private bool TryFetch()
    {
        EmptyBuffer();
        ulong left = Left();
        int sectors = (int)Math.Min((ulong)Math.Min(PieceSectors, remaining), left);
        StorageStatus result = StorageStatus.OutOfRange;
        if (sectors != 0)
        {
            result = Link.Read(next * SectorSize, Buffer.AsSpan(0, sectors * SectorSize));
            if (result == StorageStatus.Ok)
            {
                Filled = sectors * SectorSize;
                return true;
            }

            // Somewhere in the piece: up to there it is read.
            for (int i = 0; i < sectors; i++)
            {
                result = Link.Read((next + (ulong)i) * SectorSize, Buffer.AsSpan(Filled, SectorSize));
                if (result != StorageStatus.Ok)
                    break;
                Filled += SectorSize;
            }

            if (Filled != 0)
                return true;
        }

        FailTransfer(result switch
        {
            StorageStatus.OutOfRange => IdNotFound,
            StorageStatus.NoMedium => Aborted,
            _ => Uncorrectable,
        });
        return false;
    }

    private int WriteSectorsFromBuffer(int sectors, out StorageStatus result)
    {
        result = Link.Write(next * SectorSize, Buffer.AsMemory(0, sectors * SectorSize));
        if (result == StorageStatus.Ok)
            return sectors;
        for (int i = 0; i < sectors; i++)
        {
            result = Link.Write((next + (ulong)i) * SectorSize, Buffer.AsMemory(i * SectorSize, SectorSize));
            if (result != StorageStatus.Ok)
                return i;
        }

        return sectors;
    }

    /// <summary>Sectors from the next one to the end of the medium.</summary>
    private ulong Left()
    {
        ulong capacity = Capacity;
        return next < capacity ? capacity - next : 0;
    }

    /// <summary>Sectors were moved: the registers name the last of them, and how many are left.</summary>
    private void Pass(int sectors)
    {
        if (sectors == 0)
            return;
        head = next += (ulong)sectors;
        remaining = Math.Max(remaining - sectors, 0);
        PutAddress(next - 1, isExtended);
        Registers.PutSectors(remaining, isExtended);
    }

    private void EndTransfer(bool interrupt)
    {
        transfer = AtaTransfer.None;
        Finish(interrupt);
    }

    private void FailTransfer(byte bits)
    {
        if (bits != Aborted && remaining != 0)
        {
            PutAddress(next, isExtended);
            Registers.PutSectors(remaining, isExtended);
        }

        transfer = AtaTransfer.None;
        Fail(bits);
    }

    private void SaveTransfer(StateWriter writer)
    {
        writer.Byte((byte)transfer);
        writer.Bool(isExtended);
        writer.Bool(usesLba);
        writer.Int32(blockSectors);
        writer.Int32(remaining);
        writer.UInt64(next);
        writer.UInt64(head);
    }

    private void RestoreTransfer(ref StateReader reader)
    {
        transfer = (AtaTransfer)reader.Byte();
        isExtended = reader.Bool();
        usesLba = reader.Bool();
        blockSectors = reader.Int32(0, MostMultiple);
        remaining = reader.Int32(0, 0x10000);
        next = reader.UInt64();
        head = reader.UInt64();
        bool isWhole = Filled % SectorSize == 0 && BlockEnd % SectorSize == 0;
        if (transfer > AtaTransfer.Verify || next > 1UL << 48 || !isWhole || (transfer is AtaTransfer.PioIn or AtaTransfer.PioOut && remaining != 0 && blockSectors == 0))
            throw new InvalidDataException("A disk's transfer contradicts itself.");
    }
}
