namespace Plexus.Host.Consoles;

/// <summary>What a script does with a guest.</summary>
internal interface IScriptedGuest
{
    /// <summary>The end of what the first serial console printed.</summary>
    string LastOutput { get; }

    /// <summary>The text came on the first serial console since the last one that was found.</summary>
    bool Printed(ReadOnlySpan<byte> text);

    /// <summary>The text stands on the screen.</summary>
    bool ScreenShows(ReadOnlySpan<byte> text);

    /// <summary>Sends bytes to the first serial port.</summary>
    void TypeSerial(byte[] text, ulong now);

    /// <summary>Sends scan codes of set 2 from the keyboard.</summary>
    void TypeKeys(byte[] scancodes, ulong now);

    /// <summary>Writes the screen to a file.</summary>
    /// <returns>What failed, in one line, or null.</returns>
    string? Screenshot(string path);
}
