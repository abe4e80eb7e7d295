using System.Buffers.Binary;
using Plexus.Messaging.Contracts.Storage;
using static Plexus.Devices.Tests.IdeRig;

namespace Plexus.Devices.Tests;

/// <summary>DMA commands and the PIIX3's bus master.</summary>
public sealed class BusMasterTests : IDisposable
{
    private const int Sectors = 4096;
    private const int MasterCommand = 0xC000, MasterStatus = 0xC002, MasterPointer = 0xC004;
    private const uint Table = 0x1000;

    private readonly TestDrive disk = new("disk0", Sectors * 512);
    private readonly IdeRig rig;

    public BusMasterTests()
    {
        new Random(2).NextBytes(disk.Data);
        rig = new IdeRig("piix3-ide", disk, null, new TestDrive("disk2", 1 << 20));
    }

    public void Dispose() => rig.Dispose();

    [Fact]
    public void Identify_claims_dma_and_the_mode_that_was_chosen()
    {
        ushort[] words = rig.Identify();
        Assert.Equal((0x2F00, 0x0007, 0x003F), (words[49], words[63], words[88]));
        rig.Command(0xEF, features: 3, count: 0x22);
        Assert.Equal(0x50, rig.Interrupt());
        Assert.Equal(0x0407, rig.Identify()[63]);
        rig.Command(0xEF, features: 3, count: 0x45);
        Assert.Equal(0x50, rig.Interrupt());
        words = rig.Identify();
        Assert.Equal((0x0007, 0x203F), (words[63], words[88]));
    }

    [Fact]
    public void Read_scatters_into_the_regions_of_the_table()
    {
        Describe((0x10000, 512), (0x20002, 1022), (0x30000, 512));
        rig.Out(MasterPointer, Table, 4);
        rig.Out(MasterStatus, 0x06 | 0x20);
        rig.Out(MasterCommand, 0x08);
        rig.Command(0xC8, lba: 100, count: 4);
        rig.Out(MasterCommand, 0x09);
        Assert.Equal(0x21u, rig.In(MasterStatus));
        Describe((0x10000, 512), (0x20002, 1022), (0x30000, 514)); // Read when it is needed, not before.
        Assert.Equal(0xD0, rig.Alternate());
        Assert.Equal(0x50, rig.Interrupt());
        Assert.Equal(0x24u, rig.In(MasterStatus));
        rig.Out(MasterCommand, 0x08);
        rig.Out(MasterStatus, 0x24);
        Assert.Equal(0x20u, rig.In(MasterStatus));
        byte[] data = [.. rig.Memory.Ram.Slice(0x10000, 512), .. rig.Memory.Ram.Slice(0x20002, 1022), .. rig.Memory.Ram.Slice(0x30000, 514)];
        Assert.Equal(disk.Data[51200..53248], data);
        Assert.Equal((0, 103), (rig.Reg(Count), rig.Reg(Low)));
    }

    [Fact]
    public void Write_gathers_and_lands_on_the_drive()
    {
        new Random(3).NextBytes(rig.Memory.Ram.Slice(0x40000, 0x20000));
        byte[] wanted = rig.Memory.Ram.Slice(0x40000, 0x20000).ToArray();
        Describe((0x40000, 0), (0x50000, 0)); // 0 is 64 KiB.
        rig.Out(MasterPointer, Table, 4);
        rig.Command(0xCA, lba: 1000, count: 0);
        rig.Out(MasterCommand, 0x01);
        Assert.Equal(0x50, rig.Interrupt());
        Assert.Equal(0x04u, rig.In(MasterStatus));
        Assert.Equal(wanted, disk.Data[512000..(512000 + 0x20000)]);
        Assert.Equal(["W 512000 65536", "W 577536 65536"], disk.Log);
    }

    [Fact]
    public void Write_cache_off_flushes_after_dma_too()
    {
        rig.Command(0xEF, features: 0x82);
        rig.Interrupt();
        disk.Log.Clear();
        Describe((0x40000, 1024));
        Start(0xCA, 0x01, count: 2);
        Assert.Equal(0x50, rig.Interrupt());
        Assert.Equal(["W 0 1024", "F"], disk.Log);
        Start(0xCA, 0x01, count: 2);
        disk.FlushStatus = StorageStatus.NoSpace;
        Assert.Equal((0x51, 0x04), (rig.Interrupt(), rig.Reg(Error)));
    }

    [Fact]
    public void Table_longer_than_the_transfer_leaves_active_set()
    {
        Describe((0x10000, 4096));
        Start(0xC8, 0x09, count: 1);
        Assert.Equal(0x50, rig.Interrupt());
        Assert.Equal(0x05u, rig.In(MasterStatus));
        rig.Out(MasterCommand, 0x08);
        Assert.Equal(0x04u, rig.In(MasterStatus));
    }

    [Fact]
    public void Table_shorter_than_the_transfer_leaves_the_drive_waiting_and_another_goes_on()
    {
        Describe((0x10000, 1000));
        Start(0xC8, 0x09, lba: 7, count: 3);
        rig.Run(10_000_000);
        Assert.Equal((0x58, false), (rig.Alternate(), rig.Irq));
        Assert.Equal(0x00u, rig.In(MasterStatus));
        Describe((0x20000, 536));
        rig.Out(MasterCommand, 0x08);
        rig.Out(MasterCommand, 0x09);
        rig.Run(10_000);
        Assert.Equal(0x50, rig.Interrupt());
        Assert.Equal(0x04u, rig.In(MasterStatus));
        byte[] data = [.. rig.Memory.Ram.Slice(0x10000, 1000), .. rig.Memory.Ram.Slice(0x20000, 536)];
        Assert.Equal(disk.Data[3584..5120], data);
    }

    [Fact]
    public void Drive_waits_for_a_master_that_is_not_running_or_runs_the_other_way()
    {
        Describe((0x10000, 512));
        rig.Out(MasterPointer, Table, 4);
        rig.Command(0xC8, count: 1);
        rig.Run(10_000_000);
        Assert.Equal((0x58, false), (rig.Alternate(), rig.Irq));
        rig.Out(MasterCommand, 0x01);
        rig.Run(10_000_000);
        Assert.Equal((0x58, 0x01u), (rig.Alternate(), rig.In(MasterStatus)));
        rig.Out(MasterCommand, 0x08);
        rig.Out(MasterCommand, 0x09);
        rig.Run(10_000);
        Assert.Equal(0x50, rig.Interrupt());
    }

    [Fact]
    public void Without_bus_mastering_nothing_moves_until_it_is_allowed()
    {
        rig.Config(0x04, 1, 2);
        Describe((0x10000, 512));
        Start(0xC8, 0x09, count: 1);
        rig.Run(10_000_000);
        Assert.Equal((0x58, 0x01u), (rig.Alternate(), rig.In(MasterStatus)));
        Assert.Equal(0, rig.Memory.Ram[0x10000]);
        rig.Config(0x04, 5, 2);
        rig.Run(10_000);
        Assert.Equal(0x50, rig.Interrupt());
        Assert.Equal(disk.Data[..512], rig.Memory.Ram.Slice(0x10000, 512).ToArray());
    }

    [Theory]
    [InlineData(0xFFF0_0000u, 0x10000u, 0xC8, 0x09)] // No table there.
    [InlineData(Table, 0xE000_0000u, 0xC8, 0x09)]
    [InlineData(Table, 0x000F_FE00u, 0xC8, 0x09)] // The last 512 bytes of memory, and on.
    [InlineData(Table, 0xE000_0000u, 0xCA, 0x01)]
    [InlineData(Table, 0x000F_FE00u, 0xCA, 0x01)]
    public void Addresses_without_memory_are_an_error_of_the_master(uint table, uint address, int command, uint start)
    {
        Describe((address, 1024));
        Start(command, start, table: table, count: 2);
        rig.Run(10_000_000);
        Assert.Equal(0x02u, rig.In(MasterStatus));
        Assert.False(rig.Irq);
        Assert.Equal(0x2280u, rig.Config(6, 2));
        rig.Config(6, 0x2000, 2);
        Assert.Equal(0x0280u, rig.Config(6, 2));
        Assert.DoesNotContain(disk.Log, line => line[0] == 'W');
        rig.Control(4);
        rig.Control(0);
        Assert.Equal(0x50, rig.Wait());
    }

    [Fact]
    public void Read_over_the_end_moves_what_is_there()
    {
        Describe((0x10000, 2048));
        Start(0xC8, 0x09, lba: Sectors - 1, count: 4);
        Assert.Equal((0x51, 0x10), (rig.Interrupt(), rig.Reg(Error)));
        Assert.Equal((3, 0, 0x10, 0), (rig.Reg(Count), rig.Reg(Low), rig.Reg(Mid), rig.Reg(High)));
        Assert.Equal(disk.Data[^512..], rig.Memory.Ram.Slice(0x10000, 512).ToArray());
        Assert.Equal(0x05u, rig.In(MasterStatus));
    }

    [Fact]
    public void Extended_transfer_goes_piece_by_piece_at_the_rate_of_the_medium()
    {
        disk.Size = 1UL << 41;
        for (uint i = 0; i < 128; i++)
            Descriptor(i, 0x20000, 0, i == 127);
        rig.Out(MasterPointer, Table, 4);
        rig.CommandExt(0x25, 0x8000_0000, 0x4000);
        rig.Out(MasterCommand, 0x09);
        ulong start = rig.Now;
        Assert.Equal(0x50, rig.Interrupt());
        Assert.Equal(128, disk.Log.Count);
        Assert.InRange(rig.Now - start, 0x4000u * 5120, (0x4000u * 5120) + 300_000);
    }

    [Fact]
    public void Pointer_is_of_doublewords_and_status_bits_clear_by_ones()
    {
        rig.Out(MasterPointer, 0x12345677, 4);
        Assert.Equal(0x12345674u, rig.In(MasterPointer, 4));
        rig.Out(MasterCommand, 0xF6);
        Assert.Equal(0x00u, rig.In(MasterCommand));
        rig.Out(MasterStatus, 0xE0);
        Assert.Equal(0x60u, rig.In(MasterStatus));
        rig.Out(MasterStatus + 8, 0x20);
        Assert.Equal((0x60u, 0x20u), (rig.In(MasterStatus), rig.In(MasterStatus + 8)));
        rig.Command(0xE5);
        rig.Interrupt();
        Assert.Equal(0x64u, rig.In(MasterStatus)); // Any rise of INTRQ.
        rig.Reset(cold: false);
        rig.Config(0x20, 0xC000, 4);
        rig.Config(0x04, 1, 2);
        Assert.Equal((0u, 0u, 0u), (rig.In(MasterStatus), rig.In(MasterPointer, 4), rig.In(MasterCommand)));
    }

    [Fact]
    public void Channels_work_side_by_side()
    {
        Describe((0x10000, 512));
        Start(0xC8, 0x09, count: 1);
        rig.Base = 0x170;
        rig.Command(0x20, count: 1);
        Assert.Equal(0x58, rig.Interrupt());
        rig.ReadWords(256);
        Assert.Equal(4u, rig.In(MasterStatus + 8));
        rig.Base = 0x1F0;
        Assert.Equal(0x50, rig.Interrupt());
    }

    [Fact]
    public void Transfer_in_flight_survives_a_restore()
    {
        Describe((0x10000, 1000));
        Start(0xC8, 0x09, lba: 7, count: 3);
        byte[] early = rig.Save();
        rig.Run(10_000_000);
        byte[] late = rig.Save();
        using var other = new IdeRig("piix3-ide", new TestDrive("disk0", 0) { Data = disk.Data }, null, new TestDrive("disk2", 1 << 20));
        rig.Memory.Ram.CopyTo(other.Memory.Ram);
        other.Restore(early);
        other.Run(20_000_000);
        Assert.Equal(late, other.Save());
        Assert.Equal(0x58, other.Alternate());
    }

    private void Start(int command, uint start, uint table = Table, int count = 1, uint lba = 0)
    {
        rig.Out(MasterPointer, table, 4);
        rig.Out(MasterCommand, start & 8);
        rig.Out(MasterStatus, 6);
        rig.Command(command, count: count, lba: lba);
        rig.Out(MasterCommand, start);
    }

    private void Describe(params (uint Address, uint Bytes)[] regions)
    {
        for (int i = 0; i < regions.Length; i++)
            Descriptor((uint)i, regions[i].Address, regions[i].Bytes, i == regions.Length - 1);
    }

    private void Descriptor(uint index, uint address, uint bytes, bool isLast)
    {
        Span<byte> entry = stackalloc byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(entry, address);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[4..], (bytes & 0xFFFF) | (isLast ? 1u << 31 : 0));
        rig.Memory.WritePhysical(Table + (8 * index), entry);
    }
}
