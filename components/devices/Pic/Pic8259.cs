using System.Numerics;
using Plexus.Messaging.Contracts.Bus;

namespace Plexus.Devices;

/// <summary>One 8259A (Intel datasheet 231468): registers, priorities, and the INT output as a function of them.</summary>
internal sealed class Pic8259
{
    private const int Icw1NeedsIcw4 = 0x01;
    private const int Icw1Single = 0x02;
    private const int Icw1Interval4 = 0x04;
    private const int Icw1LevelTriggered = 0x08;
    private const int Icw1Select = 0x10;
    private const int Icw4Microprocessor8086 = 0x01;
    private const int Icw4AutomaticEoi = 0x02;
    private const int Icw4SpecialFullyNested = 0x10;
    private const int Ocw3Select = 0x08;
    private const int Ocw3ReadIsr = 0x01;
    private const int Ocw3ReadRegister = 0x02;
    private const int Ocw3Poll = 0x04;
    private const int Ocw3SpecialMask = 0x20;
    private const int Ocw3SetSpecialMask = 0x40;

    /// <summary>Bits of the edge/level register that exist on this chip (ELCR; the timer, keyboard, cascade, RTC and FPU inputs are always edges).</summary>
    private readonly int elcrMask;

    // Volatile state.
    private InitState init;
    private byte icw1;
    private byte icw2;
    private byte icw3;
    private byte icw4;
    private byte elcr;
    private byte imr;
    private byte isr;
    private byte latched;
    private byte levels;
    private byte lowest;
    private bool rotateOnAutomaticEoi;
    private bool specialMask;
    private bool readIsr;
    private bool poll;

    public Pic8259(int elcrMask)
    {
        this.elcrMask = elcrMask;
        Reset();
    }

    private enum InitState : byte
    {
        /// <summary>Never initialised since reset: INT stays low.</summary>
        None,
        Icw2,
        Icw3,
        Icw4,
        Ready,
    }

    /// <summary>The mask, as port A0 = 1 reads it.</summary>
    public byte Mask => imr;

    /// <summary>
    /// Writes at A0 = 1 that need not come at once: while nothing is requested the mask decides nothing, and it is an ICW in the initialisation sequence only.
    /// </summary>
    public PortWrites MaskWrites => init is InitState.None or InitState.Ready && !poll && Requests == 0 ? PortWrites.Any : PortWrites.None;

    /// <summary>Writes at A0 = 0 that need not come at once: an end of interrupt lets nothing through while nothing is requested that is not masked. In special mask mode it depends on the mask.</summary>
    public PortWrites CommandWrites =>
        init == InitState.Ready && !poll && !specialMask && (Requests & ~imr) == 0 ? PortWrites.EndOfInterrupt : PortWrites.None;

    /// <summary>The next read is a poll, whatever the address.</summary>
    public bool PollPending => poll;

    /// <summary>Edge/level control: 1 = level.</summary>
    public byte EdgeLevel
    {
        get => elcr;
        set => elcr = (byte)(value & elcrMask);
    }

    /// <summary>ICW3: which inputs have slaves (master), or this chip's identity (slave).</summary>
    public byte Cascade => icw3;

    /// <summary>ICW1 said that there are no slaves.</summary>
    public bool Single => (icw1 & Icw1Single) != 0;

    /// <summary>The INT output.</summary>
    public bool Interrupt => Pending() >= 0;

    private byte LevelInputs => (icw1 & Icw1LevelTriggered) != 0 ? (byte)0xFF : elcr;

    private byte Requests => (byte)((latched & ~LevelInputs) | (levels & LevelInputs));

    /// <summary>
    /// Power-on. The chip has no reset input and the datasheet leaves its registers undefined; everything masked and INT low until ICW1 is the harmless choice.
    /// </summary>
    public void Reset()
    {
        init = InitState.None;
        icw1 = icw2 = icw3 = icw4 = 0;
        elcr = 0;
        imr = 0xFF;
        isr = 0;
        latched = 0;
        lowest = 7;
        rotateOnAutomaticEoi = specialMask = readIsr = poll = false;
    }

    /// <summary>New levels of the eight inputs, and which rose meanwhile. An input that falls takes its request with it.</summary>
    public void SetInputs(byte newLevels, byte rising)
    {
        latched = (byte)((latched | rising) & newLevels);
        levels = newLevels;
    }

    /// <summary>INTA: the input now in service, or −1 for a request that has gone (then nothing is in service: a spurious IR7).</summary>
    public int Acknowledge()
    {
        int input = Pending();
        if (input < 0)
            return -1;
        latched &= (byte)~(1 << input);
        if ((icw4 & Icw4AutomaticEoi) == 0)
            isr |= (byte)(1 << input);
        else if (rotateOnAutomaticEoi)
            lowest = (byte)input;
        return input;
    }

    /// <summary>The byte on the bus in the second INTA cycle: the vector in 8086 mode, the low byte of the CALL address in MCS-80/85 mode.</summary>
    public byte VectorOf(int input)
    {
        if ((icw4 & Icw4Microprocessor8086) != 0)
            return (byte)((icw2 & 0xF8) | input);
        return (icw1 & Icw1Interval4) != 0
            ? (byte)((icw1 & 0xE0) | (input << 2))
            : (byte)((icw1 & 0xC0) | (input << 3));
    }

    /// <summary>RD with A0 as given.</summary>
    public byte Read(int a0)
    {
        if (poll)
        {
            poll = false;
            int input = Acknowledge();
            return input < 0 ? (byte)0 : (byte)(0x80 | input);
        }

        if (a0 != 0)
            return imr;
        return readIsr ? isr : Requests;
    }

    /// <summary>WR with A0 as given.</summary>
    public void Write(int a0, byte value)
    {
        if (a0 == 0)
        {
            if ((value & Icw1Select) != 0)
                BeginInitialization(value);
            else if ((value & Ocw3Select) != 0)
                WriteOcw3(value);
            else
                WriteOcw2(value);
            return;
        }

        switch (init)
        {
            case InitState.Icw2:
                icw2 = value;
                init = !Single ? InitState.Icw3 : AfterIcw3();
                break;
            case InitState.Icw3:
                icw3 = value;
                init = AfterIcw3();
                break;
            case InitState.Icw4:
                icw4 = value;
                init = InitState.Ready;
                break;
            default:
                imr = value;
                break;
        }
    }

    public void Save(StateWriter writer)
    {
        foreach (byte value in (ReadOnlySpan<byte>)[(byte)init, icw1, icw2, icw3, icw4, elcr, imr, isr, latched, levels, lowest])
            writer.Byte(value);
        writer.Bool(rotateOnAutomaticEoi);
        writer.Bool(specialMask);
        writer.Bool(readIsr);
        writer.Bool(poll);
    }

    public void Restore(ref StateReader reader)
    {
        byte state = reader.Byte();
        if (state > (byte)InitState.Ready)
            throw new InvalidDataException($"No initialisation state {state}.");
        init = (InitState)state;
        icw1 = reader.Byte();
        icw2 = reader.Byte();
        icw3 = reader.Byte();
        icw4 = reader.Byte();
        elcr = (byte)(reader.Byte() & elcrMask);
        imr = reader.Byte();
        isr = reader.Byte();
        latched = reader.Byte();
        levels = reader.Byte();
        lowest = (byte)(reader.Byte() & 7);
        rotateOnAutomaticEoi = reader.Bool();
        specialMask = reader.Bool();
        readIsr = reader.Bool();
        poll = reader.Bool();
    }

    private InitState AfterIcw3() => (icw1 & Icw1NeedsIcw4) != 0 ? InitState.Icw4 : InitState.Ready;

    /// <summary>ICW1 (datasheet, "Initialization Command Words"): edges are forgotten, the mask is cleared, IR7 is lowest, the slave address is 7, special mask and rotation end, IRR is read.</summary>
    private void BeginInitialization(byte value)
    {
        icw1 = value;
        icw3 = 7;
        icw4 = 0;
        imr = 0;
        isr = 0;
        latched = 0;
        lowest = 7;
        specialMask = readIsr = poll = rotateOnAutomaticEoi = false;
        init = InitState.Icw2;
    }

    private void WriteOcw2(byte value)
    {
        int level = value & 7;
        switch (value >> 5)
        {
            case 0: // Rotate in automatic EOI mode (clear).
                rotateOnAutomaticEoi = false;
                break;
            case 1: // Non-specific EOI.
                EndHighest();
                break;
            case 3: // Specific EOI.
                isr &= (byte)~(1 << level);
                break;
            case 4: // Rotate in automatic EOI mode (set).
                rotateOnAutomaticEoi = true;
                break;
            case 5: // Rotate on non-specific EOI.
                int ended = EndHighest();
                if (ended >= 0)
                    lowest = (byte)ended;
                break;
            case 6: // Set priority.
                lowest = (byte)level;
                break;
            case 7: // Rotate on specific EOI.
                isr &= (byte)~(1 << level);
                lowest = (byte)level;
                break;
            default: // 010: no operation.
                break;
        }
    }

    private void WriteOcw3(byte value)
    {
        if ((value & Ocw3SetSpecialMask) != 0)
            specialMask = (value & Ocw3SpecialMask) != 0;
        poll = (value & Ocw3Poll) != 0;
        if ((value & Ocw3ReadRegister) != 0)
            readIsr = (value & Ocw3ReadIsr) != 0;
    }

    /// <summary>Ends the highest level in service. In special mask mode a masked level is left alone (datasheet, "End of Interrupt").</summary>
    private int EndHighest()
    {
        int level = Highest(specialMask ? isr & ~imr : isr);
        if (level >= 0)
            isr &= (byte)~(1 << level);
        return level;
    }

    /// <summary>The request that INT stands for, or −1.</summary>
    private int Pending()
    {
        if (init != InitState.Ready)
            return -1;
        int request = Highest(Requests & ~imr);
        if (request < 0)
            return -1;
        int inService = Highest(specialMask ? isr & ~imr : isr);
        if (inService < 0)
            return request;
        int order = Order(request) - Order(inService);
        if (order < 0)
            return request;

        // Special fully nested mode: a slave's input is not locked out by itself, so that a higher request of the same slave comes through.
        bool throughSlave = order == 0 && (icw4 & Icw4SpecialFullyNested) != 0 && (icw3 & (1 << request)) != 0;
        return throughSlave ? request : -1;
    }

    /// <summary>Priority order of an input: 0 is highest.</summary>
    private int Order(int input) => (input - lowest - 1) & 7;

    private int Highest(int set)
    {
        if (set == 0)
            return -1;
        int first = (lowest + 1) & 7;
        int rotated = ((set | (set << 8)) >> first) & 0xFF;
        return (BitOperations.TrailingZeroCount(rotated) + first) & 7;
    }
}
