namespace Plexus.Devices;

/// <summary>Registers and bits of the ATA command and control blocks (ATA/ATAPI-6, clause 7).</summary>
internal static class AtaRegisters
{
    // Command block.
    public const int Data = 0, Error = 1, Features = 1, SectorCount = 2, LbaLow = 3, LbaMid = 4, LbaHigh = 5, Device = 6, Status = 7, Command = 7;

    // Status.
    public const byte Busy = 0x80, Ready = 0x40, Fault = 0x20, SeekComplete = 0x10, DataRequest = 0x08, Failed = 0x01;

    /// <summary>Status of a drive that has nothing to do.</summary>
    public const byte Idle = Ready | SeekComplete;

    // Error.
    public const byte Uncorrectable = 0x40, WriteProtected = 0x40, IdNotFound = 0x10, Aborted = 0x04;

    /// <summary>Diagnostic code in the error register: passed.</summary>
    public const byte Passed = 0x01;

    // Device.
    public const byte UseLba = 0x40, SecondDrive = 0x10, HeadMask = 0x0F;

    // Device control.
    public const byte HighOrderByte = 0x80, SoftwareReset = 0x04, InterruptsOff = 0x02;

    /// <summary>Interrupt reason of packet commands, in the sector count register.</summary>
    public const byte CommandOrData = 0x01, ToHost = 0x02;

    /// <summary>What nobody drives.</summary>
    public const byte Floating = 0xFF;
}
