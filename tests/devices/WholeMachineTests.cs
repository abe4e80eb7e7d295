using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Device;

namespace Plexus.Devices.Tests;

/// <summary>Every device of a PC behind one bus.</summary>
public sealed class WholeMachineTests
{
    private static readonly (string Type, string Name)[] Pc =
    [
        ("i8259-pair", "pic"), ("i8254", "pit"), ("i8042", "i8042"), ("mc146818", "rtc"), ("ns16550a", "uart0"),
        ("port80", "port80"), ("port92", "port92"), ("debug-exit", "debugexit"), ("reset-control", "reset"), ("coprocessor", "coprocessor"),
    ];

    private static readonly ClockDomain PitClock = new(Pit8254.Frequency);

    [Fact]
    public void Timer_interrupts_come_through_the_controller_at_their_time()
    {
        BusRig rig = Make();
        rig.InitializePics();
        rig.Out(0x21, 0xFE);
        rig.Out(0x43, 0x34);
        rig.Out(0x40, 11932 & 0xFF);
        rig.Out(0x40, 11932 >> 8);
        for (int tick = 1; tick <= 100; tick++)
        {
            while (!rig.Lines.Intr)
                rig.RunTo(rig.Lines.TimerDeadline);
            Assert.Equal(PitClock.Time(1 + (tick * 11932L)), rig.Now);
            Assert.Equal(0x20, rig.Acknowledge());
            Assert.False(rig.Lines.Intr);
            rig.Out(0x20, 0x20);
        }
    }

    [Fact]
    public void Interrupt_that_was_not_taken_while_its_line_was_high_waits_for_the_next_edge()
    {
        BusRig rig = Make();
        rig.InitializePics();
        rig.Out(0x43, 0x36);
        rig.Out(0x40, 100);
        rig.Out(0x40, 0);
        rig.RunTo(PitClock.Time(101));
        Assert.True(rig.Lines.Intr);
        rig.RunTo(PitClock.Time(151));
        Assert.False(rig.Lines.Intr);
        rig.RunTo(PitClock.Time(201));
        Assert.True(rig.Lines.Intr);
    }

    [Fact]
    public void Clock_interrupts_through_the_slave()
    {
        BusRig rig = Make();
        rig.InitializePics();
        rig.Out(0x70, 0x0B);
        rig.Out(0x71, 0x12);
        rig.RunTo(1_000_000_000);

        Assert.Equal(0x28, rig.Acknowledge());
        rig.Out(0x70, 0x0C);
        Assert.Equal(0x90u, rig.In(0x71) & 0x90);
        rig.Out(0xA0, 0x20);
        rig.Out(0x20, 0x20);
        rig.RunTo(2_000_000_000);
        Assert.True(rig.Lines.Intr);
    }

    [Fact]
    public void Access_at_a_time_finds_what_was_due_by_then_already_requested()
    {
        BusRig rig = Make();
        rig.InitializePics();
        rig.Out(0x43, 0x30);
        rig.Out(0x40, 10);
        rig.Out(0x40, 0);
        rig.Now = PitClock.Time(11);

        rig.Out(0x80, 0);

        Assert.True(rig.Lines.Intr);
    }

    [Fact]
    public void Two_serial_ports_have_lines_of_their_own()
    {
        var rig = new BusRig(null, chipset =>
        [
            DeviceCatalog.Types["i8259-pair"].Create(chipset, new DeviceSettings("pic")),
            DeviceCatalog.Types["ns16550a"].Create(chipset, new DeviceSettings("uart0")),
            DeviceCatalog.Types["ns16550a"].Create(chipset, new DeviceSettings("uart1") { Base = 0x2F8, Irq = 3 }),
        ]);
        rig.InitializePics();
        foreach (int port in (int[])[0x3F8, 0x2F8])
        {
            rig.Out(port + 4, 0x08);
            rig.Out(port + 1, 0x02);
        }

        Assert.Equal(0x23, rig.Acknowledge());
        rig.Out(0x20, 0x20);
        Assert.Equal(0x24, rig.Acknowledge());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Reset_leaves_no_request_and_no_edge(bool cold)
    {
        BusRig rig = Make();
        rig.InitializePics();
        rig.Out(0x43, 0x36);
        rig.Out(0x40, 100);
        rig.Out(0x40, 0);
        rig.Out(0x3FC, 0x08);
        rig.Out(0x3F9, 0x02);
        rig.Out(0x64, 0xAA);
        rig.RunTo(1_000_000);
        Assert.True(rig.Lines.Intr);
        rig.Out(0x92, 0x00);

        rig.Reset(cold);

        Assert.False(rig.Lines.Intr);
        Assert.True(rig.Lines.A20);
        Assert.Equal(cold ? ulong.MaxValue : PitClock.Time(PitClock.Ticks(1_000_000) / 50 * 50 + 51), rig.Lines.TimerDeadline);
        Assert.Equal(0xFFu, rig.In(0x21));
        rig.InitializePics();
        rig.Out(0x21, 0xFF);
        Assert.Equal(0u, rig.In(0x20) & 0xFE);
    }

    [Fact]
    public void Warm_reset_forgets_what_happened_before_it_and_nobody_saw()
    {
        BusRig rig = Make();
        rig.RunTo(5_500_000_000);
        rig.Reset(cold: false);
        rig.Out(0x70, 0x0C);

        Assert.Equal(0u, rig.In(0x71));
    }

    [Fact]
    public void Saved_machine_goes_on_in_another_one_as_it_would_have()
    {
        BusRig original = Make();
        Prepare(original);
        Play(original, new Random(1), 500);
        var states = new Dictionary<string, byte[]>();
        foreach (string component in Components())
            states[component] = original.Fabric.Call<SaveState, SavedState>(component, default).Data.ToArray();

        BusRig restored = Make();
        restored.Lines.GuestExitCode = original.Lines.GuestExitCode;
        restored.Lines.ResetRequested = original.Lines.ResetRequested;
        foreach (string component in Components().Reverse())
            restored.Fabric.Call<RestoreState, Done>(component, new RestoreState(states[component]));
        restored.Now = original.Now;

        Assert.Equal(original.Lines.Intr, restored.Lines.Intr);
        Assert.Equal(Play(original, new Random(2), 500), Play(restored, new Random(2), 500));
    }

    [Fact]
    public void Random_guest_makes_the_same_machine_twice()
    {
        List<string> Run()
        {
            BusRig rig = Make();
            Prepare(rig);
            return Play(rig, new Random(42), 3000);
        }

        Assert.Equal(Run(), Run());
    }

    [Fact]
    public void Catalog_names_match_and_devices_of_a_pc_do_not_overlap()
    {
        Assert.All(DeviceCatalog.Types, entry => Assert.Equal(entry.Key, entry.Value.Name));
        Assert.NotNull(Make().Bus);
    }

    private static BusRig Make() => new(Pc);

    private static IEnumerable<string> Components() => Pc.Select(device => device.Name).Prepend("bus");

    private static void Prepare(BusRig rig)
    {
        rig.Fabric.IsRecording = false;
        rig.InitializePics();
        foreach ((int port, uint value) in (ReadOnlySpan<(int, uint)>)[(0x43, 0x36), (0x40, 0x34), (0x40, 0x12), (0x70, 0x0B), (0x71, 0x52), (0x3FC, 0x0B), (0x3F9, 0x0F), (0x3FB, 0x03)])
            rig.Out(port, value);
        rig.Fabric.Call<SerialInput, Done>("uart0", new SerialInput(3_000_000, "hello, serial"u8.ToArray(), SerialCondition.None));
        rig.Fabric.Call<KeyboardInput, Done>("i8042", new KeyboardInput(2_000_000, new byte[] { 0x1C, 0xF0, 0x1C, 0x32, 0xF0, 0x32 }));
    }

    /// <summary>A guest that serves its interrupts and pokes at ports in between.</summary>
    private static List<string> Play(BusRig rig, Random random, int steps)
    {
        int[] ports = [0x20, 0x21, 0xA0, 0xA1, 0x40, 0x42, 0x60, 0x61, 0x64, 0x70, 0x71, 0x80, 0x92, 0x3F8, 0x3FA, 0x3FD, 0x3FE, 0x3FF, 0x4D0, 0xCF9, 0x300];
        int[] quietPorts = [0x61, 0x80, 0x3FF, 0x40, 0x42, 0x71];
        var log = new List<string>();
        for (int i = 0; i < steps; i++)
        {
            rig.RunTo(Math.Min(rig.Now + (ulong)random.Next(200_000), Math.Max(rig.Now, rig.Lines.TimerDeadline)));
            int port = ports[random.Next(ports.Length)];
            log.Add($"{rig.Now}: {port:X} is {rig.In(port, random.Next(2) + 1):X}");
            rig.Out(quietPorts[random.Next(quietPorts.Length)], (uint)random.Next(256));
            if (!rig.Lines.Intr)
                continue;
            byte vector = rig.Acknowledge();
            log.Add($"{rig.Now}: vector {vector:X}");
            if (vector == 0x28)
            {
                rig.Out(0x70, 0x0C);
                rig.In(0x71);
            }

            if (vector >= 0x28)
                rig.Out(0xA0, 0x20);
            rig.Out(0x20, 0x20);
        }

        return log;
    }
}
