using Plexus.Messaging;
using static Plexus.Devices.AtaRegisters;

namespace Plexus.Devices;

/// <summary>
/// An IDE channel: the cable with up to two drives. Both drives hear what is written; the selected one answers and has its interrupt on INTRQ.
/// Without any drive the bus floats; a master answers for a slave that is not there with a status of 0 (ATA/ATAPI-6, 9.16).
/// </summary>
internal sealed class IdeChannel
{
    private readonly InterruptLine line;
    private readonly IDriveDma? dma;
    private readonly IdeDrive?[] drives;

    // Volatile state.
    private byte control;
    private int selected;

    /// <summary>Connects drives.</summary>
    /// <param name="line">Where INTRQ goes.</param>
    /// <param name="dma">Who answers DMARQ; null for nobody.</param>
    /// <param name="master">Drive 0.</param>
    /// <param name="slave">Drive 1.</param>
    public IdeChannel(InterruptLine line, IDriveDma? dma, IdeDrive? master, IdeDrive? slave)
    {
        this.line = line;
        this.dma = dma;
        drives = [master, slave];
        foreach (IdeDrive drive in drives.OfType<IdeDrive>())
        {
            drive.Channel = this;
            drive.HardwareReset(cold: true);
        }
    }

    /// <summary>Who answers DMARQ.</summary>
    public IDriveDma? Dma => dma;

    /// <summary>The next event of either drive.</summary>
    public ulong Deadline => Math.Min(drives[0]?.Deadline ?? ulong.MaxValue, drives[1]?.Deadline ?? ulong.MaxValue);

    /// <summary>Alternate status: what status reads, without taking the interrupt back.</summary>
    public byte AlternateStatus => Read(Status);

    private bool IsHighOrder => (control & HighOrderByte) != 0;

    /// <summary>Opens the drives' endpoints.</summary>
    public void Attach(IComponentPort port)
    {
        foreach (IdeDrive? drive in drives)
            drive?.Link.Attach(port);
    }

    /// <summary>Carries out everything due, in the order of time.</summary>
    public void Advance(ulong now)
    {
        while (Deadline is var due && due <= now && due != ulong.MaxValue)
        {
            IdeDrive drive = drives[0]?.Deadline == due ? drives[0]! : drives[1]!;
            drive.RunDeadline(due);
        }
    }

    /// <summary>Reads the command block.</summary>
    /// <param name="offset">First register.</param>
    /// <param name="width">1, 2 or 4 bytes: for other registers than data, so many registers.</param>
    /// <param name="now">Guest time in nanoseconds.</param>
    public uint ReadCommandBlock(int offset, int width, ulong now)
    {
        if (offset == Data)
            return drives[selected]?.ReadData(width, now) ?? uint.MaxValue >> (32 - (8 * width));
        uint value = 0;
        for (int i = 0; i < width; i++)
        {
            value |= (uint)Read(offset + i) << (8 * i);
            if (offset + i == Status)
                drives[selected]?.AcknowledgeInterrupt();
        }

        return value;
    }

    /// <summary>Writes the command block.</summary>
    public void WriteCommandBlock(int offset, int width, uint value, ulong now)
    {
        if (offset == Data)
        {
            drives[selected]?.WriteData(width, value, now);
            return;
        }

        for (int i = 0; i < width; i++)
            Write(offset + i, (byte)(value >> (8 * i)), now);
    }

    /// <summary>Reads the data register repeatedly.</summary>
    public int ReadData(int width, Span<byte> destination) => drives[selected]?.ReadDataBlock(width, destination) ?? 0;

    /// <summary>Writes the data register repeatedly.</summary>
    public int WriteData(int width, ReadOnlySpan<byte> source) => drives[selected]?.WriteDataBlock(width, source) ?? 0;

    /// <summary>Writes the device control register.</summary>
    public void WriteControl(byte value, ulong now)
    {
        byte before = control;
        control = (byte)(value & (HighOrderByte | SoftwareReset | InterruptsOff));
        bool wasHeld = (before & SoftwareReset) != 0;
        bool isHeld = (control & SoftwareReset) != 0;
        if (isHeld && !wasHeld)
            selected = 0;
        foreach (IdeDrive? drive in drives)
        {
            if (isHeld && !wasHeld)
                drive?.HoldReset();
            else if (wasHeld && !isHeld)
                drive?.ReleaseReset(now);
        }

        UpdateLine();
    }

    /// <summary>The bus master began to run, or may run again.</summary>
    public void WakeDma(ulong now)
    {
        foreach (IdeDrive? drive in drives)
            drive?.WakeDma(now);
    }

    /// <summary>RESET- was pulsed, or the power came on.</summary>
    public void Reset(bool cold)
    {
        control = 0;
        selected = 0;
        foreach (IdeDrive? drive in drives)
            drive?.HardwareReset(cold);
        UpdateLine();
    }

    /// <summary>Brings INTRQ up to date.</summary>
    public void UpdateLine()
    {
        bool level = HasInterrupt();
        if (level && !line.Level)
            dma?.InterruptRose();
        line.Set(level);
    }

    public void Save(StateWriter writer)
    {
        writer.Byte(control);
        writer.Int32(selected);
        foreach (IdeDrive? drive in drives)
            drive?.Save(writer);
    }

    public void Restore(ref StateReader reader)
    {
        control = reader.Byte();
        selected = reader.Int32(0, 1);
        foreach (IdeDrive? drive in drives)
            drive?.Restore(ref reader);
        line.Restore(HasInterrupt());
    }

    private bool HasInterrupt() => (control & InterruptsOff) == 0 && drives[selected] is { Interrupt: true };

    private byte Read(int register)
    {
        if (drives[selected] is { } drive)
            return drive.ReadRegister(register, IsHighOrder);
        return selected == 0 || drives[0] is not { } master ? Floating : register == Status ? (byte)0 : master.ReadRegister(register, IsHighOrder);
    }

    private void Write(int register, byte value, ulong now)
    {
        control &= unchecked((byte)~HighOrderByte);
        if (register == Command)
        {
            WriteCommand(value, now);
            return;
        }

        foreach (IdeDrive? drive in drives)
            drive?.WriteRegister(register, value);
        if (register != AtaRegisters.Device)
            return;
        selected = (value & SecondDrive) != 0 ? 1 : 0;
        UpdateLine();
    }

    private void WriteCommand(byte command, ulong now)
    {
        if (command != AtaCommands.ExecuteDiagnostic)
        {
            drives[selected]?.WriteCommand(command, now);
            return;
        }

        selected = 0;
        foreach (IdeDrive? drive in drives)
            drive?.Diagnose(now);
        UpdateLine();
    }
}
