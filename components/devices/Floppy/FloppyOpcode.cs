namespace Plexus.Devices;

/// <summary>The commands of the 82077AA (datasheet, section 5), by their code without the option bits.</summary>
internal enum FloppyOpcode
{
    /// <summary>READ TRACK.</summary>
    ReadTrack = 0x02,

    /// <summary>SPECIFY.</summary>
    Specify = 0x03,

    /// <summary>SENSE DRIVE STATUS.</summary>
    SenseDrive = 0x04,

    /// <summary>WRITE DATA.</summary>
    WriteData = 0x05,

    /// <summary>READ DATA.</summary>
    ReadData = 0x06,

    /// <summary>RECALIBRATE.</summary>
    Recalibrate = 0x07,

    /// <summary>SENSE INTERRUPT STATUS.</summary>
    SenseInterrupt = 0x08,

    /// <summary>WRITE DELETED DATA.</summary>
    WriteDeleted = 0x09,

    /// <summary>READ ID.</summary>
    ReadId = 0x0A,

    /// <summary>READ DELETED DATA.</summary>
    ReadDeleted = 0x0C,

    /// <summary>FORMAT TRACK.</summary>
    FormatTrack = 0x0D,

    /// <summary>DUMPREG.</summary>
    DumpRegisters = 0x0E,

    /// <summary>SEEK.</summary>
    Seek = 0x0F,

    /// <summary>VERSION.</summary>
    Version = 0x10,

    /// <summary>SCAN EQUAL.</summary>
    ScanEqual = 0x11,

    /// <summary>PERPENDICULAR MODE.</summary>
    Perpendicular = 0x12,

    /// <summary>CONFIGURE.</summary>
    Configure = 0x13,

    /// <summary>LOCK.</summary>
    Lock = 0x14,

    /// <summary>VERIFY.</summary>
    Verify = 0x16,

    /// <summary>SCAN LOW OR EQUAL.</summary>
    ScanLow = 0x19,

    /// <summary>SCAN HIGH OR EQUAL.</summary>
    ScanHigh = 0x1D,

    /// <summary>RELATIVE SEEK: SEEK with bit 7.</summary>
    RelativeSeek = 0x8F,

    /// <summary>Anything else.</summary>
    Invalid = 0xFF,
}
