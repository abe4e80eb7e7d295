using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Plexus.Host.Consoles;

/// <summary>Opens what <c>--serial</c>, <c>--parallel</c> and <c>--debugcon</c> name.</summary>
internal static class ConsoleLinks
{
    public const string Forms = "stdio, stdout, pty, file:PATH, tcp:HOST:PORT[,server][,nowait], unix:PATH[,server][,nowait] or none";

    /// <summary>Opens a link.</summary>
    /// <param name="text">What the user wrote.</param>
    /// <param name="option">The option, for messages.</param>
    /// <param name="standard">The process's standard streams.</param>
    /// <param name="say">Tells the user one line.</param>
    /// <exception cref="InputException">Not such a link, or it cannot be opened.</exception>
    public static ConsoleLink Open(string text, string option, StandardStreams standard, Action<string> say)
    {
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        string kind = colon < 0 ? text : text[..colon];
        string rest = colon < 0 ? "" : text[(colon + 1)..];
        switch (kind)
        {
            case "none" or "null" when colon < 0:
                return new StreamLink(Stream.Null);
            case "stdout" when colon < 0:
                return new StreamLink(standard.OpenOutput());
            case "stdio" when colon < 0:
                return new StdioLink(standard.OpenInput(), standard.OpenOutput(), standard.InputIsTerminal, say);
            case "pty" when colon < 0:
                PtyLink pty = PtyLink.Open(option);
                say($"plexus: {option}: {pty.Path}");
                return pty;
            case "file" when rest.Length != 0:
                return new StreamLink(OutputFile.Create(rest, option));
            case "tcp" or "unix" when rest.Length != 0:
                return Socket(kind, rest, $"{option} {text}", say);
            default:
                throw new InputException($"{option} {text}: not a console; give {Forms}");
        }
    }

    private static SocketLink Socket(string kind, string rest, string option, Action<string> say)
    {
        string[] parts = rest.Split(',');
        bool isServer = false;
        bool waits = true;
        foreach (string part in parts.AsSpan(1))
        {
            switch (part)
            {
                case "server" or "server=on":
                    isServer = true;
                    break;
                case "nowait" or "wait=off":
                    waits = false;
                    break;
                case "wait" or "wait=on":
                    break;
                default:
                    throw new InputException($"{option}: \"{part}\" is unknown; known are server, nowait");
            }
        }

        EndPoint where = kind == "unix" ? UnixAddress(parts[0], option) : TcpAddress(parts[0], option);
        if (!isServer)
            return SocketLink.Connect(where, option);
        if (waits)
            say($"plexus: {option}: waiting for a connection");
        return SocketLink.Listen(where, waits, option);
    }

    private static UnixDomainSocketEndPoint UnixAddress(string path, string option)
    {
        try
        {
            return new UnixDomainSocketEndPoint(path);
        }
        catch (ArgumentException)
        {
            throw new InputException($"{option}: not a path that a socket can have; choose a shorter one");
        }
    }

    private static IPEndPoint TcpAddress(string text, string option)
    {
        int colon = text.LastIndexOf(':');
        string host = colon <= 0 ? "127.0.0.1" : text[..colon];
        if (!ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort port))
            throw new InputException($"{option}: no port number; write tcp:HOST:PORT");
        try
        {
            IPAddress[] found = IPAddress.TryParse(host, out IPAddress? literal) ? [literal] : Dns.GetHostAddresses(host, AddressFamily.InterNetwork);
            if (found.Length != 0)
                return new IPEndPoint(found[0], port);
        }
        catch (SocketException)
        {
            // Reported below.
        }

        throw new InputException($"{option}: no host is named {host}; check the name");
    }
}
