using System.Buffers.Binary;
using static Plexus.Devices.PacketCommands;

namespace Plexus.Devices;

/// <content>MODE SENSE and MODE SELECT (MMC-3, 5.5 and 6.1): error recovery, audio control, power condition, capabilities. GET CONFIGURATION (5.3).</content>
internal sealed partial class AtapiCdRom
{
    private const byte RecoveryPage = 0x01, AudioPage = 0x0E, PowerPage = 0x1A, CapabilitiesPage = 0x2A, AllPages = 0x3F;
    private const ushort CdRomProfile = 0x0008, DvdRomProfile = 0x0010;

    /// <summary>48 times the rate of an audio CD, in kB/s.</summary>
    private const ushort Speed = 48 * 176;

    /// <summary>The pages that can be changed, one behind the other, as they are by default.</summary>
    private static readonly byte[] DefaultPages =
    [
        RecoveryPage, 6, 0, 5, 0, 0, 0, 0,
        AudioPage, 14, 4, 0, 0, 0, 0, 0, 1, 0xFF, 2, 0xFF, 0, 0, 0, 0,
        PowerPage, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];

    /// <summary>Which bits MODE SELECT changes.</summary>
    private static readonly byte[] Changeable =
    [
        RecoveryPage, 6, 0xFF, 0xFF, 0, 0, 0, 0,
        AudioPage, 14, 2, 0, 0, 0, 0, 0, 0x0F, 0xFF, 0x0F, 0xFF, 0x0F, 0xFF, 0x0F, 0xFF,
        PowerPage, 10, 0, 3, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    ];

    // Volatile state.
    private readonly byte[] pages = [.. DefaultPages];

    private byte MediumType => medium.Present ? (byte)0x01 : isTrayOpen ? (byte)0x71 : (byte)0x70;

    private ushort Profile => !medium.Present ? (ushort)0 : IsDvd ? DvdRomProfile : CdRomProfile;

    private void ResetPages() => DefaultPages.CopyTo(pages, 0);

    private void SensePages()
    {
        int control = packet[2] >> 6;
        if (control == 3)
        {
            Check(Sense.SavingNotSupported);
            return;
        }

        bool isLong = packet[0] == ModeSense10;
        int header = isLong ? 8 : 4;
        byte wanted = (byte)(packet[2] & AllPages);
        Span<byte> data = Response(256);
        int at = header;
        ReadOnlySpan<byte> source = control == 1 ? Changeable : control == 2 ? DefaultPages : pages;
        for (int page = 0; page < source.Length; page += 2 + source[page + 1])
        {
            if (wanted != AllPages && wanted != source[page])
                continue;
            source.Slice(page, 2 + source[page + 1]).CopyTo(data[at..]);
            at += 2 + source[page + 1];
        }

        if (wanted is AllPages or CapabilitiesPage)
            at += PutCapabilities(data[at..], isChangeable: control == 1);
        if (at == header)
        {
            Check(Sense.InvalidField);
            return;
        }

        if (isLong)
        {
            BinaryPrimitives.WriteUInt16BigEndian(data, (ushort)(at - 2));
            data[2] = MediumType;
        }
        else
        {
            data[0] = (byte)(at - 1);
            data[1] = MediumType;
        }

        Reply(at, isLong ? Word(7) : packet[4]);
    }

    /// <summary>Capabilities and mechanical status page: reads CD-R, CD-RW and DVD-ROM; locks and ejects; a tray; no audio.</summary>
    private int PutCapabilities(Span<byte> page, bool isChangeable)
    {
        const int Length = 20;
        page[0] = CapabilitiesPage;
        page[1] = Length - 2;
        if (isChangeable)
            return Length;
        page[2] = 0x0B;
        page[4] = 0x40;
        page[6] = (byte)(0x29 | (isLocked ? 2 : 0));
        BinaryPrimitives.WriteUInt16BigEndian(page[8..], Speed);
        BinaryPrimitives.WriteUInt16BigEndian(page[12..], BufferSize >> 10);
        BinaryPrimitives.WriteUInt16BigEndian(page[14..], Speed);
        return Length;
    }

    private void AskForPages()
    {
        expected = packet[0] == ModeSelect10 ? (int)Word(7) : packet[4];
        if ((packet[1] & 1) != 0)
        {
            Check(Sense.InvalidField); // Nothing is saved.
            return;
        }

        if (expected == 0)
        {
            Complete();
            return;
        }

        stage = PacketStage.DataOut;
        EmptyBuffer();
        if (isDma)
            MoveFromMemory();
        else
            AskForBlock();
    }

    /// <summary>Takes the pages that MODE SELECT brought: all of them or none.</summary>
    private void SelectPages()
    {
        bool isLong = packet[0] == ModeSelect10;
        ReadOnlySpan<byte> data = Buffer.AsSpan(0, expected);
        int header = isLong ? 8 : 4;
        int descriptors = data.Length < header ? 0 : isLong ? BinaryPrimitives.ReadUInt16BigEndian(data[6..]) : data[3];
        if (data.Length < header + descriptors)
        {
            Check(Sense.ParameterListLength);
            return;
        }

        Span<byte> changed = stackalloc byte[DefaultPages.Length];
        pages.CopyTo(changed);
        for (int at = header + descriptors; at < data.Length; at += 2 + data[at + 1])
        {
            if (at + 2 > data.Length || at + 2 + data[at + 1] > data.Length)
            {
                Check(Sense.ParameterListLength);
                return;
            }

            if (!TrySelect(data.Slice(at, 2 + data[at + 1]), changed))
            {
                Check(Sense.InvalidParameter);
                return;
            }
        }

        changed.CopyTo(pages);
        Complete();
    }

    private static bool TrySelect(ReadOnlySpan<byte> page, Span<byte> into)
    {
        for (int at = 0; at < into.Length; at += 2 + into[at + 1])
        {
            if (into[at] != (page[0] & AllPages))
                continue;
            if (into[at + 1] != page[1])
                return false;
            for (int i = 2; i < page.Length; i++)
                into[at + i] = (byte)((into[at + i] & ~Changeable[at + i]) | (page[i] & Changeable[at + i]));
            return true;
        }

        return false;
    }

    private void ReplyConfiguration()
    {
        int kind = packet[1] & 3;
        uint from = Word(2);
        if (kind == 3)
        {
            Check(Sense.InvalidField);
            return;
        }

        Span<byte> data = Response(128);
        int at = 8;
        bool isCd = Profile == CdRomProfile;
        bool isDvd = Profile == DvdRomProfile;
        Feature(data, 0x0000, 0x03, true, [DvdRomProfile >> 8, (byte)DvdRomProfile, isDvd ? (byte)1 : (byte)0, 0, CdRomProfile >> 8, (byte)CdRomProfile, isCd ? (byte)1 : (byte)0, 0]);
        Feature(data, 0x0001, 0x07, true, [0, 0, 0, 2, 0, 0, 0, 0]); // Core: ATAPI.
        Feature(data, 0x0002, 0x07, true, [0x02, 0, 0, 0]); // Morphing: events are polled.
        Feature(data, 0x0003, 0x03, true, [0x29, 0, 0, 0]); // Removable medium: tray, ejects, locks.
        Feature(data, 0x0010, 0x00, medium.Present, [0, 0, CdSector.UserBytes >> 8, 0, 0, 1, 0, 0]); // Random readable, one block at least.
        Feature(data, 0x001E, 0x08, isCd, [0, 0, 0, 0]);
        Feature(data, 0x001F, 0x00, isDvd, []);
        Feature(data, 0x0100, 0x03, true, []); // Power management.
        Feature(data, 0x0105, 0x03, true, []); // Time-out.
        BinaryPrimitives.WriteUInt32BigEndian(data, (uint)(at - 4));
        BinaryPrimitives.WriteUInt16BigEndian(data[6..], Profile);
        Reply(at, Word(7));

        void Feature(Span<byte> to, ushort code, byte flags, bool isCurrent, ReadOnlySpan<byte> body)
        {
            bool isWanted = kind == 2 ? code == from : code >= from && (kind == 0 || isCurrent);
            if (!isWanted)
                return;
            BinaryPrimitives.WriteUInt16BigEndian(to[at..], code);
            to[at + 2] = (byte)((flags & ~1) | (isCurrent ? 1 : 0));
            to[at + 3] = (byte)body.Length;
            body.CopyTo(to[(at + 4)..]);
            at += 4 + body.Length;
        }
    }
}
