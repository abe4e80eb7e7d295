using Plexus.Messaging.Contracts.Bus;

namespace Plexus.Devices.Tests;

public sealed class PicTests
{
    private readonly DeviceRig<DualPic> rig = new(chipset => new DualPic(chipset));
    private readonly InterruptLine[] lines;

    public PicTests() => lines = [.. Enumerable.Range(0, 16).Select(irq => rig.Chipset.Interrupts.Connect(irq))];

    [Fact]
    public void Controller_that_was_never_initialised_is_silent()
    {
        Out(0x21, 0);
        Raise(1);

        Assert.False(Intr);
    }

    [Theory]
    [InlineData(0, 0x20)]
    [InlineData(1, 0x21)]
    [InlineData(7, 0x27)]
    [InlineData(8, 0x28)]
    [InlineData(15, 0x2F)]
    public void Edge_on_a_line_gives_its_vector(int irq, int vector)
    {
        Initialize();
        Raise(irq);

        Assert.True(Intr);
        Assert.Equal(vector, Acknowledge());
        Assert.False(Intr);
    }

    [Fact]
    public void Slot_pin_of_irq_2_is_irq_9()
    {
        Initialize();
        lines[2].Set(true);
        Sample();

        Assert.Equal(0x29, Acknowledge());
    }

    [Fact]
    public void Edge_gives_one_request_while_the_line_stays_high()
    {
        Initialize();
        Raise(3);
        Acknowledge();
        Out(0x20, 0x20);

        Assert.False(Intr);
        Lower(3);
        Raise(3);
        Assert.True(Intr);
    }

    [Fact]
    public void Request_goes_with_its_line_and_an_acknowledge_then_is_spurious()
    {
        Initialize();
        Raise(3);
        Lower(3);

        Assert.False(Intr);
        Assert.Equal(0x27, Acknowledge());
        Assert.Equal(0, Isr(0x20));
    }

    [Fact]
    public void Slave_that_lost_its_request_to_a_poll_leaves_the_acknowledge_spurious()
    {
        Initialize();
        Raise(10);
        Out(0xA0, 0x0C);
        Assert.Equal(0x82, rig.In(0xA0));

        Assert.Equal(0x27, Acknowledge());
        Assert.Equal(0x04, Isr(0xA0));
        Assert.Equal(0x00, Isr(0x20));
    }

    [Fact]
    public void Mask_on_the_slave_takes_its_request_off_the_master_and_gives_it_back()
    {
        Initialize();
        Raise(10);
        Out(0xA1, 0xFF);
        Assert.False(Intr);
        Assert.Equal(0, Irr(0x20));
        Out(0xA1, 0x00);
        Assert.Equal(0x04, Irr(0x20));
        Assert.Equal(0x2A, Acknowledge());
    }

    [Fact]
    public void Higher_priority_interrupts_a_lower_one_and_not_the_other_way_round()
    {
        Initialize();
        Raise(4);
        Assert.Equal(0x24, Acknowledge());
        Raise(5);
        Assert.False(Intr);
        Raise(1);
        Assert.True(Intr);
        Assert.Equal(0x21, Acknowledge());
        Assert.Equal(0x12, Isr(0x20));
        Out(0x20, 0x20);
        Assert.Equal(0x10, Isr(0x20));
        Assert.False(Intr);
        Out(0x20, 0x20);
        Assert.Equal(0x25, Acknowledge());
    }

    [Fact]
    public void Slave_levels_rank_between_irq_1_and_irq_3()
    {
        Initialize();
        Raise(3);
        Raise(12);
        Raise(8);
        Raise(1);

        Assert.Equal([0x21, 0x28, 0x2C, 0x23], Enumerable.Range(0, 4).Select(_ => AcknowledgeAndEnd()));
    }

    [Fact]
    public void Mask_holds_a_request_back_and_keeps_it()
    {
        Initialize();
        Out(0x21, 0x08);
        Raise(3);
        Assert.False(Intr);
        Assert.Equal(0x08, rig.In(0x21));
        Assert.Equal(0x08, Irr(0x20));

        Out(0x21, 0x00);
        Assert.True(Intr);
    }

    [Fact]
    public void Status_read_gives_requests_until_the_command_says_in_service()
    {
        Initialize();
        Raise(5);
        Raise(6);
        Acknowledge();
        Assert.Equal(0x40, rig.In(0x20));
        Out(0x20, 0x0B);
        Assert.Equal(0x20, rig.In(0x20));
        Assert.Equal(0x20, rig.In(0x20));
        Out(0x20, 0x0A);
        Assert.Equal(0x40, rig.In(0x20));
    }

    [Fact]
    public void First_initialisation_word_clears_mask_service_edges_and_modes()
    {
        Initialize();
        Out(0x21, 0xF0);
        Raise(1);
        Acknowledge();
        Raise(2 + 1);
        Out(0x20, 0x0B);
        Out(0x20, 0x68);
        Out(0x20, 0xC3);
        Initialize();

        Assert.Equal(0, rig.In(0x21));
        Assert.Equal(0, rig.In(0x20));
        Assert.False(Intr);
        Assert.Equal(0, Isr(0x20));
        Lower(3);
        Raise(3);
        Lower(1);
        Raise(1);
        Assert.Equal(0x21, Acknowledge());
    }

    [Fact]
    public void Mask_written_after_four_words_is_a_mask()
    {
        Out(0x20, 0x11);
        Out(0x21, 0x30);
        Out(0x21, 0x04);
        Raise(0);
        Assert.False(Intr);
        Out(0x21, 0x01);
        Out(0x21, 0xFE);

        Assert.Equal(0xFE, rig.In(0x21));
        Lower(0);
        Raise(0);
        Assert.Equal(0x30, Acknowledge());
    }

    [Fact]
    public void Single_controller_takes_no_third_word_and_answers_for_input_2_itself()
    {
        Out(0x20, 0x13);
        Out(0x21, 0x40);
        Out(0x21, 0x01);
        Out(0x21, 0x00);
        InitializeSlave();
        Raise(9);

        Assert.Equal(0x42, Acknowledge());
    }

    [Fact]
    public void Cascade_on_an_input_without_a_slave_reads_a_floating_bus()
    {
        Out(0x20, 0x11);
        Out(0x21, 0x20);
        Out(0x21, 0x08);
        Out(0x21, 0x01);
        Raise(3);

        Assert.Equal(0xFF, Acknowledge());
    }

    [Fact]
    public void Slave_with_another_identity_does_not_answer()
    {
        InitializeMaster();
        Out(0xA0, 0x11);
        Out(0xA1, 0x28);
        Out(0xA1, 0x03);
        Out(0xA1, 0x01);
        Raise(9);

        Assert.Equal(0xFF, Acknowledge());
    }

    [Theory]
    [InlineData(0x16, 0xE0, 0xE0 | (5 << 2))]
    [InlineData(0x12, 0xC0, 0xC0 | (5 << 3))]
    public void Mcs_80_mode_gives_the_low_byte_of_the_call(int icw1, int address, int expected)
    {
        Out(0x20, icw1 | address);
        Out(0x21, 0x00);
        Out(0x21, 0x00);
        Raise(5);

        Assert.Equal(expected, Acknowledge());
    }

    [Fact]
    public void Automatic_end_of_interrupt_leaves_nothing_in_service()
    {
        InitializeMaster(icw4: 0x03);
        Raise(4);
        Acknowledge();

        Assert.Equal(0, Isr(0x20));
        Raise(6);
        Assert.True(Intr);
    }

    [Fact]
    public void Rotation_in_automatic_mode_makes_the_served_level_the_lowest()
    {
        InitializeMaster(icw4: 0x03);
        Out(0x20, 0x80);
        Raise(3);
        Acknowledge();
        Lower(3);
        Raise(3);
        Raise(4);
        Raise(0);
        Assert.Equal([0x24, 0x20, 0x23], Enumerable.Range(0, 3).Select(_ => Acknowledge()));

        Out(0x20, 0x00);
        Lower(5);
        Raise(5);
        Acknowledge();
        Lower(5);
        Raise(5);
        Raise(6);
        Assert.Equal(0x25, Acknowledge());
    }

    [Fact]
    public void Specific_end_of_interrupt_ends_that_level()
    {
        Initialize();
        Raise(6);
        Acknowledge();
        Raise(4);
        Acknowledge();
        Out(0x20, 0x66);

        Assert.Equal(0x10, Isr(0x20));
    }

    [Fact]
    public void Rotation_on_non_specific_end_makes_the_ended_level_the_lowest()
    {
        Initialize();
        Raise(3);
        Acknowledge();
        Out(0x20, 0xA0);
        Lower(3);
        Raise(3);
        Raise(7);

        Assert.Equal(0x27, Acknowledge());
        Out(0x20, 0x20);
        Assert.Equal(0x23, Acknowledge());
    }

    [Fact]
    public void Rotation_on_specific_end_ends_and_rotates()
    {
        Initialize();
        Raise(5);
        Acknowledge();
        Out(0x20, 0xE5);
        Assert.Equal(0, Isr(0x20));
        Lower(5);
        Raise(5);
        Raise(6);

        Assert.Equal(0x26, Acknowledge());
    }

    [Fact]
    public void Set_priority_chooses_the_lowest_level()
    {
        Initialize();
        Out(0x20, 0xC4);
        Raise(0);
        Raise(4);
        Raise(5);

        Assert.Equal([0x25, 0x20, 0x24], Enumerable.Range(0, 3).Select(_ => AcknowledgeAndEnd()));
    }

    [Fact]
    public void Special_mask_mode_lets_lower_levels_through_a_masked_level_in_service()
    {
        Initialize();
        Raise(3);
        Acknowledge();
        Raise(6);
        Out(0x21, 0x08);
        Assert.False(Intr);
        Out(0x20, 0x68);
        Assert.True(Intr);
        Assert.Equal(0x26, Acknowledge());

        // A non-specific end leaves the masked level alone.
        Out(0x20, 0x20);
        Assert.Equal(0x08, Isr(0x20));
        Out(0x20, 0x20);
        Assert.Equal(0x08, Isr(0x20));
        Out(0x20, 0x48);
        Out(0x20, 0x20);
        Assert.Equal(0, Isr(0x20));
    }

    [Theory]
    [InlineData(0x01, false)]
    [InlineData(0x11, true)]
    public void Special_fully_nested_master_lets_a_higher_request_of_the_same_slave_through(int icw4, bool expected)
    {
        InitializeMaster(icw4);
        InitializeSlave();
        Raise(12);
        Assert.Equal(0x2C, Acknowledge());
        Raise(9);

        Assert.Equal(expected, Intr);
        if (expected)
            Assert.Equal(0x29, Acknowledge());
        Raise(3);
        Assert.False(Intr);
    }

    [Fact]
    public void Poll_acknowledges_and_names_the_level()
    {
        Initialize();
        Raise(6);
        Raise(3);
        Out(0x20, 0x0C);
        Assert.Equal(0x83, rig.In(0x20));
        Assert.Equal(0x08, Isr(0x20));
        Assert.False(Intr);
        Out(0x20, 0x20);
        Out(0x20, 0x0C);
        Assert.Equal(0x86, rig.In(0x21));
        Out(0x20, 0x20);
        Out(0x20, 0x0C);
        Assert.Equal(0x00, rig.In(0x20));
        Assert.Equal(0x00, rig.In(0x21));
    }

    [Fact]
    public void Poll_of_the_slave_takes_its_request_off_the_master()
    {
        Initialize();
        Raise(11);
        Assert.True(Intr);
        Out(0xA0, 0x0C);
        Assert.Equal(0x83, rig.In(0xA0));

        Assert.False(Intr);
    }

    [Fact]
    public void Level_triggered_input_asks_again_until_its_line_falls()
    {
        Initialize();
        Out(0x4D0, 0x20);
        Raise(5);
        Assert.Equal(0x25, AcknowledgeAndEnd());
        Assert.True(Intr);
        Assert.Equal(0x25, AcknowledgeAndEnd());
        Lower(5);
        Assert.False(Intr);
    }

    [Fact]
    public void Level_triggered_by_the_first_word_concerns_every_input()
    {
        Out(0x20, 0x19);
        Out(0x21, 0x20);
        Out(0x21, 0x04);
        Out(0x21, 0x01);
        Raise(0);
        Acknowledge();
        Out(0x20, 0x20);

        Assert.True(Intr);
    }

    [Fact]
    public void Edge_level_registers_keep_only_the_bits_that_exist()
    {
        Out(0x4D0, 0xFF);
        Out(0x4D1, 0xFF);

        Assert.Equal(0xF8, rig.In(0x4D0));
        Assert.Equal(0xDE, rig.In(0x4D1));
    }

    [Fact]
    public void Two_devices_on_a_line_are_a_wired_or()
    {
        Initialize();
        InterruptLine other = rig.Chipset.Interrupts.Connect(5);
        Raise(5);
        Acknowledge();
        Out(0x20, 0x20);
        other.Set(true);
        Sample();
        Assert.False(Intr);
        Lower(5);
        Assert.True(rig.Irq(5));
        other.Set(false);
        Assert.False(rig.Irq(5));
        other.Set(true);
        Sample();
        Assert.True(Intr);
    }

    [Fact]
    public void No_operation_command_changes_nothing()
    {
        Initialize();
        Raise(4);
        Acknowledge();
        Out(0x20, 0x40);

        Assert.Equal(0x10, Isr(0x20));
    }

    [Theory]
    [InlineData(0, 2u, 1)]
    [InlineData(0, 0u, 2)]
    [InlineData(3, 0u, 1)]
    [InlineData(-1, 0u, 1)]
    public void Unknown_register_is_invalid(int region, uint offset, int width)
    {
        Assert.Equal(AccessStatus.InvalidAccess, rig.Device.Read(region, offset, width, 0, out _));
        Assert.Equal(AccessStatus.InvalidAccess, rig.Device.Write(region, offset, width, 0, 0));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(16)]
    public void There_are_sixteen_lines(int irq) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => rig.Chipset.Interrupts.Connect(irq));

    private bool Intr => rig.Lines.Intr;

    private void Out(int port, int value)
    {
        (int region, uint offset) = port switch
        {
            < 0xA0 => (DualPic.MasterRegion, (uint)port - 0x20),
            < 0x4D0 => (DualPic.SlaveRegion, (uint)port - 0xA0),
            _ => (DualPic.EdgeLevelRegion, (uint)port - 0x4D0),
        };
        Assert.Equal(AccessStatus.Ok, rig.Device.Write(region, offset, 1, (uint)value, 0));
    }

    private void Initialize()
    {
        InitializeMaster();
        InitializeSlave();
    }

    private void InitializeMaster(int icw4 = 0x01)
    {
        Out(0x20, 0x11);
        Out(0x21, 0x20);
        Out(0x21, 0x04);
        Out(0x21, icw4);
    }

    private void InitializeSlave()
    {
        Out(0xA0, 0x11);
        Out(0xA1, 0x28);
        Out(0xA1, 0x02);
        Out(0xA1, 0x01);
    }

    private void Raise(int irq) => Set(irq, true);

    private void Lower(int irq) => Set(irq, false);

    private void Set(int irq, bool level)
    {
        lines[irq].Set(level);
        Sample();
    }

    private void Sample() => rig.Device.SampleInterrupts(0);

    private byte Acknowledge() => rig.Device.Acknowledge(0);

    private byte AcknowledgeAndEnd()
    {
        byte vector = Acknowledge();
        if (vector >= 0x28)
            Out(0xA0, 0x20);
        Out(0x20, 0x20);
        return vector;
    }

    private int Isr(int port)
    {
        Out(port, 0x0B);
        int value = rig.In(port);
        Out(port, 0x0A);
        return value;
    }

    private int Irr(int port)
    {
        Out(port, 0x0A);
        return rig.In(port);
    }
}
