using static Plexus.Devices.AtaRegisters;
using static Plexus.Devices.PacketCommands;

namespace Plexus.Devices;

/// <content>
/// The PACKET protocol: 12 bytes of command, then data by blocks of at most the byte count limit or by DMA, then the completion; the interrupt reason in the sector count register
/// tells the host which of them it is asked for.
/// </content>
internal sealed partial class AtapiCdRom
{
    private const int PacketBytes = 12;

    // Volatile state.
    private readonly byte[] packet = new byte[PacketBytes];
    private PacketStage stage;
    private bool isDma;
    private int byteLimit;

    /// <summary>Bytes of parameters that MODE SELECT announced.</summary>
    private int expected;

    /// <inheritdoc/>
    protected override void Continue(ulong now)
    {
        switch (stage)
        {
            case PacketStage.Execute:
                ExecutePacket(now);
                break;
            case PacketStage.Seek:
                Complete();
                break;
            case PacketStage.DataIn when isDma:
                MoveToMemory(now);
                break;
            case PacketStage.DataIn:
                OfferBlock();
                break;
            case PacketStage.DataOut when isDma:
                MoveFromMemory();
                break;
            case PacketStage.DataOut when Position < expected:
                AskForBlock();
                break;
            case PacketStage.DataOut:
                SelectPages();
                break;
            default:
                Fail(Aborted);
                break;
        }
    }

    /// <inheritdoc/>
    protected override void BlockTaken(ulong now)
    {
        if (stage == PacketStage.None)
            Finish(interrupt: false); // IDENTIFY PACKET DEVICE.
        else
            Work(DrivePhase.Working, now, Position == Filled && sectorsLeft != 0 ? DriveTiming.Transfer((long)PieceSectors * CdSector.UserBytes) : DriveTiming.Turnaround);
    }

    /// <inheritdoc/>
    protected override void BlockGiven(ulong now)
    {
        if (stage == PacketStage.Packet)
        {
            Buffer.AsSpan(0, PacketBytes).CopyTo(packet);
            EmptyBuffer();
            stage = PacketStage.Execute;
            Work(DrivePhase.Working, now, DriveTiming.Overhead);
            return;
        }

        Work(DrivePhase.Working, now, DriveTiming.Turnaround);
    }

    private void AskForPacket()
    {
        isDma = (Registers.Feature & FeatureDma) != 0;
        byteLimit = Registers.Cylinder;
        if ((Registers.Feature & FeatureOverlap) != 0 || (isDma && !hasDma))
        {
            Fail(Aborted);
            return;
        }

        stage = PacketStage.Packet;
        Position = 0;
        Filled = BlockEnd = PacketBytes;
        Registers.Count = CommandOrData;
        Offer(DrivePhase.DataOut, interrupt: false);
    }

    private void ExecutePacket(ulong now)
    {
        isStandby = false;
        LookAtMedium();
        byte operation = packet[0];
        if (operation is not (Inquiry or RequestSense or GetConfiguration or GetEventStatus) && TakeAttention() is var attention && attention != Sense.None)
        {
            Check(attention);
            return;
        }

        if (NeedsMedium(operation) && !medium.Present)
        {
            Check(isTrayOpen ? Sense.NoMediumTrayOpen : Sense.NoMediumTrayClosed);
            return;
        }

        if (operation == RequestSense)
        {
            ReplySense();
            return;
        }

        sense = Sense.None;
        senseAddress = 0;
        switch (operation)
        {
            case TestUnitReady or SetCdSpeed:
                Complete();
                break;
            case Inquiry:
                ReplyInquiry();
                break;
            case StartStopUnit:
                StartOrStop();
                break;
            case PreventAllow:
                isLocked = (packet[4] & 1) != 0;
                Complete();
                break;
            case Read10:
                Read(Long(2), Word(7), now);
                break;
            case Read12:
                Read(Long(2), Long(6), now);
                break;
            case Seek10:
                Seek(now);
                break;
            case ReadCd or ReadCdMsf:
                ReadRaw(now);
                break;
            case ModeSense6 or ModeSense10:
                SensePages();
                break;
            case ModeSelect6 or ModeSelect10:
                AskForPages();
                break;
            case GetConfiguration:
                ReplyConfiguration();
                break;
            case GetEventStatus:
                ReplyEvents();
                break;
            default:
                ExecuteDisc(operation);
                break;
        }
    }

    private static bool NeedsMedium(byte operation) =>
        operation is TestUnitReady or ReadCapacity or Read10 or Read12 or Seek10 or ReadSubChannel or ReadToc or ReadHeader or ReadDiscInformation or ReadTrackInformation
            or ReadDvdStructure or ReadCd or ReadCdMsf;

    private uint Word(int at) => ((uint)packet[at] << 8) | packet[at + 1];

    private uint Long(int at) => (Word(at) << 16) | Word(at + 2);

    /// <summary>Ends with good status.</summary>
    private void Complete()
    {
        stage = PacketStage.None;
        Registers.Count = CommandOrData | ToHost;
        Finish();
    }

    /// <summary>Ends with CHECK CONDITION: the sense key is in the error register, the rest for REQUEST SENSE.</summary>
    private void Check(Sense reason, uint address = 0)
    {
        sense = reason;
        senseAddress = address;
        stage = PacketStage.None;
        sectorsLeft = 0;
        Registers.Count = CommandOrData | ToHost;
        Fail((byte)((reason.Key << 4) | (reason.Key == Sense.IllegalRequest ? Aborted : 0)));
    }

    /// <summary>Ends a command that has data to move and, with a byte count limit of 0, no way to move it.</summary>
    private void Abandon()
    {
        stage = PacketStage.None;
        sectorsLeft = 0;
        Registers.Count = CommandOrData | ToHost;
        Fail(Aborted);
    }

    /// <summary>Answers with what lies at the beginning of the buffer.</summary>
    /// <param name="length">Bytes there are.</param>
    /// <param name="allocation">Bytes the host has room for.</param>
    private void Reply(int length, uint allocation)
    {
        EmptyBuffer();
        Filled = (int)Math.Min((uint)length, allocation);
        if (Filled == 0)
        {
            Complete();
            return;
        }

        BeginData();
    }

    /// <summary>Begins to move data that is in the buffer.</summary>
    private void BeginData()
    {
        stage = PacketStage.DataIn;
        if (isDma)
            MoveToMemory(0);
        else
            OfferBlock();
    }

    /// <summary>The largest block that the limit allows: even, and of whole sectors where it can be.</summary>
    private int LargestBlock(int unit)
    {
        int limit = byteLimit == 0xFFFF ? 0xFFFE : byteLimit & ~1;
        return limit >= unit ? limit / unit * unit : limit;
    }

    private void OfferBlock()
    {
        if (Position == Filled)
        {
            if (sectorsLeft == 0)
            {
                Complete();
                return;
            }

            if (!TryFetch())
                return;
        }

        int left = Filled - Position;
        int length = byteLimit >= left && byteLimit != 0 ? left : LargestBlock(SectorBytes);
        if (length == 0)
        {
            Abandon();
            return;
        }

        BlockEnd = Position + Math.Min(length, left);
        Registers.Cylinder = BlockEnd - Position;
        Registers.Count = ToHost;
        Offer(DrivePhase.DataIn, interrupt: true);
    }

    private void MoveToMemory(ulong now)
    {
        if (Position == Filled)
        {
            if (sectorsLeft == 0)
            {
                Complete();
                return;
            }

            if (!TryFetch())
                return;
        }

        Position += Channel?.Dma?.ToMemory(Buffer.AsSpan(Position, Filled - Position)) ?? 0;
        BlockEnd = Filled;
        if (Position < Filled)
        {
            Registers.Count = ToHost;
            AwaitDma();
        }
        else if (sectorsLeft == 0)
        {
            Complete();
        }
        else
        {
            Work(DrivePhase.Working, now, DriveTiming.Transfer((long)PieceSectors * CdSector.UserBytes));
        }
    }

    private void MoveFromMemory()
    {
        Filled = BlockEnd = expected;
        Position += Channel?.Dma?.FromMemory(Buffer.AsSpan(Position, Filled - Position)) ?? 0;
        if (Position < Filled)
        {
            Registers.Count = 0;
            AwaitDma();
        }
        else
        {
            SelectPages();
        }
    }

    private void AskForBlock()
    {
        int length = Math.Min(expected - Position, byteLimit >= expected - Position ? expected : LargestBlock(2));
        if (length == 0)
        {
            Abandon();
            return;
        }

        Filled = expected;
        BlockEnd = Position + length;
        Registers.Cylinder = length;
        Registers.Count = 0;
        Offer(DrivePhase.DataOut, interrupt: true);
    }

    private void SavePacket(StateWriter writer)
    {
        writer.Bytes(packet);
        writer.Byte((byte)stage);
        writer.Bool(isDma);
        writer.Int32(byteLimit);
        writer.Int32(expected);
        writer.Int32(unchecked((int)next));
        writer.Int32(unchecked((int)head));
        writer.Int32(unchecked((int)sectorsLeft));
        writer.Byte(readFlags);
    }

    private void RestorePacket(ref StateReader reader)
    {
        reader.Fill(packet, "A packet is not whole.");
        stage = (PacketStage)reader.Byte();
        isDma = reader.Bool();
        byteLimit = reader.Int32(0, ushort.MaxValue);
        expected = reader.Int32(0, ushort.MaxValue);
        next = unchecked((uint)reader.Int32());
        head = unchecked((uint)reader.Int32());
        sectorsLeft = unchecked((uint)reader.Int32());
        readFlags = reader.Byte();
        bool isOdd = (stage == PacketStage.Packet && (Filled != PacketBytes || Phase != DrivePhase.DataOut)) || (stage == PacketStage.DataOut && Position > expected);
        if (stage > PacketStage.Seek || isOdd || (sectorsLeft != 0 && CdSector.Length(readFlags) == 0))
            throw new InvalidDataException("A packet command contradicts itself.");
    }
}
