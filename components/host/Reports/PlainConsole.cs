using Spectre.Console;

namespace Plexus.Host.Reports;

/// <summary>Makes a console for tables that look the same wherever they go: no colours, no terminal, one width.</summary>
internal static class PlainConsole
{
    /// <summary>Makes one.</summary>
    /// <param name="output">Where it writes.</param>
    /// <param name="width">Characters in a line.</param>
    public static IAnsiConsole Create(TextWriter output, int width)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(output),
        });
        console.Profile.Width = width;
        console.Profile.Capabilities.Unicode = true;
        return console;
    }
}
