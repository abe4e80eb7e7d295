namespace Plexus.Host.Consoles;

/// <summary>
/// Standard input and output. A terminal is put into raw mode, so that every key reaches the guest; Ctrl-A is the way out: Ctrl-A X ends the run, Ctrl-A A sends one Ctrl-A,
/// Ctrl-A H says so. A pipe or file is sent as it is.
/// </summary>
internal sealed class StdioLink : ConsoleLink
{
    private const byte ControlA = 1;

    private readonly Stream input;
    private readonly Stream output;
    private readonly RawTerminal? terminal;
    private readonly Action<string> say;
    private bool escaped;
    private volatile bool ended;

    public StdioLink(Stream input, Stream output, bool inputIsTerminal, Action<string> say)
    {
        this.input = input;
        this.output = output;
        this.say = say;
        terminal = inputIsTerminal ? RawTerminal.Enter() : null;
        StartThread("stdin", Read);
    }

    public override Stream Output => output;

    public override bool CanReceive => true;

    public override bool IsLive => !ended;

    /// <summary>What is left for the guest when the escape sequences are taken out.</summary>
    internal byte[] Filter(ReadOnlySpan<byte> typed)
    {
        var rest = new List<byte>(typed.Length);
        foreach (byte key in typed)
        {
            if (!escaped)
            {
                escaped = key == ControlA;
                if (!escaped)
                    rest.Add(key);
                continue;
            }

            escaped = false;
            switch (char.ToLowerInvariant((char)key))
            {
                case 'x':
                    QuitRequested = true;
                    Arrival?.Set();
                    break;
                case 'a' or (char)ControlA:
                    rest.Add(ControlA);
                    break;
                case 'h' or '?':
                    say("Ctrl-A X ends the run, Ctrl-A A sends Ctrl-A, Ctrl-A H shows this\r");
                    break;
                default:
                    break;
            }
        }

        return [.. rest];
    }

    protected override void Dispose(bool disposing)
    {
        ended = true;
        terminal?.Dispose();
        output.Dispose();
    }

    private void Read()
    {
        byte[] buffer = new byte[1024];
        try
        {
            while (!ended && input.Read(buffer) is > 0 and int count)
                Arrive(terminal is null ? buffer.AsSpan(0, count) : Filter(buffer.AsSpan(0, count)));
        }
        catch (IOException)
        {
            // The terminal went away: there is no more input.
        }

        ended = true;
        Arrival?.Set();
    }
}
