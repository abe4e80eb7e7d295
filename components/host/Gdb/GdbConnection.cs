using System.Net.Sockets;

namespace Plexus.Host.Gdb;

/// <summary>One debugger's connection. Bytes come in on a thread of the listener's; the machine's own thread writes.</summary>
/// <param name="input">What it sends.</param>
/// <param name="output">Where answers go.</param>
internal sealed class GdbConnection(Stream input, Stream output) : IDisposable
{
    private byte[] last = [];

    /// <summary>Both sides say whether a packet arrived. A connection begins so (GDB manual, appendix E.1).</summary>
    public bool Acknowledges { get; set; } = true;

    /// <summary>Nothing more will be sent.</summary>
    public bool IsFinished { get; private set; }

    /// <summary>What the debugger sends.</summary>
    public Stream Input => input;

    /// <summary>Sends a packet.</summary>
    public void Send(string payload)
    {
        last = PacketText.Frame(payload);
        Write(last);
    }

    /// <summary>Says whether a packet arrived.</summary>
    public void Acknowledge(bool arrived)
    {
        if (Acknowledges)
            Write(arrived ? "+"u8 : "-"u8);
    }

    /// <summary>Sends the last packet again.</summary>
    public void Repeat() => Write(last);

    /// <summary>Nothing more will be sent: the other side reads the end.</summary>
    public void Finish()
    {
        IsFinished = true;
        try
        {
            (output as NetworkStream)?.Socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It is gone already.
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        input.Dispose();
        output.Dispose();
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        try
        {
            output.Write(bytes);
            output.Flush();
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The reading side notices as well, and reports that the debugger is gone.
            Dispose();
        }
    }
}
