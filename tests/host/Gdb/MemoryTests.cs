using Iced.Intel;
using Plexus.Monitor;
using Xunit;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Host.Tests.Gdb;

/// <summary>Guest memory: by linear and by physical address, and what the guest sees of writes.</summary>
public sealed class MemoryTests
{
    public static TheoryData<Engine> Engines => [Engine.Emulated, Engine.Ring3];

    [Theory]
    [MemberData(nameof(Engines))]
    public void Written_memory_is_what_the_guest_reads(Engine engine)
    {
        using GdbRig rig = GdbRig.Of(Guests.Counter, new GdbRig.Setup { Engine = engine });
        GdbClient client = rig.Client;
        client.Tell($"Z0,{rig["load"]:x},1");
        client.Go();
        Assert.Equal(1u, client.Memory(GdbRig.Data));
        client.Tell($"M{GdbRig.Data + 4:x},4:07000000");
        client.Tell($"z0,{rig["load"]:x},1");
        Assert.Equal("W0f", client.Go());
    }

    [Fact]
    public void Binary_data_are_written_with_their_escapes()
    {
        using GdbRig rig = GdbRig.Of(Guests.Counter);
        rig.Client.Tell($"X{GdbRig.Data:x},0:");
        rig.Client.Tell($"X{GdbRig.Data:x},5:a}}\u0003}}\u0004}}]z");
        Assert.Equal("6123247d7a", rig.Client.Ask($"m{GdbRig.Data:x},5"));
        Assert.Equal("E22", rig.Client.Ask($"X{GdbRig.Data:x},5:abcd"));
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Changed_code_is_what_the_guest_executes(Engine engine)
    {
        using GdbRig rig = GdbRig.Of(Guests.Counter, new GdbRig.Setup { Engine = engine });
        GdbClient client = rig.Client;

        // Some hundreds of rounds, in which it has become a code page, and a stub where the engine makes them.
        client.Tell($"Z2,{GdbRig.Data:x},4");
        client.Go();
        client.Tell($"z2,{GdbRig.Data:x},4");
        rig.SendOn("c");
        client.Raw(3);
        Assert.StartsWith("T02", client.Receive(), StringComparison.Ordinal);

        // The conditional jump becomes two NOPs; EAX is 0 there.
        uint jump = rig["test"] + 2;
        Assert.Equal("74", client.Ask($"m{jump:x},1"));
        client.Tell($"M{jump:x},2:9090");
        Assert.Equal("W01", client.Go());
    }

    [Fact]
    public void Linear_addresses_go_through_the_guests_page_tables()
    {
        using GdbRig rig = GdbRig.OfDemoKernel();
        GdbClient client = rig.Client;
        client.Tell($"Z0,{rig["main"]:x},1");
        client.Go();
        uint main = rig["main"];
        string linear = client.Ask($"m{main:x},20");
        Assert.Equal("E14", client.Ask("m10,4"));
        Assert.Equal("E14", client.Ask("M10,1:00"));
        client.Tell("Qqemu.PhyMemMode:1");
        Assert.Equal("1", client.Ask("qqemu.PhyMemMode"));
        Assert.Equal(linear, client.Ask($"m{main - 0xC000_0000:x},20"));
        Assert.NotEqual("E14", client.Ask("m10,4"));
        Assert.Equal("E14", client.Ask("Mfffffff0,1:00"));
        Assert.Equal("ffffffff", client.Ask("mfffffff0,4"));
        client.Tell("Qqemu.PhyMemMode:0");

        // The kernel's 4 MiB end at C0400000: a read goes as far as it can, a write is done whole or not at all.
        Assert.Equal(8, client.Ask("mc03ffffc,10").Length);
        client.Tell("Mc03ffffc,4:11223344");
        Assert.Equal("E14", client.Ask("Mc03ffffc,8:5566778899aabbcc"));
        Assert.Equal("11223344", client.Ask("mc03ffffc,4"));
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Written_page_table_maps_what_it_says(Engine engine)
    {
        const uint WindowEntry = 0xC018_2000;
        using GdbRig rig = GdbRig.OfDemoKernel(new GdbRig.Setup { Engine = engine });
        GdbClient client = rig.Client;
        client.Tell($"Z0,{rig["main"]:x},1");
        client.Go();
        Assert.Equal("E14", client.Ask("mc0400000,4"));
        client.Tell($"M{WindowEntry:x},4:{GdbClient.Little(0x0010_0000 | 1)}");
        Assert.Equal(client.Ask("mc0100000,10"), client.Ask("mc0400000,10"));

        // The page may not be written; the debugger may.
        client.Tell("Mc0400ff0,4:01020304");
        Assert.Equal("01020304", client.Ask("mc0100ff0,4"));
        client.Tell($"M{WindowEntry:x},4:00000000");
        Assert.Equal("E14", client.Ask("mc0400000,4"));
    }
}
