using Plexus.Messaging.Shared;

namespace Plexus.Devices;

/// <summary>
/// The power management register block of the 82371AB (datasheet 290562, 7.2): PM1 event and control registers, the 24-bit timer of 3.579545 MHz, and the chip's own
/// status, enable and control registers, whose events nothing raises here. The ACPI names of the first three are PM1_STS, PM1_EN and PM1_CNT (ACPI 2.0, 4.7.3).
/// </summary>
/// <param name="lines">Where power-off is asked for.</param>
/// <param name="interrupt">SCI: IRQ 9, a level.</param>
/// <param name="timer">Where the timer's next carry is published while it can interrupt.</param>
internal sealed class PowerRegisters(PlatformLines lines, InterruptLine interrupt, TimerSlot timer)
{
    /// <summary>Ports of the block.</summary>
    public const uint Ports = 64;

    private const int Pm1Status = 0x00, Pm1Enable = 0x02, Pm1Control = 0x04, PmTimer = 0x08;

    private const int TimerStatus = 1 << 0, GlobalStatus = 1 << 5, PowerButtonStatus = 1 << 8, RtcStatus = 1 << 10, WakeStatus = 1 << 15, BusMasterStatus = 1 << 4;
    private const int StatusBits = TimerStatus | BusMasterStatus | GlobalStatus | PowerButtonStatus | RtcStatus | WakeStatus;
    private const int EnableBits = TimerStatus | GlobalStatus | PowerButtonStatus | RtcStatus;

    private const int SciEnable = 1 << 0, SuspendEnable = 1 << 13, SuspendType = 7 << 10;
    private const int ControlBits = SciEnable | (1 << 1) | SuspendType;

    /// <summary>The timer's carry is told whenever bit 23 turns over.</summary>
    private const int CarryShift = 23;

    private const uint TimerMask = 0x00FF_FFFF;

    private static readonly ClockDomain Clock = new(3_579_545);

    /// <summary>The bits of the block's bytes behind the timer that can be written, as (offset, width, bits): what is not there reads as zero.</summary>
    private static readonly (int Offset, int Width, uint Bits)[] Stored =
    [
        (0x0E, 2, 0x0F07), // GPEN
        (0x10, 4, 0x0003_FE1E), // PCNTRL
        (0x20, 2, 0x000C), // GLBEN
        (0x28, 4, 0x0700_FFFF & ~0x0000_F800u), // GLBCTL
        (0x2C, 4, 0xFFFF_FFFF & ~0x0800_0000u), // DEVCTL
        (0x34, 4, 0x7FFF_FFFF), // GPOREG
    ];

    private static readonly byte[] Writable = WritableBytes();

    // Volatile state.
    private readonly byte[] stored = new byte[Ports];
    private int status;
    private int enable;
    private int control;
    private long carries;

    /// <summary>The chipset is in ACPI mode: events raise SCI.</summary>
    public bool IsAcpi
    {
        get => (control & SciEnable) != 0;
        set
        {
            control = value ? control | SciEnable : control & ~SciEnable;
            Publish();
        }
    }

    /// <summary>Reads 1, 2 or 4 bytes; registers are made of bytes.</summary>
    public uint Read(uint offset, int width, ulong now)
    {
        Advance(now);
        if (offset == PmTimer && width == 4)
            return (uint)Clock.Ticks(now) & TimerMask;
        uint value = 0;
        for (int i = 0; i < width; i++)
            value |= ReadByte((int)offset + i, now) << (8 * i);
        return value;
    }

    /// <summary>Writes 1, 2 or 4 bytes.</summary>
    public void Write(uint offset, int width, uint value, ulong now)
    {
        Advance(now);
        for (int i = 0; i < width; i++)
            WriteByte((int)offset + i, (int)(value >> (8 * i)) & 0xFF);
        Publish();
    }

    /// <summary>Brings the timer's carry up to date.</summary>
    public void Advance(ulong now)
    {
        long passed = Clock.Ticks(now) >> CarryShift;
        if (passed == carries)
            return;
        carries = passed;
        status |= TimerStatus;
        Publish();
    }

    /// <summary>RESET: everything but the timer, which runs on.</summary>
    public void Reset()
    {
        Array.Clear(stored);
        status = enable = control = 0;
        Publish();
    }

    /// <summary>Writes the volatile state.</summary>
    public void Save(StateWriter writer)
    {
        writer.Bytes(stored);
        writer.Int32(status);
        writer.Int32(enable);
        writer.Int32(control);
        writer.Int64(carries);
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    public void Restore(ref StateReader reader)
    {
        reader.Fill(stored, "A power management block is not whole.");
        for (int i = 0; i < stored.Length; i++)
            stored[i] &= Writable[i];
        status = reader.Int32() & StatusBits;
        enable = reader.Int32() & EnableBits;
        control = reader.Int32() & ControlBits;
        carries = reader.Int64();
        if (carries < 0)
            throw new InvalidDataException("The power management timer contradicts itself.");
        interrupt.Restore(IsRequesting);
        PublishDeadline();
    }

    private bool IsRequesting => IsAcpi && (status & enable) != 0;

    private static byte[] WritableBytes()
    {
        byte[] bytes = new byte[Ports];
        foreach ((int offset, int width, uint bits) in Stored)
        {
            for (int i = 0; i < width; i++)
                bytes[offset + i] = (byte)(bits >> (8 * i));
        }

        return bytes;
    }

    private uint ReadByte(int offset, ulong now) => offset switch
    {
        Pm1Status or Pm1Status + 1 => (uint)(status >> (8 * offset)) & 0xFF,
        Pm1Enable or Pm1Enable + 1 => (uint)(enable >> (8 * (offset - Pm1Enable))) & 0xFF,
        Pm1Control or Pm1Control + 1 => (uint)(control >> (8 * (offset - Pm1Control))) & 0xFF,
        >= PmTimer and < PmTimer + 4 => (((uint)Clock.Ticks(now) & TimerMask) >> (8 * (offset - PmTimer))) & 0xFF,
        _ => stored[offset & ((int)Ports - 1)],
    };

    private void WriteByte(int offset, int value)
    {
        switch (offset)
        {
            case Pm1Status or Pm1Status + 1:
                status &= ~(value << (8 * offset));
                break;
            case Pm1Enable or Pm1Enable + 1:
                enable = Merge(enable, offset - Pm1Enable, value) & EnableBits;
                break;
            case Pm1Control or Pm1Control + 1:
                int written = Merge(control, offset - Pm1Control, value);
                control = written & ControlBits;
                // Of the sleeping states there is soft off: type 0. There is no power plane to wake from the others, which are ignored.
                if ((written & SuspendEnable) != 0 && (control & SuspendType) == 0)
                    lines.PowerOffRequested = true;
                break;
            case < (int)Ports:
                stored[offset] = (byte)(value & Writable[offset]);
                break;
        }
    }

    private static int Merge(int register, int index, int value) => (register & ~(0xFF << (8 * index))) | (value << (8 * index));

    private void Publish()
    {
        interrupt.Set(IsRequesting);
        PublishDeadline();
    }

    /// <summary>A carry that is not pending yet and would interrupt is an event; otherwise it is seen when somebody looks.</summary>
    private void PublishDeadline() =>
        timer.Deadline = IsAcpi && (enable & TimerStatus) != 0 && (status & TimerStatus) == 0 ? Clock.Time((carries + 1) << CarryShift) : ulong.MaxValue;
}
