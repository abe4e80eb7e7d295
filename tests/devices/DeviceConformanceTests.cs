using Plexus.Messaging;
using Plexus.Messaging.Codec;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Device;
using Plexus.Messaging.Shared;

namespace Plexus.Devices.Tests;

/// <summary>What every device type of the catalog promises.</summary>
public sealed class DeviceConformanceTests
{
    private const string Name = "device";

    public static TheoryData<string> Types => [.. DeviceCatalog.Types.Keys];

    [Theory]
    [MemberData(nameof(Types))]
    public void Device_describes_itself_and_has_regions(string type)
    {
        var subject = new Subject(type);
        Description description = subject.Call<Describe, Description>(default);

        Assert.Equal(Name, description.Name);
        Assert.NotEmpty(description.Summary);
        Assert.All(subject.Component.Regions, region => Assert.InRange(region.Length, region.IsMovable ? 0u : 1u, 0x20000u));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Cold_reset_gives_the_state_of_a_new_device(string type)
    {
        var subject = new Subject(type);
        byte[] fresh = subject.Save();
        subject.Exercise(new Random(1), 300);
        subject.Call<Reset, Done>(new Reset(true));

        Assert.Equal(fresh, subject.Save());
        Assert.Equal(0, subject.Chipset.Interrupts.Levels & ~new Subject(type).Chipset.Interrupts.Levels);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Warm_reset_lowers_the_interrupt_lines_of_devices_with_a_reset_input(string type)
    {
        var subject = new Subject(type);
        subject.Exercise(new Random(2), 300);
        subject.Call<Reset, Done>(new Reset(false));

        // The 8254 has no reset input.
        if (type != "i8254")
            Assert.Equal(0, subject.Chipset.Interrupts.Levels);
        subject.Exercise(new Random(3), 50);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Restored_device_behaves_like_the_saved_one(string type)
    {
        for (int seed = 0; seed < 20; seed++)
        {
            var original = new Subject(type);
            original.Exercise(new Random(seed), 200);
            byte[] state = original.Save();

            var restored = new Subject(type) { Now = original.Now };
            restored.Exercise(new Random(seed + 1000), 20);
            restored.Now = original.Now;
            restored.Call<RestoreState, Done>(new RestoreState(state));
            restored.TakeLines(original);

            Assert.Equal(state, restored.Save());
            Assert.Equal(original.Chipset.Interrupts.Levels, restored.Chipset.Interrupts.Levels);
            Assert.False(restored.Chipset.Interrupts.Changed && !original.Chipset.Interrupts.Changed, "restoring makes no edges");
            Assert.Equal(original.Lines.TimerDeadline, restored.Lines.TimerDeadline);
            Assert.Equal(original.Exercise(new Random(seed + 2000), 300), restored.Exercise(new Random(seed + 2000), 300));
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void State_cut_short_lengthened_or_of_another_version_is_a_fault(string type)
    {
        var subject = new Subject(type);
        subject.Exercise(new Random(4), 100);
        byte[] state = subject.Save();
        byte[] otherVersion = [.. state];
        otherVersion[0]++;

        foreach (byte[] bad in (byte[][])[[], state[..^1], [.. state, 0], otherVersion])
        {
            ComponentFaultException fault = Assert.Throws<ComponentFaultException>(() => new Subject(type).Call<RestoreState, Done>(new RestoreState(bad)));
            Assert.Contains(nameof(InvalidDataException), fault.Detail, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Damaged_state_is_a_fault_or_a_working_device(string type)
    {
        var random = new Random(5);
        for (int i = 0; i < 300; i++)
        {
            var subject = new Subject(type);
            subject.Exercise(new Random(i), 50);
            byte[] state = subject.Save();
            state[random.Next(state.Length)] ^= (byte)(1 << random.Next(8));
            try
            {
                subject.Call<RestoreState, Done>(new RestoreState(state));
                subject.Exercise(new Random(i + 1), 20);
            }
            catch (ComponentFaultException fault)
            {
                Assert.Contains(nameof(InvalidDataException), fault.Detail, StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Unknown_register_or_width_is_an_invalid_access_that_reads_ones(string type)
    {
        var subject = new Subject(type);
        IReadOnlyList<DeviceRegion> regions = subject.Component.Regions;
        var bad = new List<(int Region, uint Offset, int Width)> { (-1, 0, 1), (regions.Count, 0, 1), (int.MaxValue, uint.MaxValue, 1) };
        for (int i = 0; i < regions.Count; i++)
        {
            if (!regions[i].IsMovable)
                bad.Add((i, regions[i].Length, 1));
            bad.Add((i, uint.MaxValue, 1));
            bad.AddRange(((int[])[-1, 0, 3, 5, 8, int.MaxValue]).Select(width => (i, 0u, width)));
            if (regions[i].MaxWidth < 4)
                bad.Add((i, 0, 4));
            if (regions[i].MaxWidth < 2)
                bad.Add((i, 0, 2));
        }

        byte[] before = subject.Save();
        foreach ((int region, uint offset, int width) in bad)
        {
            DeviceResult read = subject.Call<DeviceRead, DeviceResult>(new DeviceRead(region, offset, width, 0));
            Assert.Equal((AccessStatus.InvalidAccess, uint.MaxValue), (read.Status, read.Value));
            Assert.Equal(AccessStatus.InvalidAccess, subject.Call<DeviceWrite, DeviceResult>(new DeviceWrite(region, offset, width, 0xFFFFFFFF, 0)).Status);
        }

        Assert.Equal(before, subject.Save());
        Assert.False(subject.Lines.StopRequested);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Every_register_takes_every_byte_at_any_time(string type)
    {
        var subject = new Subject(type);
        for (int value = 0; value < 256; value++)
        {
            for (int region = 0; region < subject.Component.Regions.Count; region++)
            {
                // A memory window is many times the same register.
                uint step = (subject.Component.Regions[region].Length >> 10) | 1;
                for (uint offset = 0; offset < subject.Component.Regions[region].Length; offset += step)
                {
                    subject.Now += 12_345;
                    subject.RunDue();
                    subject.Write(region, offset, value);
                    subject.Read(region, offset);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Deadlines_only_move_forward_when_served_and_earlier_times_do_not_turn_the_clock_back(string type)
    {
        var subject = new Subject(type);
        for (int seed = 0; seed < 10; seed++)
        {
            subject.Exercise(new Random(seed), 100);
            for (int i = 0; i < 20 && subject.Lines.TimerDeadline != ulong.MaxValue; i++)
            {
                ulong deadline = subject.Lines.TimerDeadline;
                subject.Now = Math.Max(subject.Now, deadline);
                subject.RunDue();
                Assert.True(subject.Lines.TimerDeadline > deadline);
            }

            byte[] state = subject.Save();
            if (subject.Component.Device is ITimed)
                subject.Call<RunTimers, NextDeadline>(new RunTimers(subject.Now / 2));
            Assert.Equal(state, subject.Save());
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Same_accesses_give_the_same_answers(string type) =>
        Assert.Equal(new Subject(type).Exercise(new Random(77), 500), new Subject(type).Exercise(new Random(77), 500));

    /// <summary>A device on the fake fabric with its wires, and a guest that does random things to it.</summary>
    private sealed class Subject
    {
        private readonly FakeFabric fabric = new() { IsRecording = false };

        public Subject(string type)
        {
            Chipset = new Chipset(Lines);
            Component = DeviceCatalog.Types[type].Create(Chipset, new DeviceSettings(Name) { Drives = ["disk", "cdrom"], DriveKinds = [DriveKind.Disk, DriveKind.CdRom] });
            fabric.Attach(new TestDrive("disk", 1 << 20)).Attach(new TestDrive("cdrom", 1 << 20) { BlockSize = 2048, ReadOnly = true, Removable = true }).Attach(Component);
        }

        public PlatformLines Lines { get; } = new();

        public Chipset Chipset { get; }

        public DeviceComponent Component { get; }

        public ulong Now { get; set; }

        public TReply Call<TRequest, TReply>(TRequest request)
            where TRequest : struct, IMessage<TRequest>
            where TReply : struct, IMessage<TReply>
            => fabric.Call<TRequest, TReply>(Name, in request);

        public byte[] Save() => Call<SaveState, SavedState>(default).Data.ToArray();

        public uint Read(int region, uint offset) => Call<DeviceRead, DeviceResult>(new DeviceRead(region, offset, 1, Now)).Value;

        public void Write(int region, uint offset, int value) => Call<DeviceWrite, DeviceResult>(new DeviceWrite(region, offset, 1, (uint)value, Now));

        public void RunDue()
        {
            while (Lines.TimerDeadline <= Now)
            {
                ulong deadline = Lines.TimerDeadline;
                Call<RunTimers, NextDeadline>(new RunTimers(deadline));
                Assert.True(Lines.TimerDeadline > deadline, "a deadline must lie after the event that set it");
            }
        }

        /// <summary>What lies outside the device: lines that others drive, and the latches of the platform.</summary>
        public void TakeLines(Subject other)
        {
            Lines.ResetRequested = other.Lines.ResetRequested;
            Lines.GuestExitCode = other.Lines.GuestExitCode;
            Lines.PowerOffRequested = other.Lines.PowerOffRequested;
            Chipset.Interrupts.Sample(out _, out _);
            other.Chipset.Interrupts.Sample(out _, out _);
        }

        public List<string> Exercise(Random random, int steps)
        {
            var log = new List<string>();
            for (int i = 0; i < steps; i++)
            {
                Now += (ulong)random.Next(random.Next(10) == 0 ? 20_000_000 : 50_000);
                RunDue();
                if (Component.Regions.Count == 0)
                    continue;
                int region = random.Next(Component.Regions.Count);
                uint offset = (uint)random.Next((int)Component.Regions[region].Length);
                switch (random.Next(10))
                {
                    case < 4:
                        log.Add($"{Now}: {region}:{offset} is {Read(region, offset):X}");
                        break;
                    case < 9:
                        Write(region, offset, random.Next(256));
                        break;
                    case 9 when Component.Device is Uart16550:
                        Call<SerialInput, Done>(new SerialInput(Now + (ulong)random.Next(1_000_000), new byte[] { (byte)random.Next(256), 2, 3 }, (SerialCondition)random.Next(16)));
                        Call<ModemInput, Done>(new ModemInput(Now + (ulong)random.Next(1_000_000), random.Next(2) == 0, random.Next(2) == 0, random.Next(2) == 0, random.Next(2) == 0));
                        break;
                    case 9 when Component.Device is KeyboardController:
                        Call<KeyboardInput, Done>(new KeyboardInput(Now + (ulong)random.Next(1_000_000), new byte[] { (byte)random.Next(256), 0xF0, 0x1C }));
                        Call<MouseInput, Done>(new MouseInput(Now + (ulong)random.Next(1_000_000), random.Next(-400, 400), random.Next(-50, 50), random.Next(-1, 2), (MouseButtons)random.Next(32)));
                        break;
                    default:
                        break;
                }

                log.Add($"{Now}: lines {Chipset.Interrupts.Levels:X} INTR {Lines.Intr} A20 {Lines.A20} NMI {Lines.NmiMasked} next {Lines.TimerDeadline}");
            }

            return log;
        }
    }
}
