namespace Plexus.Host.Gdb;

/// <summary>Takes the bytes a debugger sends apart: <c>$payload#checksum</c>, acknowledgements, and the byte 03h between packets (GDB manual, appendix E.1).</summary>
/// <param name="take">Told of each piece.</param>
internal sealed class PacketParser(Action<GdbEventKind, byte[]> take)
{
    /// <summary>Longest payload, in bytes: <c>PacketSize</c> of the stub's features.</summary>
    internal const int MaximumPayload = 0x4000;

    private readonly byte[] payload = new byte[MaximumPayload];
    private State state;
    private int length;
    private int checksum;
    private bool oversized;

    private enum State
    {
        Between,
        Payload,
        FirstDigit,
        SecondDigit,
    }

    /// <summary>Takes bytes, in any portions.</summary>
    public void Feed(ReadOnlySpan<byte> bytes)
    {
        foreach (byte b in bytes)
            Feed(b);
    }

    private void Feed(byte b)
    {
        switch (state)
        {
            case State.Between:
                Begin(b);
                break;
            case State.Payload when b == '#':
                state = State.FirstDigit;
                break;
            case State.Payload when b == '$':
                // The end of the one before was lost.
                take(GdbEventKind.Corrupt, []);
                Begin(b);
                break;
            case State.Payload:
                checksum += b;
                if (length < payload.Length)
                    payload[length++] = b;
                else
                    oversized = true;
                break;
            case State.FirstDigit:
                checksum -= PacketText.Digit(b) << 4;
                state = State.SecondDigit;
                break;
            default:
                checksum -= PacketText.Digit(b);
                state = State.Between;
                End();
                break;
        }
    }

    private void Begin(byte b)
    {
        switch (b)
        {
            case (byte)'$':
                state = State.Payload;
                length = 0;
                checksum = 0;
                oversized = false;
                break;
            case 3:
                take(GdbEventKind.Interrupt, []);
                break;
            case (byte)'-':
                take(GdbEventKind.Repeat, []);
                break;
            default:
                // An acknowledgement, or noise.
                break;
        }
    }

    private void End()
    {
        if ((checksum & 0xFF) != 0)
            take(GdbEventKind.Corrupt, []);
        else if (oversized)
            take(GdbEventKind.Oversized, []);
        else
            take(GdbEventKind.Packet, payload[..length]);
    }
}
