namespace Plexus.Devices;

/// <summary>Registers and status bits of the 82077AA (datasheet 290166, sections 2 and 5).</summary>
internal static class FloppyRegisters
{
    /// <summary>Offsets from the base: status A and B (PS/2 mode), digital output, tape drive, main status or data rate select, FIFO; digital input or configuration control.</summary>
    public const int StatusA = 0, StatusB = 1, DigitalOutput = 2, TapeDrive = 3, MainStatus = 4, Fifo = 5, DigitalInput = 7;

    /// <summary>SRA. TRK0, INDX, WP and DRV2 are low when true.</summary>
    public const int SraInterrupt = 0x80, SraNoSecondDrive = 0x40, SraNotTrack0 = 0x10, SraHead = 0x08, SraNotIndex = 0x04, SraNotProtected = 0x02, SraDirection = 0x01;

    /// <summary>SRB: bits that are always ones, and drive select 0.</summary>
    public const int SrbOnes = 0xC0, SrbSelect0 = 0x20;

    /// <summary>DOR: drive, reset (low when true), the gate of INT and DRQ; the motors begin at bit 4.</summary>
    public const int DorDrive = 0x03, DorNoReset = 0x04, DorGate = 0x08, DorFirstMotor = 4;

    /// <summary>TDR: the tape's drive; the rest floats.</summary>
    public const int TdrDrive = 0x03, TdrOnes = 0xFC;

    /// <summary>DSR: software reset; data rate, as in CCR.</summary>
    public const int DsrReset = 0x80, RateMask = 0x03;

    /// <summary>DIR: disk change; the rest floats, as it is the fixed disk's on an AT.</summary>
    public const int DirChanged = 0x80, DirOnes = 0x7F;

    /// <summary>MSR: request, direction to the processor, non-DMA execution, command busy; below are the drives that seek.</summary>
    public const int MsrRequest = 0x80, MsrRead = 0x40, MsrNonDma = 0x20, MsrBusy = 0x10;

    /// <summary>ST0: how a command ended, seek end, equipment check, head; below is the drive.</summary>
    public const int Abnormal = 0x40, Invalid = 0x80, Polled = 0xC0, SeekEnd = 0x20, EquipmentCheck = 0x10, Head = 0x04;

    /// <summary>ST1.</summary>
    public const byte EndOfCylinder = 0x80, DataError = 0x20, Overrun = 0x10, NoData = 0x04, NotWritable = 0x02, MissingMark = 0x01;

    /// <summary>ST2.</summary>
    public const byte ControlMark = 0x40, DataFieldError = 0x20, WrongCylinder = 0x10, ScanEqual = 0x08, ScanNotSatisfied = 0x04, BadCylinder = 0x02;

    /// <summary>ST3.</summary>
    public const int WriteProtected = 0x40, Track0 = 0x10, St3Ones = 0x28;

    /// <summary>First command byte: multi-track, MFM, skip; relative seek inwards; LOCK's bit.</summary>
    public const int MultiTrack = 0x80, Mfm = 0x40, Skip = 0x20, Inwards = 0x40, LockBit = 0x80;

    /// <summary>Second command byte: head select, VERIFY's count of sectors.</summary>
    public const int HeadSelect = 0x04, EnableCount = 0x80;

    /// <summary>CONFIGURE: implied seeks, FIFO off, polling off, FIFO threshold less one.</summary>
    public const int ImpliedSeek = 0x40, FifoOff = 0x20, PollOff = 0x10, ThresholdMask = 0x0F;

    /// <summary>PERPENDICULAR MODE: OW lets the drive bits be written; the drives; GAP and WGATE.</summary>
    public const int Overwrite = 0x80, PerpendicularDrives = 0x3C, GapAndGate = 0x03;

    /// <summary>SPECIFY: transfers without DMA.</summary>
    public const int NonDma = 0x01;
}
