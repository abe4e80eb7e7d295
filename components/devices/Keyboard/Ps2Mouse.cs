using Plexus.Messaging.Contracts.Device;

namespace Plexus.Devices;

/// <summary>
/// A PS/2 mouse behind the controller: three buttons, and for a guest that asks for it a wheel (IntelliMouse, identity 3) and five buttons (IntelliMouse Explorer, identity 4).
/// Any command drops what is left of a packet, and all but Read Data and Resend clear the counters.
/// </summary>
internal sealed class Ps2Mouse
{
    private const byte Acknowledge = 0xFA;
    private const byte Resend = 0xFE;
    private const byte Error = 0xFC;
    private const byte SelfTestPassed = 0xAA;

    private const byte SetScaling1 = 0xE6, SetScaling2 = 0xE7, SetResolution = 0xE8, StatusRequest = 0xE9, SetStream = 0xEA, ReadData = 0xEB, ResetWrap = 0xEC,
        SetWrap = 0xEE, SetRemote = 0xF0, GetIdentity = 0xF2, SetRate = 0xF3, Enable = 0xF4, Disable = 0xF5, SetDefaults = 0xF6, Reset = 0xFF;

    private const int DefaultRate = 100;
    private const int DefaultResolution = 2;
    private const int Plain = 0, Wheel = 3, FiveButtons = 4;
    private const int StatusRemote = 0x40, StatusEnabled = 0x20, StatusScaling = 0x10;
    private const byte AlwaysOne = 0x08;
    private const int LongestBlock = 8;

    // Volatile state.
    private readonly ByteQueue output = new(16);
    private readonly byte[] lastBlock = new byte[LongestBlock];
    private int lastLength;
    private int identity;
    private int rate;
    private int resolution;
    private bool doubled;
    private bool remote;
    private bool wrapping;
    private bool reporting;
    private int knock;
    private byte pendingCommand;
    private bool refused;
    private MouseCounter x, y;
    private int wheel;
    private MouseButtons buttons, reported;
    private ulong samplesFrom;
    private ulong sampleAt = ulong.MaxValue;
    private ulong selfTestDone = ulong.MaxValue;

    public Ps2Mouse() => PowerOn(0);

    /// <summary>There is something to send.</summary>
    public bool HasOutput => output.Count > 0;

    /// <summary>Guest time in nanoseconds at which the self-test ends or the mouse looks at its counters.</summary>
    public ulong NextEvent => Math.Min(selfTestDone, sampleAt);

    private ulong Period => ClockDomain.Second / (ulong)rate;

    private bool IsStreaming => reporting && !remote && !wrapping && selfTestDone == ulong.MaxValue;

    private MouseButtons VisibleButtons =>
        identity == FiveButtons ? (MouseButtons)0x1F : MouseButtons.Left | MouseButtons.Right | MouseButtons.Middle;

    private bool HasNews => x.HasMoved || y.HasMoved || (identity != Plain && wheel != 0) || ((buttons ^ reported) & VisibleButtons) != 0;

    /// <summary>Becomes a mouse that was just switched on, without its self-test. The finger stays on the buttons.</summary>
    public void PowerOn(ulong now)
    {
        output.Clear();
        identity = Plain;
        knock = 0;
        pendingCommand = 0;
        refused = remote = wrapping = false;
        lastLength = 0;
        selfTestDone = ulong.MaxValue;
        reported = MouseButtons.None;
        Defaults(now);
    }

    /// <summary>Nobody touches the mouse.</summary>
    public void ReleaseAll()
    {
        buttons = MouseButtons.None;
        ClearCounters();
    }

    /// <summary>The mouse can take a change of buttons to these: it was told, or nobody wants to know, of the one before.</summary>
    public bool Takes(MouseButtons next) => !IsStreaming || ((buttons ^ reported) & VisibleButtons) == 0 || next == buttons;

    /// <summary>The host side moves the mouse.</summary>
    public void Move(in MouseInput move, ulong now)
    {
        x.Add(move.Dx);
        y.Add(move.Dy);
        wheel = (int)Math.Clamp((long)wheel + move.Dz, sbyte.MinValue, sbyte.MaxValue);
        buttons = move.Buttons;
        Schedule(now);
    }

    /// <summary>Ends the self-test, or sends a packet.</summary>
    /// <param name="now">Guest time; <see cref="NextEvent"/>.</param>
    public void RunTimers(ulong now)
    {
        if (selfTestDone <= now)
        {
            selfTestDone = ulong.MaxValue;
            Begin();
            Add(SelfTestPassed);
            Add((byte)identity);
        }

        if (sampleAt > now)
            return;
        sampleAt = ulong.MaxValue;
        Begin();
        Report(doubled);
    }

    /// <summary>Sends the next byte.</summary>
    public byte Send(ulong now)
    {
        byte value = output.Take();
        Schedule(now);
        return value;
    }

    /// <summary>A byte from the controller.</summary>
    public void Receive(byte value, ulong now)
    {
        if (selfTestDone != ulong.MaxValue)
            return; // Busy with the self-test.
        output.Clear();
        if (value == Resend && !wrapping)
        {
            foreach (byte sent in lastBlock.AsSpan(0, lastLength))
                output.Add(sent);
        }
        else
        {
            Begin();
            if (wrapping && value is not (ResetWrap or Reset))
                Add(value);
            else
                Obey(value, now);
        }

        Schedule(now);
    }

    public void Save(StateWriter writer)
    {
        output.Save(writer);
        writer.Bytes(lastBlock.AsSpan(0, lastLength));
        writer.Int32(identity);
        writer.Int32(rate);
        writer.Int32(resolution);
        writer.Bool(doubled);
        writer.Bool(remote);
        writer.Bool(wrapping);
        writer.Bool(reporting);
        writer.Int32(knock);
        writer.Byte(pendingCommand);
        writer.Bool(refused);
        x.Save(writer);
        y.Save(writer);
        writer.Int32(wheel);
        writer.Byte((byte)buttons);
        writer.Byte((byte)reported);
        writer.UInt64(samplesFrom);
        writer.UInt64(sampleAt);
        writer.UInt64(selfTestDone);
    }

    public void Restore(ref StateReader reader)
    {
        output.Restore(ref reader);
        ReadOnlySpan<byte> block = reader.Bytes(LongestBlock);
        block.CopyTo(lastBlock);
        lastLength = block.Length;
        identity = reader.Int32(Plain, FiveButtons);
        rate = reader.Int32(1, byte.MaxValue);
        resolution = reader.Int32(0, 3);
        doubled = reader.Bool();
        remote = reader.Bool();
        wrapping = reader.Bool();
        reporting = reader.Bool();
        knock = reader.Int32(0, ushort.MaxValue);
        pendingCommand = reader.Byte();
        refused = reader.Bool();
        x.Restore(ref reader);
        y.Restore(ref reader);
        wheel = reader.Int32(sbyte.MinValue, sbyte.MaxValue);
        buttons = (MouseButtons)reader.Byte();
        reported = (MouseButtons)reader.Byte();
        samplesFrom = reader.UInt64();
        sampleAt = reader.UInt64();
        selfTestDone = reader.UInt64();
        if (sampleAt != ulong.MaxValue && (output.Count > 0 || !IsStreaming))
            throw new InvalidDataException("The mouse's state contradicts itself.");
    }

    private void Obey(byte value, ulong now)
    {
        if (value != ReadData)
            ClearCounters();
        byte command = pendingCommand;
        pendingCommand = 0;
        if (command != 0 && value < SetScaling1)
        {
            if (Parameter(command, value, now))
            {
                refused = false;
                Add(Acknowledge);
            }
            else
            {
                pendingCommand = refused ? (byte)0 : command; // One more attempt.
                Refuse();
            }

            return;
        }

        if (!IsCommand(value))
        {
            Refuse();
            return;
        }

        refused = false;
        if (value != SetRate)
            knock = 0;
        Add(Acknowledge);
        Command(value, now);
    }

    private static bool IsCommand(byte value) =>
        value is >= SetScaling1 and <= ResetWrap or SetWrap or SetRemote or >= GetIdentity and <= SetDefaults or Reset;

    /// <summary>The first byte that makes no sense is asked for again, the second is an error.</summary>
    private void Refuse()
    {
        Add(refused ? Error : Resend);
        refused = !refused;
    }

    private void Command(byte value, ulong now)
    {
        switch (value)
        {
            case SetScaling1 or SetScaling2:
                doubled = value == SetScaling2;
                break;
            case SetResolution or SetRate:
                pendingCommand = value;
                break;
            case StatusRequest:
                Add(Status());
                Add((byte)resolution);
                Add((byte)rate);
                break;
            case SetStream:
                remote = false;
                StartSampling(now);
                break;
            case ReadData:
                Report(scaled: false);
                break;
            case ResetWrap:
                wrapping = false;
                break;
            case SetWrap:
                wrapping = true;
                break;
            case SetRemote:
                remote = true;
                break;
            case GetIdentity:
                Add((byte)identity);
                break;
            case Enable:
                reporting = true;
                StartSampling(now);
                break;
            case Disable:
                reporting = false;
                break;
            case SetDefaults:
                Defaults(now);
                break;
            default:
                PowerOn(now);
                Begin();
                Add(Acknowledge);
                selfTestDone = now + KeyboardController.SelfTestTime;
                break;
        }
    }

    private bool Parameter(byte command, byte value, ulong now)
    {
        if (command == SetResolution)
        {
            if (value > 3)
                return false;
            resolution = value;
            return true;
        }

        if (value is not (10 or 20 or 40 or 60 or 80 or 100 or 200))
            return false;
        rate = value;
        StartSampling(now);

        // 200, 100, 80 asks for a wheel, 200, 200, 80 for five buttons.
        switch ((knock << 8) | value)
        {
            case 0xC8_64_50:
                identity = Wheel;
                break;
            case 0xC8_C8_50:
                identity = FiveButtons;
                break;
            default:
                break;
        }

        knock = ((knock << 8) | value) & 0xFFFF;
        return true;
    }

    private void Defaults(ulong now)
    {
        rate = DefaultRate;
        resolution = DefaultResolution;
        doubled = reporting = remote = false;
        ClearCounters();
        StartSampling(now);
    }

    private void ClearCounters()
    {
        x.Clear();
        y.Clear();
        wheel = 0;
        sampleAt = ulong.MaxValue;
    }

    private void StartSampling(ulong now) => samplesFrom = now;

    /// <summary>With something to tell and nothing on its way, the next sample is a packet.</summary>
    private void Schedule(ulong now)
    {
        if (!IsStreaming || output.Count > 0 || !HasNews)
            sampleAt = ulong.MaxValue;
        else if (sampleAt == ulong.MaxValue)
            sampleAt = samplesFrom + ((((now - samplesFrom) / Period) + 1) * Period);
    }

    private byte Status() => (byte)((remote ? StatusRemote : 0)
        | (reporting ? StatusEnabled : 0)
        | (doubled ? StatusScaling : 0)
        | ((buttons & MouseButtons.Left) != 0 ? 4 : 0)
        | ((buttons & MouseButtons.Middle) != 0 ? 2 : 0)
        | ((buttons & MouseButtons.Right) != 0 ? 1 : 0));

    private void Report(bool scaled)
    {
        int horizontal = x.Report(scaled, out byte dx);
        int vertical = y.Report(scaled, out byte dy);
        Add((byte)(AlwaysOne
            | ((int)buttons & 7)
            | ((horizontal & 1) << 4) | ((vertical & 1) << 5)
            | ((horizontal & 2) << 5) | ((vertical & 2) << 6)));
        Add(dx);
        Add(dy);
        if (identity == Wheel)
            Add((byte)wheel);
        else if (identity == FiveButtons)
            Add((byte)((Math.Clamp(wheel, -8, 7) & 0x0F) | (((int)buttons << 1) & 0x30)));
        reported = buttons;
        ClearCounters();
    }

    /// <summary>What follows is what Resend repeats.</summary>
    private void Begin() => lastLength = 0;

    private void Add(byte value)
    {
        output.Add(value);
        if (lastLength < LongestBlock)
            lastBlock[lastLength++] = value;
    }
}
