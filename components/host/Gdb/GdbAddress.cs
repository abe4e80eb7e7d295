using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Plexus.Host.Gdb;

/// <summary>Where the stub listens, as QEMU spells it: <c>tcp:[HOST]:PORT</c>, <c>unix:PATH</c> or <c>stdio</c>.</summary>
/// <param name="Text">What the user wrote.</param>
/// <param name="Transport">Which of them.</param>
/// <param name="EndPoint">The socket's address; null for <see cref="GdbTransport.StandardStreams"/>.</param>
public sealed record GdbAddress(string Text, GdbTransport Transport, EndPoint? EndPoint)
{
    /// <summary>What <c>-s</c> stands for.</summary>
    public const string Default = "tcp::1234";

    private const string Choices = "write tcp:[HOST]:PORT, unix:PATH or stdio";

    /// <summary>The stub is the only one who waits, once, without delay: what else QEMU lets one ask for is how it is anyway.</summary>
    private static readonly string[] Implied = ["server", "server=on", "nowait", "wait=off", "nodelay", "nodelay=on"];

    /// <summary>Reads an address. Without a host, only this machine's own programs can connect.</summary>
    /// <exception cref="InputException">Malformed.</exception>
    public static GdbAddress Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] parts = text.Split(',');
        string address = parts[0];
        foreach (string option in parts.Skip(1))
        {
            if (!Implied.Contains(option, StringComparer.Ordinal))
                throw new InputException($"--gdb {text}: {option} is not known; {Choices}");
        }

        if (address == "stdio")
            return new GdbAddress(address, GdbTransport.StandardStreams, null);
        if (address.StartsWith("tcp:", StringComparison.Ordinal))
            return new GdbAddress(address, GdbTransport.Tcp, Tcp(text, address[4..]));
        if (!address.StartsWith("unix:", StringComparison.Ordinal) || address.Length == 5)
            throw new InputException($"--gdb {text}: no such address; {Choices}");
        try
        {
            return new GdbAddress(address, GdbTransport.Unix, new UnixDomainSocketEndPoint(address[5..]));
        }
        catch (ArgumentException)
        {
            throw new InputException($"--gdb {text}: no socket can have so long a path; name a shorter one");
        }
    }

    private static IPEndPoint Tcp(string text, string rest)
    {
        int colon = rest.LastIndexOf(':');
        if (colon < 0 || !ushort.TryParse(rest[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out ushort port))
            throw new InputException($"--gdb {text}: a port is missing; {Choices}");
        string host = rest[..colon].Trim('[', ']');
        if (host.Length == 0)
            return new IPEndPoint(IPAddress.Loopback, port);
        if (IPAddress.TryParse(host, out IPAddress? address))
            return new IPEndPoint(address, port);
        try
        {
            IPAddress[] found = Dns.GetHostAddresses(host);
            if (found.Length != 0)
                return new IPEndPoint(Array.Find(found, a => a.AddressFamily == AddressFamily.InterNetwork) ?? found[0], port);
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            // Said below.
        }

        throw new InputException($"--gdb {text}: the host {host} is not known; name one of this machine's addresses, or none");
    }
}
