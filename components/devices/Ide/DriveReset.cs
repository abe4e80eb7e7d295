namespace Plexus.Devices;

/// <summary>The resets a drive can undergo (ATA/ATAPI-6, 9.2 to 9.4 and 8.10).</summary>
internal enum DriveReset
{
    /// <summary>EXECUTE DEVICE DIAGNOSTIC.</summary>
    Diagnostic = 0,

    /// <summary>DEVICE RESET.</summary>
    Command = 1,

    /// <summary>SRST.</summary>
    Software = 2,

    /// <summary>RESET-.</summary>
    Hardware = 3,

    /// <summary>The power came on.</summary>
    PowerOn = 4,
}
