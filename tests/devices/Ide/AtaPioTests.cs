using Plexus.Messaging.Contracts.Storage;
using static Plexus.Devices.Tests.IdeRig;

namespace Plexus.Devices.Tests;

/// <summary>Disks by PIO: identification, addresses, data, errors, cache, power.</summary>
public sealed class AtaPioTests : IDisposable
{
    private const int Sectors = 4096;

    private readonly TestDrive disk = new("disk0", Sectors * 512);
    private readonly IdeRig rig;

    public AtaPioTests()
    {
        new Random(1).NextBytes(disk.Data);
        rig = new IdeRig("ide-isa", disk);
    }

    public void Dispose() => rig.Dispose();

    [Fact]
    public void Identify_tells_size_geometry_strings_and_checksum()
    {
        ushort[] words = rig.Identify();
        Assert.Equal((0x0040, 4, 16, 63), (words[0], words[1], words[3], words[6]));
        Assert.Equal((4, 16, 63), (words[54], words[55], words[56]));
        Assert.Equal(4 * 16 * 63, words[57] | (words[58] << 16));
        Assert.Equal(Sectors, words[60] | (words[61] << 16));
        Assert.Equal((Sectors, 0, 0, 0), (words[100], words[101], words[102], words[103]));
        Assert.Equal("PLEXUS HARDDISK".PadRight(40), Text(words, 27, 20));
        Assert.Equal("disk0".PadRight(20), Text(words, 10, 10));
        Assert.Equal(0x8010, words[47]);
        Assert.Equal((0x2E00, 0, 0), (words[49], words[63], words[88])); // Nobody answers DMARQ.
        Assert.Equal(0x7400, words[83]);
        Assert.Equal(0, words.Sum(word => (word & 0xFF) + (word >> 8)) & 0xFF);
        Assert.Equal(0xA5, words[255] & 0xFF);
    }

    [Theory]
    [InlineData(0x10000000UL, 0x0FFFFFFFu)]
    [InlineData(0x123456789UL, 0x0FFFFFFFu)]
    [InlineData(20_000_000UL, 20_000_000u)]
    public void Large_disks_tell_both_sizes(ulong sectors, uint small)
    {
        disk.Size = sectors * 512;
        ushort[] words = rig.Identify();
        Assert.Equal(small, words[60] | ((uint)words[61] << 16));
        Assert.Equal(sectors, words[100] | ((ulong)words[101] << 16) | ((ulong)words[102] << 32));
        Assert.Equal((16383, 16, 63), (words[1], words[3], words[6]));
        rig.CommandExt(0x27, 0, 0);
        Assert.Equal(0x50, rig.Interrupt());
        ulong last = 0;
        foreach (int high in (int[])[0x80, 0])
        {
            rig.Control(high);
            for (int i = 2; i >= 0; i--)
                last = (last << 8) | rig.Reg(Low + i);
        }

        Assert.Equal(sectors - 1, last);
        rig.Command(0xF8);
        Assert.Equal(0x50, rig.Interrupt());
        Assert.Equal(Math.Min(sectors, 0x10000000) - 1, rig.Reg(Low) | ((uint)rig.Reg(Mid) << 8) | ((uint)rig.Reg(High) << 16) | ((uint)(rig.Reg(Device) & 15) << 24));
    }

    [Fact]
    public void Read_sectors_interrupts_for_each_and_takes_time()
    {
        ulong start = rig.Now;
        rig.Command(0x20, lba: 5, count: 3);
        Assert.Equal(0xD0, rig.Alternate());
        Assert.False(rig.Irq);
        for (uint i = 0; i < 3; i++)
        {
            Assert.Equal(0x58, rig.Interrupt());
            Assert.Equal(5 + i, rig.Reg(Low));
            Assert.Equal(disk.Data[(int)((5 + i) * 512)..(int)((6 + i) * 512)], rig.ReadWords(256));
        }

        Assert.Equal((0x50, false), (rig.Alternate(), rig.Irq));
        Assert.Equal((0, 7), (rig.Reg(Count), rig.Reg(Low)));
        Assert.InRange(rig.Now - start, 20_000u + 5120u, 500_000u);
        Assert.Equal(["R 2560 1536"], disk.Log);
    }

    [Fact]
    public void Sequential_reads_need_no_seek()
    {
        ulong[] times = new ulong[2];
        for (uint i = 0; i < 2; i++)
        {
            ulong start = rig.Now;
            rig.Command(0x20, lba: 1000 + i, count: 1);
            rig.Interrupt();
            times[i] = rig.Now - start;
            rig.ReadWords(256);
        }

        Assert.Equal(20_000u + 5120u, times[1]);
        Assert.InRange(times[0], times[1] + 40_000, times[1] + 240_000);
    }

    [Fact]
    public void Write_sectors_asks_without_interrupt_and_tells_each_end()
    {
        byte[] data = Pattern(3 * 512);
        rig.Command(0x30, lba: 100, count: 3);
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(0x58, i == 0 ? rig.Wait() : rig.Interrupt());
            Assert.False(rig.Irq);
            rig.WriteWords(data.AsSpan(i * 512, 512));
            Assert.Equal(0xD0, rig.Alternate());
        }

        Assert.Equal(0x50, rig.Interrupt());
        Assert.Equal(data, disk.Data[51200..(51200 + 1536)]);
        Assert.Equal(0, disk.Flushes);
        Assert.Equal((0, 102), (rig.Reg(Count), rig.Reg(Low)));
    }

    [Fact]
    public void Data_register_takes_words_doublewords_and_bytes()
    {
        rig.Command(0x20, count: 2);
        rig.Interrupt();
        byte[] data = new byte[512];
        for (int i = 0; i < 256; i += 4)
            BitConverter.TryWriteBytes(data.AsSpan(i), rig.In(0x1F0, 4));
        for (int i = 256; i < 512; i++)
            data[i] = (byte)rig.In(0x1F0);
        Assert.Equal(disk.Data[..512], data);
        rig.Interrupt();
        Assert.Equal(disk.Data[512] | (disk.Data[513] << 8), (int)rig.In(0x1F0, 2));
    }

    [Fact]
    public void Block_accesses_leave_the_last_one_of_a_block()
    {
        var port = (IBlockPort)rig.Controller;
        rig.Command(0x20, count: 2);
        rig.Interrupt();
        byte[] data = new byte[1024];
        Assert.Equal(0, port.ReadBlock(0, 1, 2, data, rig.Now));
        Assert.Equal(0, port.ReadBlock(1, 0, 1, data, rig.Now));
        Assert.Equal(100, port.ReadBlock(0, 0, 2, data.AsSpan(0, 100), rig.Now));
        Assert.Equal(410, port.ReadBlock(0, 0, 2, data.AsSpan(100), rig.Now));
        Assert.Equal(0, port.ReadBlock(0, 0, 2, data.AsSpan(510), rig.Now));
        Assert.Equal(0x58, rig.Alternate());
        BitConverter.TryWriteBytes(data.AsSpan(510), (ushort)rig.In(0x1F0, 2));
        Assert.Equal(disk.Data[..512], data[..512]);
        Assert.Equal(0x58, rig.Interrupt());
        Assert.Equal(508, port.ReadBlock(0, 0, 4, data.AsSpan(512), rig.Now));

        rig.Control(4);
        rig.Control(0);
        rig.Wait();
        rig.Command(0x30, lba: 9, count: 1);
        rig.Wait();
        byte[] written = Pattern(512);
        Assert.Equal(508, port.WriteBlock(0, 0, 4, written, rig.Now));
        Assert.Equal(0, port.WriteBlock(0, 0, 4, written, rig.Now));
        rig.Out(0x1F0, BitConverter.ToUInt32(written, 508), 4);
        Assert.Equal(0x50, rig.Interrupt());
        Assert.Equal(written, disk.Data[(9 * 512)..(10 * 512)]);
    }

    [Fact]
    public void Registers_can_be_accessed_by_words()
    {
        rig.Out(0x1F2, 0x5512, 2);
        Assert.Equal((0x12, 0x55), (rig.Reg(Count), rig.Reg(Low)));
        Assert.Equal(0x5512u, rig.In(0x1F2, 2));
    }

    [Fact]
    public void Multiple_mode_moves_blocks()
    {
        rig.Command(0xC4, count: 8);
        Assert.Equal((0x51, 0x04), (rig.Interrupt(), rig.Reg(Error)));
        rig.Command(0xC6, count: 5);
        Assert.Equal((0x51, 0x04), (rig.Interrupt(), rig.Reg(Error)));
        rig.Command(0xC6, count: 4);
        Assert.Equal(0x50, rig.Interrupt());
        Assert.Equal(0x0104, rig.Identify()[59]);

        rig.Command(0xC4, lba: 8, count: 6);
        Assert.Equal(0x58, rig.Interrupt());
        Assert.Equal(disk.Data[4096..6144], rig.ReadWords(1024));
        Assert.Equal(0x58, rig.Interrupt());
        Assert.Equal(disk.Data[6144..7168], rig.ReadWords(512));
        Assert.Equal((0x50, false), (rig.Alternate(), rig.Irq));

        byte[] data = Pattern(6 * 512);
        rig.Command(0xC5, lba: 8, count: 6);
        Assert.Equal(0x58, rig.Wait());
        rig.WriteWords(data.AsSpan(0, 2048));
        Assert.Equal(0x58, rig.Interrupt());
        rig.WriteWords(data.AsSpan(2048));
        Assert.Equal(0x50, rig.Interrupt());
        Assert.Equal(data, disk.Data[4096..7168]);
    }

    [Fact]
    public void Count_0_is_256_sectors_or_65536()
    {
        rig.Command(0x20, count: 0);
        for (int i = 0; i < 256; i++)
        {
            Assert.Equal(0x58, rig.Interrupt());
            rig.ReadWords(256);
        }

        Assert.Equal(0x50, rig.Wait());
        Assert.Equal(255, rig.Reg(Low));

        disk.Size = 0x20000UL * 512;
        rig.Reset(cold: false);
        disk.Log.Clear();
        rig.CommandExt(0x42, 0x100, 0);
        Assert.Equal(0x50, rig.Interrupt());
        Assert.Equal(512, disk.Log.Count);
        Assert.Equal("R 33619968 65536", disk.Log[^1]);
    }

    [Fact]
    public void Cylinder_head_and_sector_follow_the_translation()
    {
        rig.Reg(Count, 32);
        rig.Reg(Device, 0xA0 | 7);
        rig.Reg(Status, 0x91);
        Assert.Equal(0x50, rig.Interrupt());
        ushort[] words = rig.Identify(device: 0xA0);
        Assert.Equal((16, 8, 32), (words[54], words[55], words[56]));

        rig.Reg(Count, 2);
        rig.Reg(Low, 32);
        rig.Reg(Mid, 3);
        rig.Reg(High, 0);
        rig.Reg(Device, 0xA0 | 7);
        rig.Reg(Status, 0x20);
        int sector = (((3 * 8) + 7) * 32) + 31;
        Assert.Equal(0x58, rig.Interrupt());
        Assert.Equal(disk.Data[(sector * 512)..((sector + 1) * 512)], rig.ReadWords(256));
        Assert.Equal(0x58, rig.Interrupt());
        Assert.Equal((1, 4, 0, 0xA0), (rig.Reg(Low), rig.Reg(Mid), rig.Reg(High), rig.Reg(Device)));
    }

    [Theory]
    [InlineData(0, 0, 0)] // No sector 0.
    [InlineData(33, 0, 0)]
    [InlineData(1, 8, 0)]
    [InlineData(1, 0, 16)]
    public void Places_outside_of_the_translation_are_not_found(int sector, int head, int cylinder)
    {
        rig.Command(0x91, device: 0xA7, count: 32);
        rig.Interrupt();
        rig.Reg(Count, 1);
        rig.Reg(Low, sector);
        rig.Reg(Mid, cylinder);
        rig.Reg(High, 0);
        rig.Reg(Device, 0xA0 | head);
        rig.Reg(Status, 0x20);
        Assert.Equal((0x51, 0x10), (rig.Interrupt(), rig.Reg(Error)));
        Assert.Equal((1, sector, cylinder), (rig.Reg(Count), rig.Reg(Low), rig.Reg(Mid)));
    }

    [Fact]
    public void Read_over_the_end_gives_what_is_there_and_names_the_first_that_is_not()
    {
        rig.Command(0x20, lba: Sectors - 2, count: 5);
        for (int i = 0; i < 2; i++)
        {
            Assert.Equal(0x58, rig.Interrupt());
            rig.ReadWords(256);
        }

        Assert.Equal((0x51, 0x10), (rig.Interrupt(), rig.Reg(Error)));
        Assert.Equal((3, 0x00, 0x10, 0), (rig.Reg(Count), rig.Reg(Low), rig.Reg(Mid), rig.Reg(High)));
    }

    [Fact]
    public void Write_over_the_end_writes_what_fits()
    {
        byte[] data = Pattern(512);
        rig.Command(0x30, lba: Sectors - 1, count: 2);
        rig.Wait();
        rig.WriteWords(data);
        Assert.Equal((0x51, 0x10), (rig.Interrupt(), rig.Reg(Error)));
        Assert.Equal(1, rig.Reg(Count));
        Assert.Equal(data, disk.Data[^512..]);
    }

    [Fact]
    public void Extended_read_reaches_beyond_28_bits()
    {
        disk.Size = 1UL << 40;
        rig.CommandExt(0x24, 0x7000_0000, 1);
        Assert.Equal(0x58, rig.Interrupt());
        rig.ReadWords(256);
        Assert.Equal("R 962072674304 512", Assert.Single(disk.Log));
        rig.CommandExt(0x24, 0x8000_0000, 0x201);
        Assert.Equal((0x51, 0x10), (rig.Interrupt(), rig.Reg(Error)));
        Assert.Equal((0x01, 0, 0, 0), (rig.Reg(Count), rig.Reg(Low), rig.Reg(Mid), rig.Reg(High)));
        rig.Control(0x80);
        Assert.Equal((0x02, 0x80, 0, 0), (rig.Reg(Count), rig.Reg(Low), rig.Reg(Mid), rig.Reg(High)));
        rig.Reg(Error, 0); // Any write to the command block shows the low bytes again.
        Assert.Equal(0x01, rig.Reg(Count));
        rig.CommandExt(0x24, 0, 1, device: 0xA0);
        Assert.Equal((0x51, 0x04), (rig.Interrupt(), rig.Reg(Error)));
    }

    [Fact]
    public void Bad_sector_is_named_after_the_good_ones_before_it()
    {
        disk.Bad = (12 * 512) + 7;
        rig.Command(0x20, lba: 10, count: 10);
        for (int i = 0; i < 2; i++)
        {
            Assert.Equal(0x58, rig.Interrupt());
            Assert.Equal(disk.Data[((10 + i) * 512)..((11 + i) * 512)], rig.ReadWords(256));
        }

        Assert.Equal((0x51, 0x40), (rig.Interrupt(), rig.Reg(Error)));
        Assert.Equal((8, 12), (rig.Reg(Count), rig.Reg(Low)));

        rig.Command(0x40, lba: 0, count: 100);
        Assert.Equal((0x51, 0x40), (rig.Interrupt(), rig.Reg(Error)));
        Assert.Equal((88, 12), (rig.Reg(Count), rig.Reg(Low)));
    }

    [Theory]
    [InlineData(StorageStatus.IoError, 0x04)]
    [InlineData(StorageStatus.NoSpace, 0x04)]
    [InlineData(StorageStatus.ReadOnly, 0x44)]
    public void Failed_write_is_an_error(StorageStatus status, byte error)
    {
        disk.Bad = 512;
        disk.BadStatus = status;
        rig.Command(0x30, count: 2);
        rig.Wait();
        rig.WriteWords(Pattern(512));
        Assert.Equal(0x58, rig.Interrupt());
        rig.WriteWords(Pattern(512));
        Assert.Equal((0x51, error), (rig.Interrupt(), rig.Reg(Error)));
    }

    [Fact]
    public void Write_cache_off_flushes_every_write_and_a_failed_flush_is_an_error()
    {
        rig.Command(0xEF, features: 0x82);
        Assert.Equal(0x50, rig.Interrupt());
        Assert.Equal(1, disk.Flushes);
        Assert.Equal(0x4048, rig.Identify()[85]);
        rig.Command(0x30, count: 1);
        rig.Wait();
        rig.WriteWords(Pattern(512));
        Assert.Equal(0x50, rig.Interrupt());
        Assert.Equal(["F", "W 0 512", "F"], disk.Log);

        disk.FlushStatus = StorageStatus.NoSpace;
        rig.Command(0x30, count: 1);
        rig.Wait();
        rig.WriteWords(Pattern(512));
        Assert.Equal((0x51, 0x04), (rig.Interrupt(), rig.Reg(Error)));
        rig.Command(0xEF, features: 0x02);
        Assert.Equal(0x50, rig.Interrupt());
        Assert.Equal(0x4068, rig.Identify()[85]);
    }

    [Theory]
    [InlineData(0xE7)]
    [InlineData(0xEA)]
    public void Flush_reaches_the_drive_and_its_failure_the_guest(int command)
    {
        rig.Command(command);
        Assert.Equal(0, disk.Flushes);
        Assert.Equal(0x50, rig.Interrupt());
        Assert.Equal(1, disk.Flushes);
        disk.FlushStatus = StorageStatus.IoError;
        rig.Command(command);
        Assert.Equal((0x51, 0x04), (rig.Interrupt(), rig.Reg(Error)));
    }

    [Fact]
    public void Power_modes_and_the_standby_timer()
    {
        Assert.Equal(0xFF, Power());
        rig.Command(0xE0);
        Assert.Equal(0x50, rig.Interrupt());
        Assert.Equal(1, disk.Flushes);
        Assert.Equal(0x00, Power());
        rig.Command(0x40, count: 1);
        Assert.Equal(0x50, rig.Interrupt());
        Assert.Equal(0xFF, Power());
        rig.Command(0xE3, count: 2); // Ten seconds.
        Assert.Equal(0x50, rig.Interrupt());
        rig.Run(9_900_000_000);
        Assert.Equal(0xFF, Power());
        rig.Run(200_000_000);
        Assert.Equal(0x00, Power());
        rig.Command(0xE1);
        Assert.Equal(0x50, rig.Interrupt());
        Assert.Equal(0xFF, Power());
        rig.Command(0xE2, count: 0);
        Assert.Equal(0x50, rig.Interrupt());
        Assert.Equal(0x00, Power());
        rig.Command(0xE6);
        Assert.Equal(0x50, rig.Interrupt());
        rig.Command(0xE5);
        rig.Run(1_000_000);
        Assert.False(rig.Irq); // Asleep.
        rig.Control(4);
        rig.Control(0);
        rig.Wait();
        Assert.Equal(0x00, Power());

        byte Power()
        {
            rig.Command(0xE5, count: 0x55);
            Assert.Equal(0x50, rig.Interrupt());
            return rig.Reg(Count);
        }
    }

    [Theory]
    [InlineData(0x00)] // NOP.
    [InlineData(0x08)] // DEVICE RESET is for packet devices.
    [InlineData(0xA0)]
    [InlineData(0xA1)]
    [InlineData(0xB0)] // SMART.
    [InlineData(0xC8)] // Nobody answers DMARQ.
    [InlineData(0xCA)]
    [InlineData(0x25)]
    [InlineData(0xF9)]
    [InlineData(0xFF)]
    public void Commands_that_are_not_there_are_aborted(int command)
    {
        rig.Command(command, count: 1, lba: 0x123456);
        Assert.Equal((0x51, 0x04), (rig.Interrupt(), rig.Reg(Error)));
        Assert.Equal((1, 0x56, 0x34, 0x12), (rig.Reg(Count), rig.Reg(Low), rig.Reg(Mid), rig.Reg(High)));
    }

    [Fact]
    public void Set_features_knows_its_subcommands()
    {
        foreach ((int feature, int count, byte status) in ((int, int, byte)[])[(0x03, 0x0C, 0x50), (0x03, 0x0D, 0x51), (0x03, 0x22, 0x51), (0x55, 0, 0x50), (0xAA, 0, 0x50), (0x05, 0x80, 0x51), (0x99, 0, 0x51)])
        {
            rig.Command(0xEF, features: feature, count: count);
            Assert.Equal(status, rig.Interrupt());
        }

        rig.Command(0xEF, features: 0x55);
        rig.Interrupt();
        Assert.Equal(0x4028, rig.Identify()[85]);
    }

    [Fact]
    public void Seek_and_recalibrate()
    {
        rig.Command(0x70, lba: Sectors - 1);
        Assert.Equal(0x50, rig.Interrupt());
        rig.Command(0x70, lba: Sectors);
        Assert.Equal((0x51, 0x10), (rig.Interrupt(), rig.Reg(Error)));
        rig.Command(0x10, lba: 0x1234);
        Assert.Equal(0x50, rig.Interrupt());
        Assert.Equal((0, 0), (rig.Reg(Mid), rig.Reg(High)));
    }

    [Fact]
    public void In_flight_commands_survive_a_restore()
    {
        rig.Command(0xC6, count: 2);
        rig.Interrupt();
        rig.Command(0xC4, lba: 20, count: 3);
        byte[] early = rig.Save();
        rig.Interrupt();
        byte[] first = rig.ReadWords(100);
        byte[] late = rig.Save();

        using var other = new IdeRig("ide-isa", new TestDrive("disk0", 0) { Data = disk.Data });
        other.Restore(early);
        other.Now = rig.Now;
        Assert.Equal(0x58, other.Interrupt());
        Assert.Equal(first, other.ReadWords(100));
        other.Restore(late);
        byte[] data = [.. first, .. other.ReadWords(512 - 100)];
        Assert.Equal(0x58, other.Interrupt());
        byte[] all = [.. data, .. other.ReadWords(256)];
        Assert.Equal(disk.Data[10240..11776], all);
    }

    private static byte[] Pattern(int length)
    {
        byte[] data = new byte[length];
        new Random(length).NextBytes(data);
        return data;
    }

    private static string Text(ushort[] words, int index, int count) =>
        string.Concat(words[index..(index + count)].Select(word => $"{(char)(word >> 8)}{(char)(word & 0xFF)}"));
}
