using System.Buffers.Binary;

namespace Plexus.Devices.Tests;

/// <summary>What the CD-ROM drive says of itself and of the disc.</summary>
public sealed class AtapiInformationTests : IDisposable
{
    private readonly TestDrive disc = new("cdrom", 4500 * 2048) { BlockSize = 2048, ReadOnly = true, Removable = true };
    private readonly IdeRig rig;
    private readonly PacketDriver cd;

    public AtapiInformationTests()
    {
        rig = new IdeRig("ide-isa", null, disc);
        cd = new PacketDriver(rig, 0xB0);
        cd.BecomeReady();
    }

    public void Dispose() => rig.Dispose();

    [Fact]
    public void Table_of_contents_has_one_data_track()
    {
        byte[] toc = cd.Good(0x43, 0, 0, 0, 0, 0, 0, 0, 200);
        Assert.Equal([0, 18, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0, 0, 0x14, 0xAA, 0, 0, 0, 0x11, 0x94], toc);
        toc = cd.Good(0x43, 2, 0, 0, 0, 0, 1, 0, 200);
        Assert.Equal([0, 18, 1, 1, 0, 0x14, 1, 0, 0, 0, 2, 0, 0, 0x14, 0xAA, 0, 0, 1, 2, 0], toc);
        Assert.Equal([0, 10, 1, 1, 0, 0x14, 0xAA, 0, 0, 0, 0x11, 0x94], cd.Good(0x43, 0, 0, 0, 0, 0, 0xAA, 0, 200));
        Assert.Equal([0, 18, 1, 1], cd.Good(0x43, 0, 0, 0, 0, 0, 0, 0, 4));
        Assert.Equal("5/24/00", cd.Bad(0x43, 0, 0, 0, 0, 0, 2, 0, 200));
    }

    [Fact]
    public void Other_formats_of_the_table_of_contents()
    {
        byte[] sessions = [0, 10, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0];
        Assert.Equal(sessions, cd.Good(0x43, 0, 1, 0, 0, 0, 0, 0, 200));
        Assert.Equal(sessions, cd.Good(0x43, 0, 0, 0, 0, 0, 0, 0, 200, 0x40)); // As SFF-8020i asks.
        byte[] full = cd.Good(0x43, 2, 2, 0, 0, 0, 1, 0, 200);
        Assert.Equal([0, 46, 1, 1], full[..4]);
        Assert.Equal([1, 0x14, 0, 0xA0, 0, 0, 0, 0, 1, 0, 0], full[4..15]);
        Assert.Equal([1, 0x14, 0, 0xA1, 0, 0, 0, 0, 1, 0, 0], full[15..26]);
        Assert.Equal([1, 0x14, 0, 0xA2, 0, 0, 0, 0, 1, 2, 0], full[26..37]);
        Assert.Equal([1, 0x14, 0, 1, 0, 0, 0, 0, 0, 2, 0], full[37..]);
        foreach (byte format in (byte[])[3, 4, 5])
            Assert.Equal("5/24/00", cd.Bad(0x43, 2, format, 0, 0, 0, 0, 0, 200));
    }

    [Fact]
    public void Sub_channel_tells_the_position_and_no_audio()
    {
        cd.Good(0x2B, 0, 0, 0, 0, 75);
        Assert.Equal([0, 0x15, 0, 0], cd.Good(0x42, 2, 0, 1, 0, 0, 0, 0, 50));
        Assert.Equal([0, 0x15, 0, 12, 1, 0x14, 1, 1, 0, 0, 3, 0, 0, 0, 1, 0], cd.Good(0x42, 2, 0x40, 1, 0, 0, 0, 0, 50));
        Assert.Equal([0, 0x15, 0, 12, 1, 0x14, 1, 1, 0, 0, 0, 75, 0, 0, 0, 75], cd.Good(0x42, 0, 0x40, 1, 0, 0, 0, 0, 50));
        Assert.Equal(24, cd.Good(0x42, 2, 0x40, 2, 0, 0, 0, 0, 50).Length);
        Assert.Equal(24, cd.Good(0x42, 2, 0x40, 3, 0, 0, 1, 0, 50).Length);
        Assert.Equal("5/24/00", cd.Bad(0x42, 2, 0x40, 4, 0, 0, 0, 0, 50));
        Assert.Equal([1, 0, 0, 0, 0, 0, 3, 0], cd.Good(0x44, 2, 0, 0, 0, 75, 0, 0, 8));
    }

    [Fact]
    public void Disc_and_track_information()
    {
        byte[] information = cd.Good(0x51, 0, 0, 0, 0, 0, 0, 0, 200);
        Assert.Equal([0, 32, 0x0E, 1, 1, 1, 1, 0x20, 0], information[..9]);
        Assert.Equal(34, information.Length);
        byte[] track = cd.Good(0x52, 1, 0, 0, 0, 1, 0, 0, 200);
        Assert.Equal([0, 34, 1, 1, 0, 4, 1], track[..7]);
        Assert.Equal(4500u, BinaryPrimitives.ReadUInt32BigEndian(track.AsSpan(24)));
        Assert.Equal(track, cd.Good(0x52, 0, 0, 0, 0, 99, 0, 0, 200));
        Assert.Equal("5/24/00", cd.Bad(0x52, 1, 0, 0, 0, 2, 0, 0, 200));
    }

    [Fact]
    public void Mode_pages_can_be_read_changed_and_reset()
    {
        byte[] recovery = [0, 14, 1, 0, 0, 0, 0, 0, 1, 6, 0, 5, 0, 0, 0, 0];
        Assert.Equal(recovery, cd.Good(0x5A, 0, 1, 0, 0, 0, 0, 0, 200));
        Assert.Equal([11, 1, 0, 0, 1, 6, 0, 5, 0, 0, 0, 0], cd.Good(0x1A, 0, 1, 0, 200));
        Assert.Equal([1, 6, 0xFF, 0xFF, 0, 0, 0, 0], cd.Good(0x5A, 0, 0x41, 0, 0, 0, 0, 0, 200)[8..]);
        Assert.Equal("5/39/00", cd.Bad(0x5A, 0, 0xC1, 0, 0, 0, 0, 0, 200));
        Assert.Equal("5/24/00", cd.Bad(0x5A, 0, 5, 0, 0, 0, 0, 0, 200));

        cd.Send([0x55, 0x10, 0, 0, 0, 0, 0, 0, 16], [0, 0, 0, 0, 0, 0, 0, 0, 1, 6, 0x20, 9, 0xFF, 0, 0, 0]);
        Assert.Equal(0x50, cd.Status);
        Assert.Equal([1, 6, 0x20, 9, 0, 0, 0, 0], cd.Good(0x5A, 0, 1, 0, 0, 0, 0, 0, 200)[8..]);
        Assert.Equal([1, 6, 0, 5, 0, 0, 0, 0], cd.Good(0x5A, 0, 0x81, 0, 0, 0, 0, 0, 200)[8..]);
        cd.Limit = 6;
        cd.Send([0x15, 0x10, 0, 0, 12], [0, 0, 0, 0, 1, 6, 0x21, 3, 0, 0, 0, 0]);
        Assert.Equal([6, 6], cd.Blocks);
        cd.Limit = 0xFFFE;
        Assert.Equal(0x21, cd.Good(0x1A, 0, 1, 0, 200)[6]);
        rig.Reset(cold: false);
        cd.BecomeReady();
        Assert.Equal(recovery, cd.Good(0x5A, 0, 1, 0, 0, 0, 0, 0, 200));
    }

    [Theory]
    [InlineData(new byte[] { 0, 0, 0, 0, 0, 0 }, "5/1A/00")]
    [InlineData(new byte[] { 0, 0, 0, 0, 0, 0, 0, 0, 1, 7, 0, 0 }, "5/1A/00")]
    [InlineData(new byte[] { 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 9, 9 }, "5/26/00")]
    [InlineData(new byte[] { 0, 0, 0, 0, 0, 0, 0, 0, 0x2A, 2, 9, 9 }, "5/26/00")]
    [InlineData(new byte[] { 0, 0, 0, 0, 0, 0, 0xFF, 0xFF }, "5/1A/00")]
    public void Wrong_mode_parameters_change_nothing(byte[] parameters, string wanted)
    {
        cd.Send([0x55, 0x10, 0, 0, 0, 0, 0, 0, (byte)parameters.Length], parameters);
        Assert.Equal(0x51, cd.Status);
        byte[] sense = cd.Good(3, 0, 0, 0, 18);
        Assert.Equal(wanted, $"{sense[2]:X}/{sense[12]:X2}/{sense[13]:X2}");
        Assert.Equal([1, 6, 0, 5, 0, 0, 0, 0], cd.Good(0x5A, 0, 1, 0, 0, 0, 0, 0, 200)[8..]);
    }

    [Fact]
    public void All_pages_come_together()
    {
        byte[] all = cd.Good(0x5A, 0, 0x3F, 0, 0, 0, 0, 0, 200);
        var codes = new List<int>();
        for (int at = 8; at < all.Length; at += 2 + all[at + 1])
            codes.Add(all[at]);
        Assert.Equal([0x01, 0x0E, 0x1A, 0x2A], codes);
        Assert.Equal(all.Length - 2, BinaryPrimitives.ReadUInt16BigEndian(all));
    }

    [Fact]
    public void Configuration_lists_features_and_the_profile_of_the_disc()
    {
        byte[] all = cd.Good(0x46, 0, 0, 0, 0, 0, 0, 0, 255);
        Assert.Equal(all.Length - 4, (int)BinaryPrimitives.ReadUInt32BigEndian(all));
        Assert.Equal(8, BinaryPrimitives.ReadUInt16BigEndian(all.AsSpan(6)));
        Assert.Equal([0, 1, 2, 3, 0x10, 0x1E, 0x1F, 0x100, 0x105], Features(all));
        Assert.Equal([0, 1, 2, 3, 0x10, 0x1E, 0x100, 0x105], Features(cd.Good(0x46, 1, 0, 0, 0, 0, 0, 0, 255)));
        Assert.Equal([0x1E], Features(cd.Good(0x46, 2, 0, 0x1E, 0, 0, 0, 0, 255)));
        Assert.Equal([0x1E, 0x1F, 0x100, 0x105], Features(cd.Good(0x46, 0, 0, 0x1E, 0, 0, 0, 0, 255)));
        disc.Size = 4UL << 30;
        byte[] dvd = cd.Good(0x46, 1, 0, 0x1E, 0, 0, 0, 0, 255);
        Assert.Equal(0x10, BinaryPrimitives.ReadUInt16BigEndian(dvd.AsSpan(6)));
        Assert.Equal([0x1F, 0x100, 0x105], Features(dvd));
    }

    [Fact]
    public void Dvd_structure_belongs_to_a_dvd()
    {
        Assert.Equal("5/30/02", cd.Bad(0xAD, 0, 0, 0, 0, 0, 0, 0, 0x10, 0));
        disc.Size = 4UL << 30;
        byte[] structure = cd.Good(0xAD, 0, 0, 0, 0, 0, 0, 0, 0x10, 0);
        Assert.Equal(2052, structure.Length);
        Assert.Equal(0x030000u + (2u << 20) - 1, BinaryPrimitives.ReadUInt32BigEndian(structure.AsSpan(12)));
        Assert.Equal("5/24/00", cd.Bad(0xAD, 0, 0, 0, 0, 0, 0, 4, 0x10, 0));
    }

    [Fact]
    public void Events_must_be_polled_and_only_media_events_are_known()
    {
        Assert.Equal("5/24/00", cd.Bad(0x4A, 0, 0, 0, 0x10, 0, 0, 0, 8));
        Assert.Equal([0, 2, 0x80, 0x10], cd.Good(0x4A, 1, 0, 0, 0x40, 0, 0, 0, 8));
        Assert.Equal([0, 6, 4, 0x10, 0, 2, 0, 0], cd.Good(0x4A, 1, 0, 0, 0x50, 0, 0, 0, 8));
    }

    private static int[] Features(byte[] configuration)
    {
        var codes = new List<int>();
        for (int at = 8; at < configuration.Length; at += 4 + configuration[at + 3])
            codes.Add(BinaryPrimitives.ReadUInt16BigEndian(configuration.AsSpan(at)));
        return [.. codes];
    }
}
