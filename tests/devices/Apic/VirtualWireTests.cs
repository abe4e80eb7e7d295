namespace Plexus.Devices.Tests.Apic;

/// <summary>The 8259A pair through LINT0 and through the I/O APIC; LINT1 as NMI.</summary>
public sealed class VirtualWireTests
{
    private readonly ApicRig rig = new();

    public VirtualWireTests() => rig.InitializePics();

    [Fact]
    public void ExtInt_pin_passes_intr_and_leaves_the_vector_to_the_8259()
    {
        rig[0x80] = 0xFF;
        rig.Set(3, true);
        Assert.True(rig.Intr);
        Assert.Equal(0x23, rig.Acknowledge());
        Assert.False(rig.Intr);
        for (uint register = 0x100; register < 0x180; register += 0x10)
            Assert.Equal(0u, rig[register]);
    }

    [Fact]
    public void Masked_pin_does_not()
    {
        rig[0x350] = 0x10700;
        rig.Set(3, true);
        Assert.False(rig.Intr);
        rig[0x350] = 0x700;
        Assert.True(rig.Intr);
        rig[0x350] = 0x2700;
        Assert.False(rig.Intr);
    }

    [Fact]
    public void Without_the_apic_the_pins_are_intr_and_nmi()
    {
        rig[0x350] = rig[0x360] = 0x10000;
        rig.Set(3, true);
        Assert.False(rig.Intr);
        rig.Chipset.Processor.SetNmi(true);
        Assert.False(rig.Lines.Nmi);
        rig.Lines.ApicBase &= ~0x800ul;
        rig.RunTo(1);
        Assert.True(rig.Intr);
        Assert.Equal(0x23, rig.Acknowledge());
        rig.Chipset.Processor.SetNmi(false);
        rig.Chipset.Processor.SetNmi(true);
        Assert.True(rig.Lines.Nmi);
    }

    [Fact]
    public void Own_vector_comes_before_the_8259s()
    {
        rig.Set(3, true);
        rig.SendSelf(0x40);
        Assert.Equal(0x40, rig.Acknowledge());
        Assert.Equal(0x23, rig.Acknowledge());
    }

    [Fact]
    public void Fixed_pin_gives_its_vector_on_an_edge()
    {
        rig[0x350] = 0x60;
        rig.Set(3, true);
        Assert.Equal(0x60, rig.Acknowledge());
        rig.EndInterrupt();
        Assert.False(rig.Intr);
    }

    [Fact]
    public void Fixed_level_pin_comes_again_after_eoi_while_it_is_high()
    {
        rig[0x350] = 0x8060;
        rig.Set(3, true);
        Assert.Equal(0xC060u, rig[0x350]);
        Assert.Equal(0x60, rig.Acknowledge());
        rig.EndInterrupt();
        Assert.Equal(0x60, rig.Acknowledge());
        rig.Out(0x21, 0xFF);
        rig.EndInterrupt();
        Assert.Equal(0x8060u, rig[0x350]);
        Assert.False(rig.Intr);
    }

    [Fact]
    public void Nmi_pin_is_an_edge()
    {
        rig.Chipset.Processor.SetNmi(true);
        Assert.True(rig.Lines.Nmi);
        rig.Lines.Nmi = false;
        rig.Chipset.Processor.SetNmi(true);
        Assert.False(rig.Lines.Nmi);
    }

    [Fact]
    public void ExtInt_through_the_io_apic_is_answered_by_the_8259_each_time()
    {
        rig[0x350] = 0x10000;
        rig.Redirect(0, 0x700);
        rig.Set(5, true);
        Assert.True(rig.Intr);
        rig.Set(3, true);
        Assert.Equal(0x23, rig.Acknowledge());
        Assert.False(rig.Intr);
        rig.Out(0x20, 0x20);
        Assert.True(rig.Intr);
        Assert.Equal(0x25, rig.Acknowledge());
        Assert.False(rig.Intr);
    }
}
