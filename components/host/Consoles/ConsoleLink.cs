using System.Collections.Concurrent;

namespace Plexus.Host.Consoles;

/// <summary>
/// One end of a guest's serial line, parallel port or debug console in the host's world. Output is a stream; input collects from any thread until the machine's own thread takes it
/// between two slices of guest time, so that no host thread touches a device.
/// </summary>
public abstract class ConsoleLink : IDisposable
{
    private readonly ConcurrentQueue<byte[]> arrived = new();

    /// <summary>What the guest sends goes here.</summary>
    public abstract Stream Output { get; }

    /// <summary>Input can come from it.</summary>
    public virtual bool CanReceive => false;

    /// <summary>Somebody may still send something: idle guest time then passes no faster than real time.</summary>
    public virtual bool IsLive => false;

    /// <summary>The person at the other end wants the machine to stop.</summary>
    public bool QuitRequested { get; protected set; }

    /// <summary>Is set when input has arrived.</summary>
    public AutoResetEvent? Arrival { get; set; }

    /// <summary>Takes the next piece of input.</summary>
    /// <returns>False when there is none.</returns>
    public bool TryTake(out byte[] data)
    {
        if (arrived.TryDequeue(out byte[]? next))
        {
            data = next;
            return true;
        }

        data = [];
        return false;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Closes what the link holds.</summary>
    protected abstract void Dispose(bool disposing);

    /// <summary>Input has come, from any thread.</summary>
    protected void Arrive(ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty)
            return;
        arrived.Enqueue(data.ToArray());
        Arrival?.Set();
    }

    /// <summary>Starts a thread that does not keep the process alive.</summary>
    protected static void StartThread(string name, Action body) => new Thread(() => body()) { IsBackground = true, Name = name }.Start();
}
