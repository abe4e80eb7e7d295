using static Plexus.Devices.Tests.FloppyRig;

namespace Plexus.Devices.Tests;

/// <summary>Registers, resets, seeks, and the commands that touch no medium.</summary>
public sealed class FloppyControlTests
{
    [Fact]
    public void Reset_by_DOR_interrupts_once_and_tells_of_four_drives()
    {
        using var rig = new FloppyRig(Disk(1440));
        Assert.Equal(0, rig.In(Msr));
        rig.Out(Dor, 0x0C);
        Assert.Equal(0, rig.In(Msr));
        Assert.False(rig.Irq);
        rig.WaitForInterrupt();
        Assert.InRange(rig.Now, 1u, 250_000u);
        Assert.Equal(0x80, rig.In(Msr));
        Assert.Equal([0xC0, 0], rig.Ask(8));
        Assert.False(rig.Irq);
        Assert.Equal([0xC1, 0], rig.Ask(8));
        Assert.Equal([0xC2, 0], rig.Ask(8));
        Assert.Equal([0xC3, 0], rig.Ask(8));
        Assert.Equal([0x80], rig.Ask(8));
    }

    [Fact]
    public void Reset_by_DSR_clears_itself_and_keeps_the_data_rate_written_with_it()
    {
        using FloppyRig rig = Ready(Disk(720));
        rig.Out(Msr, 0x82);
        Assert.Equal(0, rig.In(Msr));
        rig.WaitForInterrupt();
        for (int i = 0; i < 4; i++)
            Assert.Equal([(byte)(0xC0 | i), 0], rig.Ask(8));
        rig.Command(0x4A, 0);
        Assert.Equal(0, rig.Finish()[0]);
    }

    [Fact]
    public void Gate_in_DOR_closes_the_interrupt_line()
    {
        using var rig = new FloppyRig(Disk(1440));
        rig.Out(Dor, 0x04);
        rig.Run(1_000_000);
        Assert.False(rig.Irq);
        rig.Out(Dor, 0x0C);
        Assert.True(rig.Irq);
    }

    [Fact]
    public void Reset_held_in_DOR_ends_a_command_and_keeps_the_chip_silent()
    {
        using FloppyRig rig = Ready(Disk(1440));
        rig.Transfer(6, 0, 0, 1, 18);
        Assert.Equal(0x10, rig.In(Msr));
        rig.Out(Dor, 0x18);
        Assert.Equal(0, rig.In(Msr));
        rig.Out(Fifo, 0x10);
        rig.Run(1_000_000_000);
        Assert.False(rig.Irq);
        Assert.Equal(0, rig.In(Msr));
        rig.Out(Dor, 0x1C);
        rig.WaitForInterrupt();
        Assert.Equal(0x80, rig.In(Msr));
    }

    [Fact]
    public void Registers_read_back()
    {
        using var rig = new FloppyRig(Disk(1440));
        rig.Out(Dor, 0x3D);
        Assert.Equal(0x3D, rig.In(Dor));
        rig.Out(0x3F3, 0xFE);
        Assert.Equal(0xFE, rig.In(0x3F3));
        Assert.Equal(0xC0 | 0x20 | 3, rig.In(0x3F1));
        rig.Out(0x3F0, 0xFF);
        Assert.Equal(0x40 | 0x10 | 0x04 | 0x02, rig.In(0x3F0));
        rig.Run(300_000_000);
        Assert.Equal(0x80 | 0x40 | 0x10 | 0x04 | 0x02, rig.In(0x3F0));
        rig.Out(Dor, 0x3C);
        Assert.Equal(0x80 | 0x40 | 0x04 | 0x02, rig.In(0x3F0));
        rig.Run(101_000_000);
        Assert.Equal(0x80 | 0x40 | 0x02, rig.In(0x3F0));
    }

    [Fact]
    public void Version_is_that_of_an_enhanced_controller() => Assert.Equal([0x90], Ready(Disk(1440)).Ask(0x10));

    [Theory]
    [InlineData(0x00)]
    [InlineData(0x01)]
    [InlineData(0x0B)]
    [InlineData(0x18)]
    [InlineData(0x1F)]
    [InlineData(0x48)]
    [InlineData(0x87)]
    [InlineData(0x65)]
    [InlineData(0xC2)]
    [InlineData(0xD4)]
    public void Invalid_command_gives_80h_without_an_interrupt(int code)
    {
        using FloppyRig rig = Ready(Disk(1440));
        Assert.Equal([0x80], rig.Ask(code));
        Assert.False(rig.Irq);
    }

    [Fact]
    public void DUMPREG_shows_what_was_set()
    {
        using FloppyRig rig = Ready(Disk(1440));
        rig.Seek(7);
        rig.Command(3, 0xA5, 0x13);
        rig.Command(0x13, 0, 0x5A, 0x23);
        rig.Command(0x12, 0x80 | 0x14 | 0x03);
        Assert.Equal([7, 0, 0, 0, 0xA5, 0x13, 0, 0x17, 0x5A, 0x23], rig.Ask(0x0E));
        rig.Command(0x12, 0x29);
        Assert.Equal(0x15, rig.Ask(0x0E)[7]);
        Assert.Equal([0x10], rig.Ask(0x94));
        Assert.Equal(0x95, rig.Ask(0x0E)[7]);
        Assert.Equal([0x00], rig.Ask(0x14));
    }

    [Theory]
    [InlineData(false, 0x20, 0x00)]
    [InlineData(true, 0x0A, 0x23)]
    public void Software_reset_keeps_only_what_is_locked(bool isLocked, int configuration, int precompensation)
    {
        using FloppyRig rig = Ready(Disk(1440));
        rig.Command(0x13, 0, 0x5A, 0x23);
        rig.Command(0x12, 0x80 | 0x04 | 0x03);
        if (isLocked)
            rig.Ask(0x94);
        rig.Out(Msr, 0x80);
        rig.Run(1_000_000);
        byte[] registers = rig.Ask(0x0E);
        Assert.Equal((configuration, precompensation), (registers[8], registers[9]));
        Assert.Equal(isLocked ? 0x84 : 0x04, registers[7]);
        Assert.Equal(0xDF, registers[4]);
        rig.Reset(cold: false);
        rig.Out(Dor, 0x0C);
        rig.Run(1_000_000);
        registers = rig.Ask(0x0E);
        Assert.Equal([0, 0, 0, 0, 0x20, 0], registers[4..]);
    }

    [Fact]
    public void Seek_takes_the_step_rate_for_each_cylinder_and_sets_the_busy_bit_until_it_is_sensed()
    {
        using FloppyRig rig = Ready(Disk(1440));
        ulong begin = rig.Now;
        rig.Command(0x0F, 0, 10);
        Assert.Equal(0x81, rig.In(Msr));
        rig.Run(29_999_999);
        Assert.False(rig.Irq);
        rig.WaitForInterrupt();
        Assert.Equal(30_000_000u, rig.Now - begin);
        Assert.Equal(0x81, rig.In(Msr));
        Assert.Equal([0x20, 10], rig.Ask(8));
        Assert.Equal(0x80, rig.In(Msr));
        Assert.Equal([0x28], rig.Ask(4, 0));
    }

    [Theory]
    [InlineData(0, 16_000_000u)]
    [InlineData(1, 26_666_666u)]
    [InlineData(2, 32_000_000u)]
    [InlineData(3, 8_000_000u)]
    public void Step_rate_follows_the_data_rate(int rate, ulong time)
    {
        using FloppyRig rig = Ready(Disk(1440));
        rig.Out(Ccr, rate);
        rig.Command(3, 0x0F, 0x02);
        ulong begin = rig.Now;
        rig.Seek(1);
        Assert.Equal(time, rig.Now - begin);
    }

    [Fact]
    public void Recalibrate_gives_up_after_79_steps()
    {
        using FloppyRig rig = Ready(Disk(1440));
        rig.Seek(79);
        rig.Command(0x8F | 0x40, 0, 4);
        Assert.Equal([0x20, 83], rig.SenseInterrupt());
        rig.Command(7, 0);
        Assert.Equal([0x70, 0], rig.SenseInterrupt());
        rig.Command(7, 0);
        Assert.Equal([0x20, 0], rig.SenseInterrupt());
        Assert.Equal([0x38], rig.Ask(4, 0));
    }

    [Fact]
    public void Drive_that_is_not_there_fails_to_recalibrate()
    {
        using FloppyRig rig = Ready(Disk(1440));
        rig.Out(Dor, 0x2D);
        Assert.Equal([0x29], rig.Ask(4, 1));
        rig.Command(7, 1);
        Assert.Equal([0x71, 0], rig.SenseInterrupt());
        Assert.Equal(0x7F, rig.In(Dir));
    }

    [Fact]
    public void Relative_seek_moves_by_a_number_of_cylinders()
    {
        using FloppyRig rig = Ready(Disk(1440));
        rig.Seek(5);
        rig.Command(0xCF, 4, 3);
        Assert.Equal([0x24, 8], rig.SenseInterrupt());
        rig.Command(0x8F, 0, 8);
        Assert.Equal([0x20, 0], rig.SenseInterrupt());
        Assert.Equal([0x38], rig.Ask(4, 0));
    }

    [Fact]
    public void Two_seeks_end_each_with_an_interrupt()
    {
        using FloppyRig rig = Ready(Disk(1440), Disk(1440, "floppy1"));
        rig.Command(0x0F, 0, 2);
        rig.Command(0x0F, 1, 2);
        Assert.Equal(0x83, rig.In(Msr));
        rig.Run(10_000_000);
        Assert.Equal([0x20, 2], rig.Ask(8));
        Assert.True(rig.Irq);
        Assert.Equal(0x82, rig.In(Msr));
        Assert.Equal([0x21, 2], rig.Ask(8));
        Assert.False(rig.Irq);
    }

    [Fact]
    public void Disk_change_line_falls_with_a_step_when_a_disk_is_in()
    {
        TestDrive disk = Disk(1440);
        using FloppyRig rig = Ready(disk);
        Assert.Equal(0xFF, rig.In(Dir)); // Recalibrating at track 0 steps nowhere.
        rig.Seek(1);
        Assert.Equal(0x7F, rig.In(Dir));
        disk.Present = false;
        disk.ChangeCount++;
        Assert.Equal(0xFF, rig.In(Dir));
        rig.Seek(0);
        Assert.Equal(0xFF, rig.In(Dir));
        disk.Present = true;
        disk.ChangeCount++;
        Assert.Equal(0xFF, rig.In(Dir));
        rig.Seek(1);
        Assert.Equal(0x7F, rig.In(Dir));
    }

    [Fact]
    public void Sense_drive_tells_write_protection_head_and_track_0()
    {
        TestDrive disk = Disk(1440);
        using FloppyRig rig = Ready(disk);
        Assert.Equal([0x3C], rig.Ask(4, 4));
        disk.ReadOnly = true;
        Assert.Equal([0x78], rig.Ask(4, 0));
    }

    [Fact]
    public void Written_disk_is_flushed_when_the_motor_goes_off()
    {
        TestDrive disk = Disk(1440);
        using FloppyRig rig = Ready(disk);
        rig.Out(Dor, 0x0C);
        Assert.Equal(0, disk.Flushes);
        rig.Out(Dor, 0x1C);
        rig.Run(300_000_000);
        rig.DmaFromMemory(0x1000, 512);
        rig.Transfer(5, 0, 0, 1, 18);
        rig.Finish();
        rig.Out(Dor, 0x0C);
        Assert.Equal(1, disk.Flushes);
    }

    [Fact]
    public void State_saved_at_any_time_goes_on_to_the_same_result()
    {
        for (ulong at = 0; at < 250_000_000; at += 7_654_321)
        {
            TestDrive disk = Disk(1440);
            using FloppyRig rig = Ready(disk);
            rig.DmaToMemory(0x1000, 4 * 512);
            rig.Transfer(6, 0, 1, 3, 18);
            rig.Run(at);
            using var other = new FloppyRig(Disk(1440)) { Now = rig.Now };
            other.Restore(rig.Save());
            other.DmaToMemory(0x1000, 4 * 512);
            Assert.Equal(rig.Deadline, other.Deadline);
            if (rig.Irq)
            {
                Assert.Equal(rig.Finish(), other.Finish());
                return;
            }
        }

        Assert.Fail("the transfer did not end");
    }
}
