using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Device;
using Plexus.Messaging.Shared;

namespace Plexus.Devices;

/// <summary>
/// The PS/2 keyboard controller (8042) at 60h and 64h, with a keyboard on its first port and nothing on the auxiliary port; A20 gate and CPU reset hang on its output port.
/// </summary>
public sealed class KeyboardController : IRegisterAccess, ITimed, IResettable, ISaveRestore, IHostConnected
{
    /// <summary>Region of the data port, 60h.</summary>
    public const int DataRegion = 0;

    /// <summary>Region of the status and command port, 64h.</summary>
    public const int CommandRegion = 1;

    /// <summary>Eleven bits at some 11 kHz: the time a byte takes from the keyboard.</summary>
    public const ulong ByteTime = 1_000_000;

    /// <summary>Time of the keyboard's self-test after a reset, in nanoseconds. Real keyboards take 300 to 500 ms; guests wait for the answer, so this one is quick.</summary>
    public const ulong SelfTestTime = 100_000_000;

    private const int StatusOutputFull = 0x01;
    private const int StatusSystem = 0x04;
    private const int StatusCommand = 0x08;
    private const int StatusUnlocked = 0x10;
    private const int StatusAuxiliary = 0x20;
    private const int StatusTimeout = 0x40;

    private const int ModeInterrupt = 0x01;
    private const int ModeAuxiliaryInterrupt = 0x02;
    private const int ModeSystem = 0x04;
    private const int ModeKeyboardDisabled = 0x10;
    private const int ModeAuxiliaryDisabled = 0x20;
    private const int ModeTranslate = 0x40;

    /// <summary>
    /// As a firmware leaves it, because kernels are also started without one: keyboard interrupt on, self-test passed, auxiliary port off, translation to set 1.
    /// </summary>
    private const byte ResetMode = ModeInterrupt | ModeSystem | ModeAuxiliaryDisabled | ModeTranslate;

    private const int OutputReset = 0x01;
    private const int OutputA20 = 0x02;
    private const int OutputInterrupt = 0x10;
    private const int OutputAuxiliaryInterrupt = 0x20;

    /// <summary>The clock and data lines of both ports, idle high.</summary>
    private const int OutputLines = 0xCC;

    /// <summary>Input port: keyboard not locked, no manufacturing loop.</summary>
    private const byte InputPort = 0xA0;

    // Glue.
    private readonly PlatformLines lines;
    private readonly InterruptLine interrupt;
    private readonly InterruptLine auxiliaryInterrupt;

    // Volatile state.
    private readonly Ps2Keyboard keyboard = new();
    private readonly KeyInput input = new();
    private readonly ByteQueue replies = new(16);
    private readonly byte[] ram = new byte[32];
    private byte output;
    private bool outputFull;
    private bool outputAuxiliary;
    private bool timeout;
    private bool lastWasCommand;
    private byte pendingCommand;
    private int outputLatch;
    private int polledInput;
    private bool breakPrefix;
    private ulong byteArrives;
    private ulong lastNow;

    /// <summary>Makes a controller with a keyboard.</summary>
    /// <param name="lines">A20 and reset.</param>
    /// <param name="interrupt">Keyboard interrupt (IRQ 1).</param>
    /// <param name="auxiliaryInterrupt">Auxiliary port interrupt (IRQ 12).</param>
    /// <param name="timer">Where the arrival of the next byte is published.</param>
    public KeyboardController(PlatformLines lines, InterruptLine interrupt, InterruptLine auxiliaryInterrupt, TimerSlot timer)
    {
        ArgumentNullException.ThrowIfNull(lines);
        ArgumentNullException.ThrowIfNull(interrupt);
        ArgumentNullException.ThrowIfNull(auxiliaryInterrupt);
        ArgumentNullException.ThrowIfNull(timer);
        this.lines = lines;
        this.interrupt = interrupt;
        this.auxiliaryInterrupt = auxiliaryInterrupt;
        Timer = timer;
        Reset(cold: true);
    }

    /// <inheritdoc/>
    public IReadOnlyList<DeviceRegion> Regions { get; } = [DeviceRegion.Ports(0x60, 1), DeviceRegion.Ports(0x64, 1)];

    /// <inheritdoc/>
    public TimerSlot Timer { get; }

    /// <inheritdoc/>
    public byte StateVersion => 1;

    /// <summary>The keyboard's lights: Scroll Lock in bit 0, Num Lock in bit 1, Caps Lock in bit 2.</summary>
    public int Leds => keyboard.Leds;

    private byte Mode => ram[0];

    /// <inheritdoc/>
    public void Attach(IComponentPort port)
    {
        ArgumentNullException.ThrowIfNull(port);
        port.OnPost<KeyboardInput>((in KeyboardInput message) => Press(message.At, message.Data.Span));
        port.OnCall<KeyboardInput, Done>((in KeyboardInput message) =>
        {
            Press(message.At, message.Data.Span);
            return default;
        });
    }

    /// <summary>Presses and releases keys.</summary>
    /// <param name="at">Guest time in nanoseconds; a time that has passed means now.</param>
    /// <param name="data">Set-2 bytes.</param>
    public void Press(ulong at, ReadOnlySpan<byte> data)
    {
        input.Add(Math.Max(at, lastNow), data);
        Publish();
    }

    /// <inheritdoc/>
    public AccessStatus Read(int region, uint offset, int width, ulong now, out uint value)
    {
        value = uint.MaxValue;
        if (offset != 0 || width != 1 || region is not (DataRegion or CommandRegion))
            return AccessStatus.InvalidAccess;
        Advance(now);
        value = region == DataRegion ? ReadData() : Status();
        Settle();
        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    public AccessStatus Write(int region, uint offset, int width, uint value, ulong now)
    {
        if (offset != 0 || width != 1 || region is not (DataRegion or CommandRegion))
            return AccessStatus.InvalidAccess;
        Advance(now);
        if (region == DataRegion)
            WriteData((byte)value);
        else
            WriteCommand((byte)value);
        Settle();
        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    public void RunTimers(ulong now)
    {
        Advance(now);
        Publish();
    }

    /// <inheritdoc/>
    public void Reset(bool cold)
    {
        keyboard.PowerOn();
        replies.Clear();
        Array.Clear(ram);
        ram[0] = ResetMode;
        output = 0;
        outputFull = outputAuxiliary = timeout = lastWasCommand = breakPrefix = false;
        pendingCommand = 0;
        outputLatch = OutputLines;
        polledInput = -1;
        byteArrives = ulong.MaxValue;
        lines.A20 = true;
        if (cold)
        {
            input.Clear();
            lastNow = 0;
        }

        Settle();
    }

    /// <inheritdoc/>
    public void Save(StateWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        keyboard.Save(writer);
        input.Save(writer);
        replies.Save(writer);
        writer.Bytes(ram);
        writer.Byte(output);
        writer.Bool(outputFull);
        writer.Bool(outputAuxiliary);
        writer.Bool(timeout);
        writer.Bool(lastWasCommand);
        writer.Bool(breakPrefix);
        writer.Byte(pendingCommand);
        writer.Int32(outputLatch);
        writer.Int32(polledInput);
        writer.UInt64(byteArrives);
        writer.UInt64(lastNow);
        writer.Bool(lines.A20);
    }

    /// <inheritdoc/>
    public void Restore(ref StateReader reader)
    {
        keyboard.Restore(ref reader);
        input.Restore(ref reader);
        replies.Restore(ref reader);
        ReadOnlySpan<byte> saved = reader.Bytes(ram.Length);
        if (saved.Length != ram.Length)
            throw new InvalidDataException("The controller's memory is not whole.");
        saved.CopyTo(ram);
        output = reader.Byte();
        outputFull = reader.Bool();
        outputAuxiliary = reader.Bool();
        timeout = reader.Bool();
        lastWasCommand = reader.Bool();
        breakPrefix = reader.Bool();
        pendingCommand = reader.Byte();
        outputLatch = reader.Int32() & OutputLines;
        polledInput = reader.Int32(-1, 0xFF);
        byteArrives = reader.UInt64();
        lastNow = reader.UInt64();
        lines.A20 = reader.Bool();
        interrupt.Restore(InterruptOutput());
        auxiliaryInterrupt.Restore(AuxiliaryInterruptOutput());
        Publish();
    }

    private void Advance(ulong now)
    {
        lastNow = Math.Max(lastNow, now);
        while (true)
        {
            ulong next = NextEvent();
            if (next > lastNow)
                return;
            if (keyboard.NextEvent <= next)
                keyboard.RunTimers(next);
            while (input.Next <= next && keyboard.TakesKeys)
                keyboard.Key(input.Take());
            if (byteArrives <= next)
                ByteArrived();
            Schedule(next);
            UpdateLines();
        }
    }

    private ulong NextEvent() => Math.Min(Math.Min(keyboard.NextEvent, byteArrives), keyboard.TakesKeys ? input.Next : ulong.MaxValue);

    /// <summary>The keyboard may send while its clock is not held: interface enabled, and room in the output buffer.</summary>
    private void Schedule(ulong now)
    {
        bool mayForward = keyboard.HasOutput && !outputFull && (Mode & ModeKeyboardDisabled) == 0;
        if (!mayForward)
            byteArrives = ulong.MaxValue;
        else if (byteArrives == ulong.MaxValue)
            byteArrives = now + ByteTime;
    }

    private void ByteArrived()
    {
        byteArrives = ulong.MaxValue;
        byte value = keyboard.Send();
        if ((Mode & ModeTranslate) != 0)
        {
            if (value == ScancodeTranslation.BreakPrefix)
            {
                breakPrefix = true;
                return;
            }

            value = (byte)(ScancodeTranslation.Set1(value) | (breakPrefix ? ScancodeTranslation.Set1Break : 0));
        }

        breakPrefix = false;
        Fill(value, auxiliary: false);
    }

    private void Fill(byte value, bool auxiliary)
    {
        output = value;
        outputFull = true;
        outputAuxiliary = auxiliary;
    }

    /// <summary>After an access: what waits moves up, lines and deadline follow.</summary>
    private void Settle()
    {
        if (!outputFull && replies.Count > 0)
            Fill(replies.Take(), auxiliary: false);
        Schedule(lastNow);
        UpdateLines();
        Publish();
    }

    private void UpdateLines()
    {
        interrupt.Set(InterruptOutput());
        auxiliaryInterrupt.Set(AuxiliaryInterruptOutput());
    }

    private bool InterruptOutput() => outputFull && !outputAuxiliary && (Mode & ModeInterrupt) != 0;

    private bool AuxiliaryInterruptOutput() => outputFull && outputAuxiliary && (Mode & ModeAuxiliaryInterrupt) != 0;

    /// <summary>Without the interrupt, nobody but a reader of the status port can tell when a byte came; it is caught up with then.</summary>
    private void Publish() => Timer.Deadline = (Mode & ModeInterrupt) != 0 ? NextEvent() : ulong.MaxValue;

    private uint Status()
    {
        int status = (outputFull ? StatusOutputFull : 0)
            | ((Mode & ModeSystem) != 0 ? StatusSystem : 0)
            | (lastWasCommand ? StatusCommand : 0)
            | StatusUnlocked
            | (outputFull && outputAuxiliary ? StatusAuxiliary : 0)
            | (timeout ? StatusTimeout : 0);
        return (uint)(polledInput < 0 ? status : (status & 0x0F) | (polledInput & 0xF0));
    }

    private uint ReadData()
    {
        outputFull = outputAuxiliary = timeout = false;
        UpdateLines(); // What waits makes an edge of its own.
        return output;
    }

    private void Reply(byte value)
    {
        if (outputFull)
            replies.Add(value);
        else
            Fill(value, auxiliary: false);
    }

    private void WriteCommand(byte command)
    {
        lastWasCommand = true;
        pendingCommand = 0;
        polledInput = -1;
        switch (command)
        {
            case >= 0x20 and <= 0x3F:
                Reply(ram[command & 0x1F]);
                break;
            case (>= 0x60 and <= 0x7F) or 0xA5 or (>= 0xD1 and <= 0xD4):
                pendingCommand = command;
                break;
            case 0xA4: // No password is installed.
                Reply(0xF1);
                break;
            case 0xA7:
                ram[0] |= ModeAuxiliaryDisabled;
                break;
            case 0xA8:
                ram[0] &= unchecked((byte)~ModeAuxiliaryDisabled);
                break;
            case 0xA9 or 0xAB: // The lines of either port are not stuck.
                Reply(0x00);
                break;
            case 0xAA:
                replies.Clear();
                outputFull = outputAuxiliary = timeout = false;
                ram[0] |= ModeSystem;
                Reply(0x55);
                break;
            case 0xAD:
                ram[0] |= ModeKeyboardDisabled;
                break;
            case 0xAE:
                ram[0] &= unchecked((byte)~ModeKeyboardDisabled);
                break;
            case 0xC0:
                Reply(InputPort);
                break;
            case 0xC1:
                polledInput = (InputPort << 4) & 0xF0;
                break;
            case 0xC2:
                polledInput = InputPort & 0xF0;
                break;
            case 0xD0:
                Reply(OutputPort());
                break;
            case 0xE0: // Test inputs: keyboard clock in bit 0 (held low while disabled), keyboard data in bit 1.
                Reply((Mode & ModeKeyboardDisabled) != 0 ? (byte)0x02 : (byte)0x03);
                break;
            case >= 0xF0:
                // Bits that are 0 are pulsed low for 6 µs; only the reset line notices.
                if ((command & OutputReset) == 0)
                    lines.ResetRequested = true;
                break;
            default:
                break;
        }
    }

    private byte OutputPort() => (byte)(outputLatch
        | OutputReset
        | (lines.A20 ? OutputA20 : 0)
        | (InterruptOutput() ? OutputInterrupt : 0)
        | (AuxiliaryInterruptOutput() ? OutputAuxiliaryInterrupt : 0));

    private void WriteData(byte value)
    {
        lastWasCommand = false;
        byte command = pendingCommand;
        pendingCommand = 0;
        switch (command)
        {
            case 0:
                // A byte for the keyboard: the interface is enabled for it.
                ram[0] &= unchecked((byte)~ModeKeyboardDisabled);
                keyboard.Receive(value, lastNow);
                break;
            case >= 0x60 and <= 0x7F:
                ram[command & 0x1F] = value;
                break;
            case 0xA5: // A password ends with a zero byte. It is taken, but there is no lock to use it on.
                pendingCommand = value == 0 ? (byte)0 : command;
                break;
            case 0xD1:
                outputLatch = value & OutputLines;
                lines.A20 = (value & OutputA20) != 0;
                if ((value & OutputReset) == 0)
                    lines.ResetRequested = true;
                break;
            case 0xD2:
                Fill(value, auxiliary: false);
                break;
            case 0xD3:
                Fill(value, auxiliary: true);
                break;
            default: // D4h: nobody on the auxiliary port clocks the byte in.
                Fill(0xFE, auxiliary: true);
                timeout = true;
                break;
        }
    }
}
