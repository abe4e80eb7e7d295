using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Device;

namespace Plexus.Devices.Tests;

public sealed class RtcTests
{
    private const ulong Second = 1_000_000_000;
    private const int Irq = 8;
    private static readonly ClockDomain Crystal = new(Mc146818.Frequency);
    private readonly DeviceRig<Mc146818> rig = Make(new DateTime(2026, 12, 31, 23, 59, 58, DateTimeKind.Utc));

    [Fact]
    public void Calendar_begins_where_it_was_told_and_follows_guest_time()
    {
        Assert.Equal([0x58, 0x59, 0x23, 0x05, 0x31, 0x12, 0x26, 0x20], Time());
        rig.RunTo(Second - 1);
        Assert.Equal(0x58, Get(0));
        rig.RunTo(Second);
        Assert.Equal(0x59, Get(0));
        rig.RunTo(2 * Second);
        Assert.Equal([0x00, 0x00, 0x00, 0x06, 0x01, 0x01, 0x27, 0x20], Time());
    }

    [Fact]
    public void Century_follows_the_year()
    {
        DeviceRig<Mc146818> clock = Make(new DateTime(2099, 12, 31, 23, 59, 59, DateTimeKind.Utc));
        clock.RunTo(Second);
        clock.Out(0x70, 0x09);
        Assert.Equal(0x00, clock.In(0x71));
        clock.Out(0x70, 0x32);
        Assert.Equal(0x21, clock.In(0x71));
    }

    [Theory]
    [InlineData(2024, 2, 28, 29, 2)]
    [InlineData(2025, 2, 28, 1, 3)]
    [InlineData(2025, 4, 30, 1, 5)]
    [InlineData(2025, 7, 31, 1, 8)]
    public void Months_have_their_days(int year, int month, int day, int nextDay, int nextMonth)
    {
        DeviceRig<Mc146818> clock = Make(new DateTime(year, month, day, 23, 59, 59, DateTimeKind.Utc));
        clock.RunTo(Second);
        clock.Out(0x70, 0x07);
        Assert.Equal(nextDay, Convert.ToInt32($"{clock.In(0x71):X}", System.Globalization.CultureInfo.InvariantCulture));
        clock.Out(0x70, 0x08);
        Assert.Equal(nextMonth, clock.In(0x71));
    }

    [Fact]
    public void Calendar_agrees_with_the_gregorian_one_over_years()
    {
        var start = new DateTime(2023, 11, 5, 13, 37, 11, DateTimeKind.Utc);
        DeviceRig<Mc146818> clock = Make(start);
        var random = new Random(146818);
        ulong seconds = 0;
        for (int i = 0; i < 300; i++)
        {
            seconds += (ulong)random.Next(random.Next(3) == 0 ? 3_000_000 : 5000);
            clock.RunTo(seconds * Second);
            DateTime expected = start.AddSeconds(seconds);
            int[] read = [.. ((int[])[0, 2, 4, 6, 7, 8, 9]).Select(register =>
            {
                clock.Out(0x70, register);
                return int.Parse($"{clock.In(0x71):X}", System.Globalization.CultureInfo.InvariantCulture);
            })];
            Assert.Equal([expected.Second, expected.Minute, expected.Hour, (int)expected.DayOfWeek + 1, expected.Day, expected.Month, expected.Year % 100], read);
        }
    }

    [Fact]
    public void Update_in_progress_is_up_for_the_warning_and_the_update()
    {
        const long ticks = Mc146818.Frequency;
        foreach ((long tick, int expected) in (ReadOnlySpan<(long, int)>)[(ticks - 74, 0), (ticks - 73, 0x80), (ticks - 1, 0x80), (ticks, 0), ((2 * ticks) - 73, 0x80)])
        {
            rig.RunTo(Crystal.Time(tick));
            Assert.Equal(expected | 0x26, Get(0x0A));
        }
    }

    [Fact]
    public void Binary_and_12_hour_formats_are_kept()
    {
        DeviceRig<Mc146818> clock = Make(new DateTime(2025, 1, 1));
        Put(clock, 0x0B, 0x84);
        foreach ((int register, int value) in (ReadOnlySpan<(int, int)>)[(0, 59), (2, 59), (4, 11), (6, 7), (7, 31), (8, 12), (9, 99), (0x32, 19)])
            Put(clock, register, value);
        Put(clock, 0x0B, 0x04);
        clock.RunTo(Second);
        Assert.Equal([0, 0, 0x80 | 12, 7, 31, 12, 99, 19], Time(clock));
        clock.RunTo(Second + (12 * 3600 * Second));
        Assert.Equal([0, 0, 12, 1, 1, 1, 0, 20], Time(clock));
    }

    [Theory]
    [InlineData(0x12, 0x01)]
    [InlineData(0x11, 0x92)]
    [InlineData(0x91, 0x12)]
    [InlineData(0x92, 0x81)]
    public void Twelve_hour_clock_goes_from_12_to_1_and_changes_halves_at_12(int hour, int next)
    {
        Put(rig, 0x0B, 0x80);
        Put(rig, 0x00, 0x59);
        Put(rig, 0x02, 0x59);
        Put(rig, 0x04, hour);
        Put(rig, 0x0B, 0x00);
        rig.RunTo(Second);

        Assert.Equal(next, Get(0x04));
    }

    [Fact]
    public void Set_stops_updates_and_takes_the_update_interrupt_with_it()
    {
        Put(rig, 0x0B, 0x12);
        Put(rig, 0x0B, 0x92);
        Assert.Equal(0x82, Get(0x0B));
        rig.RunTo(5 * Second);
        Assert.Equal(0x58, Get(0));
        Assert.Equal(0x00, Get(0x0C) & 0x10);
        rig.RunTo(6 * Second - 1_000_000);
        Assert.Equal(0x00, Get(0x0A) & 0x80);
        Put(rig, 0x0B, 0x02);
        rig.RunTo(6 * Second);
        Assert.Equal(0x59, Get(0));
    }

    [Fact]
    public void Divider_reset_stops_the_clock_and_half_a_second_after_it_the_first_update_comes()
    {
        rig.RunTo(300_000_000);
        Put(rig, 0x0A, 0x66);
        rig.RunTo(10 * Second);
        Assert.Equal(0x58, Get(0));
        Put(rig, 0x0A, 0x26);
        rig.RunTo((10 * Second) + (Second / 2) - 100_000);
        Assert.Equal(0x58, Get(0));
        rig.RunTo((10 * Second) + (Second / 2) + 100_000);
        Assert.Equal(0x59, Get(0));
        rig.RunTo((11 * Second) + (Second / 2) + 100_000);
        Assert.Equal(0x00, Get(0));
    }

    [Fact]
    public void Update_ended_interrupt_comes_every_second_until_register_c_is_read()
    {
        Put(rig, 0x0B, 0x12);
        rig.RunTo(Second);
        Assert.True(rig.Irq(Irq));
        Assert.Equal([(Irq, Second)], rig.Edges);
        Assert.Equal(ulong.MaxValue, rig.Lines.TimerDeadline);
        rig.RunTo(3 * Second);
        Assert.Equal(0x90, Get(0x0C) & 0x90);
        Assert.False(rig.Irq(Irq));
        Assert.Equal(0x00, Get(0x0C));
        rig.RunTo(4 * Second);
        Assert.Equal([(Irq, Second), (Irq, 4 * Second)], rig.Edges);
    }

    [Theory]
    [InlineData(1, 128)]
    [InlineData(2, 256)]
    [InlineData(3, 4)]
    [InlineData(6, 32)]
    [InlineData(8, 128)]
    [InlineData(9, 256)]
    [InlineData(15, 16384)]
    public void Periodic_interrupt_has_the_rate_of_the_table(int rate, int ticks)
    {
        Put(rig, 0x0A, 0x20 | rate);
        Put(rig, 0x0B, 0x42);
        for (int i = 1; i <= 5; i++)
        {
            rig.RunTo(rig.Device.Timer.Deadline);
            Assert.Equal(Crystal.Time((long)i * ticks), rig.Now);
            Assert.Equal(0xC0, Get(0x0C) & 0xC0);
        }
    }

    [Fact]
    public void Rate_zero_gives_no_periodic_flag()
    {
        Put(rig, 0x0A, 0x20);
        Put(rig, 0x0B, 0x42);
        rig.RunTo(Second / 2);
        Assert.Equal(0, Get(0x0C));
    }

    [Fact]
    public void Flags_rise_without_enables_and_the_request_needs_them()
    {
        rig.RunTo(Second);
        Assert.Equal(0x50, Get(0x0C));
        Assert.False(rig.Irq(Irq));
        rig.RunTo(2 * Second);
        Put(rig, 0x0B, 0x12);
        Assert.True(rig.Irq(Irq));
        Put(rig, 0x0B, 0x02);
        Assert.False(rig.Irq(Irq));
    }

    [Theory]
    [InlineData(0x30, 0x00, 0x00, 32)]
    [InlineData(0xC0, 0xC0, 0xC0, 1)]
    [InlineData(0xFF, 0x05, 0x00, 302)]
    [InlineData(0x58, 0x59, 0x23, 86400)]
    [InlineData(0x10, 0xC0, 0x02, 7212)]
    public void Alarm_matches_and_its_don_t_care_codes_match_all(int second, int minute, int hour, ulong expected)
    {
        Put(rig, 0x01, second);
        Put(rig, 0x03, minute);
        Put(rig, 0x05, hour);
        Get(0x0C);
        Put(rig, 0x0B, 0x22);
        while (!rig.Irq(Irq))
            rig.RunTo(rig.Device.Timer.Deadline);

        Assert.Equal(expected * Second, rig.Now);
        Assert.Equal(0xA0, Get(0x0C) & 0xA0);
    }

    [Fact]
    public void Alarm_flag_is_found_in_a_long_time_nobody_looked()
    {
        Put(rig, 0x01, 0x07);
        Put(rig, 0x03, 0x08);
        Put(rig, 0x05, 0x09);
        rig.RunTo(9 * 3600 * Second);
        Assert.Equal(0, Get(0x0C) & 0x20);
        rig.RunTo(30 * 3600 * Second);
        Assert.Equal(0x20, Get(0x0C) & 0x20);
        Put(rig, 0x05, 0x77);
        rig.RunTo(90 * 3600 * Second);
        Assert.Equal(0, Get(0x0C) & 0x20);
    }

    [Fact]
    public void Daylight_saving_skips_an_hour_in_april_and_repeats_one_in_october()
    {
        // 26 April and 25 October 2026 are the last Sundays of their months.
        DeviceRig<Mc146818> spring = Make(new DateTime(2026, 4, 26, 1, 59, 58, DateTimeKind.Utc));
        Put(spring, 0x0B, 0x03);
        spring.RunTo(2 * Second);
        Assert.Equal([0x00, 0x00, 0x03], Time(spring)[..3]);

        DeviceRig<Mc146818> autumn = Make(new DateTime(2026, 10, 25, 1, 59, 58, DateTimeKind.Utc));
        Put(autumn, 0x0B, 0x03);
        autumn.RunTo(2 * Second);
        Assert.Equal([0x00, 0x00, 0x01], Time(autumn)[..3]);
        autumn.RunTo((2 + 3600) * Second);
        Assert.Equal([0x00, 0x00, 0x02], Time(autumn)[..3]);

        DeviceRig<Mc146818> plain = Make(new DateTime(2026, 4, 26, 1, 59, 58, DateTimeKind.Utc));
        plain.RunTo(2 * Second);
        Assert.Equal([0x00, 0x00, 0x02], Time(plain)[..3]);
    }

    [Fact]
    public void Nonsense_in_the_registers_carries_and_becomes_a_time_again()
    {
        Put(rig, 0x00, 0xFF);
        Put(rig, 0x02, 0xFF);
        Put(rig, 0x04, 0xFF);
        Put(rig, 0x07, 0xFF);
        Put(rig, 0x08, 0xFF);
        rig.RunTo(Second);

        Assert.Equal([0x00, 0x00, 0x00, 0x06, 0x01, 0x01, 0x27, 0x20], Time());
    }

    [Fact]
    public void Register_d_says_that_the_battery_is_good_and_read_only_registers_ignore_writes()
    {
        Put(rig, 0x0D, 0x00);
        Put(rig, 0x0C, 0xFF);
        Put(rig, 0x0A, 0xA6);

        Assert.Equal((0x80, 0x00, 0x26), (Get(0x0D), Get(0x0C), Get(0x0A)));
    }

    [Fact]
    public void Index_register_gates_nmi_and_cannot_be_read()
    {
        Assert.True(rig.Lines.NmiMasked);
        rig.Out(0x70, 0x0D);
        Assert.False(rig.Lines.NmiMasked);
        rig.Out(0x70, 0x8D);
        Assert.True(rig.Lines.NmiMasked);
        Assert.Equal(0x80, rig.In(0x71));
        Assert.Equal(AccessStatus.InvalidAccess, rig.Device.Read(0, 0, 1, 0, out _));
    }

    [Fact]
    public void Memory_keeps_its_bytes_over_a_warm_reset_which_clears_enables_and_flags()
    {
        for (int i = 0x0E; i < 0x80; i++)
        {
            if (i != RtcCentury)
                Put(rig, i, i ^ 0x5A);
        }

        Put(rig, 0x0B, 0x7A);
        rig.RunTo(Second);
        Assert.True(rig.Irq(Irq));
        rig.Device.RunTimers(rig.Now);
        rig.Device.Reset(cold: false);
        Assert.False(rig.Irq(Irq));
        Assert.Equal(0x02, Get(0x0B));
        Assert.Equal(0x00, Get(0x0C));
        Assert.Equal(0x59, Get(0x00));
        for (int i = 0x0E; i < 0x80; i++)
        {
            if (i != RtcCentury)
                Assert.Equal(i ^ 0x5A, Get(i));
        }
    }

    [Theory]
    [InlineData(64UL << 20, 640, 63 * 1024, 48 * 16)]
    [InlineData(1UL << 30, 640, 0xFC00, 1008 * 16)]
    [InlineData(16UL << 20, 640, 15 * 1024, 0)]
    [InlineData(512UL << 10, 512, 0, 0)]
    public void Configuration_memory_tells_the_memory_size_under_a_checksum(ulong memory, int low, int extended, int above)
    {
        DeviceRig<Mc146818> clock = new(chipset => new Mc146818(chipset.Lines, chipset.Interrupts.Connect(8), chipset.Timers.Add("rtc"), Mc146818.DefaultStart, memory));
        int Word(int at)
        {
            clock.Out(0x70, at);
            int value = clock.In(0x71);
            clock.Out(0x70, at + 1);
            return value | (clock.In(0x71) << 8);
        }

        Assert.Equal((low, extended, extended, above), (Word(0x15), Word(0x17), Word(0x30), Word(0x34)));
        int sum = Enumerable.Range(0x10, 0x1E).Sum(i => Word(i) & 0xFF);
        Assert.Equal(sum, (Word(0x2E) & 0xFF) << 8 | (Word(0x2F) & 0xFF));
    }

    [Fact]
    public void Battery_keeps_what_is_neither_calendar_nor_the_machines_description()
    {
        for (int i = 0; i < 128; i++)
            Put(rig, i, i ^ 0x5A);
        Sum(rig);
        byte[] kept = Battery(rig);
        DeviceRig<Mc146818> next = new(chipset => new Mc146818(
            chipset.Lines, chipset.Interrupts.Connect(Irq), chipset.Timers.Add("rtc"), Mc146818.DefaultStart, 16 << 20, new Dictionary<int, byte> { [0x10] = 0x40 }, kept));
        foreach (int i in Enumerable.Range(0x0E, 0x72).Except([0x10, 0x15, 0x16, 0x17, 0x18, 0x2E, 0x2F, 0x30, 0x31, RtcCentury, 0x34, 0x35]))
            Assert.Equal(i ^ 0x5A, Get(next, i));
        Assert.Equal((0x40, 0x80, 0x02, 0x00, 0x3C), (Get(next, 0x10), Get(next, 0x15), Get(next, 0x16), Get(next, 0x17), Get(next, 0x18)));
        Assert.Equal((0x20, 0x25, 0x01, 0x26, 0x02), (Get(next, RtcCentury), Get(next, 0x09), Get(next, 0x08), Get(next, 0x0A), Get(next, 0x0B)));
        int sum = Enumerable.Range(0x10, 0x1E).Sum(i => Get(next, i));
        Assert.Equal(sum, (Get(next, 0x2E) << 8) | Get(next, 0x2F));
        byte[] before = Battery(next);
        Put(next, 0x40, 1);
        next.Device.Reset(cold: true); // The battery is that of power-on.
        Assert.Equal(before, Battery(next));
    }

    [Fact]
    public void Battery_keeps_a_checksum_that_is_wrong()
    {
        Put(rig, 0x2E, 0x12);
        Put(rig, 0x2F, 0x34);
        byte[] kept = Battery(rig);
        DeviceRig<Mc146818> next = new(chipset => new Mc146818(chipset.Lines, chipset.Interrupts.Connect(Irq), chipset.Timers.Add("rtc"), Mc146818.DefaultStart, 16 << 20, null, kept));
        Assert.Equal((0x12, 0x34), (Get(next, 0x2E), Get(next, 0x2F)));
        Assert.Throws<ArgumentException>(() => new DeviceRig<Mc146818>(chipset =>
            new Mc146818(chipset.Lines, chipset.Interrupts.Connect(Irq), chipset.Timers.Add("rtc"), Mc146818.DefaultStart, 16 << 20, null, kept.AsMemory(1))));
    }

    private const int RtcCentury = 0x32;

    private static byte[] Battery(DeviceRig<Mc146818> clock)
    {
        var fabric = new FakeFabric();
        fabric.Attach(new DeviceComponent("rtc", "clock", clock.Device));
        return fabric.Call<ReadBatteryMemory, BatteryMemory>("rtc", default).Data.ToArray();
    }

    private static void Sum(DeviceRig<Mc146818> clock)
    {
        int sum = Enumerable.Range(0x10, 0x1E).Sum(i => Get(clock, i));
        Put(clock, 0x2E, sum >> 8);
        Put(clock, 0x2F, sum & 0xFF);
    }

    private static DeviceRig<Mc146818> Make(DateTime start) =>
        new(chipset => new Mc146818(chipset.Lines, chipset.Interrupts.Connect(Irq), chipset.Timers.Add("rtc"), start, 64 << 20));

    private static void Put(DeviceRig<Mc146818> clock, int register, int value)
    {
        clock.Out(0x70, register);
        clock.Out(0x71, value);
    }

    private int Get(int register) => Get(rig, register);

    private static int Get(DeviceRig<Mc146818> clock, int register)
    {
        clock.Out(0x70, register);
        return clock.In(0x71);
    }

    private int[] Time() => Time(rig);

    private static int[] Time(DeviceRig<Mc146818> clock) => [.. ((int[])[0, 2, 4, 6, 7, 8, 9, 0x32]).Select(register =>
    {
        clock.Out(0x70, register);
        return (int)clock.In(0x71);
    })];
}
