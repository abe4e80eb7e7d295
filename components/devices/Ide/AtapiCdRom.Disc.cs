using System.Buffers.Binary;
using System.Text;
using static Plexus.Devices.PacketCommands;

namespace Plexus.Devices;

/// <content>What is on the disc, and what the drive is: capacity, table of contents, sub-channel, disc and track information, INQUIRY, MECHANISM STATUS.</content>
internal sealed partial class AtapiCdRom
{
    /// <summary>ADR 1 (position), control 4 (data track).</summary>
    private const byte DataTrack = 0x14;

    private const byte LeadOut = 0xAA;

    private bool WantsMsf => (packet[1] & 2) != 0;

    private void ExecuteDisc(byte operation)
    {
        switch (operation)
        {
            case ReadCapacity:
                Span<byte> capacity = Response(8);
                BinaryPrimitives.WriteUInt32BigEndian(capacity, Math.Max(Sectors, 1) - 1);
                BinaryPrimitives.WriteUInt32BigEndian(capacity[4..], CdSector.UserBytes);
                Reply(8, 8);
                break;
            case ReadToc:
                ReplyToc();
                break;
            case ReadSubChannel:
                ReplySubChannel();
                break;
            case ReadHeader:
                ReplyHeader();
                break;
            case ReadDiscInformation:
                ReplyDiscInformation();
                break;
            case ReadTrackInformation:
                ReplyTrackInformation();
                break;
            case ReadDvdStructure:
                ReplyDvdStructure();
                break;
            case MechanismStatus:
                Span<byte> mechanism = Response(8);
                mechanism[1] = (byte)(isTrayOpen ? 0x10 : 0);
                mechanism[2] = (byte)(head >> 16);
                mechanism[3] = (byte)(head >> 8);
                mechanism[4] = (byte)head;
                Reply(8, Word(8));
                break;
            default:
                Check(Sense.InvalidOperation);
                break;
        }
    }

    private void ReplyInquiry()
    {
        if ((packet[1] & 1) != 0 || packet[2] != 0)
        {
            Check(Sense.InvalidField); // No vital product data.
            return;
        }

        Span<byte> data = Response(36);
        data[0] = 0x05;
        data[1] = 0x80;
        data[3] = 0x21;
        data[4] = 31;
        Encoding.ASCII.GetBytes("PLEXUS  CD-ROM          1.0 ", data[8..]);
        Reply(36, Word(3));
    }

    /// <summary>READ TOC/PMA/ATIP (MMC-3, 6.30); old drivers give the format in the control byte.</summary>
    private void ReplyToc()
    {
        int format = (packet[2] & 0x0F) != 0 ? packet[2] & 0x0F : packet[9] >> 6;
        switch (format)
        {
            case 0:
                ReplyTracks();
                break;
            case 1:
                Span<byte> sessions = Response(12);
                sessions[1] = 10;
                sessions[2] = sessions[3] = 1;
                sessions[5] = DataTrack;
                sessions[6] = 1;
                PutAddress(sessions[8..], 0);
                Reply(12, Word(7));
                break;
            case 2:
                ReplyFullToc();
                break;
            default:
                Check(Sense.InvalidField); // What only recordable discs have, and CD-TEXT.
                break;
        }
    }

    private void ReplyTracks()
    {
        byte first = packet[6];
        if (first is > 1 and not LeadOut)
        {
            Check(Sense.InvalidField);
            return;
        }

        Span<byte> data = Response(20);
        data[2] = data[3] = 1;
        int at = 4;
        if (first <= 1)
        {
            data[at + 1] = DataTrack;
            data[at + 2] = 1;
            PutAddress(data[(at + 4)..], 0);
            at += 8;
        }

        data[at + 1] = DataTrack;
        data[at + 2] = LeadOut;
        PutAddress(data[(at + 4)..], Sectors);
        at += 8;
        data[1] = (byte)(at - 2);
        Reply(at, Word(7));
    }

    private void ReplyFullToc()
    {
        Span<byte> data = Response(4 + (4 * 11));
        data[1] = 2 + (4 * 11);
        data[2] = data[3] = 1;
        ReadOnlySpan<byte> points = [0xA0, 0xA1, 0xA2, 1];
        for (int i = 0; i < points.Length; i++)
        {
            Span<byte> entry = data.Slice(4 + (11 * i), 11);
            entry[0] = 1;
            entry[1] = DataTrack;
            entry[3] = points[i];
            if (points[i] is 0xA0 or 0xA1)
                entry[8] = 1; // First and last track.
            else
                CdSector.PutMsf(entry[8..], points[i] == 0xA2 ? Sectors : 0);
        }

        Reply(data.Length, Word(7));
    }

    /// <summary>READ SUB-CHANNEL: no audio is ever played; catalogue and recording codes are not on the disc.</summary>
    private void ReplySubChannel()
    {
        const byte NoAudioStatus = 0x15;
        int format = packet[3];
        bool hasData = (packet[2] & 0x40) != 0;
        if (hasData && format is < 1 or > 3)
        {
            Check(Sense.InvalidField);
            return;
        }

        int length = !hasData ? 4 : format == 1 ? 16 : 24;
        Span<byte> data = Response(length);
        data[1] = NoAudioStatus;
        data[3] = (byte)(length - 4);
        if (hasData)
        {
            data[4] = (byte)format;
            if (format != 2)
            {
                data[5] = DataTrack;
                data[6] = 1;
            }

            if (format == 1)
            {
                data[7] = 1;
                PutAddress(data[8..], head);
                PutAddress(data[12..], head);
                if (WantsMsf)
                    CdSector.PutMsf(data[13..], unchecked(head - CdSector.PregapFrames)); // Relative to the track's begin.
            }
        }

        Reply(length, Word(7));
    }

    private void ReplyHeader()
    {
        uint lba = Long(2);
        if (lba >= Sectors)
        {
            Check(Sense.OutOfRange);
            return;
        }

        Span<byte> data = Response(8);
        data[0] = 1;
        PutAddress(data[4..], lba);
        Reply(8, Word(7));
    }

    private void ReplyDiscInformation()
    {
        if ((packet[1] & 7) != 0)
        {
            Check(Sense.InvalidField);
            return;
        }

        Span<byte> data = Response(34);
        data[1] = 32;
        data[2] = 0x0E; // Disc and last session are complete.
        data[3] = data[4] = data[5] = data[6] = 1;
        data[7] = 0x20;
        data[16..24].Fill(0xFF); // No further session.
        Reply(34, Word(7));
    }

    private void ReplyTrackInformation()
    {
        uint address = Long(2);
        bool isThere = (packet[1] & 3) switch
        {
            0 => address < Sectors,
            1 or 2 => address == 1,
            _ => false,
        };
        if (!isThere)
        {
            Check(Sense.InvalidField);
            return;
        }

        Span<byte> data = Response(36);
        data[1] = 34;
        data[2] = data[3] = 1;
        data[5] = 4;
        data[6] = 1;
        BinaryPrimitives.WriteUInt32BigEndian(data[24..], Sectors);
        BinaryPrimitives.WriteUInt32BigEndian(data[28..], Sectors - 1);
        Reply(36, Word(7));
    }

    /// <summary>READ DVD STRUCTURE: physical format and copyright information of a single-layer DVD-ROM without protection.</summary>
    private void ReplyDvdStructure()
    {
        const uint FirstSector = 0x030000;
        if (!IsDvd)
        {
            Check(Sense.IncompatibleFormat);
            return;
        }

        if (packet[6] != 0 || packet[7] > 1)
        {
            Check(Sense.InvalidField);
            return;
        }

        int length = packet[7] == 0 ? 4 + 2048 : 8;
        Span<byte> data = Response(length);
        BinaryPrimitives.WriteUInt16BigEndian(data, (ushort)(length - 2));
        if (packet[7] == 0)
        {
            data[4] = 0x01; // DVD-ROM, part version 1.
            data[5] = 0x0F; // 120 mm, no maximum rate.
            data[6] = 0x01; // One layer of embossed data.
            BinaryPrimitives.WriteUInt32BigEndian(data[8..], FirstSector);
            BinaryPrimitives.WriteUInt32BigEndian(data[12..], FirstSector + Sectors - 1);
        }

        Reply(length, Word(8));
    }

    /// <summary>An address of four bytes in the form asked for.</summary>
    private void PutAddress(Span<byte> destination, uint lba)
    {
        if (!WantsMsf)
        {
            BinaryPrimitives.WriteUInt32BigEndian(destination, lba);
            return;
        }

        destination[0] = 0;
        CdSector.PutMsf(destination[1..], lba);
    }
}
