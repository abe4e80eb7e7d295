using Plexus.Messaging.Contracts.Bus;

namespace Plexus.Devices;

/// <summary>
/// One counter of an 8254 (Intel datasheet 231164): six modes, exact at every CLK pulse. Time passes lazily: <see cref="Advance"/> moves from event to event
/// (an event is a pulse at which OUT or the way of counting changes), never pulse by pulse.
/// </summary>
internal sealed class PitCounter
{
    private const int LowByteOnly = 1;
    private const int HighByteOnly = 2;
    private const int LowThenHigh = 3;
    private const int StatusOut = 0x80;
    private const int StatusNullCount = 0x40;

    /// <summary>LSB then MSB, mode 3, binary. The datasheet leaves the power-on state undefined; with OUT high, programming a rate makes no edge.</summary>
    private const byte PowerOnControl = 0x36;

    // Glue.
    private readonly InterruptLine? line;

    // Volatile state.
    private byte control;
    private int mode;
    private bool gate;
    private bool output;
    private bool nullCount;
    private bool programmed;
    private bool loadPending;
    private bool loaded;
    private bool inhibited;
    private Phase phase;
    private bool oddHigh;
    private int countRegister;
    private int firstByte;
    private int element;
    private bool writeHigh;
    private bool readHigh;
    private bool countLatched;
    private int latchedCount;
    private bool statusLatched;
    private byte latchedStatus;
    private long tick;

    /// <param name="line">The request line that OUT drives, or null.</param>
    /// <param name="gate">Level of GATE at power-on.</param>
    public PitCounter(InterruptLine? line, bool gate)
    {
        this.line = line;
        Reset(gate);
    }

    private enum Phase : byte
    {
        /// <summary>Nothing will change OUT (the count may still run, modulo its range).</summary>
        Idle,

        /// <summary>Counting down to an event.</summary>
        Counting,

        /// <summary>Modes 4 and 5: OUT is low for this one pulse.</summary>
        Strobe,
    }

    /// <summary>OUT.</summary>
    public bool Output => output;

    /// <summary>The pulse up to which the counter has been carried.</summary>
    public long Tick => tick;

    /// <summary>
    /// What reads give until a latched count has been read; not readable while none is, for then time goes on between reads. Meanwhile the first byte of a count changes nothing, but in
    /// mode 0, which it stops: it need not come before the second.
    /// </summary>
    public StablePortState Stable
    {
        get
        {
            if (!countLatched && !statusLatched && Access == LowThenHigh && !writeHigh && mode != 0)
                return new StablePortState(Readable: false, PortWrites.Once, 0);
            if (!countLatched || statusLatched)
                return default;
            byte low = (byte)latchedCount;
            byte high = (byte)(latchedCount >> 8);
            if (Access == LowThenHigh && !readHigh)
                return new StablePortState(Readable: true, PortWrites.None, low, Reads: 2, high);
            return new StablePortState(Readable: true, PortWrites.None, Access == LowByteOnly ? low : high, Reads: 1);
        }
    }

    private int Access => (control >> 4) & 3;

    private int Modulus => (control & 1) != 0 ? 10000 : 65536;

    private bool IsPeriodic => mode is 2 or 3;

    /// <summary>Modes 1 and 5 count whatever GATE does; the others only while it is high.</summary>
    private bool Enabled => (gate || mode is 1 or 5) && !inhibited;

    /// <summary>
    /// The count as a number of pulses: 0 stands for the whole range. A count of 1 is illegal in modes 2 and 3 (datasheet, "Mode 2", "Mode 3");
    /// the element passes through the whole range before it is at 1 again.
    /// </summary>
    private int InitialCount
    {
        get
        {
            int count = FromRegister(countRegister);
            if (count == 0)
                return Modulus;
            return count == 1 && IsPeriodic ? Modulus + 1 : count;
        }
    }

    public void Reset(bool newGate)
    {
        control = PowerOnControl;
        mode = 3;
        gate = newGate;
        nullCount = true;
        programmed = loadPending = loaded = inhibited = oddHigh = false;
        phase = Phase.Idle;
        countRegister = firstByte = element = 0;
        writeHigh = readHigh = countLatched = statusLatched = false;
        latchedCount = 0;
        latchedStatus = 0;
        tick = 0;
        SetOutput(true);
    }

    /// <summary>Carries the counter to a CLK pulse.</summary>
    public void Advance(long to)
    {
        while (tick < to)
        {
            if (loadPending)
            {
                tick++;
                LoadPulse();
                continue;
            }

            long pulses = PulsesToEvent();
            long step = Math.Min(pulses, to - tick);
            Count(step);
            tick += step;
            if (step == pulses)
                Event(to);
        }
    }

    /// <summary>The pulse at which OUT may change next; <see cref="long.MaxValue"/> for never.</summary>
    public long NextEvent()
    {
        if (loadPending)
            return tick + 1;
        long pulses = PulsesToEvent();
        return pulses == long.MaxValue ? long.MaxValue : tick + pulses;
    }

    public void SetGate(bool level)
    {
        bool rising = level && !gate;
        bool falling = !level && gate;
        gate = level;
        if (rising && programmed && mode is 1 or 2 or 3 or 5)
            loadPending = true;
        if (falling && IsPeriodic)
            SetOutput(true);
    }

    /// <summary>A control word with a mode.</summary>
    public void WriteControl(byte value)
    {
        control = (byte)(value & 0x3F);
        mode = (value >> 1) & 7;
        if (mode > 5)
            mode -= 4; // X10 and X11: bit 3 of the word is ignored for modes 2 and 3.
        countRegister = 0;
        writeHigh = readHigh = countLatched = statusLatched = false;
        nullCount = true;
        programmed = loadPending = loaded = inhibited = oddHigh = false;
        phase = Phase.Idle;
        SetOutput(mode != 0);
    }

    /// <summary>The counter latch command: ignored while a latched count waits.</summary>
    public void LatchCount()
    {
        if (countLatched)
            return;
        countLatched = true;
        latchedCount = ToRegister(element);
    }

    /// <summary>The status half of the read-back command: ignored while a latched status waits.</summary>
    public void LatchStatus()
    {
        if (statusLatched)
            return;
        statusLatched = true;
        latchedStatus = (byte)((output ? StatusOut : 0) | (nullCount ? StatusNullCount : 0) | control);
    }

    public byte Read()
    {
        if (statusLatched)
        {
            statusLatched = false;
            return latchedStatus;
        }

        int count = countLatched ? latchedCount : ToRegister(element);
        bool high = Access == HighByteOnly || (Access == LowThenHigh && readHigh);
        if (Access == LowThenHigh)
            readHigh = !readHigh;
        if (high || Access == LowByteOnly)
            countLatched = false;
        return (byte)(high ? count >> 8 : count);
    }

    public void WriteCount(byte value)
    {
        switch (Access)
        {
            case LowByteOnly:
                CountWritten(value);
                break;
            case HighByteOnly:
                CountWritten(value << 8);
                break;
            default:
                if (!writeHigh)
                {
                    firstByte = value;
                    if (mode == 0)
                    {
                        // Mode 0: the first byte stops the count and takes OUT low at once.
                        inhibited = true;
                        loadPending = false;
                        SetOutput(false);
                    }
                }
                else
                {
                    CountWritten(firstByte | (value << 8));
                }

                writeHigh = !writeHigh;
                break;
        }
    }

    public void Save(StateWriter writer)
    {
        writer.Byte(control);
        writer.Int32(mode);
        foreach (bool flag in (ReadOnlySpan<bool>)[gate, output, nullCount, programmed, loadPending, loaded, inhibited, oddHigh, writeHigh, readHigh, countLatched, statusLatched])
            writer.Bool(flag);
        writer.Byte((byte)phase);
        writer.Int32(countRegister);
        writer.Int32(firstByte);
        writer.Int32(element);
        writer.Int32(latchedCount);
        writer.Byte(latchedStatus);
        writer.Int64(tick);
    }

    public void Restore(ref StateReader reader)
    {
        control = (byte)(reader.Byte() & 0x3F);
        mode = reader.Int32(0, 5);
        gate = reader.Bool();
        output = reader.Bool();
        nullCount = reader.Bool();
        programmed = reader.Bool();
        loadPending = reader.Bool();
        loaded = reader.Bool();
        inhibited = reader.Bool();
        oddHigh = reader.Bool();
        writeHigh = reader.Bool();
        readHigh = reader.Bool();
        countLatched = reader.Bool();
        statusLatched = reader.Bool();
        byte state = reader.Byte();
        if (state > (byte)Phase.Strobe)
            throw new InvalidDataException($"No phase {state}.");
        phase = (Phase)state;
        countRegister = reader.Int32(0, 0xFFFF);
        firstByte = reader.Int32(0, 0xFF);
        element = reader.Int32(0, 65537);
        latchedCount = reader.Int32(0, 0xFFFF);
        latchedStatus = reader.Byte();
        tick = reader.Int64();
        line?.Restore(output);
    }

    private void SetOutput(bool level)
    {
        output = level;
        line?.Set(level);
    }

    /// <summary>A whole count is in the count register.</summary>
    private void CountWritten(int value)
    {
        bool first = !programmed;
        countRegister = value;
        nullCount = true;
        programmed = true;
        switch (mode)
        {
            case 0:
                SetOutput(false);
                loadPending = true;
                break;
            case 4:
                loadPending = true;
                break;
            case 2 or 3:
                // While it runs, the new count waits for the end of the period (mode 3: half period) or a trigger.
                loadPending |= first;
                break;
            default:
                // Modes 1 and 5 are armed: they wait for the trigger.
                break;
        }
    }

    /// <summary>The CLK pulse that moves the count register to the counting element. It does not count.</summary>
    private void LoadPulse()
    {
        loadPending = false;
        loaded = true;
        inhibited = false;
        phase = Phase.Counting;
        switch (mode)
        {
            case 1:
                LoadElement();
                SetOutput(false);
                break;
            case 2 or 3:
                SetOutput(true);
                LoadElement();
                break;
            case 4 or 5:
                LoadElement();
                SetOutput(true);
                break;
            default:
                LoadElement();
                break;
        }
    }

    private void LoadElement()
    {
        int count = InitialCount;
        nullCount = false;
        if (mode != 3)
        {
            element = count;
            return;
        }

        // Mode 3 counts by two; an odd count is loaded less one, and the high half takes one pulse more.
        bool odd = (count & 1) != 0;
        element = odd ? count - 1 : count;
        oddHigh = odd && output;
    }

    private long PulsesToEvent()
    {
        if (phase == Phase.Strobe)
            return 1;
        if (phase == Phase.Idle || !Enabled)
            return long.MaxValue;
        return mode switch
        {
            2 => element > 1 ? element - 1 : 1,
            3 => (element / 2) + (oddHigh ? 1 : 0),
            _ => element,
        };
    }

    private void Count(long pulses)
    {
        if (!loaded || !Enabled)
            return;
        if (mode == 3)
            element = (int)Math.Max(0, element - (2 * pulses));
        else if (phase == Phase.Counting)
            element -= (int)pulses;
        else
            element = (int)((((element - pulses) % Modulus) + Modulus) % Modulus);
    }

    /// <summary>The pulse at which OUT changes.</summary>
    private void Event(long to)
    {
        switch (mode)
        {
            case 0 or 1:
                phase = Phase.Idle;
                SetOutput(true);
                break;
            case 2 when element == 1:
                SetOutput(false);
                break;
            case 2:
                SetOutput(true);
                LoadElement();
                SkipPeriods(to);
                break;
            case 3:
                SetOutput(!output);
                LoadElement();
                if (output)
                    SkipPeriods(to);
                break;
            default:
                bool expired = phase == Phase.Counting;
                phase = expired ? Phase.Strobe : Phase.Idle;
                SetOutput(!expired);
                break;
        }
    }

    /// <summary>At the start of a period: whole periods that nobody looked at leave everything as it was, but for the edges on the line.</summary>
    private void SkipPeriods(long to)
    {
        long periods = (to - tick) / InitialCount;
        if (periods <= 0)
            return;
        tick += periods * InitialCount;
        line?.Set(false);
        line?.Set(true);
    }

    private int FromRegister(int register)
    {
        if ((control & 1) == 0)
            return register;
        int value = 0;
        for (int shift = 12; shift >= 0; shift -= 4)
            value = (value * 10) + ((register >> shift) & 0xF);
        return value % 10000;
    }

    private int ToRegister(int value)
    {
        value %= Modulus;
        if ((control & 1) == 0)
            return value;
        return (value / 1000 << 12) | (value / 100 % 10 << 8) | (value / 10 % 10 << 4) | (value % 10);
    }
}
