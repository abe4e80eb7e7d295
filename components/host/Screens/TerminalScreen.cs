using System.Globalization;
using System.Text;
using Plexus.Messaging.Contracts.Device;

namespace Plexus.Host.Screens;

/// <summary>Draws a guest's text screen in a terminal: VT100 cursor movement, 16 colours, only the rows that changed.</summary>
/// <param name="output">The terminal.</param>
internal sealed class TerminalScreen(Stream output) : IDisposable
{
    /// <summary>VGA colour numbers (blue 1, red 4) in the terminal's order (red 1, blue 4).</summary>
    private static ReadOnlySpan<byte> Colours => [0, 4, 2, 6, 1, 5, 3, 7];

    private readonly List<string> shown = [];
    private bool begun;

    /// <summary>Draws what changed since the last time.</summary>
    public void Draw(in Screen screen)
    {
        var text = new StringBuilder();
        if (!begun)
            text.Append("\x1b[?1049h\x1b[2J");
        begun = true;
        string[] rows = Rows(screen);
        for (int row = 0; row < Math.Max(rows.Length, shown.Count); row++)
        {
            string now = row < rows.Length ? rows[row] : "";
            if (row < shown.Count && shown[row] == now)
                continue;
            text.Append(CultureInfo.InvariantCulture, $"\x1b[{row + 1};1H{now}\x1b[0m\x1b[K");
        }

        shown.Clear();
        shown.AddRange(rows);
        text.Append(screen.CursorRow >= 0 && screen.IsText && !screen.IsBlank
            ? string.Create(CultureInfo.InvariantCulture, $"\x1b[{screen.CursorRow + 1};{screen.CursorColumn + 1}H\x1b[?25h")
            : "\x1b[?25l");
        output.Write(Encoding.UTF8.GetBytes(text.ToString()));
        output.Flush();
    }

    /// <summary>Gives the terminal its own screen back.</summary>
    public void Dispose()
    {
        if (!begun)
            return;
        output.Write("\x1b[0m\x1b[?25h\x1b[?1049l"u8);
        output.Flush();
    }

    private static string[] Rows(in Screen screen)
    {
        if (screen.IsBlank)
            return [];
        if (!screen.IsText)
            return [string.Create(CultureInfo.InvariantCulture, $"{screen.Width}x{screen.Height} graphics; use --screenshot FILE")];
        var rows = new string[screen.Lines.Length];
        int cell = 0;
        for (int row = 0; row < rows.Length; row++)
        {
            var text = new StringBuilder();
            int before = -1;
            foreach (char character in screen.Lines[row])
            {
                byte attribute = cell < screen.Attributes.Length ? screen.Attributes.Span[cell] : (byte)7;
                cell++;
                if (attribute != before)
                    text.Append(CultureInfo.InvariantCulture, $"\x1b[0;{((attribute & 8) != 0 ? 90 : 30) + Colours[attribute & 7]};{40 + Colours[(attribute >> 4) & 7]}m");
                before = attribute;
                text.Append(character is < ' ' ? ' ' : character);
            }

            rows[row] = text.ToString();
        }

        return rows;
    }
}
