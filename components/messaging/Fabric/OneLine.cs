using System.Buffers;

namespace Plexus.Messaging;

/// <summary>Makes text from outside fit for a message of one line: it may end up on a terminal, in a log, or in a trace.</summary>
public static class OneLine
{
    private const int Head = 700;
    private const int Tail = 250;

    /// <summary>C0, DEL, C1, and Unicode's line and paragraph separators.</summary>
    private static readonly SearchValues<char> Breakers =
        SearchValues.Create([.. Enumerable.Range(0, 0x20).Concat(Enumerable.Range(0x7F, 0x21)).Select(c => (char)c), '\u2028', '\u2029']);

    /// <summary>The text with a space for every control character and line separator; the middle of a very long one is left out, for what is wrong stands at its beginning and the remedy at its end.</summary>
    public static string Of(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length > Head + Tail)
            text = $"{text.AsSpan(0, Head)} … {text.AsSpan(text.Length - Tail)}";
        if (!text.AsSpan().ContainsAny(Breakers))
            return text;
        text = text.ReplaceLineEndings(" ");
        return string.Create(text.Length, text, static (line, source) =>
        {
            source.CopyTo(line);
            foreach (ref char c in line)
            {
                if (Breakers.Contains(c))
                    c = ' ';
            }
        });
    }
}
