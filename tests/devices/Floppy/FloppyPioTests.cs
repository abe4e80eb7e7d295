using static Plexus.Devices.Tests.FloppyRig;

namespace Plexus.Devices.Tests;

/// <summary>Transfers without DMA: by request, by interrupt, with and without the FIFO.</summary>
public sealed class FloppyPioTests
{
    private const int ReadData = 6, WriteData = 5, ScanEqual = 0x11;

    [Theory]
    [InlineData(0x20)]
    [InlineData(0x00)]
    [InlineData(0x07)]
    [InlineData(0x0F)]
    public void Sectors_are_read_by_request(int configuration)
    {
        TestDrive disk = Disk(1440);
        using FloppyRig rig = Begin(disk, configuration);
        rig.Transfer(ReadData, 0, 0, 17, 18);
        byte[] data = Read(rig, 1024);
        Assert.Equal(disk.Data[(16 * 512)..(18 * 512)], data);
        Assert.Equal([0x40, 0x80, 0, 1, 0, 1, 2], rig.Finish());
    }

    [Theory]
    [InlineData(0x20)]
    [InlineData(0x00)]
    [InlineData(0x07)]
    [InlineData(0x0F)]
    public void Sectors_are_written_by_request(int configuration)
    {
        TestDrive disk = Disk(1440);
        using FloppyRig rig = Begin(disk, configuration);
        byte[] data = [.. Enumerable.Range(0, 1024).Select(i => (byte)(i * 11))];
        rig.Transfer(WriteData, 0, 0, 1, 2);
        Write(rig, data);
        Assert.Equal([0x40, 0x80, 0, 1, 0, 1, 2], rig.Finish());
        Assert.Equal(data, disk.Data[..1024]);
    }

    [Theory]
    [InlineData(0x20, 1)]
    [InlineData(0x00, 15)]
    [InlineData(0x07, 8)]
    [InlineData(0x0F, 1)]
    public void Request_and_interrupt_come_at_the_threshold_and_go_when_the_FIFO_is_empty(int configuration, int bytes)
    {
        using FloppyRig rig = Begin(Disk(1440), configuration);
        rig.Transfer(ReadData, 0, 0, 1, 18);
        rig.WaitForInterrupt();
        for (int i = 0; i < bytes; i++)
        {
            Assert.Equal(0xF0, rig.In(Msr));
            Assert.True(rig.Irq);
            rig.In(Fifo);
        }

        Assert.Equal(0x70, rig.In(Msr));
        Assert.False(rig.Irq);
        ulong begin = rig.Now;
        rig.WaitForInterrupt();
        Assert.Equal((ulong)bytes * 16_000, rig.Now - begin);
    }

    [Fact]
    public void Reader_that_is_late_overruns()
    {
        using FloppyRig rig = Begin(Disk(1440), 0x20);
        rig.Transfer(ReadData, 0, 0, 1, 18);
        rig.WaitForInterrupt();
        rig.In(Fifo);
        rig.WaitForInterrupt();
        rig.Run(15_999);
        Assert.Equal(0xF0, rig.In(Msr));
        rig.Run(1);
        Assert.Equal([0x40, 0x10, 0, 0, 0, 1, 2], rig.Finish());

        rig.Command(0x13, 0, 0x07, 0);
        rig.Transfer(ReadData, 0, 0, 1, 18);
        rig.WaitForInterrupt();
        rig.Run((8 * 16_000) + 15_999);
        Assert.Equal(0xF0, rig.In(Msr));
        rig.Run(1);
        Assert.Equal([0x40, 0x10, 0, 0, 0, 1, 2], rig.Finish());
    }

    [Fact]
    public void Writer_that_is_late_underruns_and_leaves_the_sector_alone()
    {
        TestDrive disk = Disk(1440);
        byte[] before = [.. disk.Data];
        using FloppyRig rig = Begin(disk, 0x07);
        rig.Transfer(WriteData, 0, 0, 1, 18);
        rig.WaitForInterrupt();
        for (int i = 0; i < 16; i++)
        {
            Assert.Equal(0xB0, rig.In(Msr));
            rig.Out(Fifo, 0);
        }

        Assert.Equal(0x30, rig.In(Msr));
        while (rig.In(Msr) != 0xD0)
            rig.Run(16_000);
        Assert.Equal([0x40, 0x10, 0, 0, 0, 1, 2], rig.Finish());
        Assert.Equal(before, disk.Data);
    }

    [Fact]
    public void Scan_and_format_take_their_bytes_by_request()
    {
        TestDrive disk = Disk(1440);
        using FloppyRig rig = Begin(disk, 0x07);
        rig.Transfer(ScanEqual, 0, 0, 3, 18, dtl: 1);
        Write(rig, disk.Data[1024..1536]);
        Assert.Equal([0, 0, 0x08, 0, 0, 3, 2], rig.Finish());

        rig.Command(0x4D, 0, 2, 18, 0x6C, 0xE5);
        Write(rig, [.. Enumerable.Range(1, 18).SelectMany(sector => new byte[] { 0, 0, (byte)sector, 2 })]);
        Assert.Equal([0, 0, 0], rig.Finish()[..3]);
        Assert.All(disk.Data[..(18 * 512)], value => Assert.Equal(0xE5, value));
    }

    [Fact]
    public void Data_register_without_a_request_is_zero_and_takes_nothing()
    {
        using FloppyRig rig = Begin(Disk(1440), 0x07);
        rig.Transfer(ReadData, 0, 0, 1, 18);
        Assert.Equal(0, rig.In(Fifo));
        rig.Out(Fifo, 0x55);
        Assert.Equal(512, Read(rig, 512).Length);
    }

    private static FloppyRig Begin(TestDrive disk, int configuration)
    {
        FloppyRig rig = Ready(disk);
        rig.Command(0x13, 0, configuration, 0);
        rig.Command(3, 0xDF, 0x03);
        return rig;
    }

    private static byte[] Read(FloppyRig rig, int bytes)
    {
        byte[] data = new byte[bytes];
        for (int i = 0; i < bytes; i++)
        {
            Await(rig);
            Assert.Equal(0xF0, rig.In(Msr));
            data[i] = rig.In(Fifo);
        }

        return data;
    }

    private static void Write(FloppyRig rig, byte[] data)
    {
        foreach (byte value in data)
        {
            Await(rig);
            Assert.Equal(0xB0, rig.In(Msr));
            rig.Out(Fifo, value);
        }
    }

    private static void Await(FloppyRig rig)
    {
        while ((rig.In(Msr) & 0x80) == 0)
            rig.Now = rig.Deadline;
    }
}
