using static Plexus.Devices.AtaRegisters;

namespace Plexus.Devices;

/// <summary>
/// What disks and packet devices on an IDE channel have in common: registers, status, the data register, resets, and the time that everything takes
/// (ATA/ATAPI-6, clauses 7 and 9).
/// </summary>
/// <param name="link">The drive on the fabric.</param>
/// <param name="number">0 for the channel's master, 1 for its slave.</param>
internal abstract class IdeDrive(DriveLink link, int number)
{
    /// <summary>The largest piece in which data goes to and from the medium: 128 sectors of 512 bytes.</summary>
    protected const int BufferSize = 64 << 10;

    private byte status;
    private byte error;

    /// <summary>The drive on the fabric.</summary>
    public DriveLink Link { get; } = link;

    /// <summary>The channel it is connected to.</summary>
    public IdeChannel? Channel { get; set; }

    /// <summary>Guest time of the next event; <see cref="ulong.MaxValue"/> for none.</summary>
    public ulong Deadline { get; private set; } = ulong.MaxValue;

    /// <summary>An interrupt is pending; it is on INTRQ while the drive is selected and interrupts are on.</summary>
    public bool Interrupt { get; private set; }

    /// <summary>The status register, read without side effects.</summary>
    public byte CurrentStatus => status;

    /// <summary>0 for the channel's master, 1 for its slave.</summary>
    protected int Number { get; } = number;

    /// <summary>What the host has written.</summary>
    protected TaskFile Registers { get; } = new();

    /// <summary>Data on its way.</summary>
    protected byte[] Buffer { get; } = new byte[BufferSize];

    /// <summary>Bytes of <see cref="Buffer"/> in use.</summary>
    protected int Filled { get; set; }

    /// <summary>Next byte of <see cref="Buffer"/> that the host moves.</summary>
    protected int Position { get; set; }

    /// <summary>Where the host's block of data ends in <see cref="Buffer"/>.</summary>
    protected int BlockEnd { get; set; }

    /// <summary>What it is doing.</summary>
    protected DrivePhase Phase { get; private set; }

    /// <summary>The command in progress, or the last one.</summary>
    protected byte CurrentCommand { get; private set; }

    /// <summary>The drive takes PACKET and DEVICE RESET.</summary>
    protected abstract bool IsPacketDevice { get; }

    /// <summary>LBA mid and high after a reset.</summary>
    protected abstract int Signature { get; }

    /// <summary>Status of the drive when it has nothing to do.</summary>
    protected abstract byte IdleStatus { get; }

    private bool IsBusy => (status & (Busy | DataRequest)) != 0;

    /// <summary>Reads a command block register other than data.</summary>
    public byte ReadRegister(int register, bool highOrder) => register switch
    {
        Error => error,
        Status => status,
        _ => Registers.Read(register, highOrder),
    };

    /// <summary>Writes a command block register other than data and command. A drive that is busy does not hear it.</summary>
    public void WriteRegister(int register, byte value)
    {
        if (!IsBusy)
            Registers.Write(register, value);
    }

    /// <summary>Takes the pending interrupt back, as a read of the status register does.</summary>
    public void AcknowledgeInterrupt() => SetInterrupt(false);

    /// <summary>Writes the command register of this drive.</summary>
    public void WriteCommand(byte command, ulong now)
    {
        SetInterrupt(false);
        if (command == AtaCommands.DeviceReset && IsPacketDevice && Phase is not (DrivePhase.ResetHeld or DrivePhase.Resetting))
        {
            BeginResetting(command, DriveTiming.After(now, DriveTiming.Overhead));
            return;
        }

        if (IsBusy || Phase == DrivePhase.Asleep)
            return;
        CurrentCommand = command;
        error = 0;
        EmptyBuffer();
        Work(DrivePhase.Command, now, Accept(command, now));
    }

    /// <summary>EXECUTE DEVICE DIAGNOSTIC, which both drives of a channel carry out.</summary>
    public void Diagnose(ulong now)
    {
        SetInterrupt(false);
        if (Phase is not (DrivePhase.ResetHeld or DrivePhase.Resetting or DrivePhase.Asleep))
            BeginResetting(AtaCommands.ExecuteDiagnostic, DriveTiming.After(now, DriveTiming.Reset));
    }

    /// <summary>SRST was set.</summary>
    public void HoldReset()
    {
        BeginResetting(AtaCommands.Nop, ulong.MaxValue);
        Phase = DrivePhase.ResetHeld;
    }

    /// <summary>SRST was cleared.</summary>
    public void ReleaseReset(ulong now)
    {
        if (Phase == DrivePhase.ResetHeld)
            BeginResetting(AtaCommands.Nop, DriveTiming.After(now, DriveTiming.Reset));
    }

    /// <summary>RESET- was pulsed, or the power came on. It takes no time.</summary>
    public void HardwareReset(bool cold)
    {
        BeginResetting(AtaCommands.Nop, ulong.MaxValue);
        ResetSettings(cold ? DriveReset.PowerOn : DriveReset.Hardware);
        EndResetting();
    }

    /// <summary>Carries out what is due.</summary>
    /// <param name="now">Guest time; the deadline.</param>
    public void RunDeadline(ulong now)
    {
        Deadline = ulong.MaxValue;
        switch (Phase)
        {
            case DrivePhase.Command:
                Execute(CurrentCommand, now);
                break;
            case DrivePhase.Working or DrivePhase.DmaWait:
                Continue(now);
                break;
            case DrivePhase.Resetting:
                ResetSettings(CurrentCommand == AtaCommands.ExecuteDiagnostic ? DriveReset.Diagnostic : CurrentCommand == AtaCommands.DeviceReset ? DriveReset.Command : DriveReset.Software);
                EndResetting();
                break;
            default:
                break;
        }
    }

    /// <summary>The bus master began to run, or may run again.</summary>
    public void WakeDma(ulong now)
    {
        if (Phase == DrivePhase.DmaWait)
            Deadline = DriveTiming.After(now, DriveTiming.Turnaround);
    }

    /// <summary>Reads the data register.</summary>
    public uint ReadData(int width, ulong now)
    {
        if (width == 4)
            return ReadData(2, now) | (ReadData(2, now) << 16);
        if (Phase != DrivePhase.DataIn)
            return width == 1 ? byte.MaxValue : ushort.MaxValue;
        uint value = 0;
        for (int i = 0; i < width && Position < BlockEnd; i++)
            value |= (uint)Buffer[Position++] << (8 * i);
        if (Position == BlockEnd)
            BlockTaken(now);
        return value;
    }

    /// <summary>Writes the data register.</summary>
    public void WriteData(int width, uint value, ulong now)
    {
        if (width == 4)
        {
            WriteData(2, value & ushort.MaxValue, now);
            WriteData(2, value >> 16, now);
            return;
        }

        if (Phase != DrivePhase.DataOut)
            return;
        for (int i = 0; i < width && Position < BlockEnd; i++)
            Buffer[Position++] = (byte)(value >> (8 * i));
        if (Position == BlockEnd)
            BlockGiven(now);
    }

    /// <summary>Reads the data register repeatedly, but not to the end of the block.</summary>
    public int ReadDataBlock(int width, Span<byte> destination)
    {
        int length = Phase == DrivePhase.DataIn ? WithinBlock(width, destination.Length) : 0;
        Buffer.AsSpan(Position, length).CopyTo(destination);
        Position += length;
        return length;
    }

    /// <summary>Writes the data register repeatedly, but not to the end of the block.</summary>
    public int WriteDataBlock(int width, ReadOnlySpan<byte> source)
    {
        int length = Phase == DrivePhase.DataOut ? WithinBlock(width, source.Length) : 0;
        source[..length].CopyTo(Buffer.AsSpan(Position));
        Position += length;
        return length;
    }

    public void Save(StateWriter writer)
    {
        Registers.Save(writer);
        writer.Byte(status);
        writer.Byte(error);
        writer.Byte(CurrentCommand);
        writer.Byte((byte)Phase);
        writer.Bool(Interrupt);
        writer.UInt64(Deadline);
        writer.Bytes(Buffer.AsSpan(0, Filled));
        writer.Int32(Position);
        writer.Int32(BlockEnd);
        SaveDrive(writer);
    }

    public void Restore(ref StateReader reader)
    {
        Registers.Restore(ref reader);
        status = reader.Byte();
        error = reader.Byte();
        CurrentCommand = reader.Byte();
        Phase = (DrivePhase)reader.Byte();
        Interrupt = reader.Bool();
        Deadline = reader.UInt64();
        ReadOnlySpan<byte> data = reader.Bytes(BufferSize);
        data.CopyTo(Buffer);
        Filled = data.Length;
        Position = reader.Int32(0, Filled);
        BlockEnd = reader.Int32(Position, Filled);
        bool hasBlock = Phase is DrivePhase.DataIn or DrivePhase.DataOut;
        bool isBusy = Phase is DrivePhase.Command or DrivePhase.Working or DrivePhase.Resetting or DrivePhase.ResetHeld;
        if (Phase > DrivePhase.Asleep || (hasBlock && Position == BlockEnd) || isBusy != ((status & Busy) != 0) || (hasBlock || Phase == DrivePhase.DmaWait) != ((status & DataRequest) != 0))
            throw new InvalidDataException("An IDE drive's state contradicts itself.");
        RestoreDrive(ref reader);
    }

    /// <summary>A command was written: how long until it begins, in nanoseconds.</summary>
    protected abstract ulong Accept(byte command, ulong now);

    /// <summary>A command begins.</summary>
    protected abstract void Execute(byte command, ulong now);

    /// <summary>The command goes on.</summary>
    protected abstract void Continue(ulong now);

    /// <summary>The host has read the block.</summary>
    protected abstract void BlockTaken(ulong now);

    /// <summary>The host has written the block.</summary>
    protected abstract void BlockGiven(ulong now);

    /// <summary>Settings go back as the kind of reset demands.</summary>
    protected abstract void ResetSettings(DriveReset kind);

    protected abstract void SaveDrive(StateWriter writer);

    protected abstract void RestoreDrive(ref StateReader reader);

    /// <summary>Becomes busy until a moment.</summary>
    protected void Work(DrivePhase phase, ulong now, ulong delay)
    {
        Phase = phase;
        status = (byte)(Busy | IdleStatus);
        Deadline = DriveTiming.After(now, Math.Max(delay, 1));
    }

    /// <summary>Offers the host a block, or asks it for one: from <see cref="Position"/> to <see cref="BlockEnd"/>.</summary>
    protected void Offer(DrivePhase phase, bool interrupt)
    {
        Phase = phase;
        status = (byte)(IdleStatus | DataRequest);
        if (interrupt)
            SetInterrupt(true);
    }

    /// <summary>Waits for the bus master.</summary>
    protected void AwaitDma() => Offer(DrivePhase.DmaWait, interrupt: false);

    /// <summary>Ends the command without an error.</summary>
    protected void Finish(bool interrupt = true) => End(DrivePhase.Idle, IdleStatus, 0, interrupt);

    /// <summary>Ends the command, and works again only after a reset.</summary>
    protected void FinishAsleep() => End(DrivePhase.Asleep, IdleStatus, 0, interrupt: true);

    /// <summary>Ends the command with an error.</summary>
    /// <param name="bits">The error register.</param>
    protected void Fail(byte bits) => End(DrivePhase.Idle, (byte)(IdleStatus | Failed), bits, interrupt: true);

    /// <summary>Forgets the data in the buffer.</summary>
    protected void EmptyBuffer() => Position = BlockEnd = Filled = 0;

    private int WithinBlock(int width, int wanted)
    {
        int left = BlockEnd - Position;
        int length = Math.Min(wanted, left - 1);
        return length <= 0 ? 0 : length - (length % width);
    }

    private void End(DrivePhase phase, byte finalStatus, byte finalError, bool interrupt)
    {
        Phase = phase;
        status = finalStatus;
        error = finalError;
        Deadline = ulong.MaxValue;
        EmptyBuffer();
        if (interrupt)
            SetInterrupt(true);
    }

    private void BeginResetting(byte command, ulong end)
    {
        CurrentCommand = command;
        Phase = DrivePhase.Resetting;
        status = Busy;
        Deadline = end;
        EmptyBuffer();
        SetInterrupt(false);
    }

    private void EndResetting()
    {
        byte selection = Registers.DeviceHead;
        Registers.PutSignature(Signature);
        if (CurrentCommand == AtaCommands.DeviceReset)
            Registers.DeviceHead = (byte)(selection & SecondDrive);
        End(DrivePhase.Idle, IdleStatus, Passed, interrupt: CurrentCommand == AtaCommands.ExecuteDiagnostic && Number == 0);
        CurrentCommand = AtaCommands.Nop;
    }

    private void SetInterrupt(bool level)
    {
        Interrupt = level;
        Channel?.UpdateLine();
    }
}
