using Xunit;

namespace Plexus.Host.Tests.Gdb;

/// <summary>GDB's <c>monitor</c> commands.</summary>
public sealed class MonitorCommandTests
{
    [Fact]
    public void Help_names_every_command()
    {
        using GdbRig rig = GdbRig.Of(Guests.Counter);
        string help = rig.Client.Monitor("help");
        foreach (string command in (string[])["info registers", "info mem", "info tlb", "info mtree", "info devices", "xp", "stats", "system_reset", "quit", "architecture"])
        {
            Assert.Contains(command, help, StringComparison.Ordinal);
            if (command is not ("system_reset" or "quit"))
                Assert.DoesNotContain("no such command", rig.Client.Monitor(command == "architecture" ? "architecture i386" : command), StringComparison.Ordinal);
        }

        Assert.Contains("no such command", rig.Client.Monitor("dance"), StringComparison.Ordinal);
    }

    [Fact]
    public void Registers_come_with_hidden_parts_and_model_specific_ones()
    {
        using GdbRig rig = GdbRig.OfDemoKernel();
        rig.Client.Tell($"Z0,{rig["main"]:x},1");
        rig.Client.Go();
        string text = rig.Client.Monitor("info registers");
        foreach (string part in (string[])["EIP            " + $"{rig["main"]:X8}", "CS             0008 base 00000000 limit FFFFFFFF attributes C09B", "CR3            00180000", "DR7 ", "MTRRCAP", "TSC ", "XMM7"])
            Assert.Contains(part, text, StringComparison.Ordinal);
        Assert.DoesNotContain("EFER", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Page_tables_are_listed_by_ranges_and_by_pages()
    {
        using GdbRig rig = GdbRig.OfDemoKernel();
        Assert.Contains("paging is off", rig.Client.Monitor("info mem"), StringComparison.Ordinal);
        rig.Client.Tell($"Z0,{rig["main"]:x},1");
        rig.Client.Go();
        Assert.Contains("c0000000-c0400000 00400000 -rwx\n", rig.Client.Monitor("info mem"), StringComparison.Ordinal);
        string[] pages = rig.Client.Monitor("info tlb").Split('\n');
        Assert.Equal(1024, pages.Count(line => line.StartsWith("c0", StringComparison.Ordinal)));
        Assert.Contains(pages, line => line.StartsWith("c0100000: 000100000 -", StringComparison.Ordinal) && line.EndsWith('W'));
    }

    [Fact]
    public void Wide_page_tables_are_listed_too()
    {
        using GdbRig rig = GdbRig.Of(Guests.Counter, new GdbRig.Setup { Cpu = "pentium-m" });
        GdbClient client = rig.Client;

        // A pointer table at 20000h, a directory at 21000h, a table at 22000h; a large page, two small ones, the second of them neither to be written nor executed.
        Entry(0x2_0000, 0x2_1001);
        Entry(0x2_1000, 0x83);
        Entry(0x2_1008, 0x2_2007);
        Entry(0x2_2000, 0x3_0067);
        Entry(0x2_2008, 0x8000_0000_0003_1005);
        int cr0 = client.Numbered("cr0");
        Assert.True(client.SetRegister(cr0 + 3, 0x30));
        Assert.True(client.SetRegister(cr0 + 2, 0x2_0000));
        Assert.True(client.SetRegister(cr0, 0x8000_0011));
        Assert.Equal("00000000-00200000 00200000 -rwx\n00200000-00201000 00001000 urwx\n00201000-00202000 00001000 ur--\n", client.Monitor("info mem"));
        Assert.Contains("00201000: 000031000 X-----", client.Monitor("info tlb"), StringComparison.Ordinal);
        client.Tell("M200000,4:11223344");
        Assert.Equal("11223344", client.Ask("m30000,4"));

        void Entry(uint address, ulong value) => client.Tell($"M{address:x},8:{Convert.ToHexString(BitConverter.GetBytes(value))}");
    }

    [Theory]
    [InlineData("xp /4xw 0x98000", "00098000: 0x64636261 0x000000ff 0x00000000 0x00000000\n")]
    [InlineData("xp /6b 622592", "00098000: 0x61 0x62 0x63 0x64 0xff 0x00\n")]
    [InlineData("xp /2db 0x98003", "00098003: 100 -1\n")]
    [InlineData("xp /2ub 0x98003", "00098003: 100 255\n")]
    [InlineData("xp /2c 0x98003", "00098003: 'd' '\\xff'\n")]
    [InlineData("xp /oh 0x98000", "00098000: 061141\n")]
    [InlineData("xp 0x98000", "00098000: 0x64636261\n")]
    [InlineData("xp /xw 0xfffffffc", "fffffffc: 0xffffffff\n")]
    public void Physical_memory_is_shown_in_a_format(string command, string text)
    {
        using GdbRig rig = GdbRig.Of(Guests.Counter);
        rig.Client.Tell($"M{GdbRig.Data:x},5:61626364ff");
        Assert.Equal(text, rig.Client.Monitor(command));
    }

    [Theory]
    [InlineData("xp")]
    [InlineData("xp /q 0")]
    [InlineData("xp /99999999999x 0")]
    [InlineData("xp /x")]
    [InlineData("xp nowhere")]
    [InlineData("xp 0 0")]
    public void Malformed_dump_says_how_it_is_written(string command)
    {
        using GdbRig rig = GdbRig.Of(Guests.Counter);
        Assert.StartsWith("xp /FMT", rig.Client.Monitor(command), StringComparison.Ordinal);
    }

    [Fact]
    public void Instructions_are_shown()
    {
        using GdbRig rig = GdbRig.Of(Guests.Counter);
        Assert.Equal($"{rig["loop"]:x8}: inc ecx\n", rig.Client.Monitor($"xp /1i 0x{rig["loop"]:x}"));
    }

    [Fact]
    public void Counters_devices_and_the_physical_map_are_shown()
    {
        using GdbRig rig = GdbRig.Of(Guests.Counter);
        rig.Client.Go("s");
        Assert.Contains("guest.instructions", rig.Client.Monitor("stats"), StringComparison.Ordinal);
        string devices = rig.Client.Monitor("info devices");
        Assert.Contains("8259A", devices, StringComparison.Ordinal);
        Assert.Contains("pentium3", devices, StringComparison.Ordinal);
        Assert.Contains("8259A", rig.Client.Monitor("info pic"), StringComparison.Ordinal);
        Assert.Contains("says nothing", rig.Client.Monitor("info nobody"), StringComparison.Ordinal);
        string map = rig.Client.Monitor("info mtree");
        Assert.Contains("00000000-000a0000 RAM at 00000000", map, StringComparison.Ordinal);
        Assert.Contains("000c0000-01000000 RAM at 000c0000", map, StringComparison.Ordinal);
    }
}
