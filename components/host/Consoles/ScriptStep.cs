namespace Plexus.Host.Consoles;

/// <summary>One step of a scripted run.</summary>
/// <param name="Source">How the user wrote it, for messages.</param>
internal abstract record ScriptStep(string Source)
{
    /// <summary>Waits until a text has come: on a serial console, or on the screen.</summary>
    internal sealed record Expect(string Source, bool OnScreen, byte[] Text) : ScriptStep(Source);

    /// <summary>Sends bytes to the first serial port.</summary>
    internal sealed record TypeSerial(string Source, byte[] Text) : ScriptStep(Source);

    /// <summary>Presses and releases keys: scan codes of set 2.</summary>
    internal sealed record TypeKeys(string Source, byte[] Scancodes) : ScriptStep(Source);

    /// <summary>Lets guest time pass.</summary>
    internal sealed record Wait(string Source, ulong Nanoseconds) : ScriptStep(Source);

    /// <summary>How long every later expectation may take, in guest time.</summary>
    internal sealed record Timeout(string Source, ulong Nanoseconds) : ScriptStep(Source);

    /// <summary>Writes the screen as a PNG file.</summary>
    internal sealed record Screenshot(string Source, string Path) : ScriptStep(Source);
}
