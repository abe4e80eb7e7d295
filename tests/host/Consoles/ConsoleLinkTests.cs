using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Plexus.Host.Consoles;
using Xunit;

namespace Plexus.Host.Tests.Consoles;

/// <summary>Every kind of link carries bytes both ways, and says what is wrong in one line.</summary>
public sealed class ConsoleLinkTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("plexus-links").FullName;
    private readonly List<string> said = [];

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public void File_gets_every_byte()
    {
        string path = Path.Combine(directory, "out");
        using (ConsoleLink link = Open($"file:{path}"))
        {
            link.Output.Write([1, 2, 0xFF]);
            Assert.False(link.IsLive);
        }

        Assert.Equal([1, 2, 0xFF], File.ReadAllBytes(path));
    }

    [Fact]
    public void Unix_server_serves_one_client_after_the_other()
    {
        string path = Path.Combine(directory, "socket");
        using (ConsoleLink link = Open($"unix:{path},server,nowait"))
        {
            link.Output.Write("lost"u8);
            for (int i = 0; i < 2; i++)
            {
                using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                client.Connect(new UnixDomainSocketEndPoint(path));
                client.Send("in"u8);
                Assert.Equal("in"u8, Take(link, 2));
                link.Output.Write("out"u8);
                Assert.Equal("out"u8, Receive(client, 3));
            }

            Assert.True(link.IsLive);
        }

        Assert.False(File.Exists(path));
    }

    [Fact]
    public void Tcp_client_connects_and_ends_with_its_server()
    {
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        using ConsoleLink link = Open($"tcp:127.0.0.1:{((IPEndPoint)server.LocalEndpoint).Port}");
        using (Socket peer = server.AcceptSocket())
        {
            link.Output.Write("out"u8);
            Assert.Equal("out"u8, Receive(peer, 3));
            peer.Send("in"u8);
            Assert.Equal("in"u8, Take(link, 2));
        }

        Assert.True(SpinWait.SpinUntil(() => !link.IsLive, TimeSpan.FromSeconds(20)));
        link.Output.Write("nobody is there"u8);
    }

    [Fact]
    public void Tcp_port_that_is_taken_is_refused()
    {
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        int port = ((IPEndPoint)server.LocalEndpoint).Port;
        string message = Assert.Throws<InputException>(() => Open($"tcp:127.0.0.1:{port},server,nowait")).Message;
        Assert.Contains("cannot listen", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pty_names_its_slave_and_is_raw()
    {
        using ConsoleLink link = Open("pty");
        string path = said.Single()["plexus: --serial: ".Length..];
        using var slave = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        slave.Write("in\r\x03"u8);
        Assert.Equal("in\r\x03"u8, Take(link, 4));
        link.Output.Write("a\nb"u8);
        byte[] got = new byte[3];
        slave.ReadExactly(got);
        Assert.Equal("a\nb"u8, got);
    }

    [Fact]
    public void Standard_input_is_sent_as_it_is_and_ends()
    {
        using var output = new MemoryStream();
        using ConsoleLink link = ConsoleLinks.Open("stdio", "--serial", new StandardStreams(() => new MemoryStream([1, (byte)'x', 3]), () => output, InputIsTerminal: false), said.Add);
        Assert.Equal([1, (byte)'x', 3], Take(link, 3));
        Assert.True(SpinWait.SpinUntil(() => !link.IsLive, TimeSpan.FromSeconds(20)));
        Assert.False(link.QuitRequested);
    }

    [Fact]
    public void Control_a_on_a_terminal_is_the_way_out()
    {
        using var link = new StdioLink(new MemoryStream(), new MemoryStream(), inputIsTerminal: false, said.Add);
        Assert.Equal("ab"u8, link.Filter("ab"u8));
        Assert.Equal([1, (byte)'c'], link.Filter([1, (byte)'a', (byte)'c']));
        Assert.Empty(link.Filter([1]));
        Assert.Empty(link.Filter("h"u8));
        Assert.Single(said);
        Assert.False(link.QuitRequested);
        link.Filter([1, (byte)'X']);
        Assert.True(link.QuitRequested);
    }

    [Theory]
    [InlineData("tty", "not a console")]
    [InlineData("file:", "not a console")]
    [InlineData("file:/nowhere/at/all", "cannot be written")]
    [InlineData("tcp:localhost", "no port")]
    [InlineData("tcp:127.0.0.1:99999", "no port")]
    [InlineData("tcp:127.0.0.1:1", "cannot connect")]
    [InlineData("tcp:127.0.0.1:0,telnet", "telnet")]
    [InlineData("unix:/nowhere/socket", "cannot connect")]
    public void Wrong_links_are_one_line(string text, string part)
    {
        string message = Assert.Throws<InputException>(() => Open(text)).Message;
        Assert.Contains("--serial", message, StringComparison.Ordinal);
        Assert.Contains(part, message, StringComparison.Ordinal);
    }

    private static byte[] Take(ConsoleLink link, int count)
    {
        var all = new List<byte>();
        long start = Stopwatch.GetTimestamp();
        while (all.Count < count && Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(20))
        {
            if (link.TryTake(out byte[] data))
                all.AddRange(data);
            else
                Thread.Yield();
        }

        return [.. all];
    }

    private static byte[] Receive(Socket socket, int count)
    {
        byte[] data = new byte[count];
        for (int got = 0; got < count;)
        {
            int more = socket.Receive(data, got, count - got, SocketFlags.None);
            Assert.NotEqual(0, more);
            got += more;
        }

        return data;
    }

    private ConsoleLink Open(string text) =>
        ConsoleLinks.Open(text, "--serial", new StandardStreams(() => Stream.Null, () => Stream.Null, false), said.Add);
}
