using System.Net.Sockets;
using System.Xml.Linq;
using Plexus.Host.Gdb;
using Xunit;

namespace Plexus.Host.Tests.Gdb;

/// <summary>Packets: frames, acknowledgements, features, what is not known.</summary>
public sealed class ProtocolTests
{
    [Fact]
    public void Packet_is_acknowledged_until_both_sides_agree_not_to()
    {
        using GdbRig rig = GdbRig.Of(Guests.Counter, new GdbRig.Setup { Quiet = false });
        GdbClient client = rig.Client;
        client.Raw(GdbClient.Frame("qC"));
        Assert.Equal('+', (char)client.ReadByte());
        Assert.Equal("QC01", client.Receive());
        client.StopAcknowledging();
        client.Raw(GdbClient.Frame("qC"));
        Assert.Equal("QC01", client.Receive());
    }

    [Fact]
    public void Wrong_checksum_is_refused_and_a_refused_answer_comes_again()
    {
        using GdbRig rig = GdbRig.Of(Guests.Counter, new GdbRig.Setup { Quiet = false });
        GdbClient client = rig.Client;
        client.Raw("$qC#00"u8.ToArray());
        Assert.Equal('-', (char)client.ReadByte());
        Assert.Equal("QC01", client.Ask("qC"));
        client.Raw((byte)'-');
        Assert.Equal("QC01", client.Receive());
    }

    [Fact]
    public void Packet_may_come_in_pieces_with_noise_before_it()
    {
        using GdbRig rig = GdbRig.Of(Guests.Counter);
        foreach (byte b in (byte[])[.. "++noise"u8, .. GdbClient.Frame("qC")])
            rig.Client.Raw(b);
        Assert.Equal("QC01", rig.Client.Receive());
    }

    [Fact]
    public void Features_say_what_there_is()
    {
        using GdbRig rig = GdbRig.Of(Guests.Counter);
        string[] features = rig.Client.Ask("qSupported:multiprocess+;swbreak+;hwbreak+;qRelocInsn+").Split(';');
        Assert.All((string[])["qXfer:features:read+", "swbreak+", "hwbreak+", "vContSupported+", "QStartNoAckMode+", "QNonStop-"], name => Assert.Contains(name, features));
        Assert.Contains(features, feature => feature.StartsWith("PacketSize=", StringComparison.Ordinal));
        Assert.Equal("vCont;c;C;s;S;r", rig.Client.Ask("vCont?"));
    }

    [Theory]
    [InlineData("vMustReplyEmpty", "")]
    [InlineData("!", "")]
    [InlineData("qUnheardOf", "")]
    [InlineData("Z5,0,1", "")]
    [InlineData("", "")]
    [InlineData("qAttached", "1")]
    [InlineData("qfThreadInfo", "m01")]
    [InlineData("qsThreadInfo", "l")]
    [InlineData("Hg0", "OK")]
    [InlineData("Hc-1", "OK")]
    [InlineData("Hg2", "E22")]
    [InlineData("T1", "OK")]
    [InlineData("T7", "E22")]
    [InlineData("QNonStop:0", "OK")]
    [InlineData("QNonStop:1", "E22")]
    [InlineData("?", "T05thread:01;")]
    [InlineData("m", "E22")]
    [InlineData("m1000", "E22")]
    [InlineData("m123456789,4", "E22")]
    [InlineData("m1000,0", "E22")]
    [InlineData("M1000,2:12", "E22")]
    [InlineData("M1000,1:1x", "E22")]
    [InlineData("p1000", "E22")]
    [InlineData("P0", "E22")]
    [InlineData("P0=12", "E22")]
    [InlineData("Z0,1000", "E22")]
    [InlineData("Z2,1000,0", "E22")]
    [InlineData("vCont;", "E22")]
    [InlineData("vCont;t", "E22")]
    [InlineData("C", "E22")]
    [InlineData("cx", "E22")]
    [InlineData("qRcmd,1", "E22")]
    public void Packet_has_its_answer(string packet, string answer)
    {
        using GdbRig rig = GdbRig.Of(Guests.Counter);
        Assert.Equal(answer, rig.Client.Ask(packet));
        Assert.Equal("QC01", rig.Client.Ask("qC"));
    }

    [Fact]
    public void Packet_longer_than_agreed_is_an_error_and_no_more()
    {
        using GdbRig rig = GdbRig.Of(Guests.Counter);
        Assert.Equal("E22", rig.Client.Ask("m" + new string('0', 0x5000) + ",4"));
        Assert.Equal("QC01", rig.Client.Ask("qC"));
    }

    [Theory]
    [InlineData("pentium3", true)]
    [InlineData("pentium2", false)]
    public void Target_description_and_g_packet_agree(string cpu, bool hasSse)
    {
        using GdbRig rig = GdbRig.Of(Guests.Counter, new GdbRig.Setup { Cpu = cpu });
        XElement target = Description(rig.Client);
        XElement[] registers = [.. target.Descendants("reg")];
        string[] features = [.. target.Elements("feature").Select(f => (string)f.Attribute("name")!)];
        Assert.Equal("i386", (string)target.Element("architecture")!);
        Assert.Equal(hasSse ? ["org.gnu.gdb.i386.core", "org.gnu.gdb.i386.sse", "org.plexus.system"] : ["org.gnu.gdb.i386.core", "org.plexus.system"], features);
        Assert.Equal(registers.Sum(r => (int)r.Attribute("bitsize")!) / 4, rig.Client.Ask("g").Length);

        // GDB's own order, which it does not ask for.
        string[] names = [.. registers.Select(r => (string)r.Attribute("name")!)];
        Assert.Equal(["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi", "eip", "eflags", "cs", "ss", "ds", "es", "fs", "gs", "st0"], names[..17]);
        Assert.Equal(["fctrl", "fstat", "ftag", "fiseg", "fioff", "foseg", "fooff", "fop"], names[24..32]);
        Assert.Equal(names.Length, names.Distinct(StringComparer.Ordinal).Count());
        foreach (string type in registers.Select(r => (string)r.Attribute("type")!).Distinct(StringComparer.Ordinal))
            Assert.True(type is "int" or "int32" or "uint32" or "data_ptr" or "code_ptr" or "i387_ext" || target.Descendants().Any(e => (string?)e.Attribute("id") == type), type);
    }

    [Fact]
    public void Target_description_says_i8086_when_monitor_asks_for_it()
    {
        using GdbRig rig = GdbRig.Of(Guests.Counter);
        Assert.Contains("i8086", rig.Client.Monitor("architecture i8086"), StringComparison.Ordinal);
        Assert.Equal("i8086", (string)Description(rig.Client).Element("architecture")!);
    }

    [Fact]
    public void Model_without_floating_point_unit_has_no_such_values()
    {
        using GdbRig rig = GdbRig.Of(Guests.Counter, new GdbRig.Setup { Cpu = "pentium-pro-nofpu" });
        Assert.Equal(new string('x', 20), rig.Client.Ask($"p{GdbClient.Numbers.St0:x}"));
        Assert.Equal("E22", rig.Client.Ask($"P{GdbClient.Numbers.Fctrl:x}=00000000"));
        string all = rig.Client.Ask("g");
        rig.Client.Tell("G" + all.Replace('x', '0'));
        Assert.Equal(all, rig.Client.Ask("g"));
    }

    [Fact]
    public void Noise_and_random_packets_are_answered_and_harm_nothing()
    {
        using GdbRig rig = GdbRig.Of(Guests.Counter);
        Random random = new(1);
        const string Letters = "gGpPmMXZzHTqQv?!,;:=#0123456789abcdefx-";
        for (int i = 0; i < 3000; i++)
        {
            char[] payload = new char[random.Next(1, 24)];
            for (int at = 0; at < payload.Length; at++)
                payload[at] = random.Next(4) == 0 ? (char)random.Next(4, 256) : Letters[random.Next(Letters.Length)];
            string text = new string(payload).Replace("#", "", StringComparison.Ordinal).Replace("$", "", StringComparison.Ordinal).Replace("vKill", "", StringComparison.Ordinal).Replace("vCont", "", StringComparison.Ordinal);

            // What makes the guest go on, or end, has tests of its own.
            if (text.Length == 0 || text[0] is 'c' or 'C' or 's' or 'S' or 'D' or 'k')
                continue;
            rig.Client.Ask(text);
        }

        Assert.Equal("QC01", rig.Client.Ask("qC"));
    }

    [Fact]
    public void Port_in_use_is_one_line_that_names_it()
    {
        using GdbRig rig = GdbRig.Of(Guests.Counter, new GdbRig.Setup { Address = GdbRig.AnyPort });
        Assert.Equal("QC01", rig.Client.Ask("qC"));
        InputException refused = Assert.Throws<InputException>(() => GdbRig.Of(Guests.Counter, new GdbRig.Setup { Address = rig.Where }));
        Assert.Contains(rig.Where, refused.Message, StringComparison.Ordinal);
        Assert.Contains("in use", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Unix_socket_serves_and_is_removed()
    {
        string path = Path.Combine(Path.GetTempPath(), $"plexus-gdb-{Guid.NewGuid():N}");
        using (GdbRig rig = GdbRig.Of(Guests.Counter, new GdbRig.Setup { Address = $"unix:{path}" }))
        {
            Assert.Equal("QC01", rig.Client.Ask("qC"));
            InputException refused = Assert.Throws<InputException>(() => GdbRig.Of(Guests.Counter, new GdbRig.Setup { Address = $"unix:{path}" }));
            Assert.Contains(path, refused.Message, StringComparison.Ordinal);
        }

        Assert.False(File.Exists(path));
    }

    [Fact]
    public void Second_debugger_is_sent_away()
    {
        using GdbRig rig = GdbRig.Of(Guests.Counter);
        Assert.Equal("QC01", rig.Client.Ask("qC"));
        using (GdbClient second = new(rig.Where) { Acknowledges = false })
            Assert.Equal(-1, second.ReadByte());
        Assert.Equal("QC01", rig.Client.Ask("qC"));
    }

    [Theory]
    [InlineData("tcp::1234", "127.0.0.1:1234")]
    [InlineData("tcp::1234,server,nowait", "127.0.0.1:1234")]
    [InlineData("tcp:0.0.0.0:99,server=on,wait=off", "0.0.0.0:99")]
    [InlineData("tcp:[::1]:7", "[::1]:7")]
    public void Address_is_spelt_as_in_QEMU(string text, string endPoint) => Assert.Equal(endPoint, GdbAddress.Parse(text).EndPoint!.ToString());

    [Fact]
    public void Address_may_be_a_path_or_the_standard_streams()
    {
        Assert.Equal(new UnixDomainSocketEndPoint("/tmp/x").ToString(), GdbAddress.Parse("unix:/tmp/x").EndPoint!.ToString());
        Assert.Equal(GdbTransport.StandardStreams, GdbAddress.Parse("stdio").Transport);
    }

    [Theory]
    [InlineData("1234")]
    [InlineData("tcp:")]
    [InlineData("tcp:1234")]
    [InlineData("tcp::65536")]
    [InlineData("tcp::port")]
    [InlineData("tcp:no such host:1")]
    [InlineData("unix:")]
    [InlineData("tcp::1234,client")]
    public void Malformed_address_is_one_line_that_names_it(string text) => Assert.Contains(text, Assert.Throws<InputException>(() => GdbAddress.Parse(text)).Message, StringComparison.Ordinal);

    private static XElement Description(GdbClient client) =>
        XDocument.Parse(client.Description().Replace("<!DOCTYPE target SYSTEM \"gdb-target.dtd\">", "", StringComparison.Ordinal)).Root!;
}
