using System.Diagnostics;
using Plexus.Host.Machines;
using Plexus.Host.Reports;
using Plexus.Host.Symbols;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Plexus.Host.Live;

/// <summary>
/// Shows where a running machine's transitions go, on a thread of its own that reads the meters beside the machine: on a terminal one picture that is drawn anew, with
/// the guest's last lines below; elsewhere one plain table after another.
/// </summary>
internal sealed class TopView : IRunView
{
    private const int PlainWidth = 140;

    /// <summary>Lines of a picture besides instructions and sites: the headline, a table's own, the guest's, and the last of the terminal.</summary>
    private const int OtherLines = 14;

    /// <summary>Lines from which on there is room for the monitor's own work.</summary>
    private const int TallScreen = 38;

    private const int FewestRows = 3;

    private readonly HostStreams streams;
    private readonly TopSettings settings;
    private readonly Machine machine;
    private readonly SymbolSet symbols;
    private readonly ConsoleTail? tail;
    private readonly IAnsiConsole console;
    private readonly ManualResetEventSlim ended = new();
    private readonly Lock gate = new();
    private readonly long started = Stopwatch.GetTimestamp();
    private readonly Thread thread;
    private TopSample before;
    private volatile string? endedBy;
    private bool disposed;

    /// <summary>Begins to show.</summary>
    /// <param name="streams">Where to.</param>
    /// <param name="settings">What the user asked for.</param>
    /// <param name="machine">The machine; it has meters.</param>
    /// <param name="symbols">Names of guest code.</param>
    /// <param name="tail">The guest's last lines; null when they go elsewhere.</param>
    public TopView(HostStreams streams, TopSettings settings, Machine machine, SymbolSet symbols, ConsoleTail? tail)
    {
        this.streams = streams;
        this.settings = settings;
        this.machine = machine;
        this.symbols = symbols;
        this.tail = tail;
        bool isTerminal = streams.MessagesAreTerminal;
        console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = isTerminal ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = isTerminal ? InteractionSupport.Yes : InteractionSupport.No,
            Out = new AnsiConsoleOutput(streams.Messages),
        });
        console.Profile.Capabilities.Unicode = true;
        if (!isTerminal)
            console.Profile.Width = PlainWidth;
        before = TopSample.Read(machine, TimeSpan.Zero);
        thread = new Thread(isTerminal ? ServeTerminal : ServePlain) { IsBackground = true, Name = "plexus top" };
        thread.Start();
    }

    /// <inheritdoc/>
    public string? EndedBy => endedBy;

    /// <inheritdoc/>
    public void Wipe()
    {
        // The guest's console goes elsewhere, or is part of the picture.
    }

    /// <inheritdoc/>
    public void Say(string line)
    {
        lock (gate)
        {
            if (streams.MessagesAreTerminal)
                console.WriteLine(line);
            else
                streams.Messages.WriteLine(line);
        }
    }

    /// <summary>The run is over: what happened since the last table is shown, and then nothing more.</summary>
    public void Dispose()
    {
        if (disposed)
            return;
        disposed = true;
        ended.Set();
        thread.Join();
        ended.Dispose();
    }

    /// <returns>False: that was the last.</returns>
    private bool Wait()
    {
        if (ended.Wait(settings.Interval))
            return false;
        if (!settings.Once)
            return true;
        endedBy = "one table was asked for";
        machine.Lines.HostStop = true;
        return false;
    }

    private void ServePlain()
    {
        bool goesOn;
        do
        {
            goesOn = Wait();
            TopRates rates = Next(settings.Top);
            lock (gate)
            {
                streams.Messages.WriteLine(TopTable.Headline(rates));
                console.Write(TopTable.Build(rates));
            }
        }
        while (goesOn);
    }

    private void ServeTerminal() => console.Live(new Text("")).Start(context =>
    {
        bool goesOn;
        do
        {
            goesOn = Wait();
            TopRates rates = Next(Math.Clamp((console.Profile.Height - OtherLines) / 2, FewestRows, Math.Max(FewestRows, settings.Top)));
            List<IRenderable> parts = [new Text(TopTable.Headline(rates)), TopTable.BuildWide(rates, console.Profile.Height >= TallScreen)];
            if (tail is not null)
                parts.Add(new Panel(new Text(string.Join('\n', tail.Lines()))) { Header = new PanelHeader("guest"), Expand = true });
            context.UpdateTarget(new Rows(parts));
        }
        while (goesOn);
    });

    private TopRates Next(int top)
    {
        TopSample now = TopSample.Read(machine, Stopwatch.GetElapsedTime(started));
        TopRates rates = new(before, now, symbols, top);
        before = now;
        return rates;
    }
}
