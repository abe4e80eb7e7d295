namespace Plexus.Devices;

/// <summary>A seek in progress, or ended and not yet sensed, and the present cylinder number: the controller has four.</summary>
internal sealed class SeekUnit
{
    /// <summary>Present cylinder number.</summary>
    public byte Cylinder { get; set; }

    /// <summary>The drive's busy bit: from the command until its end has been sensed.</summary>
    public bool IsBusy { get; set; }

    /// <summary>Outwards until TRK0.</summary>
    public bool IsRecalibrating { get; set; }

    /// <summary>Step pulses left.</summary>
    public int Steps { get; set; }

    /// <summary>1 inwards, -1 outwards.</summary>
    public int Direction { get; set; } = 1;

    /// <summary>Present cylinder number at the end.</summary>
    public byte Target { get; set; }

    /// <summary>The command's head select bit.</summary>
    public byte Head { get; set; }

    /// <summary>Guest time of the next step, or of the end.</summary>
    public ulong At { get; set; } = ulong.MaxValue;

    /// <summary>ST0 to be sensed; null for nothing.</summary>
    public byte? Status { get; set; }

    public void Clear()
    {
        Cylinder = Target = Head = 0;
        IsBusy = IsRecalibrating = false;
        Steps = 0;
        Direction = 1;
        At = ulong.MaxValue;
        Status = null;
    }

    public void Save(StateWriter writer)
    {
        writer.Byte(Cylinder);
        writer.Bool(IsBusy);
        writer.Bool(IsRecalibrating);
        writer.Int32(Steps);
        writer.Int32(Direction);
        writer.Byte(Target);
        writer.Byte(Head);
        writer.UInt64(At);
        writer.Bool(Status is not null);
        writer.Byte(Status ?? 0);
    }

    public void Restore(ref StateReader reader)
    {
        Cylinder = reader.Byte();
        IsBusy = reader.Bool();
        IsRecalibrating = reader.Bool();
        Steps = reader.Int32(0, byte.MaxValue);
        Direction = reader.Int32(-1, 1);
        Target = reader.Byte();
        Head = reader.Byte();
        At = reader.UInt64();
        bool hasStatus = reader.Bool();
        byte status = reader.Byte();
        Status = hasStatus ? status : null;
    }
}
