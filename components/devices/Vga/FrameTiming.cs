namespace Plexus.Devices;

/// <summary>How a frame passes in time: everything in periods of the dot clock that feeds the sequencer.</summary>
/// <param name="Clock">Dot clock in hertz.</param>
/// <param name="CharacterDots">Periods of one character.</param>
/// <param name="LineCharacters">Characters of a line.</param>
/// <param name="DisplayedCharacters">Characters of a line that are displayed.</param>
/// <param name="LineRepeat">Lines for each count of the vertical counter, 1 or 2.</param>
/// <param name="Lines">Counts of the vertical counter in a frame.</param>
/// <param name="DisplayedLines">Counts that are displayed.</param>
/// <param name="RetraceStart">Count at which vertical retrace begins.</param>
/// <param name="RetraceLines">Counts it lasts.</param>
internal readonly record struct FrameTiming(
    uint Clock,
    int CharacterDots,
    int LineCharacters,
    int DisplayedCharacters,
    int LineRepeat,
    int Lines,
    int DisplayedLines,
    int RetraceStart,
    int RetraceLines)
{
    /// <summary>Crystal of 640-dot modes in hertz.</summary>
    public const uint Clock25 = 25_175_000;

    /// <summary>Crystal of 720-dot modes in hertz.</summary>
    public const uint Clock28 = 28_322_000;

    /// <summary>Periods of one count of the vertical counter.</summary>
    public long LineDots => (long)CharacterDots * LineCharacters * LineRepeat;

    /// <summary>Periods of a frame.</summary>
    public long FrameDots => LineDots * Lines;

    /// <summary>What the registers say. Clock selects 2 and 3 are inputs to which nothing is connected; the first crystal takes their place.</summary>
    /// <param name="crtc">Line and frame.</param>
    /// <param name="sequencer">Characters.</param>
    /// <param name="clockSelect">Miscellaneous output bits 3:2.</param>
    public static FrameTiming Of(CrtController crtc, Sequencer sequencer, int clockSelect) => new(
        clockSelect == 1 ? Clock28 : Clock25,
        (sequencer.HasEightDots ? 8 : 9) << (sequencer.IsClockHalved ? 1 : 0),
        crtc.HorizontalTotal,
        crtc.DisplayedCharacters,
        crtc.IsVerticalHalved ? 2 : 1,
        crtc.VerticalTotal,
        crtc.DisplayedLines,
        crtc.VerticalRetraceStart,
        crtc.VerticalRetraceLines);
}
