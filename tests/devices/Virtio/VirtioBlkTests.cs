using System.Buffers.Binary;
using System.Text;
using Plexus.Messaging.Contracts.Storage;
using static Plexus.Devices.Tests.VirtioRig;

namespace Plexus.Devices.Tests;

/// <summary>Requests of the block device, and their errors.</summary>
public sealed class VirtioBlkTests : IDisposable
{
    private const int Sectors = 4096;

    private readonly TestDrive disk = new("disk0", Sectors * 512);
    private readonly VirtioRig rig;

    public VirtioBlkTests()
    {
        new Random(5).NextBytes(disk.Data);
        rig = new VirtioRig(disk);
        rig.StartModern(Version1 | FlushFeature | CacheFeature | (1 << 13) | (1 << 14) | IndirectDescriptors);
    }

    public void Dispose() => rig.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Read_and_write_move_sectors(bool isModern)
    {
        if (!isModern)
            rig.StartLegacy();
        Assert.Equal(Ok, rig.Request(In, 100, -2048));
        Assert.Equal(disk.Data[51200..53248], rig.Memory.Ram.Slice((int)Data, 2048).ToArray());
        new Random(6).NextBytes(rig.Memory.Ram.Slice((int)Data, 0x20000));
        Assert.Equal(Ok, rig.Request(Out, 200, 0x20000));
        Assert.Equal(rig.Memory.Ram.Slice((int)Data, 0x20000).ToArray(), disk.Data[102400..(102400 + 0x20000)]);
        Assert.Equal(["R 51200 2048", "W 102400 65536", "W 167936 65536"], disk.Log);
    }

    [Fact]
    public void Buffers_may_be_cut_anywhere()
    {
        rig.Memory.Ram[(int)Data + 0x2FFF + 512] = 0xEE;
        rig.Send(In, 7, (Header, 5), (Header + 5, 0), (Header + 5, 11), (Data + 3, -100), (Data + 0x1000, -412), (Data + 0x2FFF, -513));
        byte[] read = [.. rig.Memory.Ram.Slice((int)Data + 3, 100), .. rig.Memory.Ram.Slice((int)Data + 0x1000, 412), .. rig.Memory.Ram.Slice((int)Data + 0x2FFF, 512)];
        Assert.Equal(disk.Data[3584..4608], read);
        Assert.Equal((0xEE, Ok), (rig.Memory.Ram[(int)StatusByte], rig.Memory.Ram[(int)Data + 0x2FFF + 512])); // The status is the very last byte.
        rig.WriteHeader(Out, 9);
        rig.Memory.Ram.Slice((int)Header, 16).CopyTo(rig.Memory.Ram[((int)Data - 16)..]);
        Assert.Equal(Ok, rig.Send(Out, 9, (Data - 16, 528), (StatusByte, -1)));
        Assert.Equal(rig.Memory.Ram.Slice((int)Data, 512).ToArray(), disk.Data[4608..5120]);
    }

    [Fact]
    public void Written_length_is_what_was_written()
    {
        Assert.Equal(1025, Written(In, 0, -1024));
        Assert.Equal(1, Written(Out, 0, 1024));
        Assert.Equal(1, Written(Flush, 0, 0));
        Assert.Equal(21, Written(GetId, 0, -20));
        Assert.Equal(20, Written(GetId, 0, -64)); // The identity ends before the status.
        Assert.Equal(0, Written(In, Sectors, -1024));
        disk.Bad = 0x10000;
        Assert.Equal(0x10000, Written(In, 0, -0x11000));
    }

    [Theory]
    [InlineData(In, Sectors, -512)]
    [InlineData(In, Sectors - 1, -1024)]
    [InlineData(In, 0, -511)]
    [InlineData(Out, Sectors, 512)]
    [InlineData(Out, Sectors - 1, 1024)]
    [InlineData(Out, 0, 513)]
    public void Sectors_beyond_the_medium_and_parts_of_sectors_are_errors(uint type, ulong sector, int length)
    {
        Assert.Equal(IoError, rig.Request(type, sector, length));
        Assert.Equal(IoError, rig.Request(type, ulong.MaxValue, length));
        Assert.Equal(IoError, rig.Request(type, ulong.MaxValue / 512, length));
        Assert.Empty(disk.Log);
        Assert.Equal(Ok, rig.Request(In, Sectors - 1, -512));
    }

    [Theory]
    [InlineData(StorageStatus.NoSpace)]
    [InlineData(StorageStatus.IoError)]
    public void Failures_of_the_host_are_errors_and_the_device_goes_on(StorageStatus status)
    {
        (disk.Bad, disk.BadStatus, disk.FlushStatus) = (512, status, status);
        Assert.Equal(IoError, rig.Request(Out, 0, 2048));
        Assert.Equal(IoError, rig.Request(In, 1, -512));
        Assert.Equal(IoError, rig.Request(Flush, 0, 0));
        Assert.Equal(IoError, Zero(Discard, (0, 8, 0)));
        Assert.Equal(Ok, rig.Request(In, 2, -512));
        disk.Present = false;
        Assert.Equal(IoError, rig.Request(In, 2, -512));
    }

    [Fact]
    public void Read_only_medium_is_told_and_kept()
    {
        disk.ReadOnly = true;
        Assert.Equal(0u, (uint)rig.Offered() & (1 << 5)); // Read once, at the reset.
        rig.Reset(cold: true);
        Attach();
        Assert.Equal(1u << 5, (uint)rig.Offered() & (1 << 5));
        rig.StartModern(Version1 | FlushFeature | (1 << 5) | (1 << 13) | (1 << 14));
        Assert.Equal(IoError, rig.Request(Out, 0, 512));
        Assert.Equal(IoError, Zero(Discard, (0, 8, 0)));
        Assert.Equal(IoError, Zero(WriteZeroes, (0, 8, 0)));
        Assert.Equal(Ok, rig.Request(In, 0, -512));
        Assert.Equal(["R 0 512"], disk.Log);
    }

    [Theory]
    [InlineData(2u)] // SCSI commands of the legacy interface.
    [InlineData(3u)]
    [InlineData(5u)]
    [InlineData(0xFFFF_FFFFu)]
    public void Unknown_requests_are_unsupported(uint type) => Assert.Equal(Unsupported, rig.Request(type, 0, -512));

    [Fact]
    public void Requests_that_were_not_negotiated_are_unsupported()
    {
        rig.StartModern(Version1);
        Assert.Equal(Unsupported, rig.Request(Flush, 0, 0));
        Assert.Equal(Unsupported, Zero(Discard, (0, 8, 0)));
        Assert.Equal(Unsupported, Zero(WriteZeroes, (0, 8, 0)));
        Assert.Empty(disk.Log);
    }

    [Fact]
    public void Identity_is_the_drives_name()
    {
        rig.Memory.Ram.Slice((int)Data, 20).Fill(0xFF);
        Assert.Equal(Ok, rig.Request(GetId, 0, -20));
        Assert.Equal("disk0" + new string('\0', 15), Encoding.ASCII.GetString(rig.Memory.Ram.Slice((int)Data, 20)));
    }

    [Fact]
    public void Discard_and_write_zeroes_clear_their_ranges()
    {
        Assert.Equal(Ok, Zero(Discard, (8, 8, 0), (100, 1, 0)));
        Assert.Equal(Ok, Zero(WriteZeroes, (200, 2, 1), (300, 3, 0), (400, 0, 0)));
        Assert.Equal(["Z 4096 4096", "Z 51200 512", "Z 102400 1024", "Z 153600 1536"], disk.Log);
    }

    [Theory]
    [InlineData(Discard, 0, 8, 1u, Unsupported)]
    [InlineData(Discard, 0, 8, 2u, Unsupported)]
    [InlineData(WriteZeroes, 0, 8, 3u, Unsupported)]
    [InlineData(Discard, Sectors, 1, 0u, IoError)]
    [InlineData(WriteZeroes, Sectors - 1, 2, 0u, IoError)]
    [InlineData(WriteZeroes, -1, 2, 0u, IoError)]
    [InlineData(WriteZeroes, 0, -1, 0u, IoError)]
    public void Wrong_ranges_clear_nothing_not_even_those_before_them(uint type, int sector, int count, uint flags, byte status)
    {
        Assert.Equal(status, Zero(type, (0, 1, 0), ((ulong)sector, (uint)count, flags)));
        Assert.Empty(disk.Log);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(15)]
    [InlineData(17)]
    [InlineData(17 * 16)]
    public void Ranges_of_a_wrong_size_are_errors(int bytes)
    {
        rig.Memory.Ram.Slice((int)Data, 1024).Clear();
        Assert.Equal(IoError, rig.Request(Discard, 0, bytes));
        Assert.Empty(disk.Log);
    }

    [Fact]
    public void Flush_reaches_the_drive_and_without_it_every_write_is_flushed()
    {
        Assert.Equal(Ok, rig.Request(Out, 0, 512));
        Assert.Equal(Ok, rig.Request(Flush, 0, 0));
        Assert.Equal(["W 0 512", "F"], disk.Log);
        disk.Log.Clear();
        rig.StartModern(Version1 | (1 << 13));
        Assert.Equal(0u, rig.Modern(ModernConfiguration + 32, 1));
        Assert.Equal(Ok, rig.Request(Out, 0, 512));
        Assert.Equal(Ok, Zero(Discard, (1, 1, 0)));
        Assert.Equal(["W 0 512", "F", "Z 512 512", "F"], disk.Log);
        disk.FlushStatus = StorageStatus.NoSpace;
        Assert.Equal(IoError, rig.Request(Out, 0, 512));
    }

    [Fact]
    public void Cache_mode_is_the_drivers_when_negotiated()
    {
        Assert.Equal(1u, rig.Modern(ModernConfiguration + 32, 1));
        rig.Modern(ModernConfiguration + 32, 0, 1);
        Assert.Equal(0u, rig.Modern(ModernConfiguration + 32, 1));
        Assert.Equal(Ok, rig.Request(Out, 0, 512));
        Assert.Equal(["W 0 512", "F"], disk.Log);
        rig.StartModern(Version1 | FlushFeature);
        Assert.Equal(1u, rig.Modern(ModernConfiguration + 32, 1));
        rig.Modern(ModernConfiguration + 32, 0, 1);
        Assert.Equal(1u, rig.Modern(ModernConfiguration + 32, 1));
        rig.StartModern(Version1 | CacheFeature); // Nobody could flush.
        rig.Modern(ModernConfiguration + 32, 1, 1);
        Assert.Equal(0u, rig.Modern(ModernConfiguration + 32, 1));
    }

    [Fact]
    public void Requests_take_the_drives_time_one_after_the_other()
    {
        rig.WriteHeader(In, 0);
        rig.WriteHeader(In, 128, Header + 16);
        rig.Offer(rig.Chain((Header, 16), (Data, -65536), (StatusByte, -1)));
        rig.Offer(rig.Chain((Header + 16, 16), (Data + 65536, -65536), (StatusByte + 1, -1)));
        rig.Now = 1_000_000;
        rig.Notify();
        Assert.Equal(1_000_000ul + 20_000 + 655_360, rig.Deadline);
        rig.Run(675_359);
        Assert.Equal((0, 0), (rig.UsedIndex, disk.Log.Count));
        rig.Run(1);
        Assert.Equal((1, true), (rig.UsedIndex, rig.Interrupt));
        Assert.Equal(1_675_360ul + 20_000 + 655_360, rig.Deadline); // The heads are there already.
        rig.Run(1_000_000_000);
        Assert.Equal((2, ulong.MaxValue), (rig.UsedIndex, rig.Deadline));
        Assert.Equal(disk.Data[..131072], rig.Memory.Ram.Slice((int)Data, 131072).ToArray());
    }

    [Fact]
    public void Configuration_describes_the_drive()
    {
        byte[] configuration = new byte[60];
        for (int i = 0; i < 60; i += 4)
            BinaryPrimitives.WriteUInt32LittleEndian(configuration.AsSpan(i), rig.Modern(ModernConfiguration + i, 4));
        Assert.Equal((ulong)Sectors, BinaryPrimitives.ReadUInt64LittleEndian(configuration));
        Assert.Equal(126u, BinaryPrimitives.ReadUInt32LittleEndian(configuration.AsSpan(12)));
        Assert.Equal((4, 16, 63), (BinaryPrimitives.ReadUInt16LittleEndian(configuration.AsSpan(16)), configuration[18], configuration[19]));
        Assert.Equal(512u, BinaryPrimitives.ReadUInt32LittleEndian(configuration.AsSpan(20)));
        Assert.Equal((1, 0, 1), (configuration[32], configuration[34], configuration[56]));
        for (int i = 0; i < 60; i++)
            Assert.Equal(configuration[i], rig.Legacy(Configuration + i, 1));
    }

    [Fact]
    public void Without_a_drive_there_is_an_empty_medium()
    {
        using var empty = new VirtioRig();
        empty.StartModern();
        Assert.Equal(0u, empty.Modern(ModernConfiguration, 4));
        Assert.Equal(IoError, empty.Request(In, 0, -512));
        Assert.Equal(IoError, empty.Request(Flush, 0, 0));
    }

    private void Attach()
    {
        rig.Config(0x10, 0xC000, 4);
        rig.Config(0x20, 0xE000_0000, 4);
        rig.Config(0x04, 7, 2);
    }

    private int Written(uint type, ulong sector, int length)
    {
        rig.WriteHeader(type, sector);
        rig.Offer(length == 0 ? rig.Chain((Header, 16), (StatusByte, -1)) : rig.Chain((Header, 16), (Data, length), (StatusByte, -1)));
        rig.Notify();
        return rig.Wait().Written;
    }

    private byte Zero(uint type, params (ulong Sector, uint Count, uint Flags)[] ranges)
    {
        Span<byte> bytes = rig.Memory.Ram[(int)Data..];
        for (int i = 0; i < ranges.Length; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes[(16 * i)..], ranges[i].Sector);
            BinaryPrimitives.WriteUInt32LittleEndian(bytes[((16 * i) + 8)..], ranges[i].Count);
            BinaryPrimitives.WriteUInt32LittleEndian(bytes[((16 * i) + 12)..], ranges[i].Flags);
        }

        return rig.Request(type, 0, 16 * ranges.Length);
    }
}
