using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Shared;

namespace Plexus.Devices.Tests;

public sealed class DmaTests : IDisposable
{
    private const int Verify = 0x00, Write = 0x04, Read = 0x08, Auto = 0x10, Down = 0x20, Single = 0x40, Block = 0x80, Cascade = 0xC0;

    private readonly GuestMemory memory = new(4 << 20, arenaFrames: 1);
    private readonly Chipset chipset;
    private readonly DualDma dma;

    public DmaTests()
    {
        chipset = new Chipset(new PlatformLines()) { Memory = memory };
        dma = new DualDma(chipset);
    }

    public void Dispose() => memory.Dispose();

    [Theory]
    [InlineData(0x00)]
    [InlineData(0x07)]
    [InlineData(0xC0)]
    [InlineData(0xCE)]
    public void Address_and_count_are_read_back_behind_the_byte_pointer(int port)
    {
        Out(port < 0xC0 ? 0x0C : 0xD8, 0);
        Out(port, 0x34);
        Out(port, 0x12);
        Assert.Equal([0x34, 0x12, 0x34], new[] { In(port), In(port), In(port) });
        Out(port < 0xC0 ? 0x0C : 0xD8, 0);
        Assert.Equal(0x34, In(port));
    }

    [Fact]
    public void Odd_ports_of_the_second_controller_are_its_even_ones()
    {
        Out(0xD9, 0);
        Out(0xC3, 0x11);
        Out(0xC2, 0x22);
        Assert.Equal([0x11, 0x22], new[] { In(0xC2), In(0xC3) });
    }

    [Fact]
    public void Reset_masks_everything_but_the_cascade()
    {
        Assert.Equal(0x0F, In(0x0F));
        Assert.Equal(0x0E, In(0xDE));
        Assert.Equal(0x00, In(0x08));
        Assert.Equal(0x00, In(0x0D));
        Assert.Equal(0xFF, In(0x0B));
    }

    [Fact]
    public void Mask_registers_set_clear_and_write_all()
    {
        Out(0x0E, 0);
        Assert.Equal(0x00, In(0x0F));
        Out(0x0A, 0x06);
        Assert.Equal(0x04, In(0x0F));
        Out(0x0F, 0xFB);
        Assert.Equal(0x0B, In(0x0F));
        Out(0x0A, 0x01);
        Assert.Equal(0x09, In(0x0F));
        Out(0x0D, 0);
        Assert.Equal(0x0F, In(0x0F));
    }

    [Fact]
    public void Page_registers_and_spare_latches_read_back()
    {
        for (int port = 0x81; port < 0x90; port++)
            Out(port, port * 3);
        for (int port = 0x81; port < 0x90; port++)
            Assert.Equal((port * 3) & 0xFF, In(port));
    }

    [Theory]
    [InlineData(0, 0x87)]
    [InlineData(1, 0x83)]
    [InlineData(2, 0x81)]
    [InlineData(3, 0x82)]
    public void Device_writes_memory_up_to_the_terminal_count(int channel, int page)
    {
        Program(channel, page, 0x23456, 4, Write | Single);
        DmaChannel device = chipset.Dma.Connect(channel);

        Assert.Equal(3, device.ToMemory([1, 2, 3], out bool terminal));
        Assert.False(terminal);
        Assert.Equal(0x00, In(0x08));
        Assert.Equal(2, device.ToMemory([4, 5, 6], out terminal));
        Assert.True(terminal);
        Assert.Equal([1, 2, 3, 4, 5, 0], Memory(0x23456, 6));
        Assert.Equal(1 << channel, In(0x08));
        Assert.Equal(0, In(0x08));
        Assert.Equal(0x0F, In(0x0F));
        Assert.Equal(0, device.ToMemory([7], out terminal));
        Assert.False(terminal);
        Assert.Equal(0x345B, Word(2 * channel));
        Assert.Equal(0xFFFF, Word((2 * channel) + 1));
    }

    [Theory]
    [InlineData(5, 0x8B)]
    [InlineData(6, 0x89)]
    [InlineData(7, 0x8A)]
    public void Second_controller_counts_words(int channel, int page)
    {
        memory.WritePhysical(0x2468A, [1, 2, 3, 4, 5, 6]);
        int first = 0xC0 + (4 * (channel - 4));
        Out(0xD8, 0);
        Out(first, 0x45);
        Out(first, 0x23);
        Out(first + 2, 1);
        Out(first + 2, 0);
        Out(page, 0x03); // Bit 0 is not connected.
        Out(0xD6, Read | Single | (channel - 4));
        Out(0xD4, channel - 4);
        memory.WritePhysical(0x2468A, [1, 2, 3, 4, 5, 6]);
        byte[] data = new byte[5];

        Assert.Equal(4, chipset.Dma.Connect(channel).FromMemory(data, out bool terminal));
        Assert.True(terminal);
        Assert.Equal([1, 2, 3, 4, 0], data);
        Assert.Equal(1 << (channel - 4), In(0xD0));
    }

    [Fact]
    public void Addresses_fall_if_told_so()
    {
        Program(2, 0x81, 0x10001, 3, Write | Single | Down);

        Assert.Equal(4, chipset.Dma.Connect(2).ToMemory([1, 2, 3, 4, 5], out _));
        Assert.Equal([2, 1], Memory(0x10000, 2));
        Assert.Equal([4, 3], Memory(0x1FFFE, 2));
    }

    [Fact]
    public void Addresses_wrap_within_the_page()
    {
        memory.WritePhysical(0x1FFFF, [1]);
        memory.WritePhysical(0x10000, [2, 3]);
        memory.WritePhysical(0x20000, [9]);
        Program(3, 0x82, 0x1FFFF, 0xFFFF, Read | Single);
        byte[] data = new byte[3];

        Assert.Equal(3, chipset.Dma.Connect(3).FromMemory(data, out _));
        Assert.Equal([1, 2, 3], data);
        Assert.Equal(0x0002, Word(6));
        Assert.Equal(0xFFFC, Word(7));
    }

    [Fact]
    public void Automatic_initialisation_begins_again_unmasked()
    {
        Program(1, 0x83, 0x30000, 1, Write | Single | Auto);
        DmaChannel device = chipset.Dma.Connect(1);

        Assert.Equal(2, device.ToMemory([1, 2, 3], out bool terminal));
        Assert.True(terminal);
        Assert.Equal(0x0D, In(0x0F));
        Assert.Equal(0x0000, Word(2));
        Assert.Equal(0x0001, Word(3));
        Assert.Equal(1, device.ToMemory([7], out terminal));
        Assert.False(terminal);
        Assert.Equal([7, 2], Memory(0x30000, 2));
    }

    [Fact]
    public void Verify_moves_on_without_data()
    {
        Program(2, 0x81, 0x10000, 2, Verify | Single);
        memory.WritePhysical(0x10000, [1, 2, 3]);
        byte[] data = new byte[1];

        Assert.Equal(2, chipset.Dma.Connect(2).ToMemory([9, 9], out _));
        Assert.Equal(1, chipset.Dma.Connect(2).FromMemory(data, out bool terminal));
        Assert.True(terminal);
        Assert.Equal([0xFF], data);
        Assert.Equal([1, 2, 3], Memory(0x10000, 3));
    }

    [Fact]
    public void Channel_programmed_the_other_way_carries_nothing()
    {
        memory.WritePhysical(0x10000, [1, 2, 3]);
        Program(2, 0x81, 0x10000, 9, Read | Single);
        Assert.Equal(2, chipset.Dma.Connect(2).ToMemory([9, 9], out _));
        Program(2, 0x81, 0x10000, 9, Write | Single);
        byte[] data = new byte[2];
        Assert.Equal(2, chipset.Dma.Connect(2).FromMemory(data, out _));
        Assert.Equal([0xFF, 0xFF], data);
        Assert.Equal([1, 2, 3], Memory(0x10000, 3));
    }

    [Fact]
    public void Nothing_moves_while_masked_disabled_cascaded_or_cut_off()
    {
        DmaChannel device = chipset.Dma.Connect(2);
        bool Moves() => device.ToMemory([1], out _) == 1;

        Program(2, 0x81, 0x10000, 100, Write | Single);
        Assert.True(Moves());
        Out(0x0A, 0x06);
        Assert.False(Moves());
        Out(0x0A, 0x02);
        foreach (int command in (int[])[0x04, 0x40, 0x80])
        {
            Out(0x08, command);
            Assert.False(Moves());
        }

        Out(0x08, 0);
        Assert.True(Moves());
        Out(0xD4, 0x04);
        Assert.False(Moves());
        Out(0xD4, 0x00);
        Out(0xD6, Single);
        Assert.False(Moves());
        Out(0xD6, Cascade);
        Out(0xD0, 0x04);
        Assert.False(Moves());
        Out(0xD0, 0x00);
        Assert.True(Moves());
        Out(0x0B, Cascade | 2);
        Assert.False(Moves());
    }

    [Fact]
    public void Requests_show_in_the_status_masked_or_not()
    {
        DmaChannel device = chipset.Dma.Connect(3);
        device.Request = true;
        Assert.Equal(0x80, In(0x08));
        Assert.Equal(0x00, In(0xD0));
        Out(0x0E, 0);
        Assert.Equal(0x10, In(0xD0));
        device.Request = false;
        Assert.Equal(0x00, In(0x08));
        Assert.Equal(0x00, In(0xD0));
        chipset.Dma.Connect(6).Request = true;
        Assert.Equal(0x40, In(0xD0));
        Out(0x08, 0x40);
        Assert.Equal(0xF0, In(0x08));
    }

    [Fact]
    public void Memory_is_copied_from_channel_0_to_channel_1()
    {
        memory.WritePhysical(0x10010, [1, 2, 3, 4]);
        Program(0, 0x87, 0x10010, 3, Read | Block);
        Program(1, 0x83, 0x23000, 3, Write | Block);
        Out(0x08, 0x01);
        Out(0x09, 0x04);

        Assert.Equal([1, 2, 3, 4, 0], Memory(0x23000, 5));
        Assert.Equal(0x02, In(0x08));
        Assert.Equal(4, In(0x0D));
        Out(0x0D, 0);
        Assert.Equal(0, In(0x0D));
    }

    [Fact]
    public void Memory_is_filled_when_channel_0_holds_its_address()
    {
        memory.WritePhysical(0x10010, [7, 8]);
        Program(0, 0x87, 0x10010, 4, Read | Block);
        Program(1, 0x83, 0x2FFFF, 2, Write | Block);
        Out(0x08, 0x03);
        Out(0x09, 0x04);

        Assert.Equal([7], Memory(0x2FFFF, 1));
        Assert.Equal([7, 7, 0], Memory(0x20000, 3));
    }

    [Fact]
    public void Software_request_runs_a_block_that_no_device_drives()
    {
        Program(3, 0x82, 0x1FFFE, 300, Write | Block);
        Out(0x0F, 0x0F);
        Out(0x08, 0x04);
        Out(0x09, 0x07);
        Assert.Equal(0x80, In(0x08));
        Out(0x08, 0x00);

        Assert.Equal(0x08, In(0x08));
        Assert.Equal([0xFF, 0xFF], Memory(0x1FFFE, 2));
        Assert.All(Memory(0x10000, 299), value => Assert.Equal(0xFF, value));
        Assert.Equal(0, Memory(0x10000 + 299, 1)[0]);
    }

    [Fact]
    public void Software_request_waits_while_its_channel_is_not_in_block_mode()
    {
        Program(3, 0x82, 0x10000, 3, Write | Single);
        Out(0x09, 0x07);
        Assert.Equal(0x80, In(0x08));
        Out(0x09, 0x03);
        Assert.Equal(0x00, In(0x08));
    }

    [Fact]
    public void Writes_to_watched_frames_are_noticed()
    {
        memory.AddWatch(0x10, Watch.CodePage);
        Program(2, 0x81, 0x10000, 3, Write | Single);
        Assert.False(memory.HasHits);
        chipset.Dma.Connect(2).ToMemory([1], out _);

        Assert.True(memory.TryTakeHit(out uint frame));
        Assert.Equal(0x10u, frame);
    }

    [Fact]
    public void Bytes_for_a_place_without_memory_are_lost_and_those_behind_it_are_not()
    {
        memory.MapWrites(0x20, GuestMemory.NoFrame, 1);
        memory.MapReads(0x20, GuestMemory.NoFrame, 1);
        Program(2, 0x81, 0x20FFE, 3, Write | Single);
        Assert.Equal(4, chipset.Dma.Connect(2).ToMemory([1, 2, 3, 4], out _));
        Assert.Equal([0xFF, 0xFF, 3, 4], Memory(0x20FFE, 4));
    }

    [Fact]
    public void Without_a_controller_nothing_moves()
    {
        DmaChannel device = new Chipset(new PlatformLines()).Dma.Connect(2);
        Assert.Equal(0, device.ToMemory([1], out _));
        Assert.Equal(0, device.FromMemory(new byte[1], out _));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(4)]
    [InlineData(8)]
    public void There_is_no_other_channel(int channel) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => chipset.Dma.Connect(channel));

    [Fact]
    public void State_goes_over_to_another_machine()
    {
        Program(2, 0x81, 0x12345, 9, Write | Single);
        chipset.Dma.Connect(2).ToMemory([1, 2], out _);
        var writer = new StateWriter();
        dma.Save(writer);
        var other = new Chipset(new PlatformLines()) { Memory = memory };
        var copy = new DualDma(other);
        var reader = new StateReader(writer.Written.Span);
        copy.Restore(ref reader);

        Assert.Equal(8, other.Dma.Connect(2).ToMemory([3, 4, 5, 6, 7, 8, 9, 10, 11], out bool terminal));
        Assert.True(terminal);
        Assert.Equal([1, 2, 3, 4], Memory(0x12345, 4));
    }

    [Fact]
    public void Firmware_words_reach_both_controllers_over_the_bus()
    {
        var rig = new BusRig(("i8237-pair", "dma"), ("port80", "port80"));
        rig.Out(0x80, 0x5577, 2);
        Assert.Equal(0x77u, rig.In(0x80));
        Assert.Equal(0x55u, rig.In(0x81));
        rig.Reset(cold: false);
        Assert.Equal(0x55u, rig.In(0x81));
        rig.Reset(cold: true);
        Assert.Equal(0u, rig.In(0x81));
    }

    private void Out(int port, int value)
    {
        (int region, uint offset) = Find(port);
        Assert.Equal(AccessStatus.Ok, dma.Write(region, offset, 1, (uint)(byte)value, 0));
    }

    private int In(int port)
    {
        (int region, uint offset) = Find(port);
        Assert.Equal(AccessStatus.Ok, dma.Read(region, offset, 1, 0, out uint value));
        return (int)value;
    }

    private int Word(int port)
    {
        Out(0x0C, 0);
        return In(port) | (In(port) << 8);
    }

    private byte[] Memory(uint address, int length)
    {
        byte[] data = new byte[length];
        memory.ReadPhysical(address, data);
        return data;
    }

    private void Program(int channel, int page, int address, int count, int mode)
    {
        Out(0x0C, 0);
        Out(2 * channel, address);
        Out(2 * channel, address >> 8);
        Out((2 * channel) + 1, count);
        Out((2 * channel) + 1, count >> 8);
        Out(page, address >> 16);
        Out(0x0B, mode | channel);
        Out(0x0A, channel);
    }

    private (int Region, uint Offset) Find(int port)
    {
        int region = Enumerable.Range(0, dma.Regions.Count).Single(i => dma.Regions[i].Contains((uint)port));
        return (region, (uint)port - dma.Regions[region].Base);
    }
}
