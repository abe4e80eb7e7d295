namespace Plexus.Devices;

/// <summary>A PS/2 keyboard behind the controller: commands, the three scan code sets, typematic repetition, and a buffer of keys.</summary>
internal sealed class Ps2Keyboard
{
    private const byte Acknowledge = 0xFA;
    private const byte Resend = 0xFE;
    private const byte Echo = 0xEE;
    private const byte SelfTestPassed = 0xAA;
    private const int KeyBuffer = 16;

    /// <summary>The longest key but Pause: E0h F0h and a code.</summary>
    private const int LongestKey = 3;

    private const byte ExtendedPrefix = 0xE0;
    private const byte PausePrefix = 0xE1;
    private const byte Set3Pause = 0x62;
    private const int Extended = 0x100;
    private const int Keys = 0x200;
    private const int NoKey = -1;

    /// <summary>The shifts that set 2 wraps around navigation keys: sent as they come, but no keys.</summary>
    private const int FakeLeftShift = Extended | 0x12, FakeRightShift = Extended | 0x59;

    // Volatile state.
    private readonly ByteQueue replies = new(16);
    private readonly ByteQueue keys = new(KeyBuffer);
    private readonly KeySet3 set3 = new();
    private readonly byte[] held = new byte[Keys / 8];
    private byte pendingCommand;
    private byte lastSent;
    private int set = 2;
    private bool scanning = true;
    private int leds;
    private TypematicRate rate = TypematicRate.Default;
    private ulong selfTestDone = ulong.MaxValue;
    private bool extended;
    private bool released;
    private int pauseBytes;
    private int repeating = NoKey;
    private ulong repeatAt = ulong.MaxValue;

    /// <summary>There is something to send.</summary>
    public bool HasOutput => replies.Count + keys.Count > 0;

    /// <summary>A set-2 byte of a key can be taken: whatever it converts to fits.</summary>
    public bool TakesKeys => keys.Room >= LongestKey;

    /// <summary>Guest time in nanoseconds at which the self-test ends or a held key repeats.</summary>
    public ulong NextEvent => Math.Min(selfTestDone, repeatAt);

    /// <summary>Num Lock in bit 1, Caps Lock in bit 2, Scroll Lock in bit 0.</summary>
    public int Leds => leds;

    /// <summary>The state after power-on; the keys that a finger holds stay down.</summary>
    public void PowerOn()
    {
        replies.Clear();
        selfTestDone = ulong.MaxValue;
        pendingCommand = lastSent = 0;
        leds = 0;
        Defaults();
        scanning = true;
    }

    /// <summary>Nobody touches the keyboard.</summary>
    public void ReleaseAll()
    {
        Array.Clear(held);
        extended = released = false;
        pauseBytes = 0;
    }

    /// <summary>Ends the self-test, repeats the held key.</summary>
    /// <param name="now">Guest time; <see cref="NextEvent"/>.</param>
    /// <param name="isBehind">The host has pressed or released something since that the keyboard has not taken yet: whether the key is still held is not known, and it is not repeated.</param>
    public void RunTimers(ulong now, bool isBehind)
    {
        if (selfTestDone <= now)
        {
            selfTestDone = ulong.MaxValue;
            replies.Add(SelfTestPassed);
        }

        if (repeatAt > now)
            return;
        repeatAt += rate.Period;
        if (!isBehind && keys.Room >= LongestKey)
            Emit(repeating, isBreak: false);
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
                ClearKeys();
                scanning = true;
                replies.Add(Acknowledge);
                break;
            case 0xF5:
                Defaults();
                scanning = false;
                replies.Add(Acknowledge);
                break;
            case 0xF6:
                Defaults();
                replies.Add(Acknowledge);
                break;
            case 0xF7 or 0xF8 or 0xF9 or 0xFA:
                ClearKeys();
                set3.SetAll(repeat: value is 0xF7 or 0xFA, sendBreak: value is 0xF8 or 0xFA);
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
    /// <param name="value">The byte.</param>
    /// <param name="now">Guest time.</param>
    public void Key(byte value, ulong now)
    {
        if (pauseBytes > 0)
        {
            pauseBytes--;
            EmitPause(value);
            return;
        }

        switch (value)
        {
            case PausePrefix: // E1 14 77 E1 F0 14 F0 77 is one key without a break.
                pauseBytes = 7;
                StopRepeating();
                if (set == 3)
                    EmitIfScanning(Set3Pause);
                else
                    EmitPause(value);
                return;
            case ExtendedPrefix:
                extended = true;
                return;
            case ScancodeTranslation.BreakPrefix:
                released = true;
                return;
            default:
                break;
        }

        int key = value | (extended ? Extended : 0);
        bool isBreak = released;
        extended = released = false;
        if (key is not (FakeLeftShift or FakeRightShift) && !Press(key, isBreak, now))
            return;
        if (IsScanning)
            Emit(key, isBreak);
    }

    public void Save(StateWriter writer)
    {
        replies.Save(writer);
        keys.Save(writer);
        set3.Save(writer);
        writer.Bytes(held);
        writer.Byte(pendingCommand);
        writer.Byte(lastSent);
        writer.Int32(set);
        writer.Bool(scanning);
        writer.Int32(leds);
        writer.Int32(rate.Parameter);
        writer.UInt64(selfTestDone);
        writer.Bool(extended);
        writer.Bool(released);
        writer.Int32(pauseBytes);
        writer.Int32(repeating);
        writer.UInt64(repeatAt);
    }

    public void Restore(ref StateReader reader)
    {
        replies.Restore(ref reader);
        keys.Restore(ref reader);
        set3.Restore(ref reader);
        reader.Fill(held, "The keyboard's keys are not all there.");
        pendingCommand = reader.Byte();
        lastSent = reader.Byte();
        set = reader.Int32(1, 3);
        scanning = reader.Bool();
        leds = reader.Int32(0, 7);
        rate = new TypematicRate(reader.Int32(0, 0x7F));
        selfTestDone = reader.UInt64();
        extended = reader.Bool();
        released = reader.Bool();
        pauseBytes = reader.Int32(0, 8);
        repeating = reader.Int32(NoKey, Keys - 1);
        repeatAt = reader.UInt64();
        if ((repeating == NoKey) != (repeatAt == ulong.MaxValue))
            throw new InvalidDataException("The keyboard repeats no key, or a key at no time.");
    }

    private bool IsScanning => scanning && selfTestDone == ulong.MaxValue;

    /// <summary>Set 2, default rate, empty buffer.</summary>
    private void Defaults()
    {
        set = 2;
        rate = TypematicRate.Default;
        set3.Defaults();
        ClearKeys();
    }

    private void ClearKeys()
    {
        keys.Clear();
        StopRepeating();
    }

    private void StopRepeating()
    {
        repeating = NoKey;
        repeatAt = ulong.MaxValue;
    }

    /// <summary>Notes which keys are down, and which one repeats: the last one pressed, until it or another one moves.</summary>
    /// <returns>False for a press of a key that is down already.</returns>
    private bool Press(int key, bool isBreak, ulong now)
    {
        int mask = 1 << (key & 7);
        bool wasHeld = (held[key >> 3] & mask) != 0;
        if (isBreak)
        {
            held[key >> 3] &= (byte)~mask;
            if (repeating == key)
                StopRepeating();
            return true;
        }

        if (wasHeld)
            return false;
        held[key >> 3] |= (byte)mask;
        StopRepeating();
        if (IsScanning && (set != 3 || set3.Repeats(ScancodeTranslation.Set3((byte)key, key >= Extended))))
        {
            repeating = key;
            repeatAt = now + rate.Delay;
        }

        return true;
    }

    private bool ReceiveParameter(byte command, byte value)
    {
        switch (command)
        {
            case 0xED:
                leds = value & 7;
                break;
            case 0xF3:
                rate = new TypematicRate(value & 0x7F);
                break;
            case 0xF0 when value == 0:
                replies.Add(Acknowledge);
                replies.Add((byte)set);
                return true;
            case 0xF0 when value <= 3:
                ClearKeys();
                set = value;
                break;
            case 0xFB or 0xFC or 0xFD:
                set3.SetOne(value, repeat: command == 0xFB, sendBreak: command == 0xFC);
                break;
            default:
                return false; // Not a parameter: an unknown command, answered as one.
        }

        replies.Add(Acknowledge);
        return true;
    }

    private void Emit(int key, bool isBreak)
    {
        byte code = (byte)key;
        if (set == 3)
        {
            code = ScancodeTranslation.Set3(code, key >= Extended);
            if (code == 0 || (isBreak && !set3.SendsBreak(code)))
                return;
        }
        else if (key >= Extended)
        {
            keys.Add(ExtendedPrefix);
        }

        if (set == 1)
        {
            keys.Add((byte)(ScancodeTranslation.Set1(code) | (isBreak ? ScancodeTranslation.Set1Break : 0)));
            return;
        }

        if (isBreak)
            keys.Add(ScancodeTranslation.BreakPrefix);
        keys.Add(code);
    }

    /// <summary>A byte of the Pause key, which has its own sequence in sets 1 and 2.</summary>
    private void EmitPause(byte value)
    {
        switch (set)
        {
            case 1 when value == ScancodeTranslation.BreakPrefix:
                released = true;
                break;
            case 1:
                EmitIfScanning((byte)(value == PausePrefix ? value : ScancodeTranslation.Set1(value) | (released ? ScancodeTranslation.Set1Break : 0)));
                released = false;
                break;
            case 2:
                EmitIfScanning(value);
                break;
            default:
                break;
        }
    }

    private void EmitIfScanning(byte value)
    {
        if (IsScanning)
            keys.Add(value);
    }
}
