using System.Text;

namespace Plexus.Host.Live;

/// <summary>Keeps the last lines of the guest's console as plain text: what a terminal would show of them, without colours and other escape sequences. Read from any thread.</summary>
internal sealed class ConsoleTail : WriteOnlyStream
{
    private const int LongestLine = 400;
    private const char Escape = '\x1b';

    private readonly int capacity;
    private readonly Lock gate = new();
    private readonly Decoder decoder = Encoding.UTF8.GetDecoder();
    private readonly Queue<string> finished = new();
    private readonly StringBuilder line = new();
    private char sequence;
    private int column;

    /// <summary>Begins with none.</summary>
    /// <param name="lines">Lines kept.</param>
    public ConsoleTail(int lines) => capacity = lines;

    /// <summary>The last lines, oldest first; the one that is being written is the last.</summary>
    public string[] Lines()
    {
        lock (gate)
            return [.. finished.Append(line.ToString()).TakeLast(capacity)];
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        lock (gate)
        {
            char[] text = new char[decoder.GetCharCount(buffer, flush: false)];
            int count = decoder.GetChars(buffer, text, flush: false);
            foreach (char c in text.AsSpan(0, count))
                Put(c);
        }
    }

    private void Put(char c)
    {
        if (sequence != 0)
        {
            // ESC [ parameters letter, or ESC and one character (ECMA-48, 5.4).
            sequence = sequence == Escape && c == '[' ? '[' : sequence == '[' && c is >= ' ' and < '@' ? '[' : '\0';
            return;
        }

        switch (c)
        {
            case Escape:
                sequence = c;
                break;
            case '\n':
                finished.Enqueue(line.ToString());
                if (finished.Count > capacity)
                    finished.Dequeue();
                line.Clear();
                column = 0;
                break;
            case '\r':
                column = 0;
                break;
            case '\b':
                column = Math.Max(0, column - 1);
                break;
            case '\t':
                Put(' ');
                break;
            default:
                if (char.IsControl(c) || column >= LongestLine)
                    break;
                if (column < line.Length)
                    line[column] = c;
                else
                    line.Append(c);
                column++;
                break;
        }
    }
}
