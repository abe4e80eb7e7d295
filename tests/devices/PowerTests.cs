using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Shared;

namespace Plexus.Devices.Tests;

/// <summary>The PIIX4's power management function: timer, events, SCI, soft off, ACPI mode, SMBus, and where the registers are.</summary>
public sealed class PowerTests
{
    private const uint Base = 0x600, Smbus = 0x700;
    private const int Sci = 1 << 9;
    private const ulong Second = 1_000_000_000;

    private readonly PlatformLines lines = new();
    private readonly Chipset chipset;
    private readonly Piix4Power device;
    private ulong now;

    public PowerTests()
    {
        chipset = new Chipset(lines);
        device = new Piix4Power(chipset, new DeviceSettings("power"));
        device.Reset(cold: true);
        Config(0x40, 4, Base | 1);
        Config(0x80, 1, 1);
    }

    [Fact]
    public void Register_block_is_decoded_where_its_base_says_while_it_is_enabled()
    {
        DeviceRegion block = Block(64);
        Assert.Equal((Base, 4), (block.Base, block.MaxWidth));
        Config(0x40, 4, 0xB03F);
        Assert.Equal(0xB000u, Block(64).Base);
        Assert.Equal(0xB001u, Read(0, 0x40, 4));
        Config(0x80, 1, 0);
        Assert.DoesNotContain(device.Regions, region => region.Kind == RegionKind.Port && region.Length == 64);
        Config(0x80, 1, 1);
        device.Reset(cold: false);
        Assert.DoesNotContain(device.Regions, region => region.Kind == RegionKind.Port && region.Length == 64);
    }

    [Fact]
    public void Timer_counts_3_579545_MHz_in_24_bits()
    {
        Assert.Equal(0u, In(8, 4));
        now = Second;
        Assert.Equal(3_579_545u, In(8, 4));
        Assert.Equal(3_579_545u & 0xFF, In(8, 1));
        Assert.Equal((3_579_545u >> 16) & 0xFF, In(10, 1));
        now = 5 * Second;
        Assert.Equal((5 * 3_579_545u) & 0xFF_FFFF, In(8, 4));
        Out(8, 4, 0);
        Assert.Equal((5 * 3_579_545u) & 0xFF_FFFF, In(8, 4));
    }

    [Fact]
    public void Bit_23_turning_over_sets_the_timer_status_each_time()
    {
        Assert.Equal(0u, In(0, 2));
        now = Carry(1) - 1;
        Assert.Equal(0u, In(0, 2));
        now = Carry(1);
        Assert.Equal(1u, In(0, 2));
        Out(0, 2, 0);
        Assert.Equal(1u, In(0, 2));
        Out(0, 2, 1);
        Assert.Equal(0u, In(0, 2));
        now = Carry(2);
        Assert.Equal(1u, In(0, 2));
    }

    [Fact]
    public void Timer_interrupts_while_enabled_in_ACPI_mode_and_only_then_is_an_event()
    {
        Assert.Equal(ulong.MaxValue, device.Timer.Deadline);
        Out(2, 2, 1);
        Assert.Equal(ulong.MaxValue, device.Timer.Deadline);
        Out(4, 2, 1);
        Assert.Equal(Carry(1), device.Timer.Deadline);
        now = Carry(1);
        device.RunTimers(now);
        Assert.Equal(Sci, chipset.Interrupts.Levels);
        Assert.Equal(ulong.MaxValue, device.Timer.Deadline);
        Out(0, 2, 1);
        Assert.Equal(0, chipset.Interrupts.Levels);
        Assert.Equal(Carry(2), device.Timer.Deadline);
        now = Carry(2);
        device.RunTimers(now);
        Out(4, 2, 0);
        Assert.Equal(0, chipset.Interrupts.Levels);
        Out(4, 2, 1);
        Assert.Equal(Sci, chipset.Interrupts.Levels);
        Out(2, 2, 0);
        Assert.Equal(0, chipset.Interrupts.Levels);
    }

    [Theory]
    [InlineData(0x2000u, true)]
    [InlineData(0x2001u, true)]
    [InlineData(0x0000u, false)]
    [InlineData(0x2400u, false)]
    [InlineData(0x3C00u, false)]
    public void Suspend_of_type_0_turns_the_machine_off(uint control, bool isOff)
    {
        Out(4, 2, control);
        Assert.Equal(isOff, lines.PowerOffRequested);
        Assert.Equal(control & 0x1C03, In(4, 2));
    }

    [Fact]
    public void Suspend_by_a_byte_write_to_the_upper_half_counts()
    {
        Out(5, 1, 0x20);
        Assert.True(lines.PowerOffRequested);
    }

    [Fact]
    public void APM_control_port_stands_in_for_the_handler_that_turns_ACPI_mode_on_and_off()
    {
        int apm = Region(0xB2);
        Assert.Equal(AccessStatus.Ok, device.Write(apm, 0, 1, Piix4Power.AcpiEnable, now));
        Assert.Equal(1u, In(4, 2));
        Assert.Equal(AccessStatus.Ok, device.Write(apm, 0, 1, 0x55, now));
        Assert.Equal(AccessStatus.Ok, device.Write(apm, 1, 1, 0xAA, now));
        Assert.Equal(1u, In(4, 2));
        Assert.Equal((0x55u, 0xAAu), (Read(apm, 0, 1), Read(apm, 1, 1)));
        Assert.Equal(AccessStatus.Ok, device.Write(apm, 0, 1, Piix4Power.AcpiDisable, now));
        Assert.Equal(0u, In(4, 2));
        Assert.Equal(AccessStatus.InvalidAccess, device.Write(apm, 0, 2, Piix4Power.AcpiEnable, now));
    }

    [Fact]
    public void Firmware_finds_the_SMI_of_the_APM_port_enabled_already() => Assert.Equal(1u << 25, Read(0, 0x58, 4) & (1u << 25));

    [Fact]
    public void Registers_without_events_keep_their_writable_bits()
    {
        Out(0x2C, 4, 0xFFFF_FFFF);
        Assert.Equal(0xF7FF_FFFFu, In(0x2C, 4));
        Out(0x0C, 4, 0xFFFF_FFFF);
        Assert.Equal(0x0F07_0000u, In(0x0C, 4));
        Assert.Equal(AccessStatus.InvalidAccess, device.Read(Region(Base), 62, 4, now, out _));
        device.Reset(cold: false);
        Config(0x40, 4, Base | 1);
        Config(0x80, 1, 1);
        Assert.Equal(0u, In(0x2C, 4));
    }

    [Fact]
    public void SMBus_command_ends_with_a_device_error_because_nobody_answers()
    {
        Config(0x90, 4, Smbus | 1);
        Config(0xD2, 1, 0x09);
        Config(0x04, 2, 1);
        int smbus = Region(Smbus);
        Assert.Equal(AccessStatus.Ok, device.Write(smbus, 4, 1, 0xA1, now));
        Assert.Equal(0xA1u, Read(smbus, 4, 1));
        Assert.Equal(AccessStatus.Ok, device.Write(smbus, 2, 1, 0x49, now));
        Assert.Equal(4u, Read(smbus, 0, 1));
        Assert.Equal(9u, Read(smbus, 2, 1));
        Assert.Equal(Sci, chipset.Interrupts.Levels);
        Assert.Equal(AccessStatus.Ok, device.Write(smbus, 0, 1, 4, now));
        Assert.Equal((0u, 0), (Read(smbus, 0, 1), chipset.Interrupts.Levels));
        Config(0x04, 2, 0);
        Assert.DoesNotContain(device.Regions, region => region.Base == Smbus);
    }

    [Fact]
    public void SMBus_block_buffer_is_read_back_from_its_beginning()
    {
        Config(0x90, 4, Smbus | 1);
        Config(0xD2, 1, 0x01);
        Config(0x04, 2, 1);
        int smbus = Region(Smbus);
        _ = Read(smbus, 2, 1);
        for (uint i = 0; i < 3; i++)
            Assert.Equal(AccessStatus.Ok, device.Write(smbus, 7, 1, 0x10 + i, now));
        _ = Read(smbus, 2, 1);
        Assert.Equal((0x10u, 0x11u, 0x12u), (Read(smbus, 7, 1), Read(smbus, 7, 1), Read(smbus, 7, 1)));
    }

    [Fact]
    public void Saved_state_goes_on_with_timer_status_and_mode()
    {
        Out(2, 2, 1);
        Out(4, 2, 1);
        now = Carry(1);
        device.RunTimers(now);
        var writer = new StateWriter();
        device.Save(writer);
        var otherChipset = new Chipset(new PlatformLines());
        var other = new Piix4Power(otherChipset, new DeviceSettings("power"));
        var reader = new StateReader(writer.Written.Span);
        other.Restore(ref reader);
        Assert.Equal(Sci, otherChipset.Interrupts.Levels);
        Assert.Contains(other.Regions, region => region.Base == Base && region.Length == 64);
    }

    private static ulong Carry(ulong number)
    {
        ulong ticks = number << 23;
        return ((ticks * Second) + 3_579_544) / 3_579_545;
    }

    private DeviceRegion Block(uint length) => Assert.Single(device.Regions, region => region.Kind == RegionKind.Port && region.Length == length);

    private int Region(uint first) => device.Regions.Select((region, index) => (region, index)).Single(r => r.region.Kind == RegionKind.Port && r.region.Base == first).index;

    private uint In(uint offset, int width) => Read(Region(Base), offset, width);

    private void Out(uint offset, int width, uint value) => Assert.Equal(AccessStatus.Ok, device.Write(Region(Base), offset, width, value, now));

    private uint Read(int region, uint offset, int width)
    {
        Assert.Equal(AccessStatus.Ok, device.Read(region, offset, width, now, out uint value));
        return value;
    }

    private void Config(uint offset, int width, uint value) => Assert.Equal(AccessStatus.Ok, device.Write(0, offset, width, value, now));
}
