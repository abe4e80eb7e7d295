using System.Text;

namespace Plexus.Host.Consoles;

/// <summary>What a console printed since the last text that was found in it. Written by the telemetry thread, read by the machine's.</summary>
internal sealed class Transcript
{
    private const int Shown = 120;

    private readonly Lock gate = new();
    private readonly List<byte> bytes = [];

    public void Add(ReadOnlySpan<byte> data)
    {
        lock (gate)
            bytes.AddRange(data);
    }

    /// <summary>Looks for a text, and forgets everything up to its end when it is there.</summary>
    public bool TryFind(ReadOnlySpan<byte> text)
    {
        lock (gate)
        {
            int at = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(bytes).IndexOf(text);
            if (at < 0)
                return false;
            bytes.RemoveRange(0, at + text.Length);
            return true;
        }
    }

    /// <summary>The last of it in one line, for a message.</summary>
    public string Tail()
    {
        lock (gate)
        {
            byte[] last = [.. bytes.Skip(Math.Max(0, bytes.Count - Shown))];
            return Encoding.Latin1.GetString(last).ReplaceLineEndings("\\n");
        }
    }
}
