namespace Plexus.Devices;

/// <summary>What the floppy controller is doing.</summary>
internal enum FloppyPhase
{
    /// <summary>It takes a command's bytes.</summary>
    Command = 0,

    /// <summary>It gives a result's bytes.</summary>
    Result = 1,

    /// <summary>It comes out of reset.</summary>
    Reset = 2,

    /// <summary>An implied seek.</summary>
    ImpliedSeek = 3,

    /// <summary>The head settles.</summary>
    HeadLoad = 4,

    /// <summary>No index pulses come.</summary>
    NoIndex = 5,

    /// <summary>Nothing of what is sought is on the track; the second index pulse ends the command.</summary>
    Failing = 6,

    /// <summary>An ID field passes, up to where data begin.</summary>
    Identity = 7,

    /// <summary>A data field passes.</summary>
    Field = 8,

    /// <summary>The data field has passed; the processor has not taken all of it.</summary>
    Draining = 9,

    /// <summary>A track is written; its end is the index.</summary>
    TrackEnd = 10,
}
