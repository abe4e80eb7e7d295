namespace Plexus.Devices;

/// <summary>Which keys of scan code set 3 repeat and which tell their release; the guest chooses for all keys or one by one.</summary>
internal sealed class KeySet3
{
    private readonly bool[] repeats = new bool[256];
    private readonly bool[] sendsBreak = new bool[256];

    public KeySet3() => Defaults();

    /// <summary>Shift, left Ctrl, left Alt and Caps Lock: make and break.</summary>
    private static ReadOnlySpan<byte> MakeBreakKeys => [0x11, 0x12, 0x14, 0x19, 0x59];

    /// <summary>Keys that send one make code and nothing else: function, lock and keypad keys, right Ctrl and Alt, and most navigation keys.</summary>
    private static ReadOnlySpan<byte> MakeOnlyKeys =>
    [
        0x07, 0x08, 0x0F, 0x17, 0x1F, 0x27, 0x2F, 0x37, 0x39, 0x3F, 0x47, 0x4F, 0x56, 0x57, 0x58, 0x5E, 0x5F, 0x62, 0x65, 0x67,
        0x69, 0x6B, 0x6C, 0x6D, 0x6E, 0x6F, 0x70, 0x71, 0x72, 0x73, 0x74, 0x75, 0x76, 0x77, 0x79, 0x7A, 0x7D, 0x7E, 0x84,
    ];

    public bool Repeats(byte code) => repeats[code];

    public bool SendsBreak(byte code) => sendsBreak[code];

    public void Defaults()
    {
        SetAll(repeat: true, sendBreak: false);
        foreach (byte code in MakeBreakKeys)
            SetOne(code, repeat: false, sendBreak: true);
        foreach (byte code in MakeOnlyKeys)
            SetOne(code, repeat: false, sendBreak: false);
    }

    public void SetAll(bool repeat, bool sendBreak)
    {
        Array.Fill(repeats, repeat);
        Array.Fill(sendsBreak, sendBreak);
    }

    public void SetOne(byte code, bool repeat, bool sendBreak)
    {
        repeats[code] = repeat;
        sendsBreak[code] = sendBreak;
    }

    public void Save(StateWriter writer)
    {
        for (int code = 0; code < repeats.Length; code++)
            writer.Byte((byte)((repeats[code] ? 1 : 0) | (sendsBreak[code] ? 2 : 0)));
    }

    public void Restore(ref StateReader reader)
    {
        for (int code = 0; code < repeats.Length; code++)
        {
            byte flags = reader.Byte();
            SetOne((byte)code, (flags & 1) != 0, (flags & 2) != 0);
        }
    }
}
