namespace Plexus.Devices;

/// <summary>A PS/2 keyboard behind the controller: commands, the three scan code sets, and a buffer of keys.</summary>
internal sealed class Ps2Keyboard
{
    private const byte Acknowledge = 0xFA;
    private const byte Resend = 0xFE;
    private const byte Echo = 0xEE;
    private const byte SelfTestPassed = 0xAA;
    private const int KeyBuffer = 16;
    private const int DefaultRate = 0x2B;

    // Volatile state.
    private readonly ByteQueue replies = new(16);
    private readonly ByteQueue keys = new(KeyBuffer);
    private readonly bool[] sendsBreak = new bool[256];
    private byte pendingCommand;
    private byte lastSent;
    private int set = 2;
    private bool scanning = true;
    private int leds;
    private int rate = DefaultRate;
    private ulong selfTestDone = ulong.MaxValue;
    private bool extended;
    private bool released;
    private int pauseBytes;

    public Ps2Keyboard() => Defaults();

    /// <summary>There is something to send.</summary>
    public bool HasOutput => replies.Count + keys.Count > 0;

    /// <summary>A set-2 byte of a key can be taken: whatever it converts to fits.</summary>
    public bool TakesKeys => keys.Room >= 2;

    /// <summary>Guest time in nanoseconds at which the self-test ends.</summary>
    public ulong NextEvent => selfTestDone;

    /// <summary>Num Lock in bit 1, Caps Lock in bit 2, Scroll Lock in bit 0.</summary>
    public int Leds => leds;

    public void PowerOn()
    {
        replies.Clear();
        selfTestDone = ulong.MaxValue;
        pendingCommand = lastSent = 0;
        leds = 0;
        Defaults();
        scanning = true;
    }

    public void RunTimers(ulong now)
    {
        if (selfTestDone > now)
            return;
        selfTestDone = ulong.MaxValue;
        replies.Add(SelfTestPassed);
    }

    /// <summary>Sends the next byte: answers before keys.</summary>
    public byte Send()
    {
        lastSent = replies.Count > 0 ? replies.Take() : keys.Take();
        return lastSent;
    }

    /// <summary>A byte from the controller.</summary>
    public void Receive(byte value, ulong now)
    {
        byte command = pendingCommand;
        pendingCommand = 0;
        if (command != 0 && value < 0xED && ReceiveParameter(command, value))
            return;
        if (selfTestDone != ulong.MaxValue)
            return; // Busy with the self-test.
        switch (value)
        {
            case 0xED or 0xF3 or 0xF0 or 0xFB or 0xFC or 0xFD:
                pendingCommand = value;
                replies.Add(Acknowledge);
                break;
            case Echo:
                replies.Add(Echo);
                break;
            case 0xF2:
                replies.Add(Acknowledge);
                replies.Add(0xAB);
                replies.Add(0x83);
                break;
            case 0xF4:
                keys.Clear();
                scanning = true;
                replies.Add(Acknowledge);
                break;
            case 0xF5:
                Defaults();
                scanning = false;
                replies.Add(Acknowledge);
                break;
            case 0xF6:
                bool scanned = scanning;
                Defaults();
                scanning = scanned;
                replies.Add(Acknowledge);
                break;
            case 0xF7 or 0xF8 or 0xF9 or 0xFA:
                Array.Fill(sendsBreak, value is 0xF8 or 0xFA);
                replies.Add(Acknowledge);
                break;
            case Resend:
                replies.Add(lastSent);
                break;
            case 0xFF:
                PowerOn();
                replies.Add(Acknowledge);
                selfTestDone = now + KeyboardController.SelfTestTime;
                break;
            default:
                replies.Add(Resend);
                break;
        }
    }

    /// <summary>A set-2 byte of a key, converted to the chosen set.</summary>
    public void Key(byte value)
    {
        if (!scanning || selfTestDone != ulong.MaxValue)
            return;
        switch (set)
        {
            case 1:
                KeySet1(value);
                break;
            case 2:
                keys.Add(value);
                break;
            default:
                KeySet3(value);
                break;
        }
    }

    public void Save(StateWriter writer)
    {
        replies.Save(writer);
        keys.Save(writer);
        foreach (bool flag in sendsBreak)
            writer.Bool(flag);
        writer.Byte(pendingCommand);
        writer.Byte(lastSent);
        writer.Int32(set);
        writer.Bool(scanning);
        writer.Int32(leds);
        writer.Int32(rate);
        writer.UInt64(selfTestDone);
        writer.Bool(extended);
        writer.Bool(released);
        writer.Int32(pauseBytes);
    }

    public void Restore(ref StateReader reader)
    {
        replies.Restore(ref reader);
        keys.Restore(ref reader);
        for (int i = 0; i < sendsBreak.Length; i++)
            sendsBreak[i] = reader.Bool();
        pendingCommand = reader.Byte();
        lastSent = reader.Byte();
        set = reader.Int32(1, 3);
        scanning = reader.Bool();
        leds = reader.Int32(0, 7);
        rate = reader.Int32(0, 0x7F);
        selfTestDone = reader.UInt64();
        extended = reader.Bool();
        released = reader.Bool();
        pauseBytes = reader.Int32(0, 8);
    }

    /// <summary>Set 2, default rate, empty buffer; in set 3 only Shift, Ctrl, Alt and Caps Lock tell when they are released.</summary>
    private void Defaults()
    {
        set = 2;
        rate = DefaultRate;
        keys.Clear();
        Array.Clear(sendsBreak);
        foreach (byte code in (ReadOnlySpan<byte>)[0x11, 0x12, 0x14, 0x19, 0x59])
            sendsBreak[code] = true;
        extended = released = false;
        pauseBytes = 0;
    }

    private bool ReceiveParameter(byte command, byte value)
    {
        switch (command)
        {
            case 0xED:
                leds = value & 7;
                break;
            case 0xF3:
                rate = value & 0x7F;
                break;
            case 0xF0 when value == 0:
                replies.Add(Acknowledge);
                replies.Add((byte)set);
                return true;
            case 0xF0 when value <= 3:
                keys.Clear();
                set = value;
                break;
            case 0xFB or 0xFC or 0xFD:
                sendsBreak[value] = command == 0xFC;
                break;
            default:
                return false; // Not a parameter: an unknown command, answered as one.
        }

        replies.Add(Acknowledge);
        return true;
    }

    private void KeySet1(byte value)
    {
        if (value == ScancodeTranslation.BreakPrefix)
        {
            released = true;
            return;
        }

        byte code = ScancodeTranslation.Set1(value);
        keys.Add(released ? (byte)(code | ScancodeTranslation.Set1Break) : code);
        released = false;
    }

    private void KeySet3(byte value)
    {
        if (pauseBytes > 0)
        {
            pauseBytes--;
            return;
        }

        switch (value)
        {
            case 0xE1: // Pause: E1 14 77 E1 F0 14 F0 77 is one key without a break.
                pauseBytes = 7;
                keys.Add(0x62);
                return;
            case 0xE0:
                extended = true;
                return;
            case ScancodeTranslation.BreakPrefix:
                released = true;
                return;
            default:
                break;
        }

        byte code = ScancodeTranslation.Set3(value, extended);
        bool isBreak = released;
        extended = released = false;
        if (code == 0 || (isBreak && !sendsBreak[code]))
            return;
        if (isBreak)
            keys.Add(ScancodeTranslation.BreakPrefix);
        keys.Add(code);
    }
}
