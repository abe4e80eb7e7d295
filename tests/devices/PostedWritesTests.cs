using Plexus.Messaging.Contracts.Bus;

namespace Plexus.Devices.Tests;

/// <summary>
/// Writes that a device says need not come at once come late: nobody can tell. One device is written at once; its twin as handlers in ring 3 do it, who keep such a write until ring 0 is entered
/// next, be it for another access, for a line that moves or for an acknowledge.
/// </summary>
public sealed class PostedWritesTests
{
    private const int NotEndOfInterrupt = 0x98;

    [Fact]
    public void Interrupt_controllers_that_hear_late_of_masks_and_ends_of_interrupt_are_like_those_that_hear_at_once()
    {
        int posted = 0;
        for (int run = 0; run < 200; run++)
        {
            Random random = new(run);
            DeviceRig<DualPic> at = new(chipset => new DualPic(chipset)), late = new(chipset => new DualPic(chipset));
            InterruptLine[][] lines = [Connect(at), Connect(late)];
            Poster<DualPic> poster = new(late, [0x20, 0x21, 0xA0, 0xA1]);
            int[] script = Script(random);
            for (int step = 0; step < script.Length; step++)
            {
                switch (script[step])
                {
                    case 0:
                        // Mostly there is a request of a line or two at a time, as in a machine.
                        int irq = random.Next(3) == 0 ? random.Next(16) : random.Next(2) * 8;
                        bool level = random.Next(2) == 0;
                        poster.Flush();
                        foreach (InterruptLine[] of in lines)
                            of[irq].Set(level);
                        at.Device.SampleInterrupts(0);
                        late.Device.SampleInterrupts(0);
                        break;
                    case 1 when at.Lines.Intr:
                        poster.Flush();
                        Assert.Equal(at.Device.Acknowledge(0), late.Device.Acknowledge(0));
                        break;
                    case 2:
                        int port = Port(random);
                        Assert.Equal(at.In(port), poster.In(port));
                        break;
                    default:
                        (int to, int value) = Write(random);
                        at.Out(to, value);
                        poster.Out(to, value);
                        break;
                }

                Assert.True(at.Lines.Intr == late.Lines.Intr, $"run {run}, step {step}: INTR is {late.Lines.Intr}");
            }

            poster.Flush();
            Assert.Equal(Saved(at.Device), Saved(late.Device));
            posted += poster.Posted;
        }

        Assert.True(posted > 10_000, $"only {posted} writes came late");

        static InterruptLine[] Connect(DeviceRig<DualPic> rig) => [.. Enumerable.Range(0, 16).Select(irq => rig.Chipset.Interrupts.Connect(irq))];
        static int Port(Random random) => (random.Next(2) * 0x80) + 0x20 + random.Next(2);
        static int[] Script(Random random) => [.. Enumerable.Range(0, 600).Select(_ => random.Next(8))];
    }

    [Fact]
    public void Timer_that_hears_late_of_the_first_byte_of_a_count_is_like_one_that_hears_at_once()
    {
        int posted = 0;
        for (int run = 0; run < 200; run++)
        {
            Random random = new(run);
            DeviceRig<Pit8254> at = Make(), late = Make();
            Poster<Pit8254> poster = new(late, [0x40, 0x41, 0x42]);
            for (int step = 0; step < 400; step++)
            {
                ulong passes = (ulong)random.Next(5) switch { 0 => 20_000, 1 => 900, _ => 0 };
                at.Run(passes);
                late.Run(passes);
                int port = 0x40 + random.Next(3);
                switch (random.Next(12))
                {
                    case 0:
                        Out(0x43, ((port - 0x40) << 6) | 0x30 | random.Next(16));
                        break;
                    case 1:
                        Out(0x43, random.Next(256));
                        break;
                    case 2:
                        Out(0x61, random.Next(4));
                        break;
                    case < 6:
                        Assert.Equal(at.In(port), poster.In(port));
                        break;
                    default:
                        Out(port, random.Next(3) == 0 ? random.Next(256) : random.Next(4));
                        break;
                }

                Assert.True((at.Irq(0), at.In(0x61)) == (late.Irq(0), late.In(0x61)), $"run {run}, step {step}");
            }

            poster.Flush();
            Assert.Equal(Saved(at.Device), Saved(late.Device));
            Assert.Equal(at.Edges, late.Edges);
            posted += poster.Posted;

            void Out(int port, int value)
            {
                at.Out(port, value);
                poster.Out(port, value);
            }
        }

        Assert.True(posted > 3_000, $"only {posted} writes came late");

        static DeviceRig<Pit8254> Make() => new(chipset => new Pit8254(chipset.Interrupts.Connect(0), chipset.Timers.Add("pit"), chipset.Lines));
    }

    /// <summary>Mostly what kernels write; sometimes anything.</summary>
    private static (int Port, int Value) Write(Random random)
    {
        int chip = random.Next(2) * 0x80;
        return random.Next(26) switch
        {
            0 => (0x20 + chip, random.Next(256)),
            1 => (0x21 + chip, random.Next(256)),
            2 => (0x20 + chip, 0x11),
            24 => (0x20 + chip, 0x68),
            25 => (0x20 + chip, random.Next(4) == 0 ? 0x48 : 0x68),
            < 8 => (0x21 + chip, new[] { 0, 0x20, 1, 0xFB }[random.Next(4)]),
            < 16 => (0x20 + chip, 0x20),
            < 20 => (0x20 + chip, 0x60 | random.Next(8)),
            _ => (0x21 + chip, 1 << random.Next(8)),
        };
    }

    private static byte[] Saved(ISaveRestore device)
    {
        StateWriter writer = new();
        device.Save(writer);
        return writer.Written.ToArray();
    }

    /// <summary>What handlers in ring 3 make of accesses, by what the device says of its registers.</summary>
    private sealed class Poster<T>
        where T : class, IRegisterAccess, IStableRegisters
    {
        private readonly DeviceRig<T> rig;
        private readonly Dictionary<int, StablePortState> known = [];
        private readonly SortedDictionary<int, int> kept = [];
        private readonly HashSet<int> taken = [];

        internal Poster(DeviceRig<T> rig, int[] ports)
        {
            this.rig = rig;
            foreach (int port in ports)
                known.Add(port, default);
            Refresh();
        }

        internal int Posted { get; private set; }

        /// <summary>Ring 0 is entered: the device hears of everything.</summary>
        internal void Flush()
        {
            foreach ((int port, int value) in kept)
                rig.Out(port, value);
            kept.Clear();
            taken.Clear();
        }

        internal byte In(int port)
        {
            Refresh();
            StablePortState state = known.GetValueOrDefault(port);
            if (state.Readable && state.Reads == 0)
                return (byte)kept.GetValueOrDefault(port, state.Value);
            Flush();
            return rig.In(port);
        }

        internal void Out(int port, int value)
        {
            Refresh();
            if (!taken.Contains(port) && IsTaken(known.GetValueOrDefault(port).Writes, value))
            {
                if (known[port].Writes != PortWrites.Any)
                    taken.Add(port);
                kept[port] = value;
                Posted++;
                return;
            }

            Flush();
            rig.Out(port, value);
        }

        private static bool IsTaken(PortWrites writes, int value) => writes switch
        {
            PortWrites.Any or PortWrites.Once => true,
            PortWrites.EndOfInterrupt => (value & NotEndOfInterrupt) == 0,
            _ => false,
        };

        /// <summary>The pages are brought up to date when ring 0 is left, which it is behind each entry and at no other time.</summary>
        private void Refresh()
        {
            if (kept.Count != 0)
                return;
            foreach (int port in known.Keys.ToArray())
            {
                (int region, uint offset) = rig.Find(port);
                known[port] = rig.Device.ReadStableRegister(region, offset);
            }
        }
    }
}
