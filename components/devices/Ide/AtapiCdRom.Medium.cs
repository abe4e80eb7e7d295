using System.Buffers.Binary;
using Plexus.Messaging.Contracts.Storage;

namespace Plexus.Devices;

/// <content>The medium: whether it is in, what it is, its changes; sense data, unit attention and events (MMC-3, 5.3 and 6.7; SPC-2, 7.20).</content>
internal sealed partial class AtapiCdRom
{
    private const byte NewMedia = 2, MediaRemoval = 3;
    private const byte MediaClass = 4;

    /// <summary>A CD of 80 minutes; what is larger is a DVD.</summary>
    private const uint LargestCd = 80 * 60 * 75;

    // Book-keeping.
    private BlockGeometry medium;

    // Volatile state.
    private Sense sense;
    private uint senseAddress;
    private bool wasReset;
    private bool hasChanged;
    private bool knowsMedium;
    private uint changeCount;
    private bool isTrayOpen;
    private bool isLocked;
    private byte mediaEvent;

    private uint Sectors => (uint)Math.Min((medium.Bytes + CdSector.UserBytes - 1) / CdSector.UserBytes, int.MaxValue);

    private bool IsDvd => Sectors > LargestCd;

    /// <summary>Asks what is in the drive and notes a change since the last look.</summary>
    private void LookAtMedium()
    {
        medium = Link.Describe();
        bool isNew = knowsMedium && medium.ChangeCount != changeCount;
        knowsMedium = true;
        changeCount = medium.ChangeCount;
        if (!isNew)
            return;
        hasChanged = medium.Present;
        mediaEvent = medium.Present ? NewMedia : MediaRemoval;
        head = 0;
        isTrayOpen = !medium.Present;
    }

    /// <summary>Takes the unit attention that is pending: the reset first, then the change.</summary>
    private Sense TakeAttention()
    {
        Sense attention = wasReset ? Sense.WasReset : hasChanged ? Sense.MediumChanged : Sense.None;
        hasChanged &= wasReset;
        wasReset = false;
        return attention;
    }

    private void ReplySense()
    {
        Sense reason = sense != Sense.None ? sense : TakeAttention();
        Span<byte> data = Response(18);
        data[0] = (byte)(0x70 | (reason.Key == Sense.UnrecoveredRead.Key ? 0x80 : 0));
        data[2] = reason.Key;
        BinaryPrimitives.WriteUInt32BigEndian(data[3..], senseAddress);
        data[7] = 10;
        data[12] = reason.Code;
        data[13] = reason.Qualifier;
        sense = Sense.None;
        senseAddress = 0;
        Reply(18, packet[4]);
    }

    /// <summary>START STOP UNIT: spinning is not modelled; load and eject are.</summary>
    private void StartOrStop()
    {
        const byte LoadEject = 2, Start = 1;
        switch (packet[4] & (LoadEject | Start))
        {
            case LoadEject when isLocked:
                Check(Sense.RemovalPrevented);
                return;
            case LoadEject:
                if (Link.Eject() != StorageStatus.Ok)
                {
                    Check(Sense.EjectFailed);
                    return;
                }

                LookAtMedium();
                isTrayOpen = true;
                break;
            case LoadEject | Start:
                isTrayOpen = false;
                break;
            case Start when !medium.Present:
                Check(isTrayOpen ? Sense.NoMediumTrayOpen : Sense.NoMediumTrayClosed);
                return;
            default:
                break;
        }

        Complete();
    }

    /// <summary>GET EVENT STATUS NOTIFICATION, polled, for the media class.</summary>
    private void ReplyEvents()
    {
        if ((packet[1] & 1) == 0)
        {
            Check(Sense.InvalidField);
            return;
        }

        bool isMedia = (packet[4] & (1 << MediaClass)) != 0;
        int length = isMedia ? 8 : 4;
        Span<byte> data = Response(length);
        data[1] = (byte)(length - 2);
        data[2] = isMedia ? MediaClass : (byte)0x80;
        data[3] = 1 << MediaClass;
        if (isMedia)
        {
            data[4] = mediaEvent;
            data[5] = (byte)((isTrayOpen ? 1 : 0) | (medium.Present ? 2 : 0));
            if (Word(7) > 4)
                mediaEvent = 0;
        }

        Reply(length, Word(7));
    }

    /// <summary>Zeroed bytes at the beginning of the buffer.</summary>
    private Span<byte> Response(int length)
    {
        Span<byte> data = Buffer.AsSpan(0, length);
        data.Clear();
        return data;
    }

    private void SaveMedium(StateWriter writer)
    {
        writer.Byte(sense.Key);
        writer.Byte(sense.Code);
        writer.Byte(sense.Qualifier);
        writer.Int32(unchecked((int)senseAddress));
        writer.Bool(wasReset);
        writer.Bool(hasChanged);
        writer.Bool(knowsMedium);
        writer.Int32(unchecked((int)changeCount));
        writer.Bool(isTrayOpen);
        writer.Bool(isLocked);
        writer.Byte(mediaEvent);
        writer.UInt64(medium.Bytes);
        writer.Bool(medium.Present);
    }

    private void RestoreMedium(ref StateReader reader)
    {
        sense = new Sense(reader.Byte(), reader.Byte(), reader.Byte());
        senseAddress = unchecked((uint)reader.Int32());
        wasReset = reader.Bool();
        hasChanged = reader.Bool();
        knowsMedium = reader.Bool();
        changeCount = unchecked((uint)reader.Int32());
        isTrayOpen = reader.Bool();
        isLocked = reader.Bool();
        mediaEvent = reader.Byte();
        medium = new BlockGeometry { Bytes = reader.UInt64(), Present = reader.Bool() };
    }
}
