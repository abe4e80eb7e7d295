using System.Buffers.Binary;
using System.Text;
using static Plexus.Devices.Tests.IdeRig;

namespace Plexus.Devices.Tests;

/// <summary>The CD-ROM drive: protocol, medium, data.</summary>
public sealed class AtapiTests : IDisposable
{
    private const int Sectors = 600;

    private readonly TestDrive disc = new("cdrom", Sectors * 2048) { BlockSize = 2048, ReadOnly = true, Removable = true };
    private readonly IdeRig rig;
    private readonly PacketDriver cd;

    public AtapiTests()
    {
        new Random(4).NextBytes(disc.Data);
        rig = new IdeRig("piix3-ide", disc);
        cd = new PacketDriver(rig);
    }

    public void Dispose() => rig.Dispose();

    [Fact]
    public void Signature_tells_a_packet_device_and_disk_commands_are_aborted_with_it()
    {
        Assert.Equal((0x00, 1, 1, 0x14, 0xEB), (rig.Alternate(), rig.Reg(Count), rig.Reg(Low), rig.Reg(Mid), rig.Reg(High)));
        foreach (int command in (int[])[0xEC, 0x20])
        {
            rig.Command(command, count: 9, lba: 0x123456);
            Assert.Equal((0x51, 0x04), (rig.Interrupt(), rig.Reg(Error)));
            Assert.Equal((1, 1, 0x14, 0xEB), (rig.Reg(Count), rig.Reg(Low), rig.Reg(Mid), rig.Reg(High)));
        }

        rig.Command(0xC8);
        Assert.Equal((0x51, 0x04), (rig.Interrupt(), rig.Reg(Error)));
    }

    [Fact]
    public void Identify_packet_device_says_what_it_is()
    {
        ushort[] words = rig.Identify(0xA1, 0xA0);
        Assert.Equal(0x85C0, words[0]);
        Assert.Equal((0x0F00, 0x0007, 0x003F), (words[49], words[63], words[88]));
        Assert.Equal(0, words.Sum(word => (word & 0xFF) + (word >> 8)) & 0xFF);
        rig.Command(0xEF, device: 0xA0, features: 3, count: 0x42);
        Assert.Equal(0x50, rig.Interrupt());
        Assert.Equal(0x043F, rig.Identify(0xA1, 0xA0)[88]);
    }

    [Fact]
    public void Device_reset_works_while_busy_and_keeps_the_selection()
    {
        cd.BecomeReady();
        cd.Begin([0x28, 0, 0, 0, 0, 5, 0, 0, 4], 0);
        Assert.Equal(0xD0, rig.Alternate());
        rig.Reg(Status, 0x08);
        Assert.Equal(0x00, rig.Wait());
        Assert.False(rig.Irq);
        Assert.Equal((1, 1, 1, 0x14, 0xEB), (rig.Reg(Error), rig.Reg(Count), rig.Reg(Low), rig.Reg(Mid), rig.Reg(High)));
        Assert.Equal("6/29/00", cd.Bad(0));
    }

    [Fact]
    public void Reset_and_medium_change_are_unit_attentions_told_once()
    {
        byte[] inquiry = cd.Good(0x12, 0, 0, 0, 36); // Not held up by it.
        Assert.Equal((0x05, 0x80, 36), (inquiry[0], inquiry[1], inquiry.Length));
        Assert.Equal("PLEXUS  CD-ROM          1.0 ", Encoding.ASCII.GetString(inquiry, 8, 28));
        Assert.Equal("6/29/00", cd.Bad(0));
        cd.Good(0);
        disc.ChangeCount++;
        Assert.Equal("6/28/00", cd.Bad(0x25));
        cd.Good(0x25);
        disc.ChangeCount++;
        byte[] sense = cd.Good(3, 0, 0, 0, 18);
        Assert.Equal((6, 0x28), (sense[2], sense[12]));
        cd.Good(0);
        Assert.Equal(0, cd.Good(3, 0, 0, 0, 18)[2]);
    }

    [Fact]
    public void Empty_drive_is_not_ready()
    {
        disc.Present = false;
        cd.Send([0]);
        foreach (byte operation in (byte[])[0x00, 0x25, 0x28, 0x43, 0x42, 0x51, 0x52, 0xAD, 0xBE, 0x2B])
            Assert.Equal("2/3A/01", cd.Bad(operation));
        Assert.Equal(0x70, cd.Good(0x5A, 0, 0x2A, 0, 0, 0, 0, 0, 64)[2]);
        Assert.Equal(0, BinaryPrimitives.ReadUInt16BigEndian(cd.Good(0x46, 0, 0, 0, 0, 0, 0, 0, 200).AsSpan(6)));
        disc.Present = true;
        disc.ChangeCount++;
        Assert.Equal("6/28/00", cd.Bad(0));
        cd.Good(0);
    }

    [Fact]
    public void Eject_takes_the_medium_out_unless_it_is_locked()
    {
        cd.BecomeReady();
        cd.Good(0x1E, 0, 0, 0, 1);
        Assert.Equal("5/53/02", cd.Bad(0x1B, 0, 0, 0, 2));
        Assert.Equal(0x2B, cd.Good(0x5A, 0, 0x2A, 0, 0, 0, 0, 0, 64)[14]);
        Assert.DoesNotContain("E", disc.Log);
        cd.Good(0x1E, 0, 0, 0, 0);
        cd.Good(0x4A, 1, 0, 0, 0x10, 0, 0, 0, 8);
        cd.Good(0x1B, 0, 0, 0, 2);
        Assert.Contains("E", disc.Log);
        Assert.Equal("2/3A/02", cd.Bad(0));
        Assert.Equal([0, 6, 4, 0x10, 3, 1, 0, 0], cd.Good(0x4A, 1, 0, 0, 0x10, 0, 0, 0, 8));
        Assert.Equal([0, 6, 4, 0x10, 0, 1, 0, 0], cd.Good(0x4A, 1, 0, 0, 0x10, 0, 0, 0, 8));
        Assert.Equal(0x10, cd.Good(0xBD, 0, 0, 0, 0, 0, 0, 0, 0, 8)[1]);
        cd.Good(0x1B, 0, 0, 0, 3);
        Assert.Equal("2/3A/01", cd.Bad(0));
        disc.Present = true;
        disc.ChangeCount++;
        Assert.Equal([0, 6, 4, 0x10, 2, 2, 0, 0], cd.Good(0x4A, 1, 0, 0, 0x10, 0, 0, 0, 8));
        Assert.Equal("6/28/00", cd.Bad(0));
        cd.Good(0);
        disc.Removable = false;
        Assert.Equal("4/53/00", cd.Bad(0x1B, 0, 0, 0, 2));
    }

    [Theory]
    [InlineData(0xFFFE, new[] { 8192 })]
    [InlineData(0xFFFF, new[] { 8192 })]
    [InlineData(5000, new[] { 4096, 4096 })]
    [InlineData(2048, new[] { 2048, 2048, 2048, 2048 })]
    [InlineData(4097, new[] { 4096, 4096 })]
    [InlineData(8192, new[] { 8192 })]
    public void Read_moves_blocks_within_the_limit(int limit, int[] blocks)
    {
        cd.BecomeReady();
        cd.Limit = limit;
        Assert.Equal(disc.Data[(100 * 2048)..(104 * 2048)], cd.Good(0x28, 0, 0, 0, 0, 100, 0, 0, 4));
        Assert.Equal(blocks, cd.Blocks);
        Assert.Equal("R 204800 8192", disc.Log[^1]);
    }

    [Fact]
    public void Small_limit_gives_small_blocks()
    {
        cd.BecomeReady();
        cd.Limit = 1000;
        Assert.Equal(disc.Data[..4096], cd.Good(0xA8, 0, 0, 0, 0, 0, 0, 0, 0, 2));
        Assert.Equal([1000, 1000, 1000, 1000, 96], cd.Blocks);
        cd.Limit = 0;
        Assert.Empty(cd.Send([0x28, 0, 0, 0, 0, 0, 0, 0, 1]));
        Assert.Equal((0x51, 0x04), (cd.Status, rig.Reg(Error)));
        cd.Good(0); // Nothing to move, nothing to limit.
        cd.Limit = 7;
        byte[] sense = cd.Good(3, 0, 0, 0, 17);
        Assert.Equal(17, sense.Length);
        Assert.Equal([6, 6, 5], cd.Blocks);
    }

    [Fact]
    public void Long_read_comes_in_pieces_and_takes_time()
    {
        cd.BecomeReady();
        cd.Limit = 6 * 2048;
        int before = disc.Log.Count;
        ulong start = rig.Now;
        Assert.Equal(disc.Data, cd.Good(0x28, 0, 0, 0, 0, 0, 0, Sectors >> 8, Sectors & 0xFF));
        Assert.Equal("R 0 61440", disc.Log[before]);
        Assert.Equal(20, disc.Log.Count - before);
        Assert.InRange(rig.Now - start, Sectors * 20480u, (Sectors * 20480u) + 400_000);
    }

    [Fact]
    public void Read_beyond_the_end_is_out_of_range()
    {
        cd.BecomeReady();
        Assert.Equal("5/21/00", cd.Bad(0x28, 0, 0, 0, Sectors >> 8, Sectors & 0xFF, 0, 0, 1));
        Assert.Equal("5/21/00", cd.Bad(0x28, 0, 0, 0, 0, 1, 0, Sectors >> 8, Sectors & 0xFF));
        Assert.Equal("5/21/00", cd.Bad(0xA8, 0, 0, 0, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF));
        Assert.Equal("5/21/00", cd.Bad(0x2B, 0, 0, 0, Sectors >> 8, Sectors & 0xFF));
        Assert.Empty(cd.Good(0x28));
        Assert.Empty(cd.Good(0x2B, 0, 0, 0, 1, 0));
    }

    [Fact]
    public void Bad_sector_is_a_medium_error_with_its_address()
    {
        cd.BecomeReady();
        disc.Bad = (12 * 2048) + 1;
        byte[] data = cd.Send([0x28, 0, 0, 0, 0, 10, 0, 0, 5]);
        Assert.Equal(disc.Data[(10 * 2048)..(12 * 2048)], data);
        Assert.Equal((0x51, 0x30), (cd.Status, rig.Reg(Error)));
        byte[] sense = cd.Good(3, 0, 0, 0, 18);
        Assert.Equal((0xF0, 3, 0x11, 12u), (sense[0], sense[2], sense[12], BinaryPrimitives.ReadUInt32BigEndian(sense.AsSpan(3))));
        Assert.Equal(0, cd.Good(3, 0, 0, 0, 18)[2]);
    }

    [Fact]
    public void Image_that_ends_within_a_sector_reads_zeros_behind_its_end()
    {
        disc.Data = disc.Data[..(10_000)];
        cd.BecomeReady();
        byte[] capacity = cd.Good(0x25);
        Assert.Equal((4u, 2048u), (BinaryPrimitives.ReadUInt32BigEndian(capacity), BinaryPrimitives.ReadUInt32BigEndian(capacity.AsSpan(4))));
        byte[] data = cd.Good(0x28, 0, 0, 0, 0, 3, 0, 0, 2);
        Assert.Equal(disc.Data[6144..], data[..3856]);
        Assert.All(data[3856..], value => Assert.Equal(0, value));
    }

    [Fact]
    public void Dma_moves_a_read_and_ends_with_an_interrupt()
    {
        cd.BecomeReady();
        Span<byte> table = rig.Memory.Ram.Slice(0x1000, 16);
        BinaryPrimitives.WriteUInt32LittleEndian(table, 0x20000);
        BinaryPrimitives.WriteUInt32LittleEndian(table[8..], 0x30000);
        BinaryPrimitives.WriteUInt32LittleEndian(table[12..], 0x8000_1000);
        rig.Out(0xC004, 0x1000, 4);
        rig.Out(0xC002, 6);
        cd.Begin([0x28, 0, 0, 0, 0, 200, 0, 0, 34], features: 1);
        rig.Out(0xC000, 9);
        Assert.Equal(0x50, rig.Interrupt());
        Assert.Equal((3, 4u), (rig.Reg(Count) & 3, rig.In(0xC002)));
        Assert.Equal(disc.Data[(200 * 2048)..(232 * 2048)], rig.Memory.Ram.Slice(0x20000, 65536).ToArray());
        Assert.Equal(disc.Data[(232 * 2048)..(234 * 2048)], rig.Memory.Ram.Slice(0x30000, 4096).ToArray());
    }

    [Fact]
    public void Dma_is_aborted_where_nobody_answers_dmarq()
    {
        using var isa = new IdeRig("ide-isa", disc);
        isa.Command(0xA0, device: 0xA0, features: 1);
        Assert.Equal((0x51, 0x04), (isa.Interrupt(), isa.Reg(Error)));
        isa.Command(0xA0, device: 0xA0, features: 2); // Overlapped.
        Assert.Equal((0x51, 0x04), (isa.Interrupt(), isa.Reg(Error)));
    }

    [Fact]
    public void Raw_read_makes_whole_sectors_with_valid_codes()
    {
        cd.BecomeReady();
        byte[] sector = cd.Good(0xBE, 0, 0, 0, 0, 75, 0, 0, 1, 0xF8);
        Assert.Equal(2352, sector.Length);
        Assert.Equal([0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0x00, 0x03, 0x00, 1], sector[..16]);
        Assert.Equal(disc.Data[(75 * 2048)..(76 * 2048)], sector[16..2064]);

        // The detection code of a whole block, its own bytes included, leaves no rest.
        uint rest = 0;
        foreach (byte value in sector[..2068])
        {
            rest ^= value;
            for (int bit = 0; bit < 8; bit++)
                rest = (rest >> 1) ^ ((rest & 1) != 0 ? 0xD8018001u : 0);
        }

        Assert.Equal(0u, rest);
        for (int column = 0; column < 86; column++)
            AssertWord(sector, Enumerable.Range(0, 26).Select(i => (column + (86 * i)) % 2340));
        for (int diagonal = 0; diagonal < 52; diagonal++)
        {
            int first = (diagonal / 2 * 86) + (diagonal % 2);
            IEnumerable<int> places = Enumerable.Range(0, 43).Select(i => (first + (88 * i)) % 2236);
            AssertWord(sector, places.Append(2236 + diagonal).Append(2288 + diagonal));
        }
    }

    [Fact]
    public void Raw_read_gives_the_parts_asked_for()
    {
        cd.BecomeReady();
        Assert.Equal(disc.Data[2048..6144], cd.Good(0xBE, 0, 0, 0, 0, 1, 0, 0, 2, 0x10));
        Assert.Equal(16 + 2048, cd.Good(0xBE, 0, 0, 0, 0, 1, 0, 0, 1, 0xB0).Length);
        Assert.Equal(2048 + 288, cd.Good(0xBE, 0x08, 0, 0, 0, 1, 0, 0, 1, 0x18).Length);
        Assert.Empty(cd.Good(0xBE, 0, 0, 0, 0, 1, 0, 0, 1, 0x00));
        Assert.Equal(disc.Data[2048..4096], cd.Good(0xB9, 0, 0, 0, 2, 1, 0, 2, 2, 0x10));
        Assert.Equal("5/64/00", cd.Bad(0xBE, 0x04, 0, 0, 0, 1, 0, 0, 1, 0x10)); // There is no audio track.
        Assert.Equal("5/24/00", cd.Bad(0xBE, 0, 0, 0, 0, 1, 0, 0, 1, 0x10, 1));
        Assert.Equal("5/24/00", cd.Bad(0xB9, 0, 0, 0, 2, 1, 0, 2, 0, 0x10));
        Assert.Equal("5/21/00", cd.Bad(0xB9, 0, 0, 0, 0, 1, 0, 2, 0, 0x10));
    }

    [Fact]
    public void Unknown_operation_is_illegal_and_sense_is_forgotten_by_the_next_command()
    {
        cd.BecomeReady();
        Assert.Equal("5/20/00", cd.Bad(0xF0));
        cd.Send([0xF0]);
        Assert.Equal((0x51, 0x54), (cd.Status, rig.Reg(Error)));
        cd.Good(0);
        Assert.Equal(0, cd.Good(3, 0, 0, 0, 18)[2]);
    }

    [Fact]
    public void Command_in_flight_survives_a_restore()
    {
        cd.BecomeReady();
        cd.Limit = 2048;
        cd.Begin([0x28, 0, 0, 0, 0, 50, 0, 0, 3], 0);
        rig.Interrupt();
        byte[] data = rig.ReadWords(600);
        byte[] state = rig.Save();
        using var other = new IdeRig("piix3-ide", disc) { Now = rig.Now };
        other.Restore(state);
        data = [.. data, .. other.ReadWords(424)];
        for (int i = 0; i < 2; i++)
        {
            Assert.Equal(0x58, other.Interrupt());
            data = [.. data, .. other.ReadWords(1024)];
        }

        Assert.Equal((0x50, 3), (other.Interrupt(), other.Reg(Count)));
        Assert.Equal(disc.Data[(50 * 2048)..(53 * 2048)], data);
    }

    /// <summary>A code word of the Reed-Solomon code: its sum is zero, and so is that of its bytes times the falling powers of the field's generator.</summary>
    private static void AssertWord(byte[] sector, IEnumerable<int> places)
    {
        int sum = 0;
        int weighted = 0;
        foreach (int place in places)
        {
            int value = sector[12 + place];
            sum ^= value;
            weighted = ((weighted << 1) ^ ((weighted & 0x80) != 0 ? 0x11D : 0)) ^ value;
        }

        Assert.Equal((0, 0), (sum, weighted));
    }
}
