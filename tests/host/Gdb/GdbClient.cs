using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Xunit;

namespace Plexus.Host.Tests.Gdb;

/// <summary>A debugger of a few lines: frames packets, checks checksums, and knows no more.</summary>
internal sealed class GdbClient : IDisposable
{
    private const int PatienceMilliseconds = 120_000;

    private readonly Socket socket;
    private readonly NetworkStream stream;

    /// <summary>Bytes that came with the last one that was asked for.</summary>
    private readonly byte[] come = new byte[4096];
    private int comeLength;
    private int taken;

    /// <summary>Connects.</summary>
    /// <param name="where">Where the stub says that it listens.</param>
    public GdbClient(string where)
    {
        if (where.StartsWith("unix:", StringComparison.Ordinal))
        {
            socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            socket.Connect(new UnixDomainSocketEndPoint(where["unix:".Length..]));
        }
        else
        {
            socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            socket.Connect("127.0.0.1", int.Parse(where[(where.LastIndexOf(':') + 1)..], CultureInfo.InvariantCulture));
        }

        socket.ReceiveTimeout = PatienceMilliseconds;
        stream = new NetworkStream(socket, ownsSocket: true);
    }

    /// <summary>Every packet is acknowledged, by both sides.</summary>
    public bool Acknowledges { get; set; } = true;

    /// <summary>What O packets printed since it was last looked at.</summary>
    public StringBuilder Printed { get; } = new();

    /// <summary>A packet as it goes over the wire.</summary>
    public static byte[] Frame(string payload)
    {
        byte[] bytes = Encoding.Latin1.GetBytes(payload);
        return [(byte)'$', .. bytes, .. Encoding.Latin1.GetBytes($"#{bytes.Sum(b => b) & 0xFF:x2}")];
    }

    /// <summary>Sends bytes as they are.</summary>
    public void Raw(params byte[] bytes) => stream.Write(bytes);

    /// <summary>Sends a packet.</summary>
    public void Send(string payload)
    {
        Raw(Frame(payload));
        if (Acknowledges)
            Assert.Equal('+', (char)ReadByte());
    }

    /// <summary>The next packet; what is printed meanwhile goes to <see cref="Printed"/>.</summary>
    public string Receive()
    {
        while (true)
        {
            string payload = ReceiveAny();
            if (payload is not ['O', _, ..] || payload == "OK")
                return payload;
            Printed.Append(Encoding.UTF8.GetString(Convert.FromHexString(payload.AsSpan(1))));
        }
    }

    /// <summary>The next packet, whatever it is.</summary>
    public string ReceiveAny()
    {
        int b = ReadByte();
        Assert.Equal('$', (char)b);
        StringBuilder payload = new();
        for (b = ReadByte(); b != '#'; b = ReadByte())
            payload.Append((char)b);
        string checksum = $"{(char)ReadByte()}{(char)ReadByte()}";
        Assert.Equal($"{payload.ToString().Sum(c => c) & 0xFF:x2}", checksum);
        if (Acknowledges)
            Raw((byte)'+');
        return payload.ToString();
    }

    /// <summary>Sends a packet and gives the answer.</summary>
    public string Ask(string payload)
    {
        Send(payload);
        return Receive();
    }

    /// <summary>Sends a packet whose answer is OK.</summary>
    public void Tell(string payload) => Assert.Equal("OK", Ask(payload));

    /// <summary>Leaves acknowledgements out from here on.</summary>
    public void StopAcknowledging()
    {
        Tell("QStartNoAckMode");
        Acknowledges = false;
    }

    /// <summary>What a monitor command prints.</summary>
    public string Monitor(string command)
    {
        Printed.Clear();
        Tell($"qRcmd,{Convert.ToHexString(Encoding.UTF8.GetBytes(command))}");
        string text = Printed.ToString();
        Printed.Clear();
        return text;
    }

    /// <summary>A byte, or −1 at the end.</summary>
    public int ReadByte()
    {
        if (taken == comeLength)
            (taken, comeLength) = (0, stream.Read(come));
        return comeLength == 0 ? -1 : come[taken++];
    }

    /// <summary>A 32-bit register by its number.</summary>
    public uint Register(int number) => Little(Ask($"p{number:x}"));

    /// <summary>Sets a 32-bit register; true when it was taken.</summary>
    public bool SetRegister(int number, uint value) => Ask($"P{number:x}={Little(value)}") == "OK";

    /// <summary>A dword of guest memory.</summary>
    public uint Memory(uint address) => Little(Ask($"m{address:x},4"));

    /// <summary>Has the guest go on by a packet, and gives the stop reply.</summary>
    public string Go(string how = "c") => Ask(how);

    /// <summary>A register's number, by its name in the target description.</summary>
    public int Numbered(string name)
    {
        string[] names = [.. Description().Split("<reg name=\"").Skip(1).Select(text => text[..text.IndexOf('"', StringComparison.Ordinal)])];
        int number = Array.IndexOf(names, name);
        Assert.True(number >= 0, name);
        return number;
    }

    /// <summary>The target description, fetched in pieces.</summary>
    public string Description()
    {
        string xml = "";
        for (string piece = "m"; piece[0] == 'm'; xml += piece[1..])
            piece = Ask($"qXfer:features:read:target.xml:{xml.Length:x},123");
        return xml;
    }

    /// <summary>EIP.</summary>
    public uint Eip => Register(Numbers.Eip);

    /// <summary>EIP as a stop reply gives it: the guest is not asked again.</summary>
    public static uint EipOf(string stopReply)
    {
        string name = $";{Numbers.Eip:x2}:";
        int at = stopReply.IndexOf(name, StringComparison.Ordinal);
        Assert.True(at >= 0, stopReply);
        return Little(stopReply.Substring(at + name.Length, 8));
    }

    /// <summary>A number as GDB writes registers: low byte first.</summary>
    public static string Little(uint value) => Convert.ToHexStringLower(BitConverter.GetBytes(value));

    /// <summary>A number that was written low byte first.</summary>
    public static uint Little(string digits) => BitConverter.ToUInt32(Convert.FromHexString(digits));

    /// <inheritdoc/>
    public void Dispose() => stream.Dispose();

    /// <summary>GDB's numbers of i386 registers.</summary>
    internal static class Numbers
    {
        public const int Eax = 0, Ecx = 1, Edx = 2, Ebx = 3, Esp = 4, Eip = 8, Eflags = 9, Cs = 10, Ss = 11, Ds = 12, St0 = 16, Fctrl = 24, Fstat = 25, Ftag = 26, Xmm0 = 32, Mxcsr = 40;
    }
}
