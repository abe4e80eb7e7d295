using Plexus.Messaging.Shared;

namespace Plexus.Devices.Tests.Apic;

/// <summary>The local APIC by its registers (SDM vol. 3, chapter 10).</summary>
public sealed class LocalApicTests
{
    private readonly ApicRig rig = new();

    [Fact]
    public void Power_up_state_is_the_manuals()
    {
        var bare = new ApicRig(withFirmware: true);
        Assert.Equal(0u, bare[0x20]);
        Assert.Equal(0x0004_0011u, bare[0x30]);
        Assert.Equal(0u, bare[0x80]);
        Assert.Equal(0u, bare[0xD0]);
        Assert.Equal(uint.MaxValue, bare[0xE0]);
        Assert.Equal(0xFFu, bare[0xF0]);
        foreach (uint entry in (uint[])[0x320, 0x340, 0x350, 0x360, 0x370])
            Assert.Equal(0x10000u, bare[entry]);
        for (uint register = 0x100; register < 0x280; register += 0x10)
            Assert.Equal(0u, bare[register]);
        Assert.Equal(0u, bare[0x280]);
    }

    [Fact]
    public void Without_firmware_the_guest_finds_virtual_wire_mode()
    {
        Assert.Equal(0x1FFu, rig[0xF0]);
        Assert.Equal(0x700u, rig[0x350]);
        Assert.Equal(0x400u, rig[0x360]);
    }

    [Theory]
    [InlineData(0x20, 0x0F00_0000)]
    [InlineData(0x80, 0x0000_00FF)]
    [InlineData(0xD0, 0xFF00_0000)]
    [InlineData(0x310, 0xFF00_0000)]
    [InlineData(0x320, 0x0003_00FF)]
    [InlineData(0x340, 0x0001_07FF)]
    [InlineData(0x350, 0x0001_A7FF)]
    [InlineData(0x360, 0x0001_A7FF)]
    [InlineData(0x370, 0x0001_00FF)]
    [InlineData(0x380, 0xFFFF_FFFF)]
    [InlineData(0x3E0, 0x0000_000B)]
    public void Register_keeps_its_bits(uint register, uint bits)
    {
        rig[register] = uint.MaxValue;
        Assert.Equal(bits, rig[register]);
    }

    [Fact]
    public void Destination_format_and_spurious_vector_have_hardwired_ones()
    {
        rig[0xE0] = 0;
        rig[0xF0] = 0x100;
        Assert.Equal(0x0FFF_FFFFu, rig[0xE0]);
        Assert.Equal(0x10Fu, rig[0xF0]);
    }

    [Fact]
    public void From_version_14h_on_ids_and_spurious_vectors_are_eight_bits()
    {
        var xapic = new ApicRig(version: 0x0005_0014);
        xapic[0x20] = uint.MaxValue;
        xapic[0xF0] = 0x100;
        Assert.Equal(0xFF00_0000u, xapic[0x20]);
        Assert.Equal(0x100u, xapic[0xF0]);
        xapic[0x330] = 0;
        Assert.Equal(0u, xapic[0x330]);
    }

    [Theory]
    [InlineData(0x00)]
    [InlineData(0x40)]
    [InlineData(0x290)]
    [InlineData(0x330)]
    [InlineData(0x3A0)]
    [InlineData(0x3F0)]
    [InlineData(0xFF0)]
    public void Illegal_register_is_an_error_shown_after_a_write(uint register)
    {
        Assert.Equal(0u, rig[register]);
        Assert.Equal(0u, rig[0x280]);
        rig[0x280] = 0;
        Assert.Equal(0x80u, rig[0x280]);
        rig[0x280] = 0;
        Assert.Equal(0u, rig[0x280]);
        rig[register] = 1;
        rig[0x280] = 0;
        Assert.Equal(0x80u, rig[0x280]);
    }

    [Fact]
    public void Narrow_reads_see_their_bytes_and_narrow_writes_nothing()
    {
        rig.WriteMemory(ApicRig.LocalBase + 0x80, 0x33, 1);
        Assert.Equal(0u, rig[0x80]);
        Assert.Equal(4u, rig.ReadMemory(ApicRig.LocalBase + 0x32, 1));
        Assert.Equal(0x11u, rig.ReadMemory(ApicRig.LocalBase + 0x30, 2));
        Assert.Equal(0u, rig.ReadMemory(ApicRig.LocalBase + 0x34));
    }

    [Fact]
    public void Interrupt_is_requested_serviced_and_ended()
    {
        rig.SendSelf(0x61);
        Assert.True(rig.Intr);
        Assert.Equal(2u, rig[0x230]);
        Assert.Equal(0x61, rig.Acknowledge());
        Assert.False(rig.Intr);
        Assert.Equal((0u, 2u, 0x60u), (rig[0x230], rig[0x130], rig[0xA0]));
        rig.EndInterrupt();
        Assert.Equal((0u, 0u), (rig[0x130], rig[0xA0]));
    }

    [Fact]
    public void Interrupts_nest_by_class_of_sixteen()
    {
        rig.SendSelf(0x55);
        rig.Acknowledge();
        rig.SendSelf(0x5F);
        Assert.False(rig.Intr);
        rig.SendSelf(0x60);
        Assert.Equal(0x60, rig.Acknowledge());
        rig.EndInterrupt();
        Assert.False(rig.Intr);
        rig.EndInterrupt();
        Assert.Equal(0x5F, rig.Acknowledge());
    }

    [Fact]
    public void Same_vector_waits_once_while_it_is_in_service()
    {
        rig.SendSelf(0x40);
        rig.Acknowledge();
        rig.SendSelf(0x40);
        rig.SendSelf(0x40);
        rig.EndInterrupt();
        Assert.Equal(0x40, rig.Acknowledge());
        rig.EndInterrupt();
        Assert.False(rig.Intr);
    }

    [Theory]
    [InlineData(0x3F, true)]
    [InlineData(0x40, false)]
    [InlineData(0xFF, false)]
    public void Task_priority_holds_back_its_class_and_below(uint priority, bool delivered)
    {
        rig[0x80] = priority;
        rig.SendSelf(0x4F);
        Assert.Equal(delivered, rig.Intr);
        rig[0x80] = 0;
        Assert.True(rig.Intr);
    }

    [Fact]
    public void Priorities_follow_task_and_service()
    {
        rig[0x80] = 0x35;
        Assert.Equal(0x35u, rig[0xA0]);
        Assert.Equal(0x35u, rig[0x90]);
        rig.SendSelf(0x52);
        Assert.Equal(0x50u, rig[0x90]);
        rig.Acknowledge();
        Assert.Equal(0x50u, rig[0xA0]);
        rig[0x80] = 0x5A;
        Assert.Equal(0x5Au, rig[0xA0]);
    }

    [Fact]
    public void Acknowledge_of_what_was_masked_meanwhile_gives_the_spurious_vector()
    {
        rig[0xF0] = 0x1EF;
        rig.SendSelf(0x40);
        rig[0x80] = 0x40;
        rig.Chipset.Processor.SetInt(false);
        Assert.Equal(0xEF, ((LocalApic)rig.Chipset.Processor.Local!).Acknowledge(rig.Now));
        for (uint register = 0x100; register < 0x180; register += 0x10)
            Assert.Equal(0u, rig[register]);
        rig[0x80] = 0;
        Assert.Equal(0x40, rig.Acknowledge());
    }

    [Fact]
    public void Disabled_by_software_it_masks_its_entries_and_takes_no_interrupts()
    {
        rig.SendSelf(0x40);
        rig[0xF0] = 0xFF;
        rig[0x350] = 0x700;
        Assert.Equal(0x10700u, rig[0x350]);
        rig.SendSelf(0x50);
        Assert.Equal(0x40, rig.Acknowledge());
        rig.EndInterrupt();
        Assert.False(rig.Intr);
        rig[0x280] = 0;
        Assert.Equal(4u, rig[0x280]);
    }

    [Theory]
    [InlineData(0x0008_4040, true)]
    [InlineData(0x000C_4040, false)]
    [InlineData(0x0000_4040, true)]
    [InlineData(0x0000_0140, true)]
    [InlineData(0x0000_8040, false)]
    public void Command_reaches_the_processor_by_shorthand_or_id(uint command, bool delivered)
    {
        rig[0x310] = 0;
        rig[0x300] = command;
        Assert.Equal(delivered, rig.Intr);
        Assert.Equal(command, rig[0x300]);
        rig[0x280] = 0;
        Assert.Equal(command == 0x000C_4040 ? 4u : 0, rig[0x280]);
    }

    [Theory]
    [InlineData(0xFFFF_FFFF, 0x02, 0x06, true)]
    [InlineData(0xFFFF_FFFF, 0x02, 0x04, false)]
    [InlineData(0xFFFF_FFFF, 0x00, 0xFF, true)]
    [InlineData(0x0FFF_FFFF, 0x32, 0x36, true)]
    [InlineData(0x0FFF_FFFF, 0x32, 0x26, false)]
    [InlineData(0x0FFF_FFFF, 0x32, 0x34, false)]
    [InlineData(0x0FFF_FFFF, 0x32, 0xF2, true)]
    public void Logical_destination_is_flat_or_cluster(uint format, uint mine, uint destination, bool delivered)
    {
        rig[0xE0] = format;
        rig[0xD0] = mine << 24;
        rig[0x310] = destination << 24;
        rig[0x300] = 0x4840;
        Assert.Equal(delivered, rig.Intr);
    }

    [Fact]
    public void Physical_destination_is_the_id_or_everybody()
    {
        rig[0x20] = 0x0300_0000;
        foreach ((uint destination, bool delivered) in ((uint, bool)[])[(3, true), (2, false), (0xF, true), (0xFF, true)])
        {
            rig[0x310] = destination << 24;
            rig[0x300] = 0x4040;
            Assert.Equal(delivered, rig.Intr);
            if (!delivered)
                continue;
            rig.Acknowledge();
            rig.EndInterrupt();
        }
    }

    [Fact]
    public void Illegal_vectors_are_errors_and_the_first_raises_the_error_interrupt()
    {
        rig[0x370] = 0x31;
        rig.SendSelf(0x0F);
        Assert.Equal(0x31, rig.Acknowledge());
        rig.EndInterrupt();
        _ = rig[0x40];
        Assert.False(rig.Intr);
        rig[0x280] = 0;
        Assert.Equal(0xA0u, rig[0x280]);
        _ = rig[0x40];
        Assert.True(rig.Intr);
    }

    [Fact]
    public void Nmi_init_and_startup_do_what_they_say()
    {
        rig[0x300] = 0x4400;
        Assert.True(rig.Lines.Nmi);
        rig[0x300] = 0x4608;
        rig[0x300] = 0x4200;
        Assert.False(rig.Intr);
        rig[0x20] = 0x0500_0000;
        rig[0x310] = 0x0500_0000;
        rig[0x80] = 0x20;
        rig[0x300] = 0xC500;
        Assert.True(rig.Lines.InitRequested);
        Assert.Equal((0x0500_0000u, 0u), (rig[0x20], rig[0x80]));
        rig.Lines.InitRequested = false;
        rig[0x300] = 0x8500;
        Assert.False(rig.Lines.InitRequested);
    }

    [Fact]
    public void Registers_move_with_the_base_and_go_with_the_enable()
    {
        rig[0x80] = 0x42;
        rig.Lines.ApicBase = 0xFED0_0900;
        Assert.Equal(0ul, rig.Lines.TimerDeadline);
        Assert.Equal(0x42u, rig.ReadMemory(0xFED0_0080));
        Assert.Equal(uint.MaxValue, rig[0x80]);
        rig.Lines.ApicBase = 0xFED0_0100;
        Assert.Equal(uint.MaxValue, rig.ReadMemory(0xFED0_0080));
        rig.Lines.ApicBase = PlatformLines.ApicBaseAtReset;
        Assert.Equal(0u, rig[0x80]);
        Assert.Equal(ulong.MaxValue, rig.Lines.TimerDeadline);
    }

    [Fact]
    public void Registers_cover_ram_at_their_address()
    {
        using var memory = new GuestMemory(1 << 20);
        var lines = new PlatformLines();
        var chipset = new Chipset(lines) { Memory = memory };
        var apic = new LocalApic(chipset, chipset.Timers.Add("lapic"));
        lines.ApicBase = 0x8900;
        apic.SampleInterrupts(0);
        Assert.Equal((GuestMemory.NoFrame, GuestMemory.NoFrame), (memory.ReadFrame(8), memory.WriteFrame(8)));
        lines.ApicBase = PlatformLines.ApicBaseAtReset;
        apic.SampleInterrupts(0);
        Assert.Equal((8u, 8u), (memory.ReadFrame(8), memory.WriteFrame(8)));
    }

    [Fact]
    public void Processor_without_one_has_none()
    {
        var old = new ApicRig(version: 0);
        Assert.False(old.Lines.HasLocalApic);
        Assert.Equal(uint.MaxValue, old[0x30]);
        old.InitializePics();
        old.Set(3, true);
        Assert.True(old.Intr);
        Assert.Equal(0x23, old.Acknowledge());
    }
}
