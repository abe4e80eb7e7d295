namespace Plexus.Messaging.Contracts.Device;

/// <summary>What is on a screen.</summary>
/// <param name="Width">Pixels of a line, without border.</param>
/// <param name="Height">Lines of pixels; a line that the adapter repeats counts once.</param>
/// <param name="IsBlank">The screen is switched off, and dark whatever the memory holds.</param>
/// <param name="IsText">The adapter generates characters.</param>
/// <param name="Lines">Text: one string of UTF-16 for each row, one character for each column; empty for graphics or when not asked for.</param>
/// <param name="Attributes">Text: one attribute byte (foreground in bits 0-3, background in bits 4-7) for each character, row after row.</param>
/// <param name="CursorColumn">Text: where the cursor is; -1 for nowhere on the screen.</param>
/// <param name="CursorRow">Text: its row; -1 for nowhere on the screen.</param>
/// <param name="CursorStart">Text: first scan line of the cursor in its character.</param>
/// <param name="CursorEnd">Text: last scan line of the cursor.</param>
/// <param name="Pixels">The picture: red, green and blue, a byte each, line after line from the top left; empty when not asked for.</param>
[Message(0x0811)]
public readonly partial record struct Screen(
    [property: Key(0)] int Width,
    [property: Key(1)] int Height,
    [property: Key(2)] bool IsBlank,
    [property: Key(3)] bool IsText,
    [property: Key(4)] string[] Lines,
    [property: Key(5)] ReadOnlyMemory<byte> Attributes,
    [property: Key(6)] int CursorColumn,
    [property: Key(7)] int CursorRow,
    [property: Key(8)] int CursorStart,
    [property: Key(9)] int CursorEnd,
    [property: Key(10)] ReadOnlyMemory<byte> Pixels);
