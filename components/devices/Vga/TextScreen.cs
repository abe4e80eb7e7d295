namespace Plexus.Devices;

/// <summary>A screen of text as the adapter shows it: start address, split screen and cursor are worked in.</summary>
/// <param name="Columns">Characters in a row.</param>
/// <param name="Lines">The rows, code page 437 in Unicode, each of <paramref name="Columns"/> characters.</param>
/// <param name="Codes">The characters' codes, row after row.</param>
/// <param name="Attributes">The characters' attributes, row after row.</param>
/// <param name="CursorColumn">Where the cursor is; -1 when it is off or elsewhere.</param>
/// <param name="CursorRow">The cursor's row; -1 when it is off or elsewhere.</param>
/// <param name="CursorStart">The cursor's first scan line.</param>
/// <param name="CursorEnd">The cursor's last scan line.</param>
public sealed record TextScreen(int Columns, IReadOnlyList<string> Lines, ReadOnlyMemory<byte> Codes, ReadOnlyMemory<byte> Attributes, int CursorColumn, int CursorRow, int CursorStart, int CursorEnd);
