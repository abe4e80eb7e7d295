using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Tests.Core;

/// <summary>The monitor's descriptor tables, byte for byte in the processor's format (SDM vol. 3, 3.4.5 and 6.11).</summary>
public sealed class MonitorTablesTests
{
    [Theory]
    [InlineData(MonitorTables.MonitorCode, 0x0000FFFFu, 0x00CF9B00u)]
    [InlineData(MonitorTables.GuestCode, 0x5678FFFFu, 0x12CFFB34u)]
    [InlineData(MonitorTables.HandlerCode, 0x5678FFFFu, 0x12CFFB34u)]
    public void Code_descriptor_has_base_limit_and_privilege(ushort selector, uint low, uint high)
    {
        MonitorTables tables = new();
        tables.SetCodeBase(0x12345678);
        Assert.True(tables.TryDescriptor(selector, out uint actualLow, out uint actualHigh));
        Assert.Equal((low, high), (actualLow, actualHigh));
    }

    [Theory]
    [InlineData(0x00)]
    [InlineData(0x03)]
    [InlineData(0x0C)]
    [InlineData(0x20)]
    [InlineData(0xFFF8)]
    public void Selector_of_no_descriptor_is_refused(ushort selector) => Assert.False(new MonitorTables().TryDescriptor(selector, out _, out _));

    [Fact]
    public void Segment_slot_is_a_descriptor_of_DPL_3_for_the_kernels_class()
    {
        MonitorTables tables = new();
        ushort selector = MonitorTables.SlotSelector(MonitorTables.SegmentSlots - 1);
        Assert.False(tables.TrySlot(selector, out _, out _));
        tables.SetSlot(MonitorTables.SegmentSlots - 1, 0x5678FFFF, 0x12CF9334);
        Assert.True(tables.TrySlot(selector, out uint low, out uint high));
        Assert.Equal((0x5678FFFFu, 0x12CFF334u), (low, high));
        Assert.False(tables.TrySlot(MonitorTables.GuestCode, out _, out _));
        tables.User = true;
        Assert.False(tables.TrySlot(selector, out _, out _));
    }

    [Fact]
    public void New_tables_lead_to_ring_0_and_let_ring_3_use_three_gates()
    {
        MonitorTables tables = new();
        for (int vector = 0; vector < 256; vector++)
        {
            uint type = vector is 3 or 4 or MonitorTables.EntryVector ? 0xEE00u : 0x8E00u;
            Assert.Equal(((uint)MonitorTables.MonitorCode << 16, type), tables.Gate((byte)vector));
        }
    }

    [Fact]
    public void Gate_to_ring_3_is_a_trap_gate_of_its_class_alone()
    {
        MonitorTables tables = new();
        tables.SetGate(user: false, 13, MonitorTables.HandlerCode, 0xFE801234, dpl: 0);
        Assert.Equal((0x001F1234u, 0xFE808F00u), tables.Gate(13));
        tables.User = true;
        Assert.Equal((0x00080000u, 0x00008E00u), tables.Gate(13));
        tables.User = false;
        tables.ClearGates(user: true);
        Assert.Equal((0x001F1234u, 0xFE808F00u), tables.Gate(13));
        tables.ClearGates(user: false);
        Assert.Equal((0x00080000u, 0x00008E00u), tables.Gate(13));
    }

    [Fact]
    public void Byte_is_excused_while_it_holds_the_value_noted_last()
    {
        OverwrittenBytes bytes = new();
        bytes.Note(0x1000, 1);
        bytes.Note(0x1000, 2);
        Assert.Equal((false, true, false, 1), (bytes.Excuses(0x1000, 1), bytes.Excuses(0x1000, 2), bytes.Excuses(0x1001, 2), bytes.Count));
        bytes.Clear();
        Assert.False(bytes.Excuses(0x1000, 2));
    }
}
