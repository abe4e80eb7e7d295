namespace Plexus.Host.Telemetry;

/// <summary>A guest console on a stream: binary exact, written on at every newline, when the buffer is full, after a short pause, and at the end.</summary>
public sealed class ConsoleOutput : IDisposable
{
    private const int Capacity = 4096;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private readonly Lock gate = new();
    private readonly Stream stream;
    private readonly byte[] buffer = new byte[Capacity];
    private readonly Timer timer;
    private int used;
    private IOException? failure;

    /// <summary>Writes to a stream.</summary>
    public ConsoleOutput(Stream stream)
    {
        this.stream = stream;
        timer = new Timer(_ => FlushAfterPause(), null, Pause, Pause);
    }

    /// <summary>Takes bytes.</summary>
    /// <exception cref="IOException">The stream failed.</exception>
    public void Write(ReadOnlySpan<byte> data)
    {
        lock (gate)
        {
            foreach (byte b in data)
            {
                buffer[used++] = b;
                if (b == '\n' || used == Capacity)
                    WriteOn();
            }
        }
    }

    /// <summary>Writes on what is buffered.</summary>
    /// <exception cref="IOException">The stream failed.</exception>
    public void Flush()
    {
        lock (gate)
            WriteOn();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        timer.Dispose();
        stream.Dispose();
    }

    private void FlushAfterPause()
    {
        lock (gate)
        {
            try
            {
                if (failure is null)
                    WriteOn();
            }
            catch (IOException)
            {
                // Kept in failure: the next Write or Flush reports it on the machine's own thread.
            }
        }
    }

    private void WriteOn()
    {
        if (failure is not null)
            throw failure;
        if (used == 0)
            return;
        try
        {
            stream.Write(buffer, 0, used);
            stream.Flush();
            used = 0;
        }
        catch (IOException e)
        {
            failure = e;
            throw;
        }
    }
}
