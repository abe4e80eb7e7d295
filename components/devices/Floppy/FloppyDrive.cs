using Plexus.Messaging.Contracts.Storage;

namespace Plexus.Devices;

/// <summary>A floppy drive: its motor, the place of its heads, the disk-change line, and the medium in it.</summary>
internal sealed class FloppyDrive
{
    /// <summary>From motor on until the speed is right.</summary>
    private const ulong SpinUp = 250_000_000;

    /// <summary>How long an index pulse is.</summary>
    private const ulong IndexPulse = 2_000_000;

    private const int Cylinders40 = 42, Cylinders80 = 84;

    // Glue.
    private readonly DriveLink link;
    private readonly DriveKind kind;

    // Book-keeping.
    private BlockGeometry medium;
    private FloppyFormat? format;
    private ulong formatBytes;

    // Volatile state.
    private readonly byte[] deleted = new byte[(FloppyFormat.MostSectors + 7) / 8];
    private ulong fullSpeedAt;
    private uint changeCount;
    private bool isUnflushed;

    /// <summary>Makes a drive with its heads on cylinder 0.</summary>
    public FloppyDrive(DriveLink link, DriveKind kind)
    {
        this.link = link;
        this.kind = kind is DriveKind.Floppy360 or DriveKind.Floppy1200 or DriveKind.Floppy2880 ? kind : DriveKind.Floppy1440;
    }

    /// <summary>The drive on the fabric.</summary>
    public DriveLink Link => link;

    /// <summary>Where the heads are, in steps from the outermost track.</summary>
    public int Cylinder { get; private set; }

    /// <summary>TRK0.</summary>
    public bool IsAtTrack0 => Cylinder == 0;

    /// <summary>The motor's line.</summary>
    public bool IsMotorOn { get; private set; }

    /// <summary>A revolution in nanoseconds.</summary>
    public ulong Period => kind == DriveKind.Floppy1200 ? FloppyFormat.Period360 : FloppyFormat.Period300;

    /// <summary>DSKCHG as it was when the medium was looked at last.</summary>
    public bool HasChanged { get; private set; } = true;

    /// <summary>WP: of an empty drive, too. As it was when the medium was looked at last.</summary>
    public bool IsWriteProtected => !medium.Present || medium.ReadOnly;

    /// <summary>The furthest that the heads go.</summary>
    private int LastCylinder => (kind == DriveKind.Floppy360 ? Cylinders40 : Cylinders80) - 1;

    /// <summary>Asks what is in the drive. A medium that was put in or taken out raises the disk-change line.</summary>
    public void Look()
    {
        medium = link.Describe();
        if (medium.ChangeCount != changeCount)
        {
            changeCount = medium.ChangeCount;
            HasChanged = true;
            Array.Clear(deleted);
        }

        HasChanged |= !medium.Present;
        if (medium.Bytes == formatBytes)
            return;
        formatBytes = medium.Bytes;
        format = FloppyFormat.Of(kind, medium.Bytes);
    }

    /// <summary>Index pulses come: there is a medium, and it turns at its speed.</summary>
    public bool IsSpinning(ulong now)
    {
        if (!IsMotorOn || now < fullSpeedAt)
            return false;
        Look();
        return medium.Present;
    }

    /// <summary>When it is worth asking again whether it spins; never without the motor.</summary>
    public ulong NextIndex(ulong now) => !IsMotorOn ? ulong.MaxValue : now < fullSpeedAt ? fullSpeedAt : DriveTiming.After(now - (now % Period), Period);

    /// <summary>INDX now.</summary>
    public bool IsAtIndex(ulong now) => IsSpinning(now) && now % Period < IndexPulse;

    /// <summary>What the head reads where it is; null where it finds no marks.</summary>
    /// <param name="head">Side.</param>
    /// <param name="rate">Data rate.</param>
    /// <param name="cylinder">Cylinder that the ID fields there have.</param>
    public FloppyFormat? Track(int head, int rate, out int cylinder)
    {
        cylinder = 0;
        if (format is not { } found || found.Rate != rate || head >= found.Heads || Cylinder % found.Stretch != 0)
            return null;
        cylinder = Cylinder / found.Stretch;
        return cylinder < found.Cylinders ? found : null;
    }

    /// <summary>Switches the motor. What was written is put on stable storage when it goes off.</summary>
    public void SetMotor(bool on, ulong now)
    {
        if (on == IsMotorOn)
            return;
        IsMotorOn = on;
        fullSpeedAt = on ? DriveTiming.After(now, SpinUp) : 0;
        if (on || !isUnflushed)
            return;
        isUnflushed = false;
        link.Flush();
    }

    /// <summary>A step pulse. With a medium in, it lowers the disk-change line.</summary>
    public void Step(int direction)
    {
        Cylinder = Math.Clamp(Cylinder + direction, 0, LastCylinder);
        Look();
        HasChanged = !medium.Present;
    }

    /// <summary>Reads a sector by its number.</summary>
    public StorageStatus Read(int sector, Span<byte> destination) => link.Read((ulong)sector * FloppyFormat.SectorBytes, destination);

    /// <summary>Writes a sector by its number.</summary>
    /// <param name="sector">Number on the medium, from 0.</param>
    /// <param name="data">Its contents.</param>
    /// <param name="isDeleted">With a deleted data address mark. An image has no room for them; they last as long as the medium is in.</param>
    public StorageStatus Write(int sector, ReadOnlyMemory<byte> data, bool isDeleted)
    {
        StorageStatus status = link.Write((ulong)sector * FloppyFormat.SectorBytes, data);
        if (status != StorageStatus.Ok)
            return status;
        isUnflushed = true;
        byte bit = (byte)(1 << (sector & 7));
        deleted[sector >> 3] = (byte)(isDeleted ? deleted[sector >> 3] | bit : deleted[sector >> 3] & ~bit);
        return StorageStatus.Ok;
    }

    /// <summary>A sector has a deleted data address mark.</summary>
    public bool IsDeleted(int sector) => (deleted[sector >> 3] >> (sector & 7) & 1) != 0;

    /// <summary>The power comes on. The medium and its marks are not the drive's.</summary>
    public void PowerOn()
    {
        Cylinder = 0;
        IsMotorOn = false;
        HasChanged = true;
        fullSpeedAt = 0;
        changeCount = 0;
        isUnflushed = false;
        medium = default;
        format = null;
        formatBytes = 0;
        Array.Clear(deleted);
    }

    public void Save(StateWriter writer)
    {
        writer.Bytes(deleted);
        writer.Int32(Cylinder);
        writer.Bool(IsMotorOn);
        writer.Bool(HasChanged);
        writer.UInt64(fullSpeedAt);
        writer.Int32(unchecked((int)changeCount));
        writer.Bool(isUnflushed);
        writer.Bool(medium.Present);
        writer.Bool(medium.ReadOnly);
    }

    public void Restore(ref StateReader reader)
    {
        reader.Fill(deleted, "The marks of a floppy disk are not all there.");
        Cylinder = reader.Int32(0, LastCylinder);
        IsMotorOn = reader.Bool();
        HasChanged = reader.Bool();
        fullSpeedAt = reader.UInt64();
        changeCount = unchecked((uint)reader.Int32());
        isUnflushed = reader.Bool();
        bool isPresent = reader.Bool();
        medium = link.Describe();
        formatBytes = medium.Bytes;
        format = FloppyFormat.Of(kind, formatBytes);
        medium = medium with { Present = isPresent, ReadOnly = reader.Bool() };
    }
}
