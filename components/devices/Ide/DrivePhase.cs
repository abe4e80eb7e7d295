namespace Plexus.Devices;

/// <summary>What an IDE drive is doing.</summary>
internal enum DrivePhase
{
    /// <summary>Nothing: it takes commands.</summary>
    Idle = 0,

    /// <summary>Busy: a command was written and has not begun.</summary>
    Command = 1,

    /// <summary>The host reads a block of data.</summary>
    DataIn = 2,

    /// <summary>The host writes a block of data, or a packet.</summary>
    DataOut = 3,

    /// <summary>Busy: the command goes on at the deadline.</summary>
    Working = 4,

    /// <summary>DMARQ is asserted and the bus master does not answer.</summary>
    DmaWait = 5,

    /// <summary>SRST is set.</summary>
    ResetHeld = 6,

    /// <summary>Busy: a reset or a diagnostic ends at the deadline.</summary>
    Resetting = 7,

    /// <summary>SLEEP: only a reset wakes it.</summary>
    Asleep = 8,
}
