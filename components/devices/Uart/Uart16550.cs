using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Device;
using Plexus.Messaging.Contracts.Telemetry;
using Plexus.Messaging.Shared;
using static Plexus.Devices.UartRegisters;

namespace Plexus.Devices;

/// <summary>
/// A 16550A serial port (National PC16550D datasheet) as a PC wires it: OUT2 opens the interrupt line. Characters take their time at the programmed rate;
/// what the guest sends is given to the console when the guest writes it, so that nothing is lost when the machine stops.
/// </summary>
public sealed partial class Uart16550 : IRegisterAccess, IStableRegisters, ITimed, IResettable, ISaveRestore, IHostConnected
{
    /// <summary>Crystal in hertz; a bit takes 16 × divisor of its pulses.</summary>
    public const uint Frequency = 1_843_200;

    private const long Never = long.MaxValue;
    private const int PulsesPerBit = 16;

    /// <summary>The datasheet leaves the divisor undefined at power-on; 1 is 115200 baud, for guests that do not set it.</summary>
    private const int PowerOnDivisor = 1;

    private static readonly ClockDomain Clock = new(Frequency);

    // Glue.
    private readonly InterruptLine line;
    private readonly string console;
    private readonly PlatformLines lines;
    private readonly byte[] sent = new byte[1];
    private IEndpoint? telemetry;

    // Volatile state: registers.
    private int ier;
    private bool fifosEnabled;
    private int trigger = 1;
    private int lcr;
    private int mcr;
    private int scratch;
    private int divisor = PowerOnDivisor;
    private int lineErrors;
    private int modemPins = MsrCts | MsrDsr | MsrDcd;
    private int modemLines = MsrCts | MsrDsr | MsrDcd;
    private int modemDeltas;
    private byte lastReceived;

    private long pulse;

    /// <summary>Makes a serial port.</summary>
    /// <param name="portBase">First of the eight ports.</param>
    /// <param name="line">The interrupt line, behind OUT2.</param>
    /// <param name="timer">Where the next event that can interrupt is published.</param>
    /// <param name="console">Name of the console that gets what is sent.</param>
    /// <param name="lines">Where a change of the line status is announced.</param>
    public Uart16550(int portBase, InterruptLine line, TimerSlot timer, string console, PlatformLines lines)
    {
        ArgumentNullException.ThrowIfNull(lines);
        ArgumentNullException.ThrowIfNull(line);
        ArgumentNullException.ThrowIfNull(timer);
        this.line = line;
        this.console = console;
        this.lines = lines;
        Timer = timer;
        Regions = [DeviceRegion.Ports(portBase, 8)];
    }

    /// <inheritdoc/>
    public IReadOnlyList<DeviceRegion> Regions { get; }

    /// <inheritdoc/>
    public TimerSlot Timer { get; }

    /// <inheritdoc/>
    public byte StateVersion => 1;

    private bool Loop => (mcr & McrLoop) != 0;

    private bool Breaking => (lcr & LcrBreak) != 0;

    private int ReceiverDepth => fifosEnabled ? ReceiveFifo.Depth : 1;

    private byte WordMask => (byte)(0xFF >> (3 - (lcr & LcrWordLength)));

    /// <summary>Divisor 0 is outside the datasheet's range; the 16-bit counter behind it divides by 65536.</summary>
    private long BitPulses => PulsesPerBit * (long)(divisor == 0 ? 0x10000 : divisor);

    /// <summary>Start, data, parity and stop bits; five-bit words have one and a half stop bits instead of two.</summary>
    private long CharacterPulses
    {
        get
        {
            int data = 5 + (lcr & LcrWordLength);
            int halfBits = 2 * (1 + data + ((lcr & LcrParityEnable) != 0 ? 1 : 0));
            halfBits += (lcr & LcrStopBits) == 0 ? 2 : data == 5 ? 3 : 4;
            return BitPulses * halfBits / 2;
        }
    }

    /// <inheritdoc/>
    public void Attach(IComponentPort port)
    {
        ArgumentNullException.ThrowIfNull(port);
        telemetry = port.Connect("telemetry");
        port.OnPost<SerialInput>((in SerialInput input) => Receive(input.At, input.Data.Span, input.Condition));
        port.OnPost<ModemInput>((in ModemInput input) => SetModemPins(input.At, input.Cts, input.Dsr, input.Ri, input.Dcd));
        port.OnCall<SerialInput, Done>((in SerialInput input) =>
        {
            Receive(input.At, input.Data.Span, input.Condition);
            return default;
        });
        port.OnCall<ModemInput, Done>((in ModemInput input) =>
        {
            SetModemPins(input.At, input.Cts, input.Dsr, input.Ri, input.Dcd);
            return default;
        });
    }

    /// <summary>Puts characters on the line to this port.</summary>
    /// <param name="at">Guest time in nanoseconds of the first start bit; a time that has passed means now.</param>
    /// <param name="data">The characters.</param>
    /// <param name="condition">What else the line carries.</param>
    public void Receive(ulong at, ReadOnlySpan<byte> data, SerialCondition condition)
    {
        incoming.Add(Math.Max(Clock.Ticks(at), pulse), condition, data);
        BeginReceiving();
        Publish();
    }

    /// <summary>Changes the modem input pins.</summary>
    public void SetModemPins(ulong at, bool cts, bool dsr, bool ri, bool dcd)
    {
        nextModemPins = (cts ? MsrCts : 0) | (dsr ? MsrDsr : 0) | (ri ? MsrRi : 0) | (dcd ? MsrDcd : 0);
        modemChangeAt = Math.Max(Clock.Ticks(at), pulse);
        Publish();
    }

    /// <inheritdoc/>
    public AccessStatus Read(int region, uint offset, int width, ulong now, out uint value)
    {
        value = uint.MaxValue;
        if (region != 0 || width != 1 || offset > Scratch)
            return AccessStatus.InvalidAccess;
        Advance(now);
        bool latch = (lcr & LcrDivisorLatch) != 0;
        value = (uint)(offset switch
        {
            Data => latch ? divisor & 0xFF : ReadData(),
            InterruptEnable => latch ? divisor >> 8 : ier,
            InterruptIdentification => ReadIdentification(),
            LineControl => lcr,
            ModemControl => mcr,
            LineStatus => ReadLineStatus(),
            ModemStatus => ReadModemStatus(),
            _ => scratch,
        });
        UpdateLine();
        Publish();
        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    public AccessStatus Write(int region, uint offset, int width, uint value, ulong now)
    {
        if (region != 0 || width != 1 || offset > Scratch)
            return AccessStatus.InvalidAccess;
        Advance(now);
        byte data = (byte)value;
        bool latch = (lcr & LcrDivisorLatch) != 0;
        switch (offset)
        {
            case Data when latch:
                divisor = (divisor & 0xFF00) | data;
                break;
            case Data:
                WriteData(data);
                break;
            case InterruptEnable when latch:
                divisor = (divisor & 0x00FF) | (data << 8);
                break;
            case InterruptEnable:
                WriteInterruptEnable(data & IerWritable);
                break;
            case InterruptIdentification:
                WriteFifoControl(data);
                break;
            case LineControl:
                lcr = data;
                LoopBreak();
                break;
            case ModemControl:
                WriteModemControl(data & McrWritable);
                break;
            case Scratch:
                scratch = data;
                break;
            default: // Writing LSR or MSR is for the factory's tests only.
                break;
        }

        UpdateLine();
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
    /// <remarks>Master reset leaves divisor and scratch register alone (datasheet, table I); a cold reset defines them, and takes the characters off the line.</remarks>
    public void Reset(bool cold)
    {
        ier = lcr = mcr = lineErrors = modemDeltas = 0;
        fifosEnabled = false;
        trigger = 1;
        receiver.Clear();
        receiving = timedOut = breakTaken = false;
        receiveDone = timeoutAt = breakDone = Never;
        transmitterHead = transmitterCount = 0;
        shifting = false;
        shiftDone = holdingEmptyAt = Never;
        holdingEmpty = true;
        holdingInterrupt = heldTwo = firstAfterEnable = false;
        if (cold)
        {
            divisor = PowerOnDivisor;
            scratch = 0;
            lastReceived = 0;
            incoming.Clear();
            modemPins = MsrCts | MsrDsr | MsrDcd;
            modemChangeAt = Never;
            nextModemPins = 0;
            shiftRegister = 0;
            pulse = 0;
        }

        modemLines = modemPins;
        BeginReceiving();
        UpdateLine();
        Publish();
    }

    /// <inheritdoc/>
    public void Save(StateWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        foreach (int value in (ReadOnlySpan<int>)[ier, trigger, lcr, mcr, scratch, divisor, lineErrors, modemPins, modemLines, modemDeltas, lastReceived, nextModemPins, shiftRegister])
            writer.Int32(value);
        foreach (bool value in (ReadOnlySpan<bool>)[fifosEnabled, receiving, timedOut, shifting, holdingEmpty, holdingInterrupt, heldTwo, firstAfterEnable, breakTaken])
            writer.Bool(value);
        foreach (long value in (ReadOnlySpan<long>)[receiveDone, timeoutAt, breakDone, modemChangeAt, shiftDone, holdingEmptyAt, pulse])
            writer.Int64(value);
        writer.Int32(transmitterCount);
        for (int i = 0; i < transmitterCount; i++)
            writer.Byte(transmitter[(transmitterHead + i) % transmitter.Length]);
        receiver.Save(writer);
        incoming.Save(writer);
    }

    /// <inheritdoc/>
    public void Restore(ref StateReader reader)
    {
        ier = reader.Int32() & IerWritable;
        trigger = reader.Int32(1, ReceiveFifo.Depth);
        lcr = reader.Int32() & 0xFF;
        mcr = reader.Int32() & McrWritable;
        scratch = reader.Int32() & 0xFF;
        divisor = reader.Int32() & 0xFFFF;
        lineErrors = reader.Int32() & LsrErrors;
        modemPins = reader.Int32() & MsrLines;
        modemLines = reader.Int32() & MsrLines;
        modemDeltas = reader.Int32() & 0x0F;
        lastReceived = (byte)reader.Int32();
        nextModemPins = reader.Int32() & MsrLines;
        shiftRegister = (byte)reader.Int32();
        fifosEnabled = reader.Bool();
        receiving = reader.Bool();
        timedOut = reader.Bool();
        shifting = reader.Bool();
        holdingEmpty = reader.Bool();
        holdingInterrupt = reader.Bool();
        heldTwo = reader.Bool();
        firstAfterEnable = reader.Bool();
        breakTaken = reader.Bool();
        receiveDone = reader.Int64();
        timeoutAt = reader.Int64();
        breakDone = reader.Int64();
        modemChangeAt = reader.Int64();
        shiftDone = reader.Int64();
        holdingEmptyAt = reader.Int64();
        pulse = reader.Int64();
        transmitterHead = 0;
        transmitterCount = reader.Int32(0, transmitter.Length);
        for (int i = 0; i < transmitterCount; i++)
            transmitter[i] = reader.Byte();
        receiver.Restore(ref reader);
        incoming.Restore(ref reader);
        if (receiving && incoming.IsEmpty)
            throw new InvalidDataException("A character is being received, but none is on the line.");
        line.Restore(InterruptOutput());
        Publish();
    }

    private static long Earliest(long a, long b) => Math.Min(a, b);

    /// <summary>Carries out what happened up to a guest time, one event after the other.</summary>
    private void Advance(ulong now)
    {
        long to = Clock.Ticks(now);
        while (true)
        {
            long next = Earliest(NextTransmitterEvent(), NextReceiverEvent());
            if (next > to)
                break;
            pulse = Math.Max(pulse, next);
            if (shiftDone <= pulse)
                CharacterSent();
            if (holdingEmptyAt <= pulse)
                SetHoldingEmpty();
            if (breakDone <= pulse)
                LoopedBreakReceived();
            if (receiveDone <= pulse)
                IncomingReceived();
            if (timeoutAt <= pulse)
                Timeout();
            if (modemChangeAt <= pulse)
                ModemPinsChange();
            UpdateLine();
        }

        pulse = Math.Max(pulse, to);
    }

    private long NextTransmitterEvent() => Earliest(shiftDone, holdingEmptyAt);

    private long NextReceiverEvent() => Earliest(Earliest(receiveDone, timeoutAt), Earliest(breakDone, modemChangeAt));

    /// <summary>Only what can move the interrupt line needs a deadline, and what changes a line status that was shown; everything else is caught up with at the next access.</summary>
    private void Publish()
    {
        long next = Never;
        if (showsStatus || (ier & (IerReceivedData | IerLineStatus | IerModemStatus)) != 0)
            next = NextReceiverEvent();
        if (showsStatus || (ier & IerTransmitterEmpty) != 0 || (ier != 0 && Loop))
            next = Earliest(next, NextTransmitterEvent());
        Timer.Deadline = next == Never ? ulong.MaxValue : Clock.Time(next);
        if (showsStatus)
            Show();
    }

    private int Identification()
    {
        if ((ier & IerLineStatus) != 0 && lineErrors != 0)
            return IirLineStatus;
        if ((ier & IerReceivedData) != 0)
        {
            if (receiver.Count >= (fifosEnabled ? trigger : 1))
                return IirReceivedData;
            if (timedOut)
                return IirCharacterTimeout;
        }

        if ((ier & IerTransmitterEmpty) != 0 && holdingInterrupt)
            return IirTransmitterEmpty;
        return (ier & IerModemStatus) != 0 && modemDeltas != 0 ? IirModemStatus : IirNone;
    }

    /// <summary>The interrupt at the slot: behind a buffer that OUT2 opens. In loopback the OUT2 pin is inactive.</summary>
    private bool InterruptOutput() => (mcr & (McrOut2 | McrLoop)) == McrOut2 && Identification() != IirNone;

    private void UpdateLine() => line.Set(InterruptOutput());

    private int ReadIdentification()
    {
        int identification = Identification();
        if (identification == IirTransmitterEmpty)
            holdingInterrupt = false;
        return identification | (fifosEnabled ? IirFifosEnabled : 0);
    }

    private int LineStatusNow() =>
        lineErrors
        | (receiver.Count > 0 ? LsrDataReady : 0)
        | (holdingEmpty ? LsrTransmitterHoldingEmpty : 0)
        | (transmitterCount == 0 && !shifting ? LsrTransmitterEmpty : 0)
        | (fifosEnabled && receiver.HasErrors ? LsrFifoError : 0);

    private int ReadLineStatus()
    {
        int status = LineStatusNow();
        lineErrors = 0;
        if (receiver.Count > 0)
            receiver.ClearTopErrors();
        return status;
    }

    private int ReadModemStatus()
    {
        int status = modemLines | modemDeltas;
        modemDeltas = 0;
        return status;
    }

    private void WriteInterruptEnable(int value)
    {
        bool enabled = (value & IerTransmitterEmpty) != 0 && (ier & IerTransmitterEmpty) == 0;
        ier = value;
        if (enabled && holdingEmpty)
            holdingInterrupt = true;
    }

    private void WriteFifoControl(byte value)
    {
        bool enable = (value & FcrEnable) != 0;
        bool changed = enable != fifosEnabled;
        fifosEnabled = enable;
        if (changed || (enable && (value & FcrResetReceiver) != 0))
        {
            receiver.Clear();
            timedOut = false;
            timeoutAt = Never;
        }

        if (changed || (enable && (value & FcrResetTransmitter) != 0))
        {
            transmitterHead = transmitterCount = 0;
            if (!holdingEmpty)
                SetHoldingEmpty();
        }

        firstAfterEnable |= changed && enable;
        trigger = !enable ? 1 : (value >> 6) switch { 0 => 1, 1 => 4, 2 => 8, _ => 14 };
        BeginReceiving();
    }

    private void WriteModemControl(int value)
    {
        mcr = value;
        UpdateModemLines();
        LoopBreak();
        BeginReceiving();
    }
}
