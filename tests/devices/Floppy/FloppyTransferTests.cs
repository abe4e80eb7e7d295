using Plexus.Messaging.Contracts.Storage;
using static Plexus.Devices.Tests.FloppyRig;

namespace Plexus.Devices.Tests;

/// <summary>Reading, writing, verifying, scanning and formatting by DMA.</summary>
public sealed class FloppyTransferTests
{
    private const int ReadData = 6, WriteData = 5, ReadDeleted = 0x0C, WriteDeleted = 9, Verify = 0x16, ScanEqual = 0x11, ScanLow = 0x19, ScanHigh = 0x1D, ReadTrack = 2;
    private const uint Buffer = 0x4000;

    public static TheoryData<DriveKind, int, int, int, int, int> Media => new()
    {
        { DriveKind.Floppy360, 160, 2, 40, 1, 8 },
        { DriveKind.Floppy360, 180, 2, 40, 1, 9 },
        { DriveKind.Floppy360, 320, 2, 40, 2, 8 },
        { DriveKind.Floppy360, 360, 2, 40, 2, 9 },
        { DriveKind.Floppy1200, 1200, 0, 80, 2, 15 },
        { DriveKind.Floppy1440, 720, 2, 80, 2, 9 },
        { DriveKind.Floppy1440, 1440, 0, 80, 2, 18 },
        { DriveKind.Floppy2880, 720, 2, 80, 2, 9 },
        { DriveKind.Floppy2880, 1440, 0, 80, 2, 18 },
        { DriveKind.Floppy2880, 2880, 3, 80, 2, 36 },
    };

    [Theory]
    [MemberData(nameof(Media))]
    public void Every_medium_reads_at_its_rate_where_its_sectors_are(DriveKind kind, int kilobytes, int rate, int cylinders, int heads, int sectors)
    {
        TestDrive disk = Disk(kilobytes);
        using FloppyRig rig = Ready(kind, rate, disk);
        int cylinder = cylinders - 1, head = heads - 1;
        rig.Seek(cylinder);
        rig.DmaToMemory(Buffer, 512);
        rig.Transfer(ReadData, cylinder, head, sectors, sectors);
        Assert.Equal([(byte)(head << 2), 0, 0, (byte)(cylinder + 1), (byte)head, 1, 2], rig.Finish());
        Assert.Equal(disk.Data[^512..], rig.Read(Buffer, 512));

        // A whole track takes a revolution, not one for each sector.
        rig.DmaToMemory(Buffer, sectors * 512);
        ulong begin = rig.Now;
        rig.Transfer(ReadData, cylinder, head, 1, sectors);
        rig.Finish();
        ulong period = kind == DriveKind.Floppy1200 ? 166_666_667u : 200_000_000u;
        Assert.InRange(rig.Now - begin, period / 2, 2 * period);
        Assert.Equal(disk.Data[^(sectors * 512)..], rig.Read(Buffer, sectors * 512));
    }

    [Fact]
    public void Medium_of_40_cylinders_takes_double_steps_in_a_drive_for_1200_KB()
    {
        TestDrive disk = Disk(360);
        using FloppyRig rig = Ready(DriveKind.Floppy1200, 1, disk);
        rig.Seek(20);
        rig.DmaToMemory(Buffer, 512);
        rig.Transfer(ReadData, 10, 1, 4, 9);
        Assert.Equal([4, 0, 0, 10, 1, 5, 2], rig.Finish());
        Assert.Equal(disk.Data.AsSpan(((21 * 9) + 3) * 512, 512).ToArray(), rig.Read(Buffer, 512));
        rig.Seek(21);
        rig.Command(0x4A, 0);
        Assert.Equal([0x40, 1, 0], rig.Finish()[..3]);
    }

    [Theory]
    [InlineData(DriveKind.Floppy1440, 1440, 2)]
    [InlineData(DriveKind.Floppy1440, 720, 0)]
    [InlineData(DriveKind.Floppy1440, 2880, 3)]
    [InlineData(DriveKind.Floppy360, 1200, 0)]
    [InlineData(DriveKind.Floppy1440, 100, 0)]
    public void No_address_mark_is_found_at_another_rate_or_on_a_medium_the_drive_does_not_know(DriveKind kind, int kilobytes, int rate)
    {
        using FloppyRig rig = Ready(kind, rate, Disk(kilobytes));
        ulong begin = rig.Now;
        rig.Transfer(ReadData, 0, 0, 1, 9);
        Assert.Equal([0x40, 1, 0, 0, 0, 1, 2], rig.Finish());
        Assert.Equal(0u, rig.Now % 200_000_000);
        Assert.InRange(rig.Now - begin, 200_000_000u, 420_000_000u);
    }

    [Fact]
    public void No_address_mark_is_found_in_FM_or_on_a_side_that_is_not_there()
    {
        using FloppyRig rig = Ready(Disk(1440));
        rig.Transfer(ReadData, 0, 0, 1, 18, flags: 0);
        Assert.Equal([0x40, 1, 0], rig.Finish()[..3]);
        using FloppyRig single = Ready(DriveKind.Floppy360, 2, Disk(180));
        single.Transfer(ReadData, 0, 1, 1, 9);
        Assert.Equal([0x44, 1, 0], single.Finish()[..3]);
    }

    [Theory]
    [InlineData(3, 0, 1, 2, 0x04, 0x10)]
    [InlineData(0xFF, 0, 1, 2, 0x04, 0x02)]
    [InlineData(0, 1, 1, 2, 0x04, 0)]
    [InlineData(0, 0, 19, 2, 0x04, 0)]
    [InlineData(0, 0, 0, 2, 0x04, 0)]
    [InlineData(0, 0, 1, 3, 0x04, 0)]
    public void Sector_that_is_not_on_the_track_is_no_data(int cylinder, int head, int sector, int size, int status1, int status2)
    {
        using FloppyRig rig = Ready(Disk(1440));
        rig.Command(0x46, 0, cylinder, head, sector, size, 18, 0x1B, 0xFF);
        Assert.Equal([0x40, (byte)status1, (byte)status2, (byte)cylinder, (byte)head, (byte)sector, (byte)size], rig.Finish());
    }

    [Fact]
    public void Without_disk_or_motor_a_command_waits_until_both_are_there()
    {
        TestDrive disk = Disk(1440);
        disk.Present = false;
        using FloppyRig rig = Ready(disk);
        rig.DmaToMemory(Buffer, 512);
        rig.Transfer(ReadData, 0, 0, 1, 18);
        rig.Run(2_000_000_000);
        Assert.Equal(0x10, rig.In(Msr));
        Assert.False(rig.Irq);
        rig.Out(Dor, 0x0C);
        disk.Present = true;
        rig.Run(2_000_000_000);
        Assert.False(rig.Irq);
        Assert.Equal(ulong.MaxValue, rig.Deadline);
        rig.Out(Dor, 0x1C);
        ulong begin = rig.Now;
        Assert.Equal(0, rig.Finish()[0]);
        Assert.True(rig.Now - begin > 250_000_000, "the motor needs its time");
        Assert.Equal(disk.Data[..512], rig.Read(Buffer, 512));
    }

    [Fact]
    public void Terminal_count_within_a_sector_ends_the_transfer_behind_it()
    {
        TestDrive disk = Disk(1440);
        using FloppyRig rig = Ready(disk);
        rig.DmaToMemory(Buffer, 700);
        rig.Transfer(ReadData, 0, 0, 17, 18);
        Assert.Equal([0, 0, 0, 1, 0, 1, 2], rig.Finish());
        Assert.Equal(disk.Data.AsSpan(16 * 512, 700).ToArray(), rig.Read(Buffer, 700));
        Assert.Equal(new byte[324], rig.Read(Buffer + 700, 324));

        rig.DmaFromMemory(Buffer, 600);
        rig.Transfer(WriteData, 0, 0, 1, 18);
        Assert.Equal([0, 0, 0, 0, 0, 3, 2], rig.Finish());
        Assert.Equal(new byte[424], disk.Data[600..1024]);
        Assert.Equal(rig.Read(Buffer, 600), disk.Data[..600]);
    }

    [Fact]
    public void Transfer_to_the_end_of_track_without_terminal_count_is_end_of_cylinder()
    {
        using FloppyRig rig = Ready(Disk(1440));
        rig.DmaToMemory(Buffer, 4096);
        rig.Transfer(ReadData, 0, 0, 17, 18);
        Assert.Equal([0x40, 0x80, 0, 1, 0, 1, 2], rig.Finish());
    }

    [Theory]
    [InlineData(0, 2, 0, 0, 1, 0, 4)]
    [InlineData(0, 18, 4, 0, 2, 1, 2)]
    [InlineData(1, 18, 0, 1, 1, 0, 1)]
    public void Multi_track_goes_on_on_the_other_side(int head, int sector, int endHead, int nextCylinder, int sectors, int nextHead, int nextSector)
    {
        TestDrive disk = Disk(1440);
        using FloppyRig rig = Ready(disk);
        int first = (head * 18) + sector - 1;
        int count = sectors == 1 && sector == 2 ? 2 : sectors;
        rig.DmaToMemory(Buffer, count * 512);
        rig.Transfer(ReadData, 0, head, sector, 18, flags: 0xC0);
        Assert.Equal([(byte)endHead, 0, 0, (byte)nextCylinder, (byte)nextHead, (byte)nextSector, 2], rig.Finish());
        Assert.Equal(disk.Data.AsSpan(first * 512, count * 512).ToArray(), rig.Read(Buffer, count * 512));
    }

    [Fact]
    public void Masked_channel_is_an_overrun()
    {
        TestDrive disk = Disk(1440);
        using FloppyRig rig = Ready(disk);
        rig.Transfer(ReadData, 0, 0, 1, 18);
        Assert.Equal([0x40, 0x10, 0, 0, 0, 1, 2], rig.Finish());
        byte[] before = [.. disk.Data];
        rig.Transfer(WriteData, 0, 0, 1, 18);
        Assert.Equal([0x40, 0x10, 0, 0, 0, 1, 2], rig.Finish());
        Assert.Equal(before, disk.Data);
    }

    [Fact]
    public void Write_stores_sectors_and_a_protected_disk_refuses()
    {
        TestDrive disk = Disk(1440);
        using FloppyRig rig = Ready(disk);
        rig.Memory.WritePhysical(Buffer, [.. Enumerable.Range(0, 1024).Select(i => (byte)(i * 7))]);
        rig.Seek(2);
        rig.DmaFromMemory(Buffer, 1024);
        rig.Transfer(WriteData, 2, 1, 5, 18);
        Assert.Equal([4, 0, 0, 2, 1, 7, 2], rig.Finish());
        Assert.Equal(rig.Read(Buffer, 1024), disk.Data.AsSpan(((5 * 18) + 4) * 512, 1024).ToArray());

        disk.ReadOnly = true;
        rig.Transfer(WriteData, 2, 1, 5, 18);
        Assert.Equal([0x44, 2, 0, 2, 1, 5, 2], rig.Finish());
        rig.Command(0x4D, 4, 2, 18, 0x54, 0xF6);
        Assert.Equal([0x44, 2, 0], rig.Finish()[..3]);
    }

    [Theory]
    [InlineData(StorageStatus.IoError)]
    [InlineData(StorageStatus.NoSpace)]
    public void Host_that_fails_is_a_data_error_or_an_equipment_check(StorageStatus status)
    {
        TestDrive disk = Disk(1440);
        using FloppyRig rig = Ready(disk);
        (disk.Bad, disk.BadStatus) = (512, status);
        rig.DmaToMemory(Buffer, 2048);
        rig.Transfer(ReadData, 0, 0, 1, 18);
        Assert.Equal([0x40, 0x20, 0x20, 0, 0, 2, 2], rig.Finish());
        rig.DmaFromMemory(Buffer, 2048);
        rig.Transfer(WriteData, 0, 0, 1, 18);
        Assert.Equal([0x50, 0, 0, 0, 0, 2, 2], rig.Finish());
    }

    [Fact]
    public void Deleted_marks_end_or_skip_a_read()
    {
        TestDrive disk = Disk(1440);
        using FloppyRig rig = Ready(disk);
        rig.DmaFromMemory(Buffer, 512);
        rig.Transfer(WriteDeleted, 0, 0, 2, 18);
        Assert.Equal([0, 0, 0, 0, 0, 3, 2], rig.Finish());

        rig.DmaToMemory(Buffer, 3 * 512);
        rig.Transfer(ReadData, 0, 0, 1, 18);
        Assert.Equal([0, 0, 0x40, 0, 0, 2, 2], rig.Finish());
        rig.DmaToMemory(Buffer, 2 * 512);
        rig.Transfer(ReadData, 0, 0, 1, 18, flags: 0x60);
        Assert.Equal([0, 0, 0x40, 0, 0, 4, 2], rig.Finish());
        Assert.Equal([.. disk.Data[..512], .. disk.Data[1024..1536]], rig.Read(Buffer, 1024));

        rig.DmaToMemory(Buffer, 512);
        rig.Transfer(ReadDeleted, 0, 0, 2, 18);
        Assert.Equal([0, 0, 0, 0, 0, 3, 2], rig.Finish());
        rig.DmaToMemory(Buffer, 1024);
        rig.Transfer(ReadDeleted, 0, 0, 1, 18);
        Assert.Equal([0, 0, 0x40, 0, 0, 1, 2], rig.Finish());
        rig.DmaToMemory(Buffer, 512);
        rig.Transfer(ReadDeleted, 0, 0, 1, 18, flags: 0x60);
        Assert.Equal([0, 0, 0x40, 0, 0, 3, 2], rig.Finish());

        rig.DmaFromMemory(Buffer, 512);
        rig.Transfer(WriteData, 0, 0, 2, 18);
        rig.Finish();
        rig.DmaToMemory(Buffer, 1024);
        rig.Transfer(ReadData, 0, 0, 1, 18);
        Assert.Equal([0, 0, 0, 0, 0, 3, 2], rig.Finish());
    }

    [Fact]
    public void Verify_moves_nothing_and_ends_at_the_end_of_track_or_after_its_count()
    {
        TestDrive disk = Disk(1440);
        using FloppyRig rig = Ready(disk);
        rig.Transfer(Verify, 0, 0, 10, 18);
        Assert.Equal([0, 0, 0, 1, 0, 1, 2], rig.Finish());
        rig.Command(Verify | 0xC0, 0x80, 0, 0, 17, 2, 18, 0x1B, 4);
        Assert.Equal([4, 0, 0, 0, 1, 3, 2], rig.Finish());
        rig.Command(Verify | 0x40, 0x80, 0, 0, 17, 2, 18, 0x1B, 4);
        Assert.Equal([0x40, 0x80, 0, 1, 0, 1, 2], rig.Finish());
        disk.Bad = 512 * 12;
        rig.Transfer(Verify, 0, 0, 10, 18);
        Assert.Equal([0x40, 0x20, 0x20, 0, 0, 13, 2], rig.Finish());
    }

    [Theory]
    [InlineData(ScanEqual, 0, 0x08)]
    [InlineData(ScanEqual, 1, 0x04)]
    [InlineData(ScanLow, 0, 0x08)]
    [InlineData(ScanLow, 1, 0x00)]
    [InlineData(ScanLow, -1, 0x04)]
    [InlineData(ScanHigh, 0, 0x08)]
    [InlineData(ScanHigh, 1, 0x04)]
    [InlineData(ScanHigh, -1, 0x00)]
    public void Scan_compares_a_sector(int code, int more, int status2)
    {
        TestDrive disk = Disk(1440);
        disk.Data.AsSpan(0, 512).Fill(0x40);
        using FloppyRig rig = Ready(disk);
        byte[] wanted = [.. Enumerable.Repeat((byte)(0x40 + more), 512)];
        wanted[100] = 0xFF;
        rig.Memory.WritePhysical(Buffer, wanted);
        rig.DmaFromMemory(Buffer, 512);
        rig.Transfer(code, 0, 0, 1, 18, dtl: 1);
        bool isMet = status2 != 4;
        Assert.Equal([0, 0, (byte)status2, 0, 0, (byte)(isMet ? 1 : 2), 2], rig.Finish());
    }

    [Fact]
    public void Scan_goes_on_in_steps_to_the_sector_that_meets_it()
    {
        TestDrive disk = Disk(1440);
        disk.Data.AsSpan(0, 9 * 512).Clear();
        disk.Data.AsSpan(3 * 512, 512).Fill(0x40);
        disk.Data.AsSpan(6 * 512, 512).Fill(0x40);
        using FloppyRig rig = Ready(disk);
        rig.Memory.WritePhysical(Buffer, [.. Enumerable.Repeat((byte)0x40, 4096)]);
        rig.DmaFromMemory(Buffer, 4096);
        rig.Transfer(ScanEqual, 0, 0, 1, 9, dtl: 2);
        Assert.Equal([0, 0, 0x08, 0, 0, 7, 2], rig.Finish());
        rig.DmaFromMemory(Buffer, 4096);
        rig.Transfer(ScanEqual, 0, 0, 8, 9, dtl: 1);
        Assert.Equal([0, 0, 0x04, 1, 0, 1, 2], rig.Finish());
    }

    [Fact]
    public void Read_ID_names_the_next_sector_to_pass()
    {
        using FloppyRig rig = Ready(Disk(1440));
        rig.Seek(3);
        rig.Run(200_000_000 - (rig.Now % 200_000_000));
        rig.Command(0x4A, 4);
        Assert.Equal([4, 0, 0, 3, 1, 1, 2], rig.Finish());
        rig.Command(0x4A, 4);
        Assert.Equal([4, 0, 0, 3, 1, 2, 2], rig.Finish());
        rig.Run(100_000_000);
        rig.Command(0x4A, 0);
        Assert.Equal([0, 0, 0, 3, 0, 12, 2], rig.Finish());
    }

    [Fact]
    public void Read_track_begins_at_the_index_and_notes_another_identity()
    {
        TestDrive disk = Disk(1440);
        using FloppyRig rig = Ready(disk);
        rig.DmaToMemory(Buffer, 18 * 512);
        rig.Transfer(ReadTrack, 0, 0, 1, 18);
        Assert.Equal([0, 0, 0], rig.Finish()[..3]);
        Assert.Equal(disk.Data[..(18 * 512)], rig.Read(Buffer, 18 * 512));

        rig.DmaToMemory(Buffer, 2 * 512);
        rig.Transfer(ReadTrack, 0, 0, 7, 2);
        Assert.Equal([0x40, 4, 0], rig.Finish()[..3]);
        Assert.Equal(disk.Data[..1024], rig.Read(Buffer, 1024));

        rig.DmaToMemory(Buffer, 32 * 512);
        rig.Transfer(ReadTrack, 0, 0, 1, 30);
        Assert.Equal([0x40, 1, 0], rig.Finish()[..3]);
    }

    [Fact]
    public void Format_fills_the_sectors_that_it_is_told_in_one_revolution()
    {
        TestDrive disk = Disk(1440);
        using FloppyRig rig = Ready(disk);
        rig.Seek(1);
        rig.Memory.WritePhysical(Buffer, [.. Enumerable.Range(1, 18).SelectMany(sector => new byte[] { 1, 1, (byte)sector, 2 })]);
        rig.DmaFromMemory(Buffer, 72);
        ulong begin = rig.Now;
        rig.Command(0x4D, 4, 2, 18, 0x6C, 0xF6);
        Assert.Equal([4, 0, 0], rig.Finish()[..3]);
        Assert.InRange(rig.Now - begin, 200_000_000u, 400_000_000u);
        Assert.Equal(0u, rig.Now % 200_000_000);
        Assert.All(disk.Data[(54 * 512)..(72 * 512)], value => Assert.Equal(0xF6, value));
        Assert.Equal((byte)53, disk.Data[53 * 512]);
        Assert.Equal((byte)72, disk.Data[72 * 512]);
    }

    [Fact]
    public void Implied_seek_goes_to_the_cylinder_first()
    {
        TestDrive disk = Disk(1440);
        using FloppyRig rig = Ready(disk);
        rig.Command(0x13, 0, 0x60, 0);
        rig.DmaToMemory(Buffer, 512);
        rig.Transfer(ReadData, 12, 0, 1, 18);
        Assert.Equal([0x20, 0, 0, 12, 0, 2, 2], rig.Finish());
        Assert.Equal(disk.Data.AsSpan(24 * 18 * 512, 512).ToArray(), rig.Read(Buffer, 512));
        Assert.Equal(12, rig.Ask(0x0E)[0]);
        rig.DmaToMemory(Buffer, 512);
        rig.Transfer(ReadData, 12, 0, 1, 18);
        Assert.Equal(0, rig.Finish()[0]);
    }

    [Fact]
    public void Duration_is_that_of_head_and_rotation()
    {
        using FloppyRig rig = Ready(Disk(1440));
        rig.Run(400_000_000 - (rig.Now % 200_000_000));
        rig.Run(1_000_000_000);
        Assert.Equal(0u, rig.Now % 200_000_000);
        rig.DmaToMemory(Buffer, 512);
        ulong begin = rig.Now;
        rig.Transfer(ReadData, 0, 0, 1, 18);
        rig.Finish();

        // 146 bytes behind the index, 60 of identity and gap, 514 of data; 16 µs each. The head is down after 2 ms, before the sector comes.
        Assert.Equal((146 + 60 + 514) * 16_000u, rig.Now - begin);
    }

    [Fact]
    public void Second_drive_has_a_medium_of_its_own()
    {
        TestDrive second = Disk(720, "floppy1");
        using FloppyRig rig = Ready(Disk(1440), second);
        rig.Out(Dor, 0x2D);
        rig.Out(Ccr, 2);
        rig.Run(300_000_000);
        rig.DmaToMemory(Buffer, 512);
        rig.Transfer(ReadData, 0, 1, 9, 9, drive: 1);
        Assert.Equal([5, 0, 0, 1, 1, 1, 2], rig.Finish());
        Assert.Equal(second.Data[(17 * 512)..(18 * 512)], rig.Read(Buffer, 512));
    }
}
