namespace Plexus.Devices.Tests;

/// <summary>Retrace and display enable follow guest time by the programmed timings.</summary>
public sealed class VgaTimingTests
{
    private const int NotDisplaying = 1, Retracing = 8;

    public static TheoryData<string, double, double, int, int> Modes => new()
    {
        // Mode, frames and lines in a second, first line of retrace, lines of retrace: from the monitor's side (70.09 Hz and 59.94 Hz, 31.47 kHz).
        { nameof(VgaModeTable.Text80), 28_322_000.0 / (900 * 449), 28_322_000.0 / 900, 412, 2 },
        { nameof(VgaModeTable.Text40), 28_322_000.0 / (900 * 449), 28_322_000.0 / 900, 412, 2 },
        { nameof(VgaModeTable.Packed320), 25_175_000.0 / (800 * 449), 25_175_000.0 / 800, 412, 2 },
        { nameof(VgaModeTable.Planar320), 25_175_000.0 / (800 * 449), 25_175_000.0 / 800, 412, 2 },
        { nameof(VgaModeTable.Planar640), 25_175_000.0 / (800 * 525), 25_175_000.0 / 800, 490, 2 },
    };

    [Theory]
    [MemberData(nameof(Modes))]
    public void Vertical_retrace_comes_as_often_and_as_long_as_the_monitor_expects(string mode, double frames, double lines, int first, int count)
    {
        VgaRig vga = InMode(mode);
        double frame = 1e9 / frames;
        double line = 1e9 / lines;
        double phase = FindRetrace(vga, frame);
        for (int i = 1; i < 200; i++)
        {
            double start = phase + (i * frame);
            Assert.False(At(vga, start - 40, Retracing));
            Assert.True(At(vga, start + 40, Retracing));
            Assert.True(At(vga, start + (count * line) - 40, Retracing));
            Assert.False(At(vga, start + (count * line) + 40, Retracing));
        }

        // The first line of the picture begins this long after retrace.
        double top = phase + (200 * frame) + (((frame / line) - first) * line);
        Assert.True(At(vga, top - 40, NotDisplaying));
        Assert.False(At(vga, top + 40, NotDisplaying));
    }

    [Fact]
    public void Display_enable_falls_in_every_line_and_below_the_picture()
    {
        VgaRig vga = InMode(nameof(VgaModeTable.Planar640));
        const double dot = 1e9 / 25_175_000;
        double top = FindRetrace(vga) + ((525 - 490) * 800 * dot);
        for (int line = 0; line < 525; line++)
        {
            double start = top + (line * 800 * dot);
            bool isInPicture = line < 480;
            Assert.NotEqual(isInPicture, At(vga, start + (4 * dot), NotDisplaying));
            Assert.NotEqual(isInPicture, At(vga, start + (636 * dot), NotDisplaying));
            Assert.True(At(vga, start + (644 * dot), NotDisplaying));
            Assert.True(At(vga, start + (796 * dot), NotDisplaying));
        }
    }

    [Fact]
    public void Guest_that_waits_for_retrace_counts_seventy_frames_in_a_second()
    {
        VgaRig vga = InMode(nameof(VgaModeTable.Text80));
        int frames = 0;
        bool was = true;
        for (ulong now = vga.Now; now < 1_000_000_000; now += 10_000)
        {
            bool isRetracing = At(vga, now, Retracing);
            frames += isRetracing && !was ? 1 : 0;
            was = isRetracing;
        }

        Assert.Equal(70, frames);
    }

    [Fact]
    public void Vertical_counter_goes_on_where_it_was_when_the_timing_changes()
    {
        VgaRig vga = InMode(nameof(VgaModeTable.Planar640));
        const double line = 800e9 / 25_175_000;
        double retrace = FindRetrace(vga);
        vga.Now = (ulong)(retrace + (100 * line));
        vga.Out(0x3D4, 0x11, 0x0C);
        vga.Out(0x3D4, 0, 0x5F + 50); // Lines are half as long again.
        Assert.False(At(vga, retrace + (100 * line) + ((424 * 1.5) * line), Retracing));
        Assert.True(At(vga, retrace + (100 * line) + ((426 * 1.5) * line), Retracing));
    }

    [Fact]
    public void Stopped_crt_controller_has_no_retrace()
    {
        VgaRig vga = InMode(nameof(VgaModeTable.Text80));
        vga.Out(0x3D4, 0x17, 0x23);
        for (ulong now = 0; now < 30_000_000; now += 20_000)
            Assert.False(At(vga, now, Retracing));
    }

    [Fact]
    public void Retrace_behind_the_last_line_never_comes_and_one_across_it_goes_on_at_the_top()
    {
        VgaRig vga = InMode(nameof(VgaModeTable.Planar640));
        vga.Out(0x3D4, 0x11, 0x0C);
        vga.Out(0x3D4, 0x07, 0xBA);
        vga.Out(0x3D4, 0x10, 0x0C); // Line 524, the last; 0Ch is its low four bits, so sixteen lines.
        Assert.Equal(16, Lines(vga, Retracing));
        vga.Out(0x3D4, 0x10, 0x0D);
        Assert.Equal(0, Lines(vga, Retracing));
    }

    [Fact]
    public void Halved_vertical_counter_doubles_the_frame()
    {
        VgaRig vga = InMode(nameof(VgaModeTable.Planar640));
        vga.Out(0x3D4, 0x17, 0xE7);
        Assert.Equal(4, Lines(vga, Retracing, 1050));
        Assert.Equal(1050 - 960, Lines(vga, NotDisplaying, 1050));
    }

    [Fact]
    public void Status_at_the_same_time_is_the_same_and_earlier_times_do_not_count()
    {
        VgaRig vga = InMode(nameof(VgaModeTable.Planar640));
        double retrace = FindRetrace(vga);
        Assert.True(At(vga, retrace + 1000, Retracing));
        Assert.True(At(vga, retrace - 1000, Retracing));
    }

    [Fact]
    public void Vertical_interrupt_comes_with_retrace_and_stays_until_it_is_cleared()
    {
        var vga = new VgaRig(isWired: true);
        vga.SetMode(VgaModeTable.Planar640);
        Assert.Equal(ulong.MaxValue, vga.Adapter.Timer.Deadline);
        vga.Out(0x3D4, 0x11, 0x0C); // Enabled, held cleared.
        Assert.Equal(ulong.MaxValue, vga.Adapter.Timer.Deadline);
        vga.Out(0x3D4, 0x11, 0x1C);
        double retrace = vga.Adapter.Timer.Deadline;
        vga.Rig.RunTo((ulong)retrace - 1);
        Assert.False(vga.Rig.Irq(9));
        Assert.Equal(0x10, vga.In(0x3C2));
        Assert.Equal(0, vga.In(0x3DA) & Retracing);
        vga.Rig.RunTo((ulong)retrace);
        Assert.True(vga.Rig.Irq(9));
        Assert.Equal(0x90, vga.In(0x3C2));
        Assert.Equal(Retracing, vga.In(0x3DA) & Retracing);

        vga.Rig.Run(100_000_000);
        Assert.Single(vga.Rig.Edges);
        vga.Out(0x3D4, 0x11, 0x0C);
        Assert.False(vga.Rig.Irq(9));
        Assert.Equal(0x10, vga.In(0x3C2));
        vga.Out(0x3D4, 0x11, 0x1C);
        Assert.InRange(vga.Adapter.Timer.Deadline - vga.Now, 1ul, 16_683_334ul);
        vga.Rig.Run(16_700_000);
        Assert.Equal(2, vga.Rig.Edges.Count);
    }

    [Fact]
    public void Disabled_vertical_interrupt_is_latched_but_not_led_out()
    {
        var vga = new VgaRig(isWired: true);
        vga.Out(0x3D4, 0x11, 0x3E);
        Assert.Equal(ulong.MaxValue, vga.Adapter.Timer.Deadline);
        vga.Rig.Run(20_000_000);
        Assert.Equal(0x90, vga.In(0x3C2));
        Assert.False(vga.Rig.Irq(9));
        vga.Out(0x3D4, 0x11, 0x1E);
        Assert.True(vga.Rig.Irq(9));
        vga.Adapter.Reset(cold: false);
        Assert.False(vga.Rig.Irq(9));
    }

    private static VgaRig InMode(string name)
    {
        var vga = new VgaRig();
        vga.SetMode((VgaModeTable)typeof(VgaModeTable).GetProperty(name)!.GetValue(null)!);
        return vga;
    }

    private static bool At(VgaRig vga, double time, int bit)
    {
        vga.Now = (ulong)time;
        return (vga.In(0x3DA) & bit) != 0;
    }

    /// <summary>Guest time at which vertical retrace begins, to some nanoseconds: first roughly, then one frame later.</summary>
    private static double FindRetrace(VgaRig vga, double frame = 525 * 800e9 / 25_175_000)
    {
        while (At(vga, vga.Now, Retracing))
            vga.Now += 1000;
        while (!At(vga, vga.Now, Retracing))
            vga.Now += 1000;
        vga.Now += (ulong)frame - 1010;
        Assert.False(At(vga, vga.Now, Retracing));
        while (!At(vga, vga.Now, Retracing))
            vga.Now += 10;
        return vga.Now - 5;
    }

    /// <summary>Lines of a frame of mode 12h in whose middle of the picture a bit is set.</summary>
    private static int Lines(VgaRig vga, int bit, int count = 525)
    {
        const double line = 800e9 / 25_175_000;
        while (At(vga, vga.Now, NotDisplaying))
            vga.Now += 500;
        while (!At(vga, vga.Now, NotDisplaying))
            vga.Now += 10;
        double start = vga.Now - (320e9 / 25_175_000);
        return Enumerable.Range(1, count).Count(i => At(vga, start + (i * line), bit));
    }
}
