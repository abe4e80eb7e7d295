namespace Plexus.Devices;

/// <summary>
/// What is on a medium in a certain drive, and when it passes under the head: MFM tracks in IBM's System 34 format, sectors of 512 bytes in order from 1, the first one behind the index.
/// </summary>
/// <param name="Cylinders">Cylinders of the medium.</param>
/// <param name="Heads">Sides.</param>
/// <param name="Sectors">Sectors of a track.</param>
/// <param name="Rate">Data rate at which this drive reads it, as in the two low bits of CCR.</param>
/// <param name="Period">A revolution in nanoseconds.</param>
/// <param name="Gap3">Bytes between two sectors.</param>
/// <param name="Stretch">Steps of the drive from one cylinder of the medium to the next.</param>
internal readonly record struct FloppyFormat(int Cylinders, int Heads, int Sectors, int Rate, ulong Period, int Gap3, int Stretch)
{
    /// <summary>Bytes of a sector; its code in an ID field.</summary>
    public const int SectorBytes = 512, SizeCode = 2;

    /// <summary>Data rates as CCR and DSR have them, in kilobits a second.</summary>
    public const int Rate500 = 0, Rate300 = 1, Rate250 = 2, Rate1000 = 3;

    /// <summary>The most sectors of any medium.</summary>
    public const int MostSectors = 80 * 2 * 36;

    /// <summary>A revolution at 300 and at 360 rpm, in nanoseconds.</summary>
    public const ulong Period300 = 200_000_000, Period360 = 166_666_667;

    /// <summary>Gap 4a, sync, index mark and gap 1.</summary>
    private const int Preamble = 80 + 12 + 4 + 50;

    private const int Sync = 12, Mark = 4, Identity = 4, Crc = 2;

    /// <summary>From the start of a sector to that of its data, without gap 2.</summary>
    private const int BeforeData = Sync + Mark + Identity + Crc + Sync + Mark;

    /// <summary>Gap 2: 41 bytes at the perpendicular format's rate.</summary>
    private int Gap2 => Rate == Rate1000 ? 41 : 22;

    /// <summary>Nanoseconds a byte takes.</summary>
    public ulong ByteTime => ByteTimeOf(Rate);

    /// <summary>Nanoseconds from the start of a data field until its check bytes have passed.</summary>
    public ulong FieldTime => (SectorBytes + Crc) * ByteTime;

    /// <summary>Nanoseconds a byte takes at a data rate.</summary>
    public static ulong ByteTimeOf(int rate) => rate switch
    {
        Rate500 => 16_000,
        Rate300 => 26_667,
        Rate250 => 32_000,
        _ => 8_000,
    };

    /// <summary>What a medium of a size is in a drive; null where the drive finds nothing on it.</summary>
    public static FloppyFormat? Of(DriveKind drive, ulong bytes) => (drive, bytes >> 10, bytes & 1023) switch
    {
        (_, _, not 0) => null,
        (DriveKind.Floppy360, 160, _) => new(40, 1, 8, Rate250, Period300, 80, 1),
        (DriveKind.Floppy360, 180, _) => new(40, 1, 9, Rate250, Period300, 80, 1),
        (DriveKind.Floppy360, 320, _) => new(40, 2, 8, Rate250, Period300, 80, 1),
        (DriveKind.Floppy360, 360, _) => new(40, 2, 9, Rate250, Period300, 80, 1),
        (DriveKind.Floppy1200, 160, _) => new(40, 1, 8, Rate300, Period360, 80, 2),
        (DriveKind.Floppy1200, 180, _) => new(40, 1, 9, Rate300, Period360, 80, 2),
        (DriveKind.Floppy1200, 320, _) => new(40, 2, 8, Rate300, Period360, 80, 2),
        (DriveKind.Floppy1200, 360, _) => new(40, 2, 9, Rate300, Period360, 80, 2),
        (DriveKind.Floppy1200, 1200, _) => new(80, 2, 15, Rate500, Period360, 84, 1),
        (DriveKind.Floppy1440 or DriveKind.Floppy2880, 720, _) => new(80, 2, 9, Rate250, Period300, 80, 1),
        (DriveKind.Floppy1440 or DriveKind.Floppy2880, 1440, _) => new(80, 2, 18, Rate500, Period300, 108, 1),
        (DriveKind.Floppy2880, 2880, _) => new(80, 2, 36, Rate1000, Period300, 83, 1),
        _ => null,
    };

    /// <summary>Number of a sector on the medium, from 0.</summary>
    public int Number(int cylinder, int head, int index) => (((cylinder * Heads) + head) * Sectors) + index;

    /// <summary>The next moment, at or after another, at which a sector begins to pass.</summary>
    /// <param name="index">The sector's place behind the index, from 0.</param>
    /// <param name="now">Guest time in nanoseconds.</param>
    public ulong NextSector(int index, ulong now)
    {
        ulong within = (ulong)(Preamble + (index * (BeforeData + Gap2 + SectorBytes + Crc + Gap3))) * ByteTime;
        ulong at = now - (now % Period) + within;
        return at < now ? at + Period : at;
    }

    /// <summary>From the start of a sector until its ID field has passed.</summary>
    public ulong IdentityTime => (Sync + Mark + Identity + Crc) * ByteTime;

    /// <summary>From the start of a sector to its data.</summary>
    public ulong DataTime => (ulong)(BeforeData + Gap2) * ByteTime;

    /// <summary>The first ID field that begins at or after a moment.</summary>
    /// <param name="now">Guest time in nanoseconds.</param>
    /// <param name="at">When its sector begins.</param>
    /// <returns>Its place behind the index.</returns>
    public int FirstSector(ulong now, out ulong at)
    {
        int first = 0;
        at = ulong.MaxValue;
        for (int i = 0; i < Sectors; i++)
        {
            ulong begin = NextSector(i, now);
            if (begin >= at)
                continue;
            at = begin;
            first = i;
        }

        return first;
    }
}
