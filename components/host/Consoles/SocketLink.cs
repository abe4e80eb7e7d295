using System.Net;
using System.Net.Sockets;

namespace Plexus.Host.Consoles;

/// <summary>A TCP or Unix-domain socket, raw bytes both ways. A server takes one client at a time and the next when it has gone; what is sent while nobody is connected is lost.</summary>
internal sealed class SocketLink : ConsoleLink
{
    private readonly Socket? listener;
    private readonly string? socketFile;
    private readonly Sender sender;
    private Socket? peer;
    private volatile bool ended;

    private SocketLink(Socket? listener, Socket? peer, string? socketFile)
    {
        this.listener = listener;
        this.peer = peer;
        this.socketFile = socketFile;
        sender = new Sender(this);
        StartThread("console socket", Serve);
    }

    public override Stream Output => sender;

    public override bool CanReceive => true;

    public override bool IsLive => !ended;

    /// <summary>Where a server listens.</summary>
    public EndPoint? Local => listener?.LocalEndPoint;

    /// <summary>Connects to a server.</summary>
    /// <exception cref="InputException">Nobody listens there.</exception>
    public static SocketLink Connect(EndPoint where, string option)
    {
        Socket socket = NewSocket(where);
        try
        {
            socket.Connect(where);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new InputException($"{option}: cannot connect to {where} ({e.Message}); start the other side first, or add ,server to listen");
        }

        return new SocketLink(null, socket, null);
    }

    /// <summary>Listens.</summary>
    /// <param name="where">The address.</param>
    /// <param name="waits">Wait here for the first client.</param>
    /// <param name="option">The option, for messages.</param>
    /// <exception cref="InputException">The address is taken or not ours.</exception>
    public static SocketLink Listen(EndPoint where, bool waits, string option)
    {
        Socket listener = NewSocket(where);
        try
        {
            listener.Bind(where);
            listener.Listen(1);
        }
        catch (SocketException e)
        {
            listener.Dispose();
            throw new InputException($"{option}: cannot listen on {where} ({e.Message}); choose another address");
        }

        string? file = where is UnixDomainSocketEndPoint ? where.ToString() : null;
        return new SocketLink(listener, waits ? listener.Accept() : null, file);
    }

    protected override void Dispose(bool disposing)
    {
        ended = true;
        try
        {
            // What was written goes out before the end.
            peer?.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // The peer has gone already.
        }

        peer?.Dispose();
        listener?.Dispose();
        if (socketFile is not null)
            File.Delete(socketFile);
    }

    private static Socket NewSocket(EndPoint where) => where is UnixDomainSocketEndPoint
        ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
        : new Socket(where.AddressFamily is AddressFamily.Unspecified ? AddressFamily.InterNetwork : where.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    private void Serve()
    {
        byte[] buffer = new byte[1024];
        while (!ended)
        {
            try
            {
                Socket? now = peer ?? listener?.Accept();
                if (now is null)
                    break;
                peer = now;
                while (now.Receive(buffer) is > 0 and int count)
                    Arrive(buffer.AsSpan(0, count));
                peer = null;
                now.Dispose();
            }
            catch (SocketException) when (!ended && listener is not null)
            {
                peer?.Dispose();
                peer = null;
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                break;
            }

            if (listener is null)
                break;
        }

        ended = true;
        Arrival?.Set();
    }

    /// <summary>Writes to whoever is connected.</summary>
    private sealed class Sender(SocketLink link) : WriteOnlyStream
    {
        public override void Write(byte[] buffer, int offset, int count)
        {
            Socket? peer = link.peer;
            try
            {
                for (int sent = 0; peer is not null && sent < count;)
                    sent += peer.Send(buffer, offset + sent, count - sent, SocketFlags.None);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The client left in the middle; the serving thread waits for the next.
            }
        }
    }
}
