using static Plexus.Devices.Tests.IdeRig;

namespace Plexus.Devices.Tests;

/// <summary>The cable: selection, absent drives, resets, interrupts.</summary>
public sealed class IdeChannelTests
{
    [Fact]
    public void Channel_without_drives_floats()
    {
        using var rig = new IdeRig("ide-isa");
        rig.Command(0xEC);
        rig.Run(10_000_000);
        for (int i = 1; i < 8; i++)
            Assert.Equal(0xFF, rig.Reg(i));
        Assert.Equal((0xFFu, 0xFFFFu, 0xFFFF_FFFFu), (rig.Alternate(), rig.In(0x1F0, 2), rig.In(0x1F0, 4)));
        Assert.False(rig.Irq);
    }

    [Fact]
    public void Master_answers_for_a_slave_that_is_not_there()
    {
        using var rig = new IdeRig("ide-isa", new TestDrive("disk0", 1 << 20));
        rig.Reg(Device, 0xB0);
        Assert.Equal((0, 0), (rig.Reg(Status), rig.Alternate()));
        rig.Reg(Count, 0x55);
        Assert.Equal(0x55, rig.Reg(Count));
        rig.Reg(Status, 0xEC);
        rig.Run(10_000_000);
        Assert.Equal((0, false), (rig.Reg(Status), rig.Irq));
        rig.Reg(Device, 0xA0);
        Assert.Equal(0x50, rig.Reg(Status));
    }

    [Fact]
    public void Slave_alone_is_found_and_the_master_floats()
    {
        using var rig = new IdeRig("ide-isa", null, new TestDrive("disk1", 1 << 20));
        Assert.Equal(0xFF, rig.Reg(Status));
        Assert.Equal(2048, rig.Identify(device: 0xF0)[60]);
    }

    [Fact]
    public void Both_drives_hear_registers_and_the_selected_one_answers()
    {
        var first = new TestDrive("disk0", 1 << 20);
        var second = new TestDrive("disk1", 2 << 20);
        using var rig = new IdeRig("ide-isa", first, second);
        Assert.Equal(2048, rig.Identify(device: 0xE0)[60]);
        Assert.Equal(4096, rig.Identify(device: 0xF0)[60]);
        rig.Reg(Count, 1);
        rig.Reg(Low, 9);
        rig.Reg(Mid, 0);
        rig.Reg(High, 0);
        rig.Reg(Device, 0xF0);
        rig.Reg(Status, 0x40);
        rig.Interrupt();
        Assert.Equal("R 4608 512", second.Log[^1]);
        Assert.Empty(first.Log);
        rig.Reg(Device, 0xE0);
        Assert.Equal(9, rig.Reg(Low));
    }

    [Fact]
    public void Interrupt_goes_with_the_selection_and_with_nien()
    {
        using var rig = new IdeRig("ide-isa", new TestDrive("disk0", 1 << 20), new TestDrive("disk1", 1 << 20));
        rig.Control(2);
        rig.Command(0xE5);
        rig.Wait();
        Assert.False(rig.Irq);
        rig.Control(0);
        Assert.True(rig.Irq);
        rig.Alternate();
        Assert.True(rig.Irq);
        rig.Reg(Device, 0xB0);
        Assert.False(rig.Irq);
        rig.Reg(Status); // The other drive's: takes nothing back.
        rig.Reg(Device, 0xA0);
        Assert.True(rig.Irq);
        rig.Reg(Status, 0xE5);
        Assert.False(rig.Irq);
        Assert.Equal(0x50, rig.Interrupt());
    }

    [Fact]
    public void Software_reset_holds_both_drives_and_leaves_their_signatures()
    {
        using var rig = new IdeRig("ide-isa", new TestDrive("disk0", 1 << 20), new TestDrive("disk1", 1 << 20));
        rig.Command(0xC6, device: 0xF0, count: 4);
        rig.Interrupt();
        rig.Command(0x20, device: 0xF0, lba: 5, count: 1);
        rig.Control(4);
        Assert.Equal(0x80, rig.Alternate());
        rig.Run(5_000_000);
        Assert.Equal(0x80, rig.Alternate());
        rig.Control(0);
        Assert.Equal(0x80, rig.Alternate());
        ulong start = rig.Now;
        Assert.Equal(0x50, rig.Wait());
        Assert.Equal(1_000_000u, rig.Now - start);
        Assert.False(rig.Irq);
        foreach (int device in (int[])[0x00, 0x10])
        {
            rig.Reg(Device, device);
            Assert.Equal((1, 1, 1, 0, 0), (rig.Reg(Error), rig.Reg(Count), rig.Reg(Low), rig.Reg(Mid), rig.Reg(High)));
        }

        rig.Command(0xC4, device: 0xF0, count: 4); // Multiple mode is off again.
        Assert.Equal(0x51, rig.Interrupt());
    }

    [Fact]
    public void Settings_can_be_kept_over_a_software_reset_but_not_a_hardware_reset()
    {
        using var rig = new IdeRig("ide-isa", new TestDrive("disk0", 1 << 20));
        foreach ((int command, int features, int count) in ((int, int, int)[])[(0xC6, 0, 8), (0xEF, 0x82, 0), (0xEF, 0x66, 0)])
        {
            rig.Command(command, features: features, count: count);
            rig.Interrupt();
        }

        rig.Control(4);
        rig.Control(0);
        rig.Wait();
        ushort[] words = rig.Identify();
        Assert.Equal((0x0108, 0x4048), (words[59], words[85]));
        rig.Reset(cold: false);
        words = rig.Identify();
        Assert.Equal((0x0100, 0x4068), (words[59], words[85]));
    }

    [Fact]
    public void Diagnostic_runs_on_both_and_selects_the_master()
    {
        using var rig = new IdeRig("ide-isa", new TestDrive("disk0", 1 << 20), new TestDrive("disk1", 1 << 20));
        rig.Reg(Device, 0xB0);
        rig.Reg(Count, 0x77);
        rig.Reg(Status, 0x90);
        Assert.Equal(0x50, rig.Interrupt());
        Assert.Equal((1, 1, 1, 0, 0, 0), (rig.Reg(Error), rig.Reg(Count), rig.Reg(Low), rig.Reg(Mid), rig.Reg(High), rig.Reg(Device)));
        rig.Reg(Device, 0xB0);
        Assert.Equal((1, 1, 1), (rig.Reg(Error), rig.Reg(Count), rig.Reg(Low)));
        rig.Reg(Device, 0xB0);
        rig.Reg(Status, 0x90);
        Assert.Equal(0x50, rig.Interrupt());
    }

    [Fact]
    public void Busy_drive_hears_neither_registers_nor_commands()
    {
        using var rig = new IdeRig("ide-isa", new TestDrive("disk0", 1 << 20));
        rig.Command(0x20, lba: 7, count: 1);
        rig.Reg(Low, 99);
        rig.Reg(Status, 0xEC);
        Assert.Equal(0x58, rig.Interrupt());
        Assert.Equal(7, rig.Reg(Low));
        rig.Reg(Status, 0xEC);
        Assert.Equal(0x58, rig.Wait());
        rig.ReadWords(256);
        Assert.Equal(0x50, rig.Wait());
    }

    [Fact]
    public void Second_channel_has_its_own_ports_and_interrupt()
    {
        var settings = new DeviceSettings("ide") { Base = 0x170 };
        var chipset = new Chipset(new Plexus.Messaging.Shared.PlatformLines());
        DeviceComponent component = DeviceCatalog.Types["ide-isa"].Create(chipset, settings);
        Assert.Equal((0x170u, 8u), (component.Regions[0].Base, component.Regions[0].Length));
        Assert.Equal((0x376u, 1u), (component.Regions[1].Base, component.Regions[1].Length));
    }

    [Fact]
    public void Piix3_decodes_its_channels_when_told_to()
    {
        using var rig = new IdeRig("piix3-ide", new TestDrive("a", 1 << 20), null, null, new TestDrive("d", 2 << 20));
        Assert.Equal(0x7010_8086u, rig.Config(0, 4));
        Assert.Equal(0x010180u, rig.Config(8, 4) >> 8);
        Assert.Equal(0x0280u, rig.Config(6, 2));
        Assert.Equal(2048, rig.Identify()[60]);
        rig.Base = 0x170;
        Assert.Equal(4096, rig.Identify(device: 0xF0)[60]);
        int version = rig.Chipset.DecodingVersion;
        rig.Config(0x42, 0, 2);
        Assert.NotEqual(version, rig.Chipset.DecodingVersion);
        Assert.Throws<ArgumentOutOfRangeException>(() => rig.In(0x177));
        rig.In(0x1F7);
        rig.Config(0x04, 0, 2);
        Assert.Throws<ArgumentOutOfRangeException>(() => rig.In(0x1F7));
        Assert.Throws<ArgumentOutOfRangeException>(() => rig.In(0xC000));
    }
}
