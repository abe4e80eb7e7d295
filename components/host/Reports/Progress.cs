using System.Diagnostics;
using System.Globalization;

namespace Plexus.Host.Reports;

/// <summary>A line on the terminal that says how far a long run is. It appears only while the guest prints nothing, and is wiped before anything else is written.</summary>
public sealed class Progress : IRunView
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly TextWriter output;
    private readonly Func<ulong> retired;
    private readonly Lock gate = new();
    private readonly Timer? timer;
    private readonly long started = Stopwatch.GetTimestamp();
    private ulong before;
    private bool shown;
    private bool quiet = true;

    /// <summary>Shows progress when a person watches.</summary>
    /// <param name="streams">Where to.</param>
    /// <param name="retired">Guest instructions so far; read from another thread, so only roughly current.</param>
    public Progress(HostStreams streams, Func<ulong> retired)
    {
        ArgumentNullException.ThrowIfNull(streams);
        output = streams.Messages;
        this.retired = retired;
        if (streams.MessagesAreTerminal)
            timer = new Timer(_ => Show(), null, Interval, Interval);
    }

    /// <inheritdoc/>
    public string? EndedBy => null;

    /// <inheritdoc/>
    public void Say(string line)
    {
        Wipe();
        output.WriteLine(line);
    }

    /// <summary>Wipes the line, and stays away for a while: something else is about to be written.</summary>
    public void Wipe()
    {
        lock (gate)
        {
            quiet = false;
            if (!shown)
                return;
            output.Write("\r\x1b[K");
            output.Flush();
            shown = false;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        timer?.Dispose();
        Wipe();
    }

    private void Show()
    {
        lock (gate)
        {
            ulong now = retired();
            ulong step = now - Math.Min(now, before);
            before = now;
            if (!quiet)
            {
                quiet = true;
                return;
            }

            double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            output.Write(string.Create(CultureInfo.InvariantCulture, $"\r\x1b[K[plexus] {now / 1e6:N0} M guest instructions, {step / 1e6:F0} MIPS, {seconds:F0} s"));
            output.Flush();
            shown = true;
        }
    }
}
