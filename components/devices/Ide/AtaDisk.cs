using Plexus.Messaging.Contracts.Storage;
using static Plexus.Devices.AtaCommands;
using static Plexus.Devices.AtaRegisters;

namespace Plexus.Devices;

/// <summary>
/// An ATA hard disk (ATA/ATAPI-6, clause 8): general and 48-bit command sets, PIO and DMA, CHS and LBA, write cache, power modes.
/// </summary>
/// <param name="link">The drive on the fabric.</param>
/// <param name="number">0 for the channel's master, 1 for its slave.</param>
/// <param name="hasDma">Somebody answers DMARQ; otherwise DMA is neither claimed nor done.</param>
internal sealed partial class AtaDisk(DriveLink link, int number, bool hasDma) : IdeDrive(link, number)
{
    private const int SectorSize = 512;
    private const ulong Second = 1_000_000_000;

    // Book-keeping.
    private BlockGeometry? medium;

    // Volatile state: settings.
    private int multiple;
    private byte pioMode;
    private byte dmaMode;
    private bool writeCache;
    private bool lookAhead;
    private bool keepsSettings;
    private int heads;
    private int sectorsPerTrack;

    // Volatile state: power.
    private bool isStandby;
    private ulong standbyAfter;
    private ulong lastUse;

    /// <inheritdoc/>
    protected override bool IsPacketDevice => false;

    /// <inheritdoc/>
    protected override int Signature => 0;

    /// <inheritdoc/>
    protected override byte IdleStatus => AtaRegisters.Idle;

    /// <summary>The medium; a disk's is in for good, so it is asked once.</summary>
    private BlockGeometry Medium
    {
        get
        {
            if (medium is not { } known || known.Removable)
                medium = known = Link.Describe();
            return known;
        }
    }

    /// <summary>Sectors on the medium.</summary>
    private ulong Capacity => Medium.Bytes / SectorSize;

    /// <inheritdoc/>
    protected override ulong Accept(byte command, ulong now)
    {
        transfer = TransferOf(command, out isExtended, out bool isMultiple);
        if (transfer == AtaTransfer.None)
            return DriveTiming.Overhead;
        blockSectors = isMultiple ? multiple : 1;
        if ((isMultiple && multiple == 0) || (IsDma && !hasDma) || !TryAddress())
            return DriveTiming.Overhead;
        remaining = Registers.Sectors(isExtended);
        Use(now);
        return DriveTiming.Overhead + (transfer == AtaTransfer.PioOut ? 0 : SeekTime() + DriveTiming.Transfer((long)FirstPiece * SectorSize));
    }

    /// <inheritdoc/>
    protected override void Execute(byte command, ulong now)
    {
        if (transfer != AtaTransfer.None)
        {
            BeginTransfer(now);
            return;
        }

        switch (command)
        {
            case AtaCommands.Identify:
                Filled = BlockEnd = SectorSize;
                Describe(Buffer.AsSpan(0, SectorSize));
                Offer(DrivePhase.DataIn, interrupt: true);
                break;
            case >= Recalibrate and <= RecalibrateLast:
                Registers.Cylinder = 0;
                Finish();
                break;
            case >= AtaCommands.Seek and <= SeekLast:
                Seek(now);
                break;
            case InitializeParameters:
                InitializeGeometry();
                break;
            case SetMultiple:
                SetMultipleMode();
                break;
            case AtaCommands.SetFeatures:
                SetFeatures(now);
                break;
            case FlushCache or FlushCacheExt:
                Work(DrivePhase.Working, now, DriveTiming.Flush);
                break;
            case ReadNativeMax:
                PutAddress(Math.Min(LastSector, 0x0FFF_FFFF), extended: false);
                Finish();
                break;
            case ReadNativeMaxExt:
                PutAddress(LastSector, extended: true);
                Finish();
                break;
            default:
                ExecutePower(command, now);
                break;
        }
    }

    /// <inheritdoc/>
    protected override void Continue(ulong now)
    {
        if (transfer != AtaTransfer.None)
            ContinueTransfer(now);
        else
            FinishFlush();
    }

    /// <inheritdoc/>
    protected override void ResetSettings(DriveReset kind)
    {
        transfer = AtaTransfer.None;
        remaining = 0;
        medium = null;
        if (kind == DriveReset.Diagnostic)
            return;
        if (kind >= DriveReset.Hardware || !keepsSettings)
        {
            multiple = 0;
            writeCache = lookAhead = true;
        }

        if (kind < DriveReset.Hardware)
            return;
        keepsSettings = false;
        pioMode = dmaMode = 0;
        heads = sectorsPerTrack = 0;
        isStandby = false;
        standbyAfter = 0;
        next = head = 0;
        isExtended = usesLba = false;
        blockSectors = 0;
        lastUse = 0;
    }

    /// <inheritdoc/>
    protected override void SaveDrive(StateWriter writer)
    {
        writer.Int32(multiple);
        writer.Byte(pioMode);
        writer.Byte(dmaMode);
        writer.Bool(writeCache);
        writer.Bool(lookAhead);
        writer.Bool(keepsSettings);
        writer.Int32(heads);
        writer.Int32(sectorsPerTrack);
        writer.Bool(isStandby);
        writer.UInt64(standbyAfter);
        writer.UInt64(lastUse);
        SaveTransfer(writer);
    }

    /// <inheritdoc/>
    protected override void RestoreDrive(ref StateReader reader)
    {
        multiple = reader.Int32(0, MostMultiple);
        pioMode = reader.Byte();
        dmaMode = reader.Byte();
        writeCache = reader.Bool();
        lookAhead = reader.Bool();
        keepsSettings = reader.Bool();
        heads = reader.Int32(0, MostHeads);
        sectorsPerTrack = reader.Int32(0, byte.MaxValue);
        isStandby = reader.Bool();
        standbyAfter = reader.UInt64();
        lastUse = reader.UInt64();
        medium = null;
        if (heads == 0 != (sectorsPerTrack == 0))
            throw new InvalidDataException("A disk's translation contradicts itself.");
        RestoreTransfer(ref reader);
    }

    private void Seek(ulong now)
    {
        Use(now);
        if (TryAddress() && next < Capacity)
        {
            head = next;
            Finish();
        }
        else
        {
            Fail(IdNotFound);
        }
    }

    /// <summary>SET MULTIPLE MODE: 0 turns READ and WRITE MULTIPLE off; otherwise a power of two.</summary>
    private void SetMultipleMode()
    {
        int count = Registers.Count;
        if (count > MostMultiple || (count & (count - 1)) != 0)
        {
            Fail(Aborted);
            return;
        }

        multiple = count;
        Finish();
    }

    private void FinishFlush()
    {
        if (Link.Flush() == StorageStatus.Ok)
            Finish();
        else
            Fail(Aborted);
    }
}
