namespace Plexus.Host.Consoles;

/// <summary>Turns what a terminal sends for keys (characters, and the escape sequences of xterm and VT220) into scan codes.</summary>
internal sealed class TerminalKeys
{
    private const byte Escape = 0x1B;

    private static readonly Dictionary<string, string> Sequences = new(StringComparer.Ordinal)
    {
        ["[A"] = "up",
        ["[B"] = "down",
        ["[C"] = "right",
        ["[D"] = "left",
        ["[H"] = "home",
        ["[F"] = "end",
        ["OA"] = "up",
        ["OB"] = "down",
        ["OC"] = "right",
        ["OD"] = "left",
        ["OH"] = "home",
        ["OF"] = "end",
        ["[1~"] = "home",
        ["[2~"] = "insert",
        ["[3~"] = "delete",
        ["[4~"] = "end",
        ["[5~"] = "pageup",
        ["[6~"] = "pagedown",
        ["OP"] = "F1",
        ["OQ"] = "F2",
        ["OR"] = "F3",
        ["OS"] = "F4",
        ["[11~"] = "F1",
        ["[12~"] = "F2",
        ["[13~"] = "F3",
        ["[14~"] = "F4",
        ["[15~"] = "F5",
        ["[17~"] = "F6",
        ["[18~"] = "F7",
        ["[19~"] = "F8",
        ["[20~"] = "F9",
        ["[21~"] = "F10",
        ["[23~"] = "F11",
        ["[24~"] = "F12",
    };

    /// <summary>The scan codes of one piece of input. An escape character followed by a printable one is Alt with that key; alone it is Esc.</summary>
    public static byte[] Translate(ReadOnlySpan<byte> typed)
    {
        var bytes = new List<byte>();
        for (int i = 0; i < typed.Length; i++)
        {
            if (typed[i] != Escape || i + 1 == typed.Length)
            {
                KeyboardLayout.TryCharacter((char)typed[i], bytes);
                continue;
            }

            int length = SequenceLength(typed[(i + 1)..]);
            string sequence = System.Text.Encoding.Latin1.GetString(typed.Slice(i + 1, length));
            if (Sequences.TryGetValue(sequence, out string? key))
                bytes.AddRange(KeyboardLayout.Press(key, "keyboard"));
            else if (length == 1 && typed[i + 1] is > 0x20 and < 0x7F)
                bytes.AddRange(KeyboardLayout.Press($"alt-{(char)typed[i + 1]}", "keyboard"));
            i += length;
        }

        return [.. bytes];
    }

    /// <summary>Length of the sequence behind the escape character: a control sequence up to its final byte, SS3 and one more, or one character.</summary>
    private static int SequenceLength(ReadOnlySpan<byte> rest)
    {
        if (rest.Length > 1 && rest[0] == 'O')
            return 2;
        if (rest[0] != '[')
            return 1;
        for (int i = 1; i < rest.Length; i++)
        {
            if (rest[i] is >= 0x40 and <= 0x7E)
                return i + 1;
        }

        return rest.Length;
    }
}
