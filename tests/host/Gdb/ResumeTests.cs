using Iced.Intel;
using Plexus.Messaging.Contracts.Monitor;
using Plexus.Monitor;
using Xunit;
using static Iced.Intel.AssemblerRegisters;
using N = Plexus.Host.Tests.Gdb.GdbClient.Numbers;

namespace Plexus.Host.Tests.Gdb;

/// <summary>Breakpoints, watchpoints, steps, and stops from outside.</summary>
public sealed class ResumeTests
{
    private const string WithReasons = "qSupported:swbreak+;hwbreak+";

    public static TheoryData<Engine> Engines => [Engine.Emulated, Engine.Ring3];

    [Theory]
    [MemberData(nameof(Engines))]
    public void Breakpoint_stops_before_its_instruction_each_time_and_is_not_in_memory(Engine engine)
    {
        using GdbRig rig = GdbRig.Of(Guests.Counter, new GdbRig.Setup { Engine = engine });
        GdbClient client = rig.Client;
        client.Ask(WithReasons);
        string code = client.Ask($"m{rig["loop"]:x},20");
        client.Tell($"Z0,{rig["store"]:x},1");
        client.Tell($"Z0,{rig["store"]:x},1");
        for (uint round = 1; round < 5; round++)
        {
            string reply = client.Go(round % 2 == 0 ? "c" : "vCont;c:1");
            Assert.StartsWith("T05thread:01;swbreak:;", reply, StringComparison.Ordinal);
            Assert.Contains($"08:{GdbClient.Little(rig["store"])};", reply, StringComparison.Ordinal);
            Assert.Equal((rig["store"], round), (client.Eip, client.Register(N.Ecx)));
            Assert.Equal(round - 1, client.Memory(GdbRig.Data));
        }

        Assert.Equal(code, client.Ask($"m{rig["loop"]:x},20"));
        client.Tell($"z0,{rig["store"]:x},1");
        client.Tell($"Z1,{rig["test"]:x},1");
        Assert.StartsWith("T05thread:01;hwbreak:;", client.Go(), StringComparison.Ordinal);
        Assert.Equal(rig["test"], client.Eip);
    }

    [Fact]
    public void Reason_of_a_breakpoint_is_left_out_for_who_does_not_know_it()
    {
        using GdbRig rig = GdbRig.Of(Guests.Counter);
        rig.Client.Tell($"Z0,{rig["store"]:x},1");
        Assert.StartsWith("T05thread:01;08:", rig.Client.Go(), StringComparison.Ordinal);
        Assert.Equal("T05thread:01;", rig.Client.Ask("?"));
    }

    [Fact]
    public void Breakpoint_where_the_guest_was_sent_to_stops_at_once()
    {
        using GdbRig rig = GdbRig.Of(Guests.Counter);
        GdbClient client = rig.Client;
        client.Tell($"Z0,{rig["test"]:x},1");
        client.Tell($"Z0,{rig["store"]:x},1");
        client.Go();
        Assert.Equal(rig["store"], client.Eip);
        Assert.True(client.SetRegister(N.Eip, rig["test"]));
        client.Go();
        Assert.Equal((rig["test"], 0u), (client.Eip, client.Memory(GdbRig.Data)));
        client.Go($"c{rig["store"]:x}");
        Assert.Equal((rig["store"], 0u), (client.Eip, client.Memory(GdbRig.Data)));
    }

    [Theory]
    [InlineData("Z2", "watch", "store")]
    [InlineData("Z4", "awatch", "store")]
    [InlineData("Z2", "watch", "change")]
    [InlineData("Z3", "rwatch", "change")]
    [InlineData("Z3", "rwatch", "load")]
    [InlineData("Z4", "awatch", "load")]
    [InlineData("Z2", "watch", "push")]
    [InlineData("Z3", "rwatch", "string")]
    [InlineData("Z3", "rwatch", "fpu")]
    public void Watchpoint_stops_behind_the_access(string kind, string reason, string access)
    {
        foreach (Engine engine in (Engine[])[Engine.Emulated, Engine.Ring3])
        {
            using GdbRig rig = GdbRig.Of(
                (c, mark) =>
                {
                    c.mov(esp, GdbRig.Data + 8);
                    c.mov(esi, GdbRig.Data + 4);
                    c.mov(__dword_ptr[GdbRig.Data - 4], eax);
                    c.mov(eax, __dword_ptr[GdbRig.Data + 8]);
                    mark("begin");
                    switch (access)
                    {
                        case "store":
                            c.mov(__dword_ptr[GdbRig.Data + 4], eax);
                            break;
                        case "change":
                            c.inc(__dword_ptr[GdbRig.Data + 4]);
                            break;
                        case "load":
                            c.mov(ebx, __dword_ptr[GdbRig.Data + 4]);
                            break;
                        case "push":
                            c.push(eax);
                            break;
                        case "string":
                            c.lodsd();
                            break;
                        default:
                            c.fld(__dword_ptr[GdbRig.Data + 4]);
                            break;
                    }

                    mark("behind");
                    c.nop();
                    Guests.Exit(c, 0);
                },
                new GdbRig.Setup { Engine = engine });
            GdbClient client = rig.Client;
            client.Tell($"{kind},{GdbRig.Data + 6:x},1");
            string reply = client.Go();
            Assert.StartsWith($"T05thread:01;{reason}:{GdbRig.Data + 6:x8};", reply, StringComparison.Ordinal);
            Assert.Equal(rig["behind"], client.Eip);
            Assert.Equal("W01", client.Go());
        }
    }

    [Theory]
    [InlineData("Z2", "load")]
    [InlineData("Z3", "store")]
    [InlineData("Z2", "beside")]
    public void Watchpoint_ignores_what_it_does_not_wait_for(string kind, string access)
    {
        using GdbRig rig = GdbRig.Of((c, _) =>
        {
            if (access == "store")
                c.mov(__dword_ptr[GdbRig.Data], eax);
            else if (access == "load")
                c.mov(eax, __dword_ptr[GdbRig.Data]);
            c.mov(__dword_ptr[GdbRig.Data + 4], eax);
            c.mov(__dword_ptr[GdbRig.Data - 4], eax);
            Guests.Exit(c, 0);
        });
        rig.Client.Tell($"{kind},{GdbRig.Data:x},4");
        Assert.Equal("W01", rig.Client.Go());
    }

    [Fact]
    public void Watchpoint_names_the_first_watched_byte_that_was_touched()
    {
        using GdbRig rig = GdbRig.Of((c, _) =>
        {
            c.mov(__word_ptr[GdbRig.Data + 0x41], ax);
            c.mov(__dword_ptr[GdbRig.Data - 2], eax);
            Guests.Exit(c, 0);
        });
        rig.Client.Tell($"Z2,{GdbRig.Data:x},100");
        Assert.Contains($"watch:{GdbRig.Data + 0x41:x8};", rig.Client.Go(), StringComparison.Ordinal);
        Assert.Contains($"watch:{GdbRig.Data:x8};", rig.Client.Go(), StringComparison.Ordinal);
        rig.Client.Tell($"z2,{GdbRig.Data:x},100");
        Assert.Equal("W01", rig.Client.Go());
    }

    [Fact]
    public void Frame_of_an_exception_meets_a_watchpoint()
    {
        using GdbRig rig = GdbRig.Of((c, mark) =>
        {
            Guests.Install(c, 6, () =>
            {
                mark("handler");
                c.nop();
                Guests.Exit(c, 0);
            });
            mark("fault");
            c.ud2();
        });
        rig.Client.Tell($"Z2,{0x8_0000 - 12:x},4");
        Assert.Contains("watch:", rig.Client.Go(), StringComparison.Ordinal);
        Assert.Equal((rig["handler"], rig["fault"]), (rig.Client.Eip, rig.Client.Memory(0x8_0000 - 12)));
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Step_executes_one_instruction(Engine engine)
    {
        using GdbRig rig = GdbRig.Of(Guests.Counter, new GdbRig.Setup { Engine = engine });
        GdbClient client = rig.Client;
        client.Tell($"Z0,{rig["loop"]:x},1");
        client.Go();
        string[] labels = ["store", "load", "test"];
        foreach (string how in (string[])["s", "S05", "vCont;s:1;c", "vCont;S05:1"])
        {
            // From the breakpoint at the loop's head, once around: the third label is two instructions before it.
            Assert.StartsWith("T05", client.Go(how), StringComparison.Ordinal);
            Assert.Equal(rig[labels[0]], client.Eip);
            client.Go(how);
            Assert.Equal(rig[labels[1]], client.Eip);
            client.Go(how);
            Assert.Equal(rig[labels[2]], client.Eip);
            client.Go(how);
            client.Go(how);
            Assert.Equal(rig["loop"], client.Eip);
        }
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Range_is_stepped_through_until_it_is_left_or_a_breakpoint_stands_in_it(Engine engine)
    {
        using GdbRig rig = GdbRig.Of(Guests.Counter, new GdbRig.Setup { Engine = engine });
        GdbClient client = rig.Client;
        client.Tell($"Z0,{rig["loop"]:x},1");
        client.Go();
        client.Go($"vCont;r{rig["loop"]:x},{rig["test"]:x}:1");
        Assert.Equal((rig["test"], 1u), (client.Eip, client.Register(N.Ecx)));
        client.Tell($"z0,{rig["loop"]:x},1");
        client.Tell($"Z0,{rig["load"]:x},1");
        client.Go($"vCont;r{rig["loop"]:x},{rig["out"]:x}:1");
        Assert.Equal((rig["load"], 2u), (client.Eip, client.Register(N.Ecx)));
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Step_ends_at_the_handler_of_an_exception_and_at_each_iteration(Engine engine)
    {
        using GdbRig rig = GdbRig.Of(
            (c, mark) =>
            {
                Guests.Install(c, 6, () =>
                {
                    mark("handler");
                    c.nop();
                    Guests.Exit(c, 0);
                });
                c.mov(edi, GdbRig.Data);
                c.mov(ecx, 3);
                mark("repeat");
                c.rep.stosb();
                mark("fault");
                c.ud2();
            },
            new GdbRig.Setup { Engine = engine });
        GdbClient client = rig.Client;
        client.Tell($"Z0,{rig["repeat"]:x},1");
        client.Go();
        foreach (uint left in (uint[])[2, 1, 0])
        {
            Assert.Equal(rig["repeat"], client.Eip);
            client.Go("s");
            Assert.Equal(left, client.Register(N.Ecx));
        }

        Assert.Equal(rig["fault"], client.Eip);
        client.Go("s");
        Assert.Equal(rig["handler"], client.Eip);
    }

    [Theory]
    [InlineData(Engine.Emulated, false)]
    [InlineData(Engine.Ring3, false)]
    [InlineData(Engine.Emulated, true)]
    [InlineData(Engine.Ring3, true)]
    public void Step_holds_interrupts_back_unless_it_is_told_not_to(Engine engine, bool taken)
    {
        using GdbRig rig = GdbRig.Of(WithTimer, new GdbRig.Setup { Engine = engine });
        GdbClient client = rig.Client;
        Assert.Equal("ENABLE=1,NOIRQ=2", client.Ask("qqemu.sstepbits"));
        Assert.Equal("0x3", client.Ask("qqemu.sstep"));
        if (taken)
            client.Tell("Qqemu.sstep=0x1");
        client.Tell($"Z0,{rig["busy"]:x},1");
        client.Go();
        client.Tell($"z0,{rig["busy"]:x},1");
        HashSet<uint> seen = [];
        for (int i = 0; i < 700; i++)
            seen.Add(GdbClient.EipOf(client.Go("s")));

        Assert.Equal(taken, seen.Contains(rig["handler"]));
        if (taken)
            return;

        // Nothing is lost: it comes when the guest runs.
        client.Tell($"Z0,{rig["handler"]:x},1");
        client.Go();
        Assert.Equal(rig["handler"], client.Eip);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Step_from_a_halt_ends_in_the_handler_that_wakes_it(Engine engine)
    {
        using GdbRig rig = GdbRig.Of(WithTimer, new GdbRig.Setup { Engine = engine });
        GdbClient client = rig.Client;
        client.Tell($"Z0,{rig["halt"]:x},1");
        client.Tell($"M{GdbRig.Data:x},4:01000000");
        client.Go();
        client.Go("s");
        Assert.Equal(rig["halt"] + 1, client.Eip);
        Assert.Contains("halted", System.Text.Encoding.UTF8.GetString(Convert.FromHexString(client.Ask("qThreadExtraInfo,1"))), StringComparison.Ordinal);
        client.Go("s");
        Assert.Equal(rig["handler"], client.Eip);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Byte_3_stops_a_running_guest(Engine engine)
    {
        using GdbRig rig = GdbRig.Of(Guests.Counter, new GdbRig.Setup { Engine = engine });
        GdbClient client = rig.Client;
        uint before = 0;
        for (int i = 0; i < 3; i++)
        {
            rig.SendOn("c");
            client.Raw(3);
            Assert.StartsWith("T02thread:01;", client.Receive(), StringComparison.Ordinal);
            uint now = client.Memory(GdbRig.Data);
            Assert.True(now > before, $"{now} after {before}");
            before = now;
        }

        Assert.InRange(client.Eip, rig["loop"], rig["out"]);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Debugger_attaches_to_a_running_guest_and_leaves_it_running(Engine engine)
    {
        using GdbRig rig = GdbRig.Of(Guests.Counter, new GdbRig.Setup { Engine = engine, Freeze = false });
        GdbClient client = rig.Client;
        Assert.Equal("T05thread:01;", client.Ask("?"));
        Assert.InRange(client.Eip, rig["loop"] - 7, rig["out"]);
        client.Tell($"Z0,{rig["load"]:x},1");
        client.Go();
        client.Tell("D");
        Assert.Equal(-1, client.ReadByte());

        // The breakpoint went with it, and another one may come.
        using GdbClient second = new(rig.Where);
        second.StopAcknowledging();
        Assert.Equal("T05thread:01;", second.Ask("?"));
        second.Tell($"M{GdbRig.Data + 4:x},1:03");
        second.Tell("D;1");
        Assert.Equal((MachineExitKind.GuestExit, 7), (rig.WaitForEnd().Kind, rig.WaitForEnd().Code));
    }

    [Fact]
    public void Guest_runs_on_when_the_connection_is_lost()
    {
        using GdbRig rig = GdbRig.Of(Guests.Counter);
        rig.Client.Tell($"M{GdbRig.Data + 4:x},1:03");
        rig.Client.Tell($"Z0,{rig["load"]:x},1");
        rig.Client.Dispose();
        Assert.Equal(MachineExitKind.GuestExit, rig.WaitForEnd().Kind);
    }

    [Fact]
    public void Guest_that_waits_goes_on_waiting_when_somebody_only_tries_the_port()
    {
        using GdbRig rig = GdbRig.Of(Guests.Counter, new GdbRig.Setup { Quiet = false });
        rig.Client.Dispose();
        using GdbClient second = new(rig.Where);
        second.StopAcknowledging();
        Assert.Equal(GdbRig.Load + 32, second.Eip);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Stops_leave_no_trace_in_the_guest(Engine engine)
    {
        ulong retired;
        using (GdbRig rig = GdbRig.OfDemoKernel(new GdbRig.Setup { Engine = engine }))
        {
            Assert.Equal("W00", rig.Client.Go());
            retired = rig.WaitForEnd().Retired;
        }

        using (GdbRig rig = GdbRig.OfDemoKernel(new GdbRig.Setup { Engine = engine }))
        {
            rig.Client.Tell($"Z0,{rig["enter_user"]:x},1");
            rig.Client.Tell($"Z0,{rig["vector_36"]:x},1");
            for (int i = 0; i < 20; i++)
            {
                Assert.StartsWith("T05", rig.Client.Go(), StringComparison.Ordinal);
                rig.Client.Ask("g");
            }

            rig.Client.Tell($"z0,{rig["enter_user"]:x},1");
            rig.Client.Tell($"z0,{rig["vector_36"]:x},1");
            Assert.Equal("W00", rig.Client.Go());
            Assert.Equal(retired, rig.WaitForEnd().Retired);
        }
    }

    /// <summary>Channel 0 interrupts every 5 microseconds, five hundred instructions; the guest spins, or halts when the first dword of its data is not 0.</summary>
    private static void WithTimer(Assembler c, Action<string> mark)
    {
        Label again = c.CreateLabel();
        Label halts = c.CreateLabel();
        Guests.Install(c, 0x20, () =>
        {
            mark("handler");
            c.push(eax);
            c.mov(al, 0x20);
            c.@out(0x20, al);
            c.pop(eax);
            c.iretd();
        });
        foreach ((int port, int value) in ((int, int)[])[(0x20, 0x11), (0x21, 0x20), (0x21, 4), (0x21, 1), (0xA0, 0x11), (0xA1, 0x28), (0xA1, 2), (0xA1, 1), (0x21, 0xFE), (0xA1, 0xFF), (0x43, 0x34), (0x40, 6), (0x40, 0)])
        {
            c.mov(al, (byte)value);
            c.@out((byte)port, al);
        }

        c.sti();
        mark("busy");
        c.Label(ref again);
        c.cmp(__dword_ptr[GdbRig.Data], 0);
        c.jne(halts);
        c.inc(ecx);
        c.jmp(again);
        mark("halt");
        c.Label(ref halts);
        c.hlt();
        c.jmp(again);
    }
}
