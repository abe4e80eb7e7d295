using Plexus.Messaging.Contracts.Storage;
using static Plexus.Devices.FloppyRegisters;

namespace Plexus.Devices;

/// <content>Whole tracks: READ ID, READ TRACK, FORMAT TRACK; and how SCAN compares.</content>
public sealed partial class Fdc82077aa
{
    /// <summary>Bytes that the processor supplies for each sector of a format: C, H, R, N.</summary>
    private const int IdentityBytes = 4;

    // Volatile state.
    private int trackSector;

    /// <summary>STP: 1 for every sector, 2 for every other one.</summary>
    private int ScanStep => command[8] == 2 ? 2 : 1;

    private void FindIdentity(FloppyFormat format, int cylinder, ulong now)
    {
        int index = format.FirstSector(now, out ulong at);
        (cylinderId, headId, sectorId, sizeId) = ((byte)cylinder, head, (byte)(index + 1), FloppyFormat.SizeCode);
        Enter(FloppyPhase.Identity, at + format.IdentityTime);
    }

    /// <summary>READ TRACK begins at the index.</summary>
    private void BeginTrack(FloppyDrive drive, ulong now)
    {
        trackSector = 0;
        NextOfTrack(drive, DriveTiming.After(now - (now % drive.Period), drive.Period));
    }

    private void NextOfTrack(FloppyDrive drive, ulong now)
    {
        if (drive.Track(head, rate, out int cylinder) is not { } format || trackSector >= format.Sectors)
        {
            FailAtIndex(drive, MissingMark, 0, now);
            return;
        }

        if (cylinderId != cylinder || headId != head || sectorId != trackSector + 1 || sizeId != FloppyFormat.SizeCode)
            status1 |= NoData; // Noted, and the sector is read nevertheless.
        AwaitField(format, format.NextSector(trackSector, now), now);
    }

    private void ContinueTrack(ulong now)
    {
        trackSector++;
        if (trackSector == EndOfTrack)
        {
            Complete(now);
            return;
        }

        sectorId++;
        if (Selected is { } drive && drive.IsSpinning(now))
            NextOfTrack(drive, now);
        else
            Search(now);
    }

    /// <summary>FORMAT TRACK begins at the index.</summary>
    private void BeginFormat(FloppyDrive drive, ulong now)
    {
        trackSector = 0;
        AwaitIdentity(drive, DriveTiming.After(now - (now % drive.Period), drive.Period), now);
    }

    /// <summary>Sectors are written one behind the other, and what the processor says of the next one is wanted when its ID field is written.</summary>
    private void AwaitIdentity(FloppyDrive drive, ulong begin, ulong now)
    {
        if (sectorsLeft == 0)
        {
            Enter(FloppyPhase.TrackEnd, DriveTiming.After(now - (now % drive.Period), drive.Period));
            return;
        }

        ulong at = Math.Max(begin, now) + FormatTime(IdentityBytes + 12);
        Enter(FloppyPhase.Identity, at);
        if (!IsNonDma)
            dma.Request = true;
        else
            BeginFifo(false, IdentityBytes, at - (IdentityBytes * FloppyFormat.ByteTimeOf(rate)), now);
    }

    private void FormatSector(ulong now)
    {
        if (Selected is not { } drive || !drive.IsSpinning(now))
        {
            Retry(now);
            return;
        }

        if (!IsNonDma && FromMemory(host.AsSpan(0, IdentityBytes), out isTerminal) < IdentityBytes && !isTerminal)
        {
            Finish(Abnormal, Overrun, now);
            return;
        }

        fifo.End();
        (cylinderId, headId, sectorId) = (host[0], host[1], host[2]);
        FloppyFormat? track = (command[0] & Mfm) != 0 ? drive.Track(head, rate, out int cylinder) : NoTrack(out cylinder);
        bool isOfImage = track is { } format && host[0] == cylinder && host[1] == head && host[2] >= 1 && host[2] <= format.Sectors && host[3] == FloppyFormat.SizeCode && sizeId == FloppyFormat.SizeCode;
        if (isOfImage)
        {
            host.AsSpan().Fill(command[5]);
            if (drive.Write(track!.Value.Number(cylinder, head, sectorId - 1), host, isDeleted: false) != StorageStatus.Ok)
            {
                Finish(Abnormal | EquipmentCheck, 0, now);
                return;
            }
        }

        sectorsLeft = isTerminal ? 0 : sectorsLeft - 1;
        AwaitIdentity(drive, now + FormatTime(46 + (128 << Math.Min((int)sizeId, 7)) + command[4]), now);
    }

    private ulong FormatTime(int bytes) => (ulong)bytes * FloppyFormat.ByteTimeOf(rate);

    /// <summary>Compares a sector with the processor's data; FFh on either side meets every condition (datasheet, table 5-8).</summary>
    private void Compare(int length)
    {
        bool isEqual = true, isMet = true;
        for (int i = 0; i < length; i++)
        {
            byte disk = medium[i], wanted = host[i];
            if (disk == wanted || disk == 0xFF || wanted == 0xFF)
                continue;
            isEqual = false;
            isMet &= opcode switch
            {
                FloppyOpcode.ScanLow => disk < wanted,
                FloppyOpcode.ScanHigh => disk > wanted,
                _ => false,
            };
        }

        const int Outcome = ScanEqual | ScanNotSatisfied;
        status2 = (byte)((status2 & ~Outcome) | (isEqual ? ScanEqual : isMet ? 0 : ScanNotSatisfied));
    }
}
