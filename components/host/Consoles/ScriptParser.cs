using System.Globalization;
using System.Text;

namespace Plexus.Host.Consoles;

/// <summary>Reads the steps of a scripted run, from options or from a file of lines <c>expect TEXT</c>, <c>type TEXT</c>, <c>key NAME</c>, <c>wait TIME</c>, <c>timeout TIME</c>, <c>screenshot FILE</c>.</summary>
internal static class ScriptParser
{
    /// <summary>The words that begin a step; as options they have two dashes.</summary>
    public static IReadOnlyList<string> Words { get; } = ["expect", "type", "key", "wait", "timeout"];

    private const string ScreenPrefix = "screen:";
    private const string KeyboardPrefix = "kbd:";

    /// <summary>Reads one step.</summary>
    /// <param name="word">One of the words.</param>
    /// <param name="value">What stands behind it.</param>
    /// <param name="where">Where it stands, for messages.</param>
    /// <exception cref="InputException">Not a step.</exception>
    public static ScriptStep Parse(string word, string value, string where) => word switch
    {
        _ when value.Length == 0 => throw new InputException($"{where}: nothing follows; see docs/consoles.md"),
        "expect" when value.StartsWith(ScreenPrefix, StringComparison.Ordinal) => new ScriptStep.Expect(where, true, Unescape(value[ScreenPrefix.Length..], where)),
        "expect" => new ScriptStep.Expect(where, false, Unescape(value, where)),
        "type" when value.StartsWith(KeyboardPrefix, StringComparison.Ordinal) => new ScriptStep.TypeKeys(where, KeyboardLayout.Type(Unescape(value[KeyboardPrefix.Length..], where), where)),
        "type" => new ScriptStep.TypeSerial(where, Unescape(value, where)),
        "key" => new ScriptStep.TypeKeys(where, KeyboardLayout.Press(value, where)),
        "wait" => new ScriptStep.Wait(where, Time(value, where)),
        "timeout" => new ScriptStep.Timeout(where, Time(value, where)),
        "screenshot" => new ScriptStep.Screenshot(where, value),
        _ => throw new InputException($"{where}: \"{word}\" is no step; known are {string.Join(", ", Words)}, screenshot"),
    };

    /// <summary>Reads a file of steps. Empty lines and lines that begin with # are passed over.</summary>
    /// <exception cref="InputException">It cannot be read, or a line is no step.</exception>
    public static IEnumerable<ScriptStep> ReadFile(string path)
    {
        string[] lines;
        try
        {
            lines = File.ReadAllLines(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new InputException($"--script {path}: cannot be read ({e.Message.ReplaceLineEndings(" ")}); check the path");
        }

        for (int i = 0; i < lines.Length; i++)
        {
            string line = lines[i].Trim();
            if (line.Length == 0 || line[0] == '#')
                continue;
            int space = line.IndexOf(' ', StringComparison.Ordinal);
            string word = space < 0 ? line : line[..space];
            yield return Parse(word, space < 0 ? "" : line[(space + 1)..], $"{path}:{i + 1}: {line}");
        }
    }

    /// <summary>A time of the guest: a number with ms, s or min; seconds without.</summary>
    /// <exception cref="InputException">Not a time.</exception>
    public static ulong Time(string text, string where)
    {
        (string number, double factor) = text switch
        {
            _ when text.EndsWith("ms", StringComparison.Ordinal) => (text[..^2], 1e6),
            _ when text.EndsWith("min", StringComparison.Ordinal) => (text[..^3], 60e9),
            _ when text.EndsWith('s') => (text[..^1], 1e9),
            _ => (text, 1e9),
        };
        return double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value) && value is > 0 and < 1e9
            ? (ulong)(value * factor)
            : throw new InputException($"{where}: \"{text}\" is no time; write for example 500ms, 10s or 5min");
    }

    /// <summary>UTF-8, with \n \r \t \e \\ and \xHH for what cannot be typed.</summary>
    private static byte[] Unescape(string text, string where)
    {
        var bytes = new List<byte>();
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\')
            {
                int length = char.IsHighSurrogate(text[i]) && i + 1 < text.Length ? 2 : 1;
                bytes.AddRange(Encoding.UTF8.GetBytes(text.Substring(i, length)));
                i += length - 1;
                continue;
            }

            char kind = ++i < text.Length ? text[i] : '\0';
            if (kind == 'x' && i + 2 < text.Length && byte.TryParse(text.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte code))
            {
                bytes.Add(code);
                i += 2;
                continue;
            }

            bytes.Add(kind switch
            {
                'n' => (byte)'\n',
                'r' => (byte)'\r',
                't' => (byte)'\t',
                'e' => 0x1B,
                '\\' => (byte)'\\',
                _ => throw new InputException($"{where}: \\{kind} is no escape; known are \\n \\r \\t \\e \\\\ \\xHH"),
            });
        }

        return [.. bytes];
    }
}
