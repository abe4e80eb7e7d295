using System.Text;
using Plexus.Messaging.Contracts.Bus;

namespace Plexus.Devices.Tests;

/// <summary>Times are in CLK pulses; a write at pulse t is loaded at pulse t + 1 (8254 datasheet, waveforms of the modes).</summary>
public sealed class PitTests
{
    private const int Binary = 0;
    private static readonly ClockDomain Clock = new(Pit8254.Frequency);

    [Theory]
    [InlineData(0, 4, "LLLLLHHHHH")]
    [InlineData(0, 1, "LLHHHHHHHH")]
    [InlineData(2, 3, "HHHLHHLHHL")]
    [InlineData(2, 2, "HHLHLHLHLH")]
    [InlineData(3, 4, "HHHLLHHLLHH")]
    [InlineData(3, 5, "HHHHLLHHHLLHHH")]
    [InlineData(3, 2, "HHLHLHLHLH")]
    [InlineData(3, 3, "HHHLHHLHHL")]
    [InlineData(4, 3, "HHHHLHHHHH")]
    public void Software_started_modes_give_the_waveform(int mode, int count, string expected)
    {
        DeviceRig<Pit8254> rig = Make();
        Gate(rig, true);
        Program(rig, 2, mode, count);

        Assert.Equal(expected, Waveform(rig, expected.Length));
    }

    [Theory]
    [InlineData(1, 3, "HLLLHHHH")]
    [InlineData(5, 3, "HHHHLHHH")]
    public void Hardware_triggered_modes_give_the_waveform_after_the_gate_rises(int mode, int count, string expected)
    {
        DeviceRig<Pit8254> rig = Make();
        Program(rig, 2, mode, count);
        At(rig, 100);
        Assert.True(Output(rig));
        Gate(rig, true);

        Assert.Equal(expected, Waveform(rig, expected.Length));
    }

    [Fact]
    public void One_shot_is_retriggered_by_a_gate_edge_and_not_by_a_new_count()
    {
        DeviceRig<Pit8254> rig = Make();
        Program(rig, 2, 1, 10);
        At(rig, 100);
        Gate(rig, true);
        At(rig, 105);
        rig.Out(0x42, 3);
        rig.Out(0x42, 0);
        At(rig, 110);
        Assert.False(Output(rig));
        At(rig, 111);
        Assert.True(Output(rig));

        Gate(rig, false);
        Gate(rig, true);
        Assert.Equal("HLLLH", Waveform(rig, 5));
        At(rig, 120);
        Gate(rig, false);
        Gate(rig, true);
        At(rig, 122);
        Gate(rig, false);
        Gate(rig, true);
        Assert.Equal("LLLLH", Waveform(rig, 5));
    }

    [Fact]
    public void Mode_0_count_waits_while_the_gate_is_low_but_is_loaded()
    {
        DeviceRig<Pit8254> rig = Make();
        Program(rig, 2, 0, 5);
        At(rig, 50);
        Assert.Equal(5, ReadCount(rig, 2));
        Gate(rig, true);
        At(rig, 52);
        Gate(rig, false);
        At(rig, 70);
        Assert.Equal(3, ReadCount(rig, 2));
        Gate(rig, true);
        Assert.Equal("LLLH", Waveform(rig, 4));
    }

    [Fact]
    public void Mode_0_first_byte_of_a_new_count_stops_the_old_one_and_takes_the_output_low()
    {
        DeviceRig<Pit8254> rig = Make();
        Gate(rig, true);
        Program(rig, 2, 0, 2);
        At(rig, 10);
        Assert.True(Output(rig));
        rig.Out(0x42, 4);
        Assert.False(Output(rig));
        int stopped = ReadCount(rig, 2);
        At(rig, 30);
        Assert.Equal(stopped, ReadCount(rig, 2));
        rig.Out(0x42, 0);
        Assert.Equal("LLLLLH", Waveform(rig, 6));
    }

    [Theory]
    [InlineData(0, 0x10000)]
    [InlineData(1, 10000)]
    public void Expired_count_goes_on_below_zero_in_its_number_system(int bcd, int modulus)
    {
        DeviceRig<Pit8254> rig = Make();
        Gate(rig, true);
        Program(rig, 2, 0, 3, bcd);
        At(rig, 1 + 3 + 5);

        int expected = modulus - 5;
        Assert.Equal(bcd == 0 ? expected : Convert.ToInt32($"{expected}", 16), ReadCount(rig, 2));
    }

    [Fact]
    public void Rate_generator_stops_high_while_the_gate_is_low_and_starts_over_when_it_rises()
    {
        DeviceRig<Pit8254> rig = Make();
        Gate(rig, true);
        Program(rig, 2, 2, 4);
        At(rig, 4);
        Assert.False(Output(rig));
        Gate(rig, false);
        Assert.True(Output(rig));
        At(rig, 40);
        Assert.True(Output(rig));
        Gate(rig, true);
        Assert.Equal("HHHHLHHHL", Waveform(rig, 9));
    }

    [Fact]
    public void Square_wave_starts_over_with_a_high_half_when_the_gate_rises()
    {
        DeviceRig<Pit8254> rig = Make();
        Gate(rig, true);
        Program(rig, 2, 3, 6);
        At(rig, 5);
        Assert.False(Output(rig));
        Gate(rig, false);
        Assert.True(Output(rig));
        At(rig, 33);
        Gate(rig, true);
        Assert.Equal("HHHHLLLHHHL", Waveform(rig, 11));
    }

    [Fact]
    public void New_count_takes_over_at_the_end_of_the_period_in_mode_2_and_of_the_half_period_in_mode_3()
    {
        DeviceRig<Pit8254> rig = Make();
        Gate(rig, true);
        Program(rig, 2, 2, 4);
        At(rig, 2);
        rig.Out(0x42, 2);
        rig.Out(0x42, 0);
        Assert.Equal("HHLHLHL", Waveform(rig, 7));

        Program(rig, 2, 3, 8);
        ulong start = Tick(rig);
        At(rig, start + 2);
        rig.Out(0x42, 4);
        rig.Out(0x42, 0);
        Assert.Equal("HHHLLHHLL", Waveform(rig, 9));
    }

    [Fact]
    public void Software_strobe_is_retriggered_by_a_new_count()
    {
        DeviceRig<Pit8254> rig = Make();
        Gate(rig, true);
        Program(rig, 2, 4, 5);
        At(rig, 3);
        rig.Out(0x42, 5);
        rig.Out(0x42, 0);
        Assert.Equal("HHHHHHLHH", Waveform(rig, 9));
    }

    [Fact]
    public void Software_strobe_holds_its_count_while_the_gate_is_low()
    {
        DeviceRig<Pit8254> rig = Make();
        Gate(rig, true);
        Program(rig, 2, 4, 3);
        At(rig, 2);
        Gate(rig, false);
        At(rig, 20);
        Assert.True(Output(rig));
        Gate(rig, true);
        Assert.Equal("HHLH", Waveform(rig, 4));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void Count_of_one_is_illegal_in_the_periodic_modes_and_takes_the_whole_range_and_one(int mode)
    {
        var rig = Make();
        Program(rig, 0, mode, 1);
        At(rig, 400_000);

        Assert.Equal(65537L, Clock.Ticks(rig.Edges[1].Time) - Clock.Ticks(rig.Edges[0].Time));
    }

    [Theory]
    [InlineData(0, 0, 65536)]
    [InlineData(1, 0, 10000)]
    [InlineData(1, 0x100, 100)]
    [InlineData(0, 0x100, 256)]
    public void Timer_interrupt_comes_every_period(int bcd, int count, int period)
    {
        DeviceRig<Pit8254> rig = Make();
        Program(rig, 0, 2, count, bcd);
        At(rig, (ulong)(10 * period) + 5);

        Assert.Equal(Enumerable.Range(1, 10).Select(i => (0, (ulong)(1 + (i * period)))), rig.Edges.Select(edge => (edge.Irq, (ulong)Clock.Ticks(edge.Time))));
    }

    [Fact]
    public void Timer_does_not_drift_in_a_year_of_guest_time()
    {
        DeviceRig<Pit8254> rig = Make();
        Program(rig, 0, 2, 11932);
        const ulong year = 365UL * 86400 * 1_000_000_000;

        rig.Device.RunTimers(year);

        // Loaded at pulse 1, the output falls 11931 pulses later, at pulse 11932, and then every 11932.
        UInt128 pulses = (UInt128)year * Pit8254.Frequency / 1_000_000_000;
        UInt128 fall = (pulses / 11932 * 11932) + 11932;
        Assert.Equal((ulong)(((fall * 1_000_000_000) + Pit8254.Frequency - 1) / Pit8254.Frequency), rig.Device.Timer.Deadline);
    }

    [Fact]
    public void Programming_a_rate_for_the_first_time_makes_no_edge()
    {
        DeviceRig<Pit8254> rig = Make();

        Program(rig, 0, 2, 1000);

        Assert.Empty(rig.Edges);
    }

    [Fact]
    public void Mode_change_from_a_low_output_is_an_edge()
    {
        DeviceRig<Pit8254> rig = Make();
        Program(rig, 0, 0, 1000);
        Assert.Empty(rig.Edges);

        Program(rig, 0, 2, 1000);

        Assert.Equal([0], rig.Edges.Select(edge => edge.Irq));
    }

    [Fact]
    public void Long_time_without_a_look_leaves_one_edge_and_the_right_count()
    {
        DeviceRig<Pit8254> rig = Make();
        Program(rig, 0, 2, 1000);
        rig.Device.Read(0, 0, 1, Clock.Time(1), out _);
        rig.Device.Read(0, 0, 1, Clock.Time(1), out _);
        rig.Device.Read(0, 0, 1, Clock.Time(5_000_001 + 250), out uint low);
        rig.Device.Read(0, 0, 1, Clock.Time(5_000_001 + 250), out uint high);

        Assert.Equal(750u, low | (high << 8));
        rig.Chipset.Interrupts.Sample(out int levels, out int rising);
        Assert.Equal((1, 1), (levels & 1, rising & 1));
    }

    [Fact]
    public void Latched_count_stays_until_read_and_a_second_latch_is_ignored()
    {
        DeviceRig<Pit8254> rig = Make();
        Program(rig, 0, 2, 0x8000);
        At(rig, 1 + 0x100);
        rig.Out(0x43, 0x00);
        At(rig, 1 + 0x1000);
        rig.Out(0x43, 0x00);

        Assert.Equal(0x7F00, rig.In(0x40) | (rig.In(0x40) << 8));
        Assert.Equal(0x7000, rig.In(0x40) | (rig.In(0x40) << 8));
    }

    [Fact]
    public void Latch_is_dropped_when_the_counter_is_programmed()
    {
        DeviceRig<Pit8254> rig = Make();
        Program(rig, 0, 2, 0x8000);
        At(rig, 10);
        rig.Out(0x43, 0x00);
        Program(rig, 0, 2, 0x1234);
        At(rig, 11);

        Assert.Equal(0x1234, ReadCount(rig, 0));
    }

    [Fact]
    public void Reads_and_writes_have_flip_flops_of_their_own()
    {
        DeviceRig<Pit8254> rig = Make();
        Program(rig, 0, 2, 0x4321);
        At(rig, 1);
        Assert.Equal(0x21, rig.In(0x40));
        rig.Out(0x40, 0x55);
        Assert.Equal(0x43, rig.In(0x40));
        rig.Out(0x40, 0x66);
        At(rig, 1 + 0x4321);

        Assert.Equal(0x6655, ReadCount(rig, 0));
    }

    [Theory]
    [InlineData(1, 0x34, 0x0034)]
    [InlineData(2, 0x34, 0x3400)]
    public void Single_byte_access_leaves_the_other_byte_zero(int access, int value, int expected)
    {
        DeviceRig<Pit8254> rig = Make();
        rig.Out(0x43, (access << 4) | (2 << 1));
        rig.Out(0x40, value);
        At(rig, 1);

        Assert.Equal(value, rig.In(0x40));
        rig.Out(0x43, 0x00);
        Assert.Equal(value, rig.In(0x40));
        Assert.Equal(expected, Clock.Ticks(rig.Device.Timer.Deadline));
    }

    [Fact]
    public void Read_back_gives_status_then_count()
    {
        DeviceRig<Pit8254> rig = Make();
        Program(rig, 0, 3, 0x1000);
        rig.Out(0x43, 0xC2);
        Assert.Equal(0x80 | 0x40 | 0x36, rig.In(0x40));
        Assert.Equal(0x0000, rig.In(0x40) | (rig.In(0x40) << 8));
        At(rig, 1);
        rig.Out(0x43, 0xE2);
        Assert.Equal(0x80 | 0x36, rig.In(0x40));
        At(rig, 1 + 0x800);
        rig.Out(0x43, 0xE2);
        At(rig, 1 + 0x1000);
        rig.Out(0x43, 0xE2);
        Assert.Equal(0x36, rig.In(0x40));
    }

    [Fact]
    public void Read_back_of_several_counters_latches_each()
    {
        DeviceRig<Pit8254> rig = Make();
        Gate(rig, true);
        Program(rig, 0, 2, 0x100);
        Program(rig, 1, 2, 0x200);
        Program(rig, 2, 2, 0x300);
        At(rig, 11);
        rig.Out(0x43, 0xDE);
        At(rig, 99);

        Assert.Equal([0x100 - 10, 0x200 - 10, 0x300 - 10], Enumerable.Range(0, 3).Select(i => rig.In(0x40 + i) | (rig.In(0x40 + i) << 8)));
    }

    [Theory]
    [InlineData(6, "HHHHHLHHHHLH")]
    [InlineData(7, "HHHHLLHHHLLH")]
    public void Modes_6_and_7_are_2_and_3_and_read_back_as_written(int written, string expected)
    {
        DeviceRig<Pit8254> rig = Make();
        Gate(rig, true);
        Program(rig, 2, written, 5);
        rig.Out(0x43, 0xE8);

        Assert.Equal(0x80 | 0x40 | 0x30 | (written << 1), rig.In(0x42));
        Assert.Equal(expected, Waveform(rig, expected.Length));
    }

    [Fact]
    public void Null_count_tells_when_a_new_count_has_reached_the_counter()
    {
        DeviceRig<Pit8254> rig = Make();
        Program(rig, 0, 2, 100);
        At(rig, 5);
        Assert.Equal(0, Status(rig) & 0x40);
        rig.Out(0x40, 50);
        Assert.Equal(0, Status(rig) & 0x40);
        rig.Out(0x40, 0);
        Assert.Equal(0x40, Status(rig) & 0x40);
        At(rig, 100);
        Assert.Equal(0x40, Status(rig) & 0x40);
        At(rig, 101);
        Assert.Equal(0, Status(rig) & 0x40);
    }

    [Fact]
    public void Bcd_count_reads_as_decimal_digits()
    {
        DeviceRig<Pit8254> rig = Make();
        Program(rig, 0, 2, 0x1234, bcd: 1);
        At(rig, 1 + 35);

        Assert.Equal(0x1199, ReadCount(rig, 0));
    }

    [Fact]
    public void Control_word_register_cannot_be_read()
    {
        DeviceRig<Pit8254> rig = Make();

        Assert.Equal(AccessStatus.InvalidAccess, rig.Device.Read(0, 3, 1, 0, out uint value));
        Assert.Equal(uint.MaxValue, value);
    }

    [Fact]
    public void System_control_port_keeps_four_bits_toggles_refresh_and_shows_output_2()
    {
        DeviceRig<Pit8254> rig = Make();
        rig.Out(0x61, 0xFE);
        Assert.Equal(0x0E, rig.In(0x61) & 0xCF);
        var toggles = new List<ulong>();
        int last = rig.In(0x61) & 0x10;
        for (ulong tick = 1; tick <= 90; tick++)
        {
            At(rig, tick);
            int bit = rig.In(0x61) & 0x10;
            if (bit != last)
                toggles.Add(tick);
            last = bit;
        }

        Assert.Equal([18ul, 36, 54, 72, 90], toggles);
    }

    [Fact]
    public void Speaker_is_output_2_and_the_speaker_bit()
    {
        DeviceRig<Pit8254> rig = Make();
        rig.Out(0x61, 3);
        Program(rig, 2, 3, 4);
        Assert.True(rig.Device.Speaker);
        At(rig, 3);
        rig.In(0x61);
        Assert.False(rig.Device.Speaker);
        At(rig, 5);
        Assert.Equal(0x20, rig.In(0x61) & 0x20);
        rig.Out(0x61, 1);
        Assert.False(rig.Device.Speaker);
    }

    [Fact]
    public void Expired_one_shot_and_stopped_counter_want_no_timer()
    {
        DeviceRig<Pit8254> rig = Make();
        Assert.Equal(ulong.MaxValue, rig.Lines.TimerDeadline);
        Program(rig, 0, 0, 10);
        Assert.NotEqual(ulong.MaxValue, rig.Lines.TimerDeadline);
        At(rig, 12);
        Assert.Equal(ulong.MaxValue, rig.Lines.TimerDeadline);
        Assert.Equal([(0, Clock.Time(11))], rig.Edges);
    }

    [Fact]
    public void Random_programs_agree_with_a_counter_that_counts_pulse_by_pulse()
    {
        var random = new Random(8254);
        for (int run = 0; run < 300; run++)
        {
            DeviceRig<Pit8254> rig = Make();
            var reference = new PulseCounter();
            ulong tick = 0;
            var trace = new StringBuilder();
            for (int step = 0; step < 60; step++)
            {
                int action = random.Next(10);
                if (action == 0 || step == 0)
                {
                    int mode = random.Next(6);
                    int bcd = random.Next(2);
                    trace.Append($" t{tick}:mode {mode} bcd {bcd}");
                    rig.Out(0x43, 0xB0 | (mode << 1) | bcd);
                    reference.Control(mode, bcd != 0);
                    if (step == 0)
                        action = 1;
                }

                if (action is 1 or 2)
                {
                    int count = random.Next(3) == 0 ? random.Next(0x10000) : random.Next(2, 12);
                    if (reference.Bcd)
                        count = Convert.ToInt32($"{count % 10000}", 16);
                    trace.Append($" t{tick}:count {count:X}");
                    rig.Out(0x42, count & 0xFF);
                    reference.FirstByte();
                    rig.Out(0x42, count >> 8);
                    reference.Count(count);
                }

                if (action is 3 or 4)
                {
                    bool gate = random.Next(2) == 0;
                    trace.Append($" t{tick}:gate {gate}");
                    Gate(rig, gate);
                    reference.Gate(gate);
                }

                ulong pulses = (ulong)(random.Next(4) == 0 ? random.Next(2000) : random.Next(8));
                tick += pulses;
                At(rig, tick);
                for (ulong i = 0; i < pulses; i++)
                    reference.Pulse();
                rig.Out(0x43, 0xC8);
                int status = rig.In(0x42);
                int value = rig.In(0x42) | (rig.In(0x42) << 8);
                Assert.True(reference.Out == ((status & 0x80) != 0), $"OUT should be {reference.Out} at{trace} t{tick}");
                Assert.True(reference.NullCount == ((status & 0x40) != 0), $"null count should be {reference.NullCount} at{trace} t{tick}");
                if (reference.Loaded)
                    Assert.True(reference.Element == value, $"count should be {reference.Element:X}, is {value:X} at{trace} t{tick}");
            }
        }
    }

    private static DeviceRig<Pit8254> Make() => new(chipset => new Pit8254(chipset.Interrupts.Connect(0), chipset.Timers.Add("pit"), chipset.Lines));

    private static void Program(DeviceRig<Pit8254> rig, int counter, int mode, int count, int bcd = Binary)
    {
        rig.Out(0x43, (counter << 6) | 0x30 | (mode << 1) | bcd);
        rig.Out(0x40 + counter, count & 0xFF);
        rig.Out(0x40 + counter, count >> 8);
    }

    private static void At(DeviceRig<Pit8254> rig, ulong tick) => rig.RunTo(Clock.Time((long)tick));

    private static ulong Tick(DeviceRig<Pit8254> rig) => (ulong)Clock.Ticks(rig.Now);

    private static void Gate(DeviceRig<Pit8254> rig, bool level) => rig.Out(0x61, level ? 1 : 0);

    private static bool Output(DeviceRig<Pit8254> rig) => (rig.In(0x61) & 0x20) != 0;

    private static int Status(DeviceRig<Pit8254> rig)
    {
        rig.Out(0x43, 0xE2);
        return rig.In(0x40);
    }

    private static int ReadCount(DeviceRig<Pit8254> rig, int counter)
    {
        rig.Out(0x43, counter << 6);
        return rig.In(0x40 + counter) | (rig.In(0x40 + counter) << 8);
    }

    private static string Waveform(DeviceRig<Pit8254> rig, int pulses)
    {
        ulong start = Tick(rig);
        var wave = new StringBuilder();
        for (int i = 0; i < pulses; i++)
        {
            At(rig, start + (ulong)i);
            wave.Append(Output(rig) ? 'H' : 'L');
        }

        return wave.ToString();
    }

    /// <summary>The same chip, written for the eye: one pulse at a time.</summary>
    private sealed class PulseCounter
    {
        private int mode;
        private int register;
        private bool gate;
        private bool load;
        private bool armed;
        private bool stopped;
        private bool strobe;
        private bool written;
        private int half;
        private bool extra;

        public bool Bcd { get; private set; }

        public bool Out { get; private set; } = true;

        public bool NullCount { get; private set; } = true;

        public bool Loaded { get; private set; }

        public int Element => Bcd ? Convert.ToInt32($"{half % 10000}", 16) : half % 65536;

        private int Range => Bcd ? 10000 : 65536;

        private int Initial
        {
            get
            {
                int value = Bcd ? int.Parse($"{register:X}", System.Globalization.CultureInfo.InvariantCulture) : register;
                if (value == 0)
                    return Range;
                return value == 1 && mode is (2 or 3) ? Range + 1 : value;
            }
        }

        public void Control(int newMode, bool bcd)
        {
            mode = newMode;
            Bcd = bcd;
            Out = mode != 0;
            NullCount = true;
            load = armed = stopped = strobe = written = Loaded = false;
        }

        public void FirstByte()
        {
            if (mode != 0)
                return;
            stopped = true;
            load = false;
            Out = false;
        }

        public void Count(int value)
        {
            register = value;
            NullCount = true;
            if (mode is 0 or 4 || (mode is 2 or 3 && !written))
                load = true;
            written = true;
            if (mode == 0)
                Out = false;
        }

        public void Gate(bool level)
        {
            bool rising = level && !gate;
            if (!level && gate && mode is (2 or 3))
                Out = true;
            gate = level;
            if (rising && written && mode is (1 or 2 or 3 or 5))
                load = true;
        }

        public void Pulse()
        {
            if (load)
            {
                load = stopped = strobe = false;
                armed = Loaded = true;
                if (mode == 1)
                    Out = false;
                else if (mode != 0)
                    Out = true;
                Reload();
                return;
            }

            if (strobe)
            {
                strobe = false;
                Out = true;
            }

            bool counts = Loaded && !stopped && (gate || mode is 1 or 5);
            if (!counts)
                return;
            switch (mode)
            {
                case 2:
                    if (half == 1)
                    {
                        Out = true;
                        Reload();
                    }
                    else if (--half == 1)
                    {
                        Out = false;
                    }

                    break;
                case 3:
                    if (half > 2 || (half == 2 && extra))
                    {
                        half -= 2;
                    }
                    else
                    {
                        Out = !Out;
                        Reload();
                    }

                    break;
                default:
                    half = (half - 1 + (2 * Range)) % Range;
                    if (half != 0 || !armed)
                        break;
                    armed = false;
                    Out = mode is 0 or 1;
                    strobe = mode is 4 or 5;
                    break;
            }
        }

        private void Reload()
        {
            NullCount = false;
            half = Initial;
            if (mode != 3)
                return;
            extra = half % 2 != 0 && Out;
            half -= half % 2;
        }
    }
}
