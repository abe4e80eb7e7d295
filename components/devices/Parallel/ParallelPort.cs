using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Telemetry;

namespace Plexus.Devices;

/// <summary>
/// A parallel port as the AT has it, with the direction bit of the PS/2 (IBM PS/2 Hardware Interface Technical Reference, parallel port): data, status and control at three ports, and a printer whose paper is a console.
/// The printer takes a byte when STROBE begins, is busy, and acknowledges; the interrupt comes with the end of the acknowledgement.
/// </summary>
public sealed class ParallelPort : IRegisterAccess, ITimed, IResettable, ISaveRestore, IHostConnected
{
    /// <summary>Its usual first port and interrupt request.</summary>
    public const int UsualBase = 0x378, UsualIrq = 7;

    /// <summary>From STROBE to ACK, and the length of ACK, in nanoseconds; the printer is busy for both. They are short, because firmware that holds STROBE for 5 µs does not look at BUSY before the next byte.</summary>
    public const ulong PrintTime = 1_000, AcknowledgeTime = 1_000;

    private const int DataRegister = 0, StatusRegister = 1, ControlRegister = 2;
    private const int Ports = 3;

    /// <summary>Status bits; BUSY, ACK, ERROR and IRQ are low when true. Bits 0 and 1 are not wired.</summary>
    private const int NotBusy = 0x80, NotAcknowledge = 0x40, Select = 0x10, NoError = 0x08, NoInterrupt = 0x04, StatusOnes = 0x03;

    /// <summary>Control bits; bits 6 and 7 are not wired.</summary>
    private const int Strobe = 0x01, AutoFeed = 0x02, NotInitialise = 0x04, InterruptEnable = 0x10, Input = 0x20, ControlWritable = 0x3F, ControlOnes = 0xC0;

    /// <summary>Nobody drives the data lines in the other direction.</summary>
    private const byte Floating = 0xFF;

    private const byte CarriageReturn = 0x0D, LineFeed = 0x0A;

    // Glue.
    private readonly InterruptLine line;
    private readonly string console;
    private readonly byte[] one = new byte[1];
    private readonly byte[] two = [CarriageReturn, LineFeed];
    private IEndpoint? telemetry;

    // Volatile state.
    private byte data;
    private byte control;
    private ulong acknowledgeAt = ulong.MaxValue;
    private ulong readyAt = ulong.MaxValue;
    private bool interrupt;

    /// <summary>Makes a port with a printer.</summary>
    /// <param name="portBase">First of the three ports.</param>
    /// <param name="line">The interrupt request line.</param>
    /// <param name="timer">Where the end of an acknowledgement is published, if it interrupts.</param>
    /// <param name="console">Name of the console that gets what is printed.</param>
    public ParallelPort(int portBase, InterruptLine line, TimerSlot timer, string console)
    {
        ArgumentNullException.ThrowIfNull(line);
        ArgumentNullException.ThrowIfNull(timer);
        this.line = line;
        this.console = console;
        Timer = timer;
        Regions = [DeviceRegion.Ports(portBase, Ports)];
    }

    /// <inheritdoc/>
    public IReadOnlyList<DeviceRegion> Regions { get; }

    /// <inheritdoc/>
    public TimerSlot Timer { get; }

    /// <inheritdoc/>
    public byte StateVersion => 1;

    /// <summary>INIT holds the printer in reset.</summary>
    private bool IsInitialising => (control & NotInitialise) == 0;

    private bool IsPrinting => readyAt != ulong.MaxValue;

    /// <summary>ACK has begun and not ended.</summary>
    private bool IsAcknowledging => IsPrinting && acknowledgeAt == ulong.MaxValue;

    /// <inheritdoc/>
    public void Attach(IComponentPort port)
    {
        ArgumentNullException.ThrowIfNull(port);
        telemetry = port.Connect("telemetry");
    }

    /// <inheritdoc/>
    public AccessStatus Read(int region, uint offset, int width, ulong now, out uint value)
    {
        value = uint.MaxValue;
        if (region != 0 || width != 1 || offset >= Ports)
            return AccessStatus.InvalidAccess;
        Advance(now);
        value = (uint)(offset switch
        {
            DataRegister => (control & Input) != 0 ? Floating : data,
            StatusRegister => ReadStatus(),
            _ => control | ControlOnes,
        });
        Publish();
        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    public AccessStatus Write(int region, uint offset, int width, uint value, ulong now)
    {
        if (region != 0 || width != 1 || offset >= Ports)
            return AccessStatus.InvalidAccess;
        Advance(now);
        if (offset == DataRegister)
            data = (byte)value;
        else if (offset == ControlRegister)
            WriteControl((byte)(value & ControlWritable), now);
        Publish();
        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    public void RunTimers(ulong now)
    {
        Advance(now);
        Publish();
    }

    /// <inheritdoc/>
    /// <remarks>RESET clears both registers, so INIT holds the printer until somebody lets it go.</remarks>
    public void Reset(bool cold)
    {
        data = control = 0;
        acknowledgeAt = readyAt = ulong.MaxValue;
        interrupt = false;
        Publish();
    }

    /// <inheritdoc/>
    public void Save(StateWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Byte(data);
        writer.Byte(control);
        writer.UInt64(acknowledgeAt);
        writer.UInt64(readyAt);
        writer.Bool(interrupt);
    }

    /// <inheritdoc/>
    public void Restore(ref StateReader reader)
    {
        data = reader.Byte();
        control = (byte)(reader.Byte() & ControlWritable);
        acknowledgeAt = reader.UInt64();
        readyAt = reader.UInt64();
        interrupt = reader.Bool();
        if ((acknowledgeAt != ulong.MaxValue && acknowledgeAt >= readyAt) || (interrupt && (control & InterruptEnable) == 0))
            throw new InvalidDataException("The printer's state contradicts itself.");
        line.Restore(interrupt);
        Timer.Deadline = Deadline();
    }

    private int ReadStatus()
    {
        int status = StatusOnes | Select | NoError
            | (IsPrinting || IsInitialising ? 0 : NotBusy)
            | (IsAcknowledging ? 0 : NotAcknowledge)
            | (interrupt ? 0 : NoInterrupt);
        interrupt = false;
        return status;
    }

    private void WriteControl(byte value, ulong now)
    {
        bool strobes = (value & Strobe) != 0 && (control & Strobe) == 0;
        control = value;
        interrupt &= (value & InterruptEnable) != 0;
        if (IsInitialising)
            acknowledgeAt = readyAt = ulong.MaxValue;
        else if (strobes && !IsPrinting)
            Print(now);
    }

    /// <summary>The printer takes what is on the data lines. With AUTO FEED it adds a line feed to a carriage return.</summary>
    private void Print(ulong now)
    {
        acknowledgeAt = DriveTiming.After(now, PrintTime);
        readyAt = DriveTiming.After(now, PrintTime + AcknowledgeTime);
        one[0] = (control & Input) != 0 ? Floating : data;
        telemetry?.Post(new ConsoleBytes(console, one[0] == CarriageReturn && (control & AutoFeed) != 0 ? two : one));
    }

    private void Advance(ulong now)
    {
        if (acknowledgeAt <= now)
        {
            acknowledgeAt = ulong.MaxValue;
            interrupt = false;
            line.Set(false);
        }

        if (readyAt > now)
            return;
        readyAt = ulong.MaxValue;
        interrupt = (control & InterruptEnable) != 0;
    }

    private ulong Deadline() => (control & InterruptEnable) == 0 ? ulong.MaxValue : Math.Min(acknowledgeAt, readyAt);

    private void Publish()
    {
        line.Set(interrupt);
        Timer.Deadline = Deadline();
    }
}
