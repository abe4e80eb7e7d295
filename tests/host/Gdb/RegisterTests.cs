using Iced.Intel;
using Plexus.Monitor;
using Xunit;
using static Iced.Intel.AssemblerRegisters;
using N = Plexus.Host.Tests.Gdb.GdbClient.Numbers;

namespace Plexus.Host.Tests.Gdb;

/// <summary>Registers: what is read is what the guest has, what is written is what it goes on with, under both engines.</summary>
public sealed class RegisterTests
{
    private const byte ExitValue = 21;
    private const uint BasedData = 0x48;
    private const uint KernelData = 0x10;

    public static TheoryData<Engine> Engines => [Engine.Emulated, Engine.Ring3];

    [Theory]
    [MemberData(nameof(Engines))]
    public void General_registers_and_eip_are_written(Engine engine)
    {
        using GdbRig rig = GdbRig.Of(
            (c, mark) =>
            {
                Label wrong = c.CreateLabel();
                mark("first");
                c.jmp(wrong);
                mark("second");
                for (uint i = 0; i < 8; i++)
                    c.mov(__dword_ptr[GdbRig.Data + (i * 4)], new AssemblerRegister32((Register)((int)Register.EAX + i)));
                mark("stored");
                Guests.Exit(c, ExitValue);
                c.Label(ref wrong);
                Guests.Exit(c, 0);
            },
            new GdbRig.Setup { Engine = engine });
        GdbClient client = rig.Client;
        Assert.Equal(rig["first"], client.Eip);
        for (int i = 0; i < 8; i++)
            Assert.True(client.SetRegister(i, 0x1234_5678u * (uint)(i + 1)));
        Assert.True(client.SetRegister(N.Eip, rig["second"]));
        client.Tell($"Z0,{rig["stored"]:x},1");
        client.Go();
        for (uint i = 0; i < 8; i++)
        {
            Assert.Equal(0x1234_5678u * (i + 1), client.Register((int)i));
            Assert.Equal(0x1234_5678u * (i + 1), client.Memory(GdbRig.Data + (i * 4)));
        }

        client.Tell($"z0,{rig["stored"]:x},1");
        Assert.Equal($"W{(ExitValue << 1) | 1:x2}", client.Go());
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Flags_are_written_and_bits_that_are_not_there_are_dropped(Engine engine)
    {
        using GdbRig rig = GdbRig.Of(
            (c, mark) =>
            {
                Label carry = c.CreateLabel();
                c.nop();
                mark("branch");
                c.jc(carry);
                Guests.Exit(c, 0);
                c.Label(ref carry);
                Guests.Exit(c, ExitValue);
            },
            new GdbRig.Setup { Engine = engine });
        GdbClient client = rig.Client;
        client.Go("s");
        Assert.True(client.SetRegister(N.Eflags, 0xFFC0_8029));
        Assert.Equal(0x3u, client.Register(N.Eflags));
        Assert.False(client.SetRegister(N.Eflags, 0x2_0002));
        Assert.Equal($"W{(ExitValue << 1) | 1:x2}", client.Go());
    }

    [Fact]
    public void G_writes_everything_back()
    {
        using GdbRig rig = GdbRig.OfDemoKernel();
        rig.Client.Tell($"Z0,{rig["enter_user"]:x},1");
        rig.Client.Go();
        string before = rig.Client.Ask("g");
        rig.Client.Tell("G" + before);
        Assert.Equal(before, rig.Client.Ask("g"));

        // A short one writes as far as it goes.
        rig.Client.Tell("G" + GdbClient.Little(0xAAAA_5555));
        Assert.Equal(GdbClient.Little(0xAAAA_5555) + before[8..], rig.Client.Ask("g"));
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Selector_is_loaded_from_the_descriptor_table_with_its_hidden_part(Engine engine)
    {
        using GdbRig rig = GdbRig.OfDemoKernel(new GdbRig.Setup { Engine = engine });
        GdbClient client = rig.Client;
        client.Tell($"Z0,{rig["main"]:x},1");
        client.Go();
        int baseOfData = client.Numbered("ds_base");
        Assert.Equal(0u, client.Register(baseOfData));
        Assert.True(client.SetRegister(N.Ds, BasedData));
        Assert.Equal(BasedData, client.Register(N.Ds));
        Assert.NotEqual(0u, client.Register(baseOfData));
        Assert.True(client.SetRegister(N.Ds, KernelData));
        Assert.Equal(0u, client.Register(baseOfData));
        Assert.True(client.SetRegister(N.Ds, 0));

        // Absent, beyond the table, execute-only; and code segments that are none, or would change the privilege.
        foreach (uint selector in (uint[])[0x38, 0x98, 0x30])
            Assert.False(client.SetRegister(N.Ds, selector), $"{selector:X}");
        foreach (uint selector in (uint[])[0, 0x10, 0x1B, 0x98])
            Assert.False(client.SetRegister(N.Cs, selector), $"{selector:X}");
        Assert.False(client.SetRegister(N.Ss, 0));
        Assert.False(client.SetRegister(N.Ds, 0x1_0010));
        Assert.True(client.SetRegister(N.Ds, KernelData));
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Control_registers_are_written_with_the_checks_of_mov(Engine engine)
    {
        using GdbRig rig = GdbRig.OfDemoKernel(new GdbRig.Setup { Engine = engine });
        GdbClient client = rig.Client;
        client.Tell($"Z0,{rig["main"]:x},1");
        client.Go();
        int cr0 = client.Numbered("cr0");
        int cr2 = client.Numbered("cr2");
        int cr3 = client.Numbered("cr3");
        int cr4 = client.Numbered("cr4");
        int dr0 = client.Numbered("dr0");
        uint before = client.Register(cr3);
        uint word = client.Memory(rig["main"]);

        // Another directory, in which nothing is mapped, and back.
        Assert.True(client.SetRegister(cr3, 0x20_0000));
        Assert.Equal("E14", client.Ask($"m{rig["main"]:x},4"));
        Assert.True(client.SetRegister(cr3, before));
        Assert.Equal(word, client.Memory(rig["main"]));
        Assert.False(client.SetRegister(cr0, 0x8000_0010));
        Assert.False(client.SetRegister(cr4, 0x8000_0000));
        Assert.True(client.SetRegister(cr2, 0x1234_5678));
        Assert.True(client.SetRegister(dr0, 0x8765_4321));
        Assert.Equal((0x1234_5678u, 0x8765_4321u), (client.Register(cr2), client.Register(dr0)));
        Assert.False(client.SetRegister(client.Numbered("cpl"), 3));
        Assert.False(client.SetRegister(client.Numbered("ds_base"), 3));

        // Nothing of that has disturbed the guest.
        client.Tell($"z0,{rig["main"]:x},1");
        Assert.Equal("W00", client.Go());
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Floating_point_stack_and_control_words_are_read_and_written(Engine engine)
    {
        using GdbRig rig = GdbRig.Of(
            (c, mark) =>
            {
                c.fninit();
                c.fld1();
                c.fldpi();
                mark("loaded");
                c.fstp(__qword_ptr[GdbRig.Data]);
                c.fstp(__qword_ptr[GdbRig.Data + 8]);
                c.fnstcw(__word_ptr[GdbRig.Data + 16]);
                mark("stored");
                Guests.Exit(c, ExitValue);
            },
            new GdbRig.Setup { Engine = engine });
        GdbClient client = rig.Client;
        client.Tell($"Z1,{rig["loaded"]:x},1");
        client.Tell($"Z1,{rig["stored"]:x},1");
        client.Go();

        // Pi and one, TOP 6, two registers in use.
        Assert.Equal("35c26821a2da0fc90040", client.Ask($"p{N.St0:x}"));
        Assert.Equal("0000000000000080ff3f", client.Ask($"p{N.St0 + 1:x}"));
        Assert.Equal((0x37Fu, 6u, 0x0FFFu), (client.Register(N.Fctrl), client.Register(N.Fstat) >> 11, client.Register(N.Ftag)));

        // Two and a half; and ST(0) and ST(1) change places through TOP and the tags in one packet.
        client.Tell($"P{N.St0:x}=00000000000000a00040");
        Assert.True(client.SetRegister(N.Fctrl, 0x27F));
        client.Go();
        Assert.Equal(2.5, BitConverter.ToDouble(Convert.FromHexString(client.Ask($"m{GdbRig.Data:x},8"))));
        Assert.Equal(1.0, BitConverter.ToDouble(Convert.FromHexString(client.Ask($"m{GdbRig.Data + 8:x},8"))));
        Assert.Equal(0x27Fu, client.Memory(GdbRig.Data + 16) & 0xFFFF);
    }

    [Fact]
    public void Status_word_of_a_g_packet_decides_which_register_is_st0()
    {
        using GdbRig rig = GdbRig.Of(Guests.Counter);
        GdbClient client = rig.Client;
        char[] all = client.Ask("g").ToCharArray();
        const int Words = (64 + 80) * 2;
        GdbClient.Little(0x3000).CopyTo(0, all, Words + 8, 8);
        GdbClient.Little(0x0FFF).CopyTo(0, all, Words + 16, 8);
        "00000000000000a00040".CopyTo(0, all, 128, 20);
        client.Tell("G" + new string(all));
        Assert.Equal("00000000000000a00040", client.Ask($"p{N.St0:x}"));

        // R7 is in use and holds zero.
        Assert.Equal((0x3000u, 0x4FFFu), (client.Register(N.Fstat), client.Register(N.Ftag)));
        Assert.Contains("R6             4000 A000000000000000", client.Monitor("info registers"), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Xmm_registers_and_mxcsr_are_read_and_written(Engine engine)
    {
        using GdbRig rig = GdbRig.Of(
            (c, mark) =>
            {
                c.mov(eax, cr4);
                c.or(eax, 0x200);
                c.mov(cr4, eax);
                c.xorps(xmm3, xmm3);
                mark("cleared");
                c.movups(__xmmword_ptr[GdbRig.Data], xmm3);
                c.stmxcsr(__dword_ptr[GdbRig.Data + 16]);
                mark("stored");
                Guests.Exit(c, ExitValue);
            },
            new GdbRig.Setup { Engine = engine });
        GdbClient client = rig.Client;
        client.Tell($"Z0,{rig["cleared"]:x},1");
        client.Tell($"Z0,{rig["stored"]:x},1");
        client.Go();
        Assert.Equal(new string('0', 32), client.Ask($"p{N.Xmm0 + 3:x}"));
        client.Tell($"P{N.Xmm0 + 3:x}=000102030405060708090a0b0c0d0e0f");
        Assert.True(client.SetRegister(N.Mxcsr, 0x9F80));
        Assert.False(client.SetRegister(N.Mxcsr, 0x1_0000));
        client.Go();
        Assert.Equal("000102030405060708090a0b0c0d0e0f", client.Ask($"m{GdbRig.Data:x},10"));
        Assert.Equal(0x9F80u, client.Memory(GdbRig.Data + 16));
    }
}
