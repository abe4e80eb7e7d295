namespace Plexus.Host.Consoles;

/// <summary>A US keyboard in scan code set 2: characters and key names become the bytes that pressing and releasing the keys sends.</summary>
internal static class KeyboardLayout
{
    private const byte Break = 0xF0, Extended = 0xE0;
    private const byte LeftShift = 0x12, LeftControl = 0x14, LeftAlt = 0x11;

    /// <summary>Unshifted characters by key, and what Shift makes of them.</summary>
    private const string Plain = "`1234567890-=qwertyuiop[]\\asdfghjkl;'zxcvbnm,./ \t\r\b\u001b";
    private const string Shifted = "~!@#$%^&*()_+QWERTYUIOP{}|ASDFGHJKL:\"ZXCVBNM<>?";

    private static ReadOnlySpan<byte> Codes =>
    [
        0x0E, 0x16, 0x1E, 0x26, 0x25, 0x2E, 0x36, 0x3D, 0x3E, 0x46, 0x45, 0x4E, 0x55,
        0x15, 0x1D, 0x24, 0x2D, 0x2C, 0x35, 0x3C, 0x43, 0x44, 0x4D, 0x54, 0x5B, 0x5D,
        0x1C, 0x1B, 0x23, 0x2B, 0x34, 0x33, 0x3B, 0x42, 0x4B, 0x4C, 0x52,
        0x1A, 0x22, 0x21, 0x2A, 0x32, 0x31, 0x3A, 0x41, 0x49, 0x4A,
        0x29, 0x0D, 0x5A, 0x66, 0x76,
    ];

    private static readonly Dictionary<string, ushort> Named = new(StringComparer.OrdinalIgnoreCase)
    {
        ["F1"] = 0x05,
        ["F2"] = 0x06,
        ["F3"] = 0x04,
        ["F4"] = 0x0C,
        ["F5"] = 0x03,
        ["F6"] = 0x0B,
        ["F7"] = 0x83,
        ["F8"] = 0x0A,
        ["F9"] = 0x01,
        ["F10"] = 0x09,
        ["F11"] = 0x78,
        ["F12"] = 0x07,
        ["esc"] = 0x76,
        ["tab"] = 0x0D,
        ["enter"] = 0x5A,
        ["backspace"] = 0x66,
        ["space"] = 0x29,
        ["caps"] = 0x58,
        ["up"] = 0xE075,
        ["down"] = 0xE072,
        ["left"] = 0xE06B,
        ["right"] = 0xE074,
        ["home"] = 0xE06C,
        ["end"] = 0xE069,
        ["pageup"] = 0xE07D,
        ["pagedown"] = 0xE07A,
        ["insert"] = 0xE070,
        ["delete"] = 0xE071,
        ["shift"] = LeftShift,
        ["ctrl"] = LeftControl,
        ["alt"] = LeftAlt,
    };

    /// <summary>Names that <see cref="Press"/> knows besides single characters.</summary>
    public static IEnumerable<string> Names => Named.Keys;

    /// <summary>Types ASCII text; a line feed is Enter.</summary>
    /// <exception cref="InputException">A character is on no key.</exception>
    public static byte[] Type(ReadOnlySpan<byte> text, string where)
    {
        var bytes = new List<byte>();
        foreach (byte character in text)
        {
            if (!TryCharacter((char)character, bytes))
                throw new InputException($"{where}: character {character:X2}h is on no key of a US keyboard");
        }

        return [.. bytes];
    }

    /// <summary>Presses keys together, as <c>ctrl-alt-delete</c>, and releases them in reverse.</summary>
    /// <exception cref="InputException">There is no such key.</exception>
    public static byte[] Press(string names, string where)
    {
        var codes = new List<ushort>();
        foreach (string name in names.Length == 1 ? [names] : names.Split('-'))
        {
            int at = name.Length == 1 ? Plain.IndexOf(char.ToLowerInvariant(name[0]), StringComparison.Ordinal) : -1;
            if (at >= 0)
                codes.Add(Codes[at]);
            else if (Named.TryGetValue(name, out ushort code))
                codes.Add(code);
            else
                throw new InputException($"{where}: no key is called \"{name}\"; known are single characters and {string.Join(", ", Named.Keys)}");
        }

        var bytes = new List<byte>();
        foreach (ushort code in codes)
            Add(bytes, code, released: false);
        for (int i = codes.Count - 1; i >= 0; i--)
            Add(bytes, codes[i], released: true);
        return [.. bytes];
    }

    /// <summary>Appends what typing a character sends: control characters with Ctrl, capitals and signs with Shift.</summary>
    /// <returns>False when no key makes it.</returns>
    public static bool TryCharacter(char character, List<byte> bytes)
    {
        if (character == '\n')
            character = '\r';
        if (character == 0x7F)
            character = '\b';
        int at = Plain.IndexOf(character, StringComparison.Ordinal);
        ushort modifier = 0;
        if (at < 0 && Shifted.IndexOf(character, StringComparison.Ordinal) is >= 0 and int shifted)
        {
            at = shifted;
            modifier = LeftShift;
        }
        else if (at < 0 && character is >= '\u0001' and <= '\u001A')
        {
            at = Plain.IndexOf((char)('a' + character - 1), StringComparison.Ordinal);
            modifier = LeftControl;
        }

        if (at < 0)
            return false;
        if (modifier != 0)
            Add(bytes, modifier, released: false);
        Add(bytes, Codes[at], released: false);
        Add(bytes, Codes[at], released: true);
        if (modifier != 0)
            Add(bytes, modifier, released: true);
        return true;
    }

    private static void Add(List<byte> bytes, ushort code, bool released)
    {
        if (code >> 8 == Extended)
            bytes.Add(Extended);
        if (released)
            bytes.Add(Break);
        bytes.Add((byte)code);
    }
}
