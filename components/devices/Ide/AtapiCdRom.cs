using static Plexus.Devices.AtaCommands;
using static Plexus.Devices.AtaRegisters;

namespace Plexus.Devices;

/// <summary>
/// An ATAPI CD-ROM drive: the packet feature set (ATA/ATAPI-6, 6.8 and 9.8) with the commands of MMC-3. A medium is one Mode 1 track in one session;
/// one that is larger than a CD counts as a DVD-ROM.
/// </summary>
/// <param name="link">The drive on the fabric.</param>
/// <param name="number">0 for the channel's master, 1 for its slave.</param>
/// <param name="hasDma">Somebody answers DMARQ.</param>
internal sealed partial class AtapiCdRom(DriveLink link, int number, bool hasDma) : IdeDrive(link, number)
{
    private const byte FeatureDma = 0x01, FeatureOverlap = 0x02;

    // Volatile state.
    private bool isReady;
    private byte dmaMode;
    private bool isStandby;

    /// <inheritdoc/>
    protected override bool IsPacketDevice => true;

    /// <inheritdoc/>
    protected override int Signature => 0xEB14;

    /// <inheritdoc/>
    /// <remarks>Nothing is ready after a reset until the first command.</remarks>
    protected override byte IdleStatus => isReady ? AtaRegisters.Idle : (byte)0;

    /// <inheritdoc/>
    protected override ulong Accept(byte command, ulong now)
    {
        isReady = true;
        stage = PacketStage.None;
        return command == Packet ? DriveTiming.Turnaround : DriveTiming.Overhead;
    }

    /// <inheritdoc/>
    protected override void Execute(byte command, ulong now)
    {
        switch (command)
        {
            case Packet:
                AskForPacket();
                break;
            case IdentifyPacket:
                Filled = BlockEnd = 512;
                DescribeDevice(Buffer.AsSpan(0, 512));
                Offer(DrivePhase.DataIn, interrupt: true);
                break;
            case Identify or AtaCommands.ReadSectors:
                // What tells disk drivers that this is none (8.15.5, 8.34.5).
                Registers.Count = 1;
                Registers.Sector = 1;
                Registers.Cylinder = Signature;
                Fail(Aborted);
                break;
            case AtaCommands.SetFeatures:
                SetFeatures();
                break;
            case CheckPower:
                Registers.Count = isStandby ? (byte)0x00 : (byte)0xFF;
                Finish();
                break;
            case IdleImmediate:
                isStandby = false;
                Finish();
                break;
            case StandbyImmediate:
                isStandby = true;
                Finish();
                break;
            case Sleep:
                isStandby = true;
                FinishAsleep();
                break;
            default:
                Fail(Aborted);
                break;
        }
    }

    /// <inheritdoc/>
    protected override void ResetSettings(DriveReset kind)
    {
        isReady = false;
        stage = PacketStage.None;
        sectorsLeft = 0;
        if (kind == DriveReset.Diagnostic)
            return;
        sense = Sense.None;
        senseAddress = 0;
        wasReset = true;
        isLocked = false;
        Array.Clear(packet);
        isDma = false;
        byteLimit = 0;
        readFlags = 0;
        expected = 0;
        ResetPages();
        if (kind < DriveReset.Hardware)
            return;
        dmaMode = 0;
        isStandby = false;
        head = next = 0;
        isTrayOpen = false;
        mediaEvent = 0;
        hasChanged = false;
        if (kind != DriveReset.PowerOn)
            return;
        knowsMedium = false;
        changeCount = 0;
    }

    /// <inheritdoc/>
    protected override void SaveDrive(StateWriter writer)
    {
        writer.Bool(isReady);
        writer.Byte(dmaMode);
        writer.Bool(isStandby);
        SavePacket(writer);
        SaveMedium(writer);
        writer.Bytes(pages);
    }

    /// <inheritdoc/>
    protected override void RestoreDrive(ref StateReader reader)
    {
        isReady = reader.Bool();
        dmaMode = reader.Byte();
        isStandby = reader.Bool();
        RestorePacket(ref reader);
        RestoreMedium(ref reader);
        reader.Fill(pages, "A CD-ROM drive's mode pages are not whole.");
    }

    private void SetFeatures()
    {
        byte mode = Registers.Count;
        switch (Registers.Feature)
        {
            case 0x03 when mode is 0x00 or 0x01 or (>= 0x08 and <= 0x0C):
                Finish();
                break;
            case 0x03 when hasDma && mode is (>= 0x20 and <= 0x22) or (>= 0x40 and <= 0x45):
                dmaMode = mode;
                Finish();
                break;
            case 0x66 or 0xCC: // There is no setting that a software reset would leave or take.
                Finish();
                break;
            default:
                Fail(Aborted);
                break;
        }
    }

    /// <summary>IDENTIFY PACKET DEVICE (8.16).</summary>
    private void DescribeDevice(Span<byte> page)
    {
        page.Clear();
        var words = new IdentifyWords(page);
        words[0] = 0x85C0; // A packet device, a CD-ROM drive, removable, ready for a packet within 50 µs, packets of 12 bytes.
        words.Text(10, 10, Link.Name);
        words.Text(23, 4, "1.0");
        words.Text(27, 20, "PLEXUS CD-ROM");
        words[49] = (ushort)(0x0E00 | (hasDma ? 0x0100 : 0));
        words[50] = 0x4000;
        words[51] = 0x0200;
        words[52] = 0x0200;
        words[53] = 0x0006;
        words[64] = 0x0003;
        for (int i = 65; i <= 68; i++)
            words[i] = 120;
        words[80] = 0x007C; // ATA-2 to ATA/ATAPI-6.
        words[81] = 0x0022;
        words[82] = 0x4218; // NOP, DEVICE RESET, PACKET, power management.
        words[83] = 0x4000;
        words[84] = 0x4000;
        words[85] = 0x4218;
        words[87] = 0x4000;
        if (hasDma)
        {
            words[63] = IdentifyWords.DmaModes(0x0007, 0x20, dmaMode);
            words[88] = IdentifyWords.DmaModes(0x003F, 0x40, dmaMode);
        }

        words[93] = IdentifyWords.ResetResult(Number);
        words.PutChecksum();
    }
}
