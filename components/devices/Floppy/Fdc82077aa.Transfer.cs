using Plexus.Messaging.Contracts.Storage;
using static Plexus.Devices.FloppyRegisters;

namespace Plexus.Devices;

/// <content>READ, WRITE, VERIFY and SCAN: finding a sector, moving its data, what comes behind it.</content>
public sealed partial class Fdc82077aa
{
    // Volatile state: the transfer in progress.
    private readonly FloppyFifo fifo = new();
    private readonly byte[] medium = new byte[FloppyFormat.SectorBytes];
    private readonly byte[] host = new byte[FloppyFormat.SectorBytes];
    private byte status1;
    private byte status2;
    private byte head;
    private byte cylinderId;
    private byte headId;
    private byte sectorId;
    private byte sizeId;
    private bool isTerminal;
    private bool hasSought;
    private int sectorsLeft;
    private int moved;

    private bool IsNonDma => (headTimes & NonDma) != 0;

    private bool HasTransfer => opcode != FloppyOpcode.Verify && opcode != FloppyOpcode.ReadId;

    private int FifoDepth => (configuration & FifoOff) != 0 ? 1 : FloppyFifo.Depth;

    private int FifoThreshold => (configuration & FifoOff) != 0 ? 0 : (configuration & ThresholdMask) + 1;

    private byte EndOfTrack => command[6];

    private void ClearTransfer()
    {
        opcode = FloppyOpcode.Invalid;
        status1 = status2 = head = headDrive = cylinderId = headId = sectorId = sizeId = 0;
        isTerminal = hasSought = false;
        sectorsLeft = moved = 0;
    }

    private void BeginTransfer(ulong now)
    {
        status1 = status2 = 0;
        isTerminal = hasSought = false;
        moved = 0;
        head = (byte)((command[1] & HeadSelect) != 0 ? 1 : 0);
        sectorsLeft = int.MaxValue;
        switch (opcode)
        {
            case FloppyOpcode.ReadId:
                break;
            case FloppyOpcode.FormatTrack:
                sizeId = command[2];
                sectorsLeft = lastSectors = command[3];
                break;
            default:
                (cylinderId, headId, sectorId, sizeId) = (command[2], command[3], command[4], command[5]);
                lastSectors = EndOfTrack;
                if (opcode == FloppyOpcode.Verify && (command[1] & EnableCount) != 0)
                    sectorsLeft = command[8] == 0 ? 256 : command[8];
                if (BeginImpliedSeek(now))
                    return;
                break;
        }

        LoadHead(now);
    }

    private bool BeginImpliedSeek(ulong now)
    {
        SeekUnit unit = units[Unit];
        if ((configuration & ImpliedSeek) == 0)
            return false;
        if (unit.Cylinder == cylinderId)
            return false;
        hasSought = true;
        Aim(unit, cylinderId);
        unit.At = ulong.MaxValue;
        Enter(FloppyPhase.ImpliedSeek, DriveTiming.After(now, StepTime));
        return true;
    }

    /// <summary>Looks for what the command wants next.</summary>
    private void Search(ulong now)
    {
        if (Selected is not { } drive || !drive.IsSpinning(now))
        {
            Enter(FloppyPhase.NoIndex, Selected?.NextIndex(now) ?? ulong.MaxValue);
            return;
        }

        if (FloppyCommands.Writes(opcode) && drive.IsWriteProtected)
        {
            Finish(Abnormal, NotWritable, now);
            return;
        }

        FloppyFormat? track = (command[0] & Mfm) != 0 ? drive.Track(head, rate, out int cylinder) : NoTrack(out cylinder);
        if (opcode == FloppyOpcode.FormatTrack)
            BeginFormat(drive, now);
        else if (track is not { } format)
            FailAtIndex(drive, MissingMark, 0, now);
        else if (opcode == FloppyOpcode.ReadTrack)
            BeginTrack(drive, now);
        else if (opcode == FloppyOpcode.ReadId)
            FindIdentity(format, cylinder, now);
        else
            FindSector(drive, format, cylinder, now);
    }

    private static FloppyFormat? NoTrack(out int cylinder)
    {
        cylinder = 0;
        return null;
    }

    /// <summary>The controller gives up at the second index pulse.</summary>
    private void FailAtIndex(FloppyDrive drive, byte first, byte second, ulong now)
    {
        status1 |= first;
        status2 |= second;
        Enter(FloppyPhase.Failing, DriveTiming.After(now - (now % drive.Period), 2 * drive.Period));
    }

    private void FindSector(FloppyDrive drive, FloppyFormat format, int cylinder, ulong now)
    {
        if (cylinderId != cylinder)
        {
            FailAtIndex(drive, NoData, cylinderId == 0xFF ? BadCylinder : WrongCylinder, now);
            return;
        }

        if (headId != head || sizeId != FloppyFormat.SizeCode || sectorId == 0 || sectorId > format.Sectors)
        {
            FailAtIndex(drive, NoData, 0, now);
            return;
        }

        AwaitField(format, format.NextSector(sectorId - 1, now), now);
    }

    /// <summary>The data of a sector that begins at a moment are next; what the processor has to supply is asked for at once.</summary>
    private void AwaitField(FloppyFormat format, ulong sector, ulong now)
    {
        ulong begin = sector + format.DataTime;
        Enter(FloppyPhase.Identity, begin);
        if (!HasTransfer)
            return;
        if (!IsNonDma)
            dma.Request = true;
        else if (FloppyCommands.TakesData(opcode))
            BeginFifo(false, FloppyFormat.SectorBytes, begin, now);
    }

    private void BeginFifo(bool toHost, int bytes, ulong begin, ulong now)
    {
        fifo.Begin(toHost, bytes, begin, FloppyFormat.ByteTimeOf(rate), FifoDepth, FifoThreshold);
        fifo.Advance(now);
    }

    /// <summary>A data field begins to pass.</summary>
    private void IdentityPassed(ulong now)
    {
        if (opcode == FloppyOpcode.ReadId)
        {
            Finish(0, 0, now);
            return;
        }

        if (opcode == FloppyOpcode.FormatTrack)
        {
            FormatSector(now);
            return;
        }

        if (CurrentSector(out FloppyFormat format) is not { } number)
        {
            Retry(now);
            return;
        }

        if (FloppyCommands.TakesData(opcode) && !IsNonDma)
        {
            moved = FromMemory(host, out isTerminal);
            if (moved == 0)
            {
                Finish(Abnormal, Overrun, now);
                return;
            }

            host.AsSpan(moved).Clear();
        }

        if (!FloppyCommands.Writes(opcode) && !BeginReading(number, now))
            return;
        Enter(FloppyPhase.Field, now + format.FieldTime);
    }

    /// <summary>Reads a sector from the medium, unless it is skipped.</summary>
    private bool BeginReading(int number, ulong now)
    {
        FloppyDrive drive = Selected!;
        bool wantsDeleted = opcode == FloppyOpcode.ReadDeleted;
        if (opcode != FloppyOpcode.ReadTrack && drive.IsDeleted(number) != wantsDeleted)
        {
            status2 |= ControlMark;
            if ((command[0] & Skip) != 0)
            {
                fifo.End();
                Continue(now);
                return false;
            }
        }

        if (drive.Read(number, medium) != StorageStatus.Ok)
        {
            // What fails its check is transferred nevertheless.
            medium.AsSpan().Clear();
            status1 |= DataError;
            status2 |= DataFieldError;
        }

        if (IsNonDma && HasTransfer && !FloppyCommands.TakesData(opcode))
        {
            BeginFifo(true, FloppyFormat.SectorBytes, now, now);
        }

        return true;
    }

    /// <summary>A data field has passed.</summary>
    private void FieldPassed(ulong now)
    {
        if (CurrentSector(out _) is not { } number)
        {
            Retry(now);
            return;
        }

        if (FloppyCommands.Writes(opcode))
        {
            WriteSector(number, now);
            return;
        }

        if (fifo.IsActive && !fifo.IsDone)
        {
            Enter(FloppyPhase.Draining, ulong.MaxValue);
            return;
        }

        if (FloppyCommands.IsScan(opcode))
        {
            Compare(IsNonDma ? FloppyFormat.SectorBytes : moved);
        }
        else if (HasTransfer && !IsNonDma && !isTerminal)
        {
            if (ToMemory(medium, out isTerminal) == 0)
            {
                Finish(Abnormal, Overrun, now);
                return;
            }
        }

        SectorDone(now);
    }

    private void WriteSector(int number, ulong now)
    {
        switch (Selected!.Write(number, host, opcode == FloppyOpcode.WriteDeleted))
        {
            case StorageStatus.Ok:
                SectorDone(now);
                break;
            case StorageStatus.ReadOnly:
                Finish(Abnormal, NotWritable, now);
                break;
            default:
                Finish(Abnormal | EquipmentCheck, 0, now);
                break;
        }
    }

    private void SectorDone(ulong now)
    {
        fifo.End();
        if ((status2 & DataFieldError) != 0 && opcode != FloppyOpcode.ReadTrack)
            Finish(Abnormal, 0, now);
        else if (isTerminal || sectorsLeft == 1 || IsScanMet() || (IsReadOfSector() && (status2 & ControlMark) != 0))
            Complete(now);
        else
            Continue(now);
    }

    private bool IsReadOfSector() => opcode is FloppyOpcode.ReadData or FloppyOpcode.ReadDeleted && (command[0] & Skip) == 0;

    private bool IsScanMet() => FloppyCommands.IsScan(opcode) && (status2 & ScanNotSatisfied) == 0;

    /// <summary>Goes on with the next sector.</summary>
    private void Continue(ulong now)
    {
        if (opcode == FloppyOpcode.ReadTrack)
        {
            ContinueTrack(now);
            return;
        }

        sectorsLeft--;
        bool isLast = IsLastOfTrack();
        if (isLast && !IsMultiTrackSideZero())
        {
            EndOfLastSector(now);
            return;
        }

        NextAddress();
        Search(now);
    }

    private bool IsLastOfTrack() => FloppyCommands.IsScan(opcode) ? sectorId + ScanStep > EndOfTrack : sectorId == EndOfTrack;

    private bool IsMultiTrackSideZero() => (command[0] & MultiTrack) != 0 && head == 0;

    /// <summary>Nothing is left in the range, and TC did not come: an error for transfers, the end of a scan and of a verification without a count.</summary>
    private void EndOfLastSector(ulong now)
    {
        bool isNormal = FloppyCommands.IsScan(opcode) || (opcode == FloppyOpcode.Verify && (command[1] & EnableCount) == 0);
        NextAddress();
        Finish(isNormal ? 0 : Abnormal, isNormal ? (byte)0 : EndOfCylinder, now);
    }

    /// <summary>The command ends as it should; the result names what comes next, or, where a scan or an unexpected mark ended it, the sector itself.</summary>
    private void Complete(ulong now)
    {
        bool stays = FloppyCommands.IsScan(opcode) ? IsScanMet() : IsReadOfSector() && (status2 & ControlMark) != 0;
        if (!stays && opcode != FloppyOpcode.ReadTrack)
            NextAddress();
        Finish(status1 != 0 ? Abnormal : 0, 0, now);
    }

    /// <summary>The address behind a sector (datasheet, table 5-5).</summary>
    private void NextAddress()
    {
        if (!IsLastOfTrack())
        {
            sectorId += (byte)(FloppyCommands.IsScan(opcode) ? ScanStep : 1);
            return;
        }

        sectorId = 1;
        if ((command[0] & MultiTrack) != 0)
        {
            headId ^= 1;
            if (head == 0)
            {
                head = 1;
                return;
            }

            head = 0;
        }

        cylinderId++;
    }

    /// <summary>The medium is no longer there: index pulses are waited for, and the sector is sought again.</summary>
    private void Retry(ulong now)
    {
        fifo.End();
        Search(now);
    }

    /// <summary>The sector under the head; null when the drive does not turn any more.</summary>
    private int? CurrentSector(out FloppyFormat format)
    {
        format = default;
        if (Selected is not { } drive || !drive.IsSpinning(phaseEnd) || drive.Track(head, rate, out int cylinder) is not { } track)
            return null;
        format = track;
        int index = opcode == FloppyOpcode.ReadTrack ? trackSector : sectorId - 1;
        return index >= 0 && index < track.Sectors ? track.Number(cylinder, head, index) : null;
    }

    private int ToMemory(ReadOnlySpan<byte> data, out bool terminalCount)
    {
        terminalCount = false;
        return (dor & DorGate) == 0 ? 0 : dma.ToMemory(data, out terminalCount);
    }

    private int FromMemory(Span<byte> data, out bool terminalCount)
    {
        terminalCount = false;
        return (dor & DorGate) == 0 ? 0 : dma.FromMemory(data, out terminalCount);
    }

    private byte TakeByte(ulong now)
    {
        byte value = medium[fifo.Move(now)];
        if (fifo.IsDone && phase == FloppyPhase.Draining)
            SectorDone(now);
        return value;
    }

    private void GiveByte(byte value, ulong now) => host[fifo.Move(now)] = value;

    /// <summary>The result of a transfer: ST0 to ST2, and the address.</summary>
    private void Finish(int ending, byte error, ulong now)
    {
        fifo.End();
        dma.Request = false;
        status1 |= error;
        headDrive = (byte)(dor & DorDrive);
        headUntil = DriveTiming.After(now, HeadUnloadTime);
        result[0] = (byte)(ending | (hasSought ? SeekEnd : 0) | (head != 0 ? Head : 0) | Unit);
        result[1] = status1;
        result[2] = status2;
        result[3] = cylinderId;
        result[4] = headId;
        result[5] = sectorId;
        result[6] = sizeId;
        Reply(7);
        interrupt = true;
    }
}
