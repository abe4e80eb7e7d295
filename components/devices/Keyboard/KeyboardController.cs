using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Device;
using Plexus.Messaging.Shared;

namespace Plexus.Devices;

/// <summary>
/// The PS/2 keyboard controller (8042) at 60h and 64h, with a keyboard on its first port and a mouse on its auxiliary port; A20 gate and CPU reset hang on its output port.
/// </summary>
public sealed partial class KeyboardController : IRegisterAccess, ITimed, IResettable, ISaveRestore, IHostConnected
{
    /// <summary>Region of the data port, 60h.</summary>
    public const int DataRegion = 0;

    /// <summary>Region of the status and command port, 64h.</summary>
    public const int CommandRegion = 1;

    /// <summary>Eleven bits at some 11 kHz: the time a byte takes from the keyboard or the mouse.</summary>
    public const ulong ByteTime = 1_000_000;

    /// <summary>Time of the self-test of keyboard or mouse after a reset, in nanoseconds. Real ones take 300 to 500 ms; guests wait for the answer, so this one is quick.</summary>
    public const ulong SelfTestTime = 100_000_000;

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

    // Glue.
    private readonly PlatformLines lines;
    private readonly InterruptLine interrupt;
    private readonly InterruptLine auxiliaryInterrupt;

    // Volatile state.
    private readonly Ps2Keyboard keyboard = new();
    private readonly Ps2Mouse mouse = new();
    private readonly KeyInput input = new();
    private readonly MouseMoves moves = new();
    private readonly KeyboardPassword password = new();
    private readonly ByteQueue replies = new(16);
    private readonly byte[] ram = new byte[32];
    private byte output;
    private bool outputFull;
    private bool outputAuxiliary;
    private bool lastWasCommand;
    private byte pendingCommand;
    private int outputLatch;
    private int polledInput;
    private bool breakPrefix;
    private ulong byteArrives;
    private bool sendsMouse;
    private ulong lastNow;

    /// <summary>Makes a controller with a keyboard and a mouse.</summary>
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
    public byte StateVersion => 2;

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
        port.OnPost<MouseInput>((in MouseInput message) => Move(message));
        port.OnCall<MouseInput, Done>((in MouseInput message) =>
        {
            Move(message);
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

    /// <summary>Moves the mouse.</summary>
    /// <param name="move">What happens, and when; a time that has passed means now.</param>
    public void Move(in MouseInput move)
    {
        moves.Add(move with { At = Math.Max(move.At, lastNow) });
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
        if (cold)
        {
            input.Clear();
            moves.Clear();
            keyboard.ReleaseAll();
            mouse.ReleaseAll();
            lastNow = 0;
        }

        keyboard.PowerOn();
        mouse.PowerOn(lastNow);
        password.Clear();
        replies.Clear();
        Array.Clear(ram);
        ram[0] = ResetMode;
        output = 0;
        outputFull = outputAuxiliary = lastWasCommand = breakPrefix = sendsMouse = false;
        pendingCommand = 0;
        outputLatch = OutputLines;
        polledInput = -1;
        byteArrives = ulong.MaxValue;
        lines.A20 = true;
        Settle();
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
                keyboard.RunTimers(next, input.Next <= next);
            if (mouse.NextEvent <= next)
                mouse.RunTimers(next);
            while (input.Next <= next && keyboard.TakesKeys)
                keyboard.Key(input.Take(), next);
            while (moves.Next <= next && mouse.Takes(moves.NextButtons))
                mouse.Move(moves.Take(), next);
            if (byteArrives <= next)
                ByteArrived(next);
            Schedule(next);
            UpdateLines();
        }
    }

    private ulong NextEvent()
    {
        ulong next = Math.Min(Math.Min(keyboard.NextEvent, mouse.NextEvent), byteArrives);
        if (keyboard.TakesKeys)
            next = Math.Min(next, input.Next);
        return mouse.Takes(moves.NextButtons) ? Math.Min(next, moves.Next) : next;
    }

    /// <summary>
    /// A device may send while its clock is not held: interface enabled, and room in the output buffer. One sends at a time, and when both want to they take turns.
    /// </summary>
    private void Schedule(ulong now)
    {
        bool keyboardMay = keyboard.HasOutput && !outputFull && (Mode & ModeKeyboardDisabled) == 0;
        bool mouseMay = mouse.HasOutput && !outputFull && (Mode & ModeAuxiliaryDisabled) == 0 && !password.IsLocked;
        if (byteArrives != ulong.MaxValue && (sendsMouse ? mouseMay : keyboardMay))
            return;
        byteArrives = ulong.MaxValue;
        if (!keyboardMay && !mouseMay)
            return;
        sendsMouse = mouseMay && !(keyboardMay && sendsMouse);
        byteArrives = now + ByteTime;
    }

    private void ByteArrived(ulong now)
    {
        byteArrives = ulong.MaxValue;
        if (sendsMouse)
        {
            Fill(mouse.Send(now), auxiliary: true);
            return;
        }

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
        if (!password.IsLocked)
            Fill(value, auxiliary: false);
        else if (password.Unlocks(value, ram[PasswordIgnored1], ram[PasswordIgnored2]) && ram[PasswordOffCode] != 0)
            Fill(ram[PasswordOffCode], auxiliary: false);
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

    /// <summary>Without interrupts, nobody but a reader of the status port can tell when a byte came; it is caught up with then.</summary>
    private void Publish() => Timer.Deadline = (Mode & (ModeInterrupt | ModeAuxiliaryInterrupt)) != 0 ? NextEvent() : ulong.MaxValue;
}
