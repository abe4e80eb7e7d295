using System.Collections.Concurrent;
using System.Net.Sockets;

namespace Plexus.Host.Gdb;

/// <summary>
/// Waits for debuggers, one after the other, and reads what they send on threads of its own. The machine's thread takes the events.
/// </summary>
internal sealed class GdbListener : IDisposable
{
    private const int Waiting = 256;
    private const int BufferSize = 4096;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly GdbAddress address;
    private readonly Action attention;
    private readonly Socket? socket;
    private readonly BlockingCollection<GdbEvent> events = new(Waiting);
    private Thread? reader;
    private GdbConnection? current;
    private volatile bool closing;

    /// <summary>Begins to listen.</summary>
    /// <param name="address">Where.</param>
    /// <param name="attention">Called, from any thread, behind every event.</param>
    /// <exception cref="InputException">The address is in use or cannot be had.</exception>
    public GdbListener(GdbAddress address, Action attention)
    {
        this.address = address;
        this.attention = attention;
        Where = address.Text;
        if (address.EndPoint is null)
        {
            StartReading(new GdbConnection(Console.OpenStandardInput(), Console.OpenStandardOutput()));
            return;
        }

        socket = Listen(address);
        if (address.Transport == GdbTransport.Tcp)
            Where = $"tcp:{socket.LocalEndPoint}";
        new Thread(Accept) { IsBackground = true, Name = "plexus gdb" }.Start();
    }

    /// <summary>Where it listens, for people.</summary>
    public string Where { get; }

    /// <summary>An event waits.</summary>
    public bool HasEvents => events.Count != 0;

    /// <summary>Takes an event.</summary>
    /// <param name="taken">The event.</param>
    /// <param name="milliseconds">How long to wait for one.</param>
    /// <returns>False when none came.</returns>
    public bool TryTake(out GdbEvent taken, int milliseconds = 0) => events.TryTake(out taken, milliseconds);

    /// <summary>Waits, but not forever, until a debugger that was told of the end has closed its side: what was sent is not lost then.</summary>
    public void LetGo(GdbConnection connection)
    {
        connection.Finish();
        Thread? reading = reader;
        if (address.Transport != GdbTransport.StandardStreams)
            reading?.Join(Patience);
        connection.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        closing = true;
        events.CompleteAdding();
        socket?.Dispose();
        if (address.EndPoint is UnixDomainSocketEndPoint)
            File.Delete(address.Text["unix:".Length..]);
    }

    private static Socket Listen(GdbAddress address)
    {
        bool isTcp = address.Transport == GdbTransport.Tcp;
        Socket socket = new(address.EndPoint!.AddressFamily, SocketType.Stream, isTcp ? ProtocolType.Tcp : ProtocolType.Unspecified);
        try
        {
            socket.Bind(address.EndPoint);
            socket.Listen(1);
            return socket;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new InputException(e.SocketErrorCode switch
            {
                SocketError.AddressAlreadyInUse when isTcp => $"--gdb {address.Text}: the port is in use; name another one, or end what listens there",
                SocketError.AddressAlreadyInUse => $"--gdb {address.Text}: the file exists; remove it or name another one",
                _ => $"--gdb {address.Text}: cannot listen there ({e.Message}); name another address",
            });
        }
    }

    private void Accept()
    {
        try
        {
            while (true)
            {
                Socket accepted = socket!.Accept();

                // One debugger at a time. One that comes back finds its old connection closing, one that was detached is not waited for.
                if (current is { IsFinished: true } left)
                    left.Dispose();
                if (reader is { } busy && !busy.Join(Patience))
                {
                    accepted.Dispose();
                    continue;
                }

                accepted.SendTimeout = 10_000;
                if (address.Transport == GdbTransport.Tcp)
                    accepted.NoDelay = true;
                NetworkStream stream = new(accepted, ownsSocket: true);
                StartReading(new GdbConnection(stream, stream));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The listener was disposed of.
        }
    }

    private void StartReading(GdbConnection connection)
    {
        current = connection;
        reader = new Thread(() => Read(connection)) { IsBackground = true, Name = "plexus gdb input" };
        reader.Start();
    }

    private void Read(GdbConnection connection)
    {
        PacketParser parser = new((kind, payload) => Post(new GdbEvent(kind, connection, payload)));
        byte[] buffer = new byte[BufferSize];
        try
        {
            Post(new GdbEvent(GdbEventKind.Connected, connection, []));
            for (int count = connection.Input.Read(buffer); count != 0; count = connection.Input.Read(buffer))
                parser.Feed(buffer.AsSpan(0, count));
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // Gone, without a word.
        }

        Post(new GdbEvent(GdbEventKind.Closed, connection, []));
    }

    private void Post(GdbEvent happened)
    {
        if (closing)
            return;
        try
        {
            events.Add(happened);
            attention();
        }
        catch (InvalidOperationException)
        {
            // The listener was disposed of: nobody takes events any more.
        }
    }
}
