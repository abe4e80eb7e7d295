using System.Diagnostics;
using System.Globalization;
using Plexus.Host.CommandLine;
using Plexus.Host.Consoles;
using Plexus.Messaging.Contracts.Device;

namespace Plexus.Host.Screens;

/// <summary>What the user wants to see of a guest's screen: the terminal's picture of it, and picture files at the end, every so often, or when asked.</summary>
internal sealed class ScreenOutput : IDisposable
{
    private const ulong Second = 1_000_000_000;
    private static readonly TimeSpan Redraw = TimeSpan.FromMilliseconds(33);

    private readonly GuestScreen? screen;
    private readonly RunSettings settings;
    private readonly TerminalScreen? terminal;
    private long drawn;
    private ulong nextPicture;
    private int pictures;
    private volatile bool isWanted;

    /// <summary>Prepares what the settings ask for.</summary>
    /// <exception cref="InputException">The machine has no display.</exception>
    public ScreenOutput(RunSettings settings, GuestScreen? screen, StandardStreams standard)
    {
        this.settings = settings;
        this.screen = screen;
        if (screen is null && (settings.ShowsText || settings.Screenshot is not null))
            throw new InputException($"{(settings.ShowsText ? "--display text" : $"--screenshot {settings.Screenshot}")}: this machine has no display; use -M pc, or add a device of type vga to the manifest");
        if (settings.ShowsText)
        {
            terminal = new TerminalScreen(standard.OpenOutput());
            Keys = new StdioLink(standard.OpenInput(), Stream.Null, standard.InputIsTerminal, _ => { });
        }

        nextPicture = settings.ScreenshotEvery is { } every ? every * Second : ulong.MaxValue;
    }

    /// <summary>What is typed at the terminal that shows the screen; null when none does.</summary>
    public StdioLink? Keys { get; }

    /// <summary>The machine must be looked at while it runs.</summary>
    public bool IsNeeded => terminal is not null || settings.ScreenshotEvery is not null || settings.Screenshot is not null;

    /// <summary>The first file that could not be written, in one line; null when all could.</summary>
    public string? Failure { get; private set; }

    /// <summary>A picture is wanted now (from any thread).</summary>
    public void Want() => isWanted = true;

    /// <summary>Draws and writes what is due.</summary>
    /// <param name="now">Guest time in nanoseconds.</param>
    public void Look(ulong now)
    {
        if (screen is null)
            return;
        if (terminal is not null && Stopwatch.GetElapsedTime(drawn) >= Redraw)
        {
            terminal.Draw(screen.Read(ScreenParts.Text));
            drawn = Stopwatch.GetTimestamp();
        }

        if (now < nextPicture && !isWanted)
            return;
        isWanted = false;
        if (now >= nextPicture)
            nextPicture += settings.ScreenshotEvery!.Value * Second;
        string path = settings.Screenshot ?? "plexus.png";
        string number = (++pictures).ToString("D4", CultureInfo.InvariantCulture);
        Failure ??= screen.Save(Path.Combine(Path.GetDirectoryName(path) ?? "", $"{Path.GetFileNameWithoutExtension(path)}-{number}{Path.GetExtension(path)}"), "--screenshot");
    }

    /// <summary>The run is over.</summary>
    public void End()
    {
        if (screen is null)
            return;
        if (terminal is not null)
            terminal.Draw(screen.Read(ScreenParts.Text));
        if (settings.Screenshot is { } path)
            Failure ??= screen.Save(path, "--screenshot");
    }

    public void Dispose()
    {
        terminal?.Dispose();
        Keys?.Dispose();
    }
}
