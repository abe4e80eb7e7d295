namespace Plexus.Devices.Tests.Apic;

/// <summary>The 82093AA by its registers and pins.</summary>
public sealed class IoApicTests
{
    private readonly ApicRig rig = new();

    public IoApicTests() => rig[0x350] = 0x10000;

    [Fact]
    public void Registers_after_reset()
    {
        Assert.Equal(0u, rig.ReadIo(0));
        Assert.Equal(0x0017_0011u, rig.ReadIo(1));
        Assert.Equal(0u, rig.ReadIo(2));
        for (byte index = 0x10; index < 0x40; index += 2)
            Assert.Equal((0x10000u, 0u), (rig.ReadIo(index), rig.ReadIo((byte)(index + 1))));
        Assert.Equal(0u, rig.ReadIo(0x40));
    }

    [Fact]
    public void Registers_keep_their_bits()
    {
        rig.WriteIo(0, uint.MaxValue);
        Assert.Equal((0x0F00_0000u, 0x0F00_0000u), (rig.ReadIo(0), rig.ReadIo(2)));
        rig.WriteIo(1, 0);
        Assert.Equal(0x0017_0011u, rig.ReadIo(1));
        rig.Redirect(23, uint.MaxValue, uint.MaxValue);
        Assert.Equal((0x0001_AFFFu, 0xFF00_0000u), (rig.ReadIo(0x3E), rig.ReadIo(0x3F)));
    }

    [Fact]
    public void Narrow_accesses_and_mirrors_reach_the_same_registers()
    {
        rig.WriteMemory(IoApic.Base + 0x3E0, 0x12, 1);
        Assert.Equal(0x12u, rig.ReadMemory(IoApic.Base));
        rig.WriteMemory(IoApic.Base + 0x11, 0x09, 1);
        Assert.Equal(0x0001_0900u, rig.ReadMemory(IoApic.Base + 0x10));
        Assert.Equal(1u, rig.ReadMemory(IoApic.Base + 0x12, 2));
    }

    [Theory]
    [InlineData(0, 2)]
    [InlineData(1, 1)]
    [InlineData(2, 9)]
    [InlineData(8, 8)]
    [InlineData(15, 15)]
    public void Edge_on_a_request_gives_its_pins_vector_once(int irq, int pin)
    {
        rig.Redirect(pin, 0x51);
        rig.Set(irq, true);
        Assert.Equal(0x51, rig.Acknowledge());
        rig.EndInterrupt();
        Assert.False(rig.Intr);
        rig.Set(irq, false);
        Assert.False(rig.Intr);
        rig.Set(irq, true);
        Assert.True(rig.Intr);
    }

    [Fact]
    public void Short_pulse_is_an_edge_for_both_controllers()
    {
        rig[0x350] = 0x700;
        rig.InitializePics();
        rig.Redirect(5, 0x51);
        rig.Requests[5].Set(true);
        rig.Requests[5].Set(false);
        rig.ReadMemory(0xD000_0000);
        Assert.Equal(0x51, rig.Acknowledge());
        rig.Set(6, true);
        Assert.Equal(0x26, rig.Acknowledge());
    }

    [Fact]
    public void Edge_on_a_masked_pin_is_lost()
    {
        rig.Redirect(5, 0x10051);
        rig.Set(5, true);
        rig.Redirect(5, 0x51);
        Assert.False(rig.Intr);
    }

    [Fact]
    public void Active_low_edge_is_the_falling_one()
    {
        rig.Redirect(5, 0x2051);
        rig.Set(5, true);
        Assert.False(rig.Intr);
        rig.Set(5, false);
        Assert.True(rig.Intr);
    }

    [Fact]
    public void Level_comes_again_after_eoi_while_it_is_asserted()
    {
        rig.Redirect(11, 0x8051);
        rig.Set(11, true);
        Assert.Equal(0xC051u, rig.ReadIo(0x26));
        Assert.Equal(0x51, rig.Acknowledge());
        Assert.Equal(1u << 17, rig[0x1A0]);
        Assert.False(rig.Intr);
        rig.EndInterrupt();
        Assert.Equal(0x51, rig.Acknowledge());
        rig.Set(11, false);
        Assert.Equal(0xC051u, rig.ReadIo(0x26));
        rig.EndInterrupt();
        Assert.Equal(0x8051u, rig.ReadIo(0x26));
        Assert.False(rig.Intr);
    }

    [Fact]
    public void Level_is_delivered_when_it_is_unmasked()
    {
        rig.Redirect(11, 0x18051);
        rig.Set(11, true);
        Assert.False(rig.Intr);
        rig.Redirect(11, 0x8051);
        Assert.True(rig.Intr);
    }

    [Fact]
    public void Level_that_nobody_accepts_waits_for_a_local_apic()
    {
        rig[0xF0] = 0xFF;
        rig.Redirect(11, 0x8051);
        rig.Set(11, true);
        Assert.Equal(0x9051u, rig.ReadIo(0x26));
        rig.Enable();
        Assert.Equal(0xC051u, rig.ReadIo(0x26));
        Assert.Equal(0x51, rig.Acknowledge());
    }

    [Fact]
    public void Level_goes_to_its_logical_destination_when_there_is_one()
    {
        rig.Redirect(11, 0x8951, 0x0200_0000);
        rig.Set(11, true);
        Assert.False(rig.Intr);
        rig[0xD0] = 0x0200_0000;
        Assert.True(rig.Intr);
    }

    [Fact]
    public void Edge_mode_forgets_the_remote_request()
    {
        rig.Redirect(11, 0x8051);
        rig.Set(11, true);
        rig.Redirect(11, 0x10051);
        Assert.Equal(0x10051u, rig.ReadIo(0x26));
        rig.Redirect(11, 0x18051);
        Assert.Equal(0x18051u, rig.ReadIo(0x26));
    }

    [Fact]
    public void Nmi_and_init_are_edges_whatever_the_trigger_mode()
    {
        rig.Redirect(5, 0x8400);
        rig.Set(5, true);
        Assert.True(rig.Lines.Nmi);
        Assert.Equal(0x8400u, rig.ReadIo(0x1A));
        rig.Redirect(6, 0x500);
        rig.Set(6, true);
        Assert.True(rig.Lines.InitRequested);
    }

    [Fact]
    public void Firmware_is_told_where_irq_0_is()
    {
        var configuration = new FirmwareConfiguration(1 << 20);
        var chipset = new Chipset(new()) { Configuration = configuration };
        _ = new IoApic(chipset);
        var device = new FirmwareConfigurationDevice(chipset, configuration);
        device.Write(0, 0, 2, 0x8002, 0);
        device.Read(0, 1, 1, 0, out uint value);
        Assert.Equal(1u, value);
    }
}
