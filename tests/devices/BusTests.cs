using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Device;

namespace Plexus.Devices.Tests;

public sealed class BusTests
{
    [Fact]
    public void Read_of_an_unmapped_port_gives_ones_of_its_width()
    {
        var rig = new BusRig();

        Assert.Equal(new BusResult(AccessStatus.Unmapped, 0xFF), rig.Read(0x300));
        Assert.Equal(new BusResult(AccessStatus.Unmapped, 0xFFFF), rig.Read(0x300, 2));
        Assert.Equal(new BusResult(AccessStatus.Unmapped, 0xFFFFFFFF), rig.Read(0x300, 4));
        Assert.Equal(AccessStatus.Unmapped, rig.Out(0x300, 1).Status);
    }

    [Fact]
    public void Access_of_a_strange_width_is_invalid()
    {
        var rig = new BusRig(("port80", "port80"));

        Assert.Equal(AccessStatus.InvalidAccess, rig.Read(0x80, 3).Status);
        Assert.Equal(AccessStatus.InvalidAccess, rig.Out(0x80, 0, 8).Status);
    }

    [Fact]
    public void Word_access_to_byte_devices_becomes_byte_cycles_at_consecutive_ports()
    {
        var rig = new BusRig(null, chipset => [new DeviceComponent("a", "", new Recorder(RegionKind.Port, 0x100, 1, 1)), new DeviceComponent("b", "", new Recorder(RegionKind.Port, 0x101, 1, 1))]);

        rig.Out(0x100, 0xBEEF, 2);

        Assert.Equal([(0u, 1, 0xEFu)], ((Recorder)rig.Devices[0].Device).Writes);
        Assert.Equal([(0u, 1, 0xBEu)], ((Recorder)rig.Devices[1].Device).Writes);
        Assert.Equal(0xBEEFu, rig.In(0x100, 2));
    }

    [Fact]
    public void Access_is_split_where_the_device_ends_and_where_it_is_not_aligned()
    {
        var device = new Recorder(RegionKind.Port, 0x100, 6, 4);
        var rig = new BusRig(null, chipset => [new DeviceComponent("d", "", device)]);

        rig.Out(0x100, 0x44332211, 4);
        rig.Out(0x104, 0x88776655, 4);
        rig.Out(0x101, 0xDDCCBBAA, 4);

        Assert.Equal(
            [(0u, 4, 0x44332211u), (4u, 2, 0x6655u), (1u, 1, 0xAAu), (2u, 2, 0xCCBBu), (4u, 1, 0xDDu)],
            device.Writes);
    }

    [Fact]
    public void Word_access_at_the_last_port_wraps()
    {
        var device = new Recorder(RegionKind.Port, 0, 1, 1);
        var rig = new BusRig(null, chipset => [new DeviceComponent("d", "", device)]);

        Assert.Equal(AccessStatus.Unmapped, rig.Out(0xFFFF, 0x1234, 2).Status);
        Assert.Equal([(0u, 1, 0x12u)], device.Writes);
    }

    [Fact]
    public void Memory_ranges_are_found_by_address_and_the_rest_is_unmapped()
    {
        var low = new Recorder(RegionKind.Memory, 0xA0000, 0x20000, 4);
        var high = new Recorder(RegionKind.Memory, 0xFFFF0000, 0x10000, 4);
        var rig = new BusRig(null, chipset => [new DeviceComponent("high", "", high), new DeviceComponent("low", "", low)]);

        rig.Fabric.Call<MmioWrite, BusResult>("bus", new MmioWrite(0xBFFFC, 4, 7, 0));
        rig.Fabric.Call<MmioWrite, BusResult>("bus", new MmioWrite(0xFFFFFFFE, 2, 9, 0));

        Assert.Equal([(0x1FFFCu, 4, 7u)], low.Writes);
        Assert.Equal([(0xFFFEu, 2, 9u)], high.Writes);
        Assert.Equal(new BusResult(AccessStatus.Ok, 7), rig.Fabric.Call<MmioRead, BusResult>("bus", new MmioRead(0xBFFFC, 4, 0)));
        foreach (uint address in (uint[])[0x9FFFF, 0xC0000, 0xFFFEFFFF])
            Assert.Equal(new BusResult(AccessStatus.Unmapped, 0xFF), rig.Fabric.Call<MmioRead, BusResult>("bus", new MmioRead(address, 1, 0)));
    }

    [Fact]
    public void Register_that_refuses_the_access_reads_as_ones()
    {
        var rig = new BusRig(("debug-exit", "debugexit"));

        Assert.Equal(new BusResult(AccessStatus.InvalidAccess, 0xFF), rig.Read(0xF4));
    }

    [Fact]
    public void Probe_sees_every_cycle_with_value_and_whether_it_was_handled()
    {
        var events = new Probe();
        var rig = new BusRig(events, ("port80", "port80")) { Now = 5 };

        rig.Out(0x80, 0x1234, 2);
        rig.In(0x80);

        Assert.Equal(
            [
                new BusCycle(RegionKind.Port, true, 0x80, 1, 0x34, "port80", AccessStatus.Ok, 5),
                new BusCycle(RegionKind.Port, true, 0x81, 1, 0x12, null, AccessStatus.Unmapped, 5),
                new BusCycle(RegionKind.Port, false, 0x80, 1, 0x34, "port80", AccessStatus.Ok, 5),
            ],
            events.Cycles);
        Assert.Equal([true, false, true], events.Cycles.Select(cycle => cycle.WasHandled));
    }

    [Fact]
    public void Cycle_log_keeps_the_last_unhandled_cycles_oldest_first()
    {
        var log = new BusCycleLog(2);
        var rig = new BusRig(log, ("port80", "port80"));

        foreach (int port in (int[])[0x300, 0x80, 0x301, 0x302])
            rig.In(port);

        Assert.Equal([0x301u, 0x302u], log.LastUnhandled().Select(cycle => cycle.Address));
        Assert.Equal((4ul, 3ul), (log.Cycles, log.Unhandled));
    }

    [Fact]
    public void Timers_run_in_the_order_of_time_and_ties_in_the_order_of_their_slots()
    {
        var order = new List<(string, ulong)>();
        var rig = new BusRig(null, chipset =>
        [
            new DeviceComponent("b", "", new Clockwork(0x100, chipset.Timers.Add("b"), order, [30, 40])),
            new DeviceComponent("a", "", new Clockwork(0x101, chipset.Timers.Add("a"), order, [10, 30, 50])),
        ]);
        Assert.Equal(10ul, rig.Lines.TimerDeadline);

        rig.RunTo(40);

        Assert.Equal([("a", 10ul), ("b", 30ul), ("a", 30ul), ("b", 40ul)], order);
        Assert.Equal(50ul, rig.Lines.TimerDeadline);
    }

    [Fact]
    public void Access_comes_after_everything_that_was_due_before_it()
    {
        var order = new List<(string, ulong)>();
        var rig = new BusRig(null, chipset => [new DeviceComponent("a", "", new Clockwork(0x100, chipset.Timers.Add("a"), order, [10, 20, 30]))]) { Now = 20 };

        rig.In(0x300);

        Assert.Equal([("a", 10ul), ("a", 20ul)], order);
    }

    [Fact]
    public void Device_that_leaves_its_deadline_in_the_past_is_a_fault_not_a_hang()
    {
        var rig = new BusRig(null, chipset => [new DeviceComponent("a", "", new Clockwork(0x100, chipset.Timers.Add("a"), [], [10, 10]))]);

        ComponentFaultException fault = Assert.Throws<ComponentFaultException>(() => rig.RunTo(10));
        Assert.Contains("left its deadline", fault.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0x102, 2)]
    [InlineData(0x0FF, 2)]
    [InlineData(0x101, 1)]
    public void Overlapping_ports_are_refused(int port, int length)
    {
        BusDevice[] devices = [new("a", [DeviceRegion.Ports(0x100, 3)]), new("b", [DeviceRegion.Ports(port, length)])];

        Assert.Throws<ArgumentException>(() => new BusComponent(new Chipset(new()), devices));
    }

    [Fact]
    public void Overlapping_memory_doubled_names_and_two_controllers_are_refused()
    {
        DeviceRegion memory = new(RegionKind.Memory, 0x1000, 0x1000, 4);
        Assert.Throws<ArgumentException>(() => new BusComponent(new Chipset(new()), [new("a", [memory]), new("b", [memory with { Base = 0x1FFF }])]));
        Assert.Throws<ArgumentException>(() => new BusComponent(new Chipset(new()), [new("a", []), new("a", [])]));
        Assert.Throws<ArgumentException>(() => new BusComponent(new Chipset(new()), [new("a", [], IsInterruptController: true), new("b", [], IsInterruptController: true)]));
        Assert.Throws<ArgumentException>(() => new BusComponent(new Chipset(new()), [new("a", [memory with { Base = 0xFFFFF800 }])]));
        Assert.Throws<ArgumentException>(() => new BusComponent(new Chipset(new()), [new("a", [memory with { MaxWidth = 3 }])]));
        Assert.Throws<ArgumentException>(() => new BusComponent(new Chipset(new()), [new("a", [memory with { Length = 0 }])]));
    }

    [Fact]
    public void Stable_ports_are_the_masks_the_counters_and_the_post_code_in_ascending_order()
    {
        var rig = new BusRig(("port80", "port80"), ("i8259-pair", "pic"), ("i8254", "pit"));
        rig.InitializePics();
        rig.Out(0x21, 0x12);
        rig.Out(0xA1, 0x34);
        rig.Out(0x80, 0x56);

        StablePort[] ports = rig.Fabric.Call<ReadStablePorts, StablePorts>("bus", new ReadStablePorts(0)).Ports;

        Assert.Equal(
        [
            new(0x20, false, PortWrites.EndOfInterrupt, 0), new(0x21, true, PortWrites.Any, 0x12),
            new(0x40, false, PortWrites.Once, 0), new(0x41, false, PortWrites.Once, 0), new(0x42, false, PortWrites.Once, 0),
            new(0x80, true, PortWrites.Any, 0x56),
            new(0xA0, false, PortWrites.EndOfInterrupt, 0), new(0xA1, true, PortWrites.Any, 0x34),
        ], ports);
        foreach (StablePort port in ports)
            Assert.Equal(new StablePortState(port.Readable, port.Writes, port.Value), rig.Fabric.Call<ReadStablePort, StablePortState>("bus", new ReadStablePort(port.Port, 0)));
    }

    [Theory]
    [InlineData(0x43)]
    [InlineData(0x61)]
    [InlineData(0x300)]
    [InlineData(0x3FF)]
    public void Port_that_is_not_stable_says_so(int port)
    {
        var rig = new BusRig(("i8259-pair", "pic"), ("i8254", "pit"), ("ns16550a", "uart0"));

        Assert.Equal(default, rig.Fabric.Call<ReadStablePort, StablePortState>("bus", new ReadStablePort((ushort)port, 0)));
    }

    [Fact]
    public void Latched_count_is_stable_until_it_has_been_read()
    {
        var rig = new BusRig(("i8254", "pit"));
        StablePortState firstByte = new(false, PortWrites.Once, 0);
        Assert.Equal(firstByte, State());
        rig.Out(0x43, 0x34);
        rig.Out(0x40, 0x78);
        Assert.Equal(default, State());
        rig.Out(0x40, 0x56);
        ulong version = rig.Lines.StablePortsVersion;
        rig.Out(0x43, 0x00);
        StablePortState both = State();
        Assert.NotEqual(version, version = rig.Lines.StablePortsVersion);
        byte low = (byte)rig.In(0x40);
        Assert.NotEqual(version, version = rig.Lines.StablePortsVersion);
        StablePortState second = State();
        byte high = (byte)rig.In(0x40);
        Assert.NotEqual(version, rig.Lines.StablePortsVersion);

        Assert.Equal(new StablePortState(true, PortWrites.None, low, 2, high), both);
        Assert.Equal(new StablePortState(true, PortWrites.None, high, 1), second);
        Assert.Equal(firstByte, State());

        // A status before the count: neither is for the pages.
        rig.Out(0x43, 0xC2);
        Assert.Equal(default, State());
        rig.In(0x40);
        Assert.Equal(2, State().Reads);

        // One byte only.
        rig.Out(0x43, 0x24);
        rig.Out(0x40, 0x99);
        rig.Out(0x43, 0x00);
        Assert.Equal((true, 1), (State().Readable, State().Reads));
        Assert.Equal(rig.In(0x40), State().Value);

        StablePortState State() => rig.Fabric.Call<ReadStablePort, StablePortState>("bus", new ReadStablePort(0x40, 0));
    }

    [Fact]
    public void Version_of_stable_ports_changes_with_the_values_and_not_otherwise()
    {
        var rig = new BusRig(("i8259-pair", "pic"), ("port80", "port80"));
        rig.InitializePics();
        ulong version = rig.Lines.StablePortsVersion;
        rig.Out(0x20, 0x20);
        rig.Out(0x20, 0x0B);
        rig.In(0x21);
        Assert.Equal(version, rig.Lines.StablePortsVersion);

        rig.Out(0x21, 0xAA);
        Assert.NotEqual(version, version = rig.Lines.StablePortsVersion);
        rig.Out(0x20, 0x0C);
        Assert.NotEqual(version, version = rig.Lines.StablePortsVersion);
        rig.In(0x20);
        Assert.NotEqual(version, version = rig.Lines.StablePortsVersion);
        rig.Out(0x80, 1);
        Assert.NotEqual(version, rig.Lines.StablePortsVersion);
    }

    [Fact]
    public void Bus_calls_its_devices_and_nobody_else()
    {
        var rig = new BusRig(("i8259-pair", "pic"), ("ns16550a", "uart0"));

        Assert.Equal(
            [new CallEdge("uart0", "telemetry"), new CallEdge("bus", "pic"), new CallEdge("bus", "uart0")],
            rig.Fabric.CallGraph);
    }

    [Fact]
    public void Accesses_timers_and_interrupts_allocate_nothing()
    {
        using var rig = new MachineRig(Placement.Inline, ("i8259-pair", "pic"), ("i8254", "pit"), ("port80", "port80"), ("ns16550a", "uart0"), ("i8042", "i8042"));
        foreach ((int port, uint value) in (ReadOnlySpan<(int, uint)>)[(0x20, 0x11), (0x21, 0x20), (0x21, 4), (0x21, 1), (0x43, 0x34), (0x40, 0x10), (0x40, 0)])
            rig.Out(port, value);
        Assert.True(Exercise(200) > 100);

        long before = GC.GetAllocatedBytesForCurrentThread();
        Exercise(1000);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        int Exercise(int times)
        {
            int interrupts = 0;
            for (int i = 0; i < times; i++)
            {
                rig.RunTo(rig.Now + 20_000);
                rig.Out(0x80, (uint)i);
                rig.In(0x80);
                rig.In(0x40);
                rig.In(0x61);
                rig.In(0x3FD);
                rig.In(0x64);
                rig.Out(0x21, (uint)i & 0xFE);
                rig.In(0x21, 2);
                if (rig.Lines.Intr)
                {
                    rig.Acknowledge();
                    rig.Out(0x20, 0x20);
                    interrupts++;
                }
            }

            return interrupts;
        }
    }

    private sealed class Probe : IBusEvents
    {
        public List<BusCycle> Cycles { get; } = [];

        void IBusEvents.Cycle(in BusCycle cycle) => Cycles.Add(cycle);
    }

    private sealed class Recorder(RegionKind kind, uint first, uint length, int maxWidth) : IRegisterAccess
    {
        private readonly Dictionary<uint, uint> values = [];

        public IReadOnlyList<DeviceRegion> Regions { get; } = [new(kind, first, length, maxWidth)];

        public List<(uint Offset, int Width, uint Value)> Writes { get; } = [];

        public AccessStatus Read(int region, uint offset, int width, ulong now, out uint value)
        {
            value = values.GetValueOrDefault(offset);
            return AccessStatus.Ok;
        }

        public AccessStatus Write(int region, uint offset, int width, uint value, ulong now)
        {
            Writes.Add((offset, width, value));
            values[offset] = value;
            return AccessStatus.Ok;
        }
    }

    private sealed class Clockwork : IRegisterAccess, ITimed
    {
        private readonly List<(string, ulong)> order;
        private readonly Queue<ulong> times;

        public Clockwork(int port, TimerSlot timer, List<(string, ulong)> order, ulong[] times)
        {
            this.order = order;
            this.times = new Queue<ulong>(times);
            Timer = timer;
            Regions = [DeviceRegion.Ports(port, 1)];
            Timer.Deadline = this.times.Dequeue();
        }

        public IReadOnlyList<DeviceRegion> Regions { get; }

        public TimerSlot Timer { get; }

        public AccessStatus Read(int region, uint offset, int width, ulong now, out uint value)
        {
            value = 0;
            return AccessStatus.Ok;
        }

        public AccessStatus Write(int region, uint offset, int width, uint value, ulong now) => AccessStatus.Ok;

        public void RunTimers(ulong now)
        {
            order.Add((Timer.Device, now));
            Timer.Deadline = times.Count > 0 ? times.Dequeue() : ulong.MaxValue;
        }
    }
}
