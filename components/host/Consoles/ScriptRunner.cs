namespace Plexus.Host.Consoles;

/// <summary>Carries out the steps of a scripted run, between slices of guest time: each step happens at a guest time that depends on the guest alone.</summary>
/// <param name="steps">The steps, in order.</param>
/// <param name="guest">The machine's consoles.</param>
internal sealed class ScriptRunner(IReadOnlyList<ScriptStep> steps, IScriptedGuest guest)
{
    private int next;
    private ulong? began;
    private ulong timeout = ulong.MaxValue;

    /// <summary>Every step is done.</summary>
    public bool IsDone => next == steps.Count;

    /// <summary>A step waits for guest time, so the guest cannot be without a future.</summary>
    public bool WaitsForTime => !IsDone && (steps[next] is ScriptStep.Wait || timeout != ulong.MaxValue);

    /// <summary>What went wrong, in one line; null when nothing did.</summary>
    public string? Failure { get; private set; }

    /// <summary>Does what can be done now.</summary>
    /// <param name="now">Guest time in nanoseconds.</param>
    public void Advance(ulong now)
    {
        while (!IsDone && Failure is null)
        {
            began ??= now;
            if (!IsOver(steps[next], now))
            {
                if (steps[next] is ScriptStep.Expect && now - began >= timeout)
                    Failure = Missing("did not come in time");
                return;
            }

            began = null;
            next++;
        }
    }

    /// <summary>The run is over: what was still expected never came.</summary>
    public void End(ulong now)
    {
        Advance(now);
        if (!IsDone)
            Failure ??= Missing("was not reached before the run ended");
    }

    private bool IsOver(ScriptStep step, ulong now)
    {
        switch (step)
        {
            case ScriptStep.Expect expect:
                return expect.OnScreen ? guest.ScreenShows(expect.Text) : guest.Printed(expect.Text);
            case ScriptStep.TypeSerial type:
                guest.TypeSerial(type.Text, now);
                return true;
            case ScriptStep.TypeKeys type:
                guest.TypeKeys(type.Scancodes, now);
                return true;
            case ScriptStep.Wait wait:
                return now - began >= wait.Nanoseconds;
            case ScriptStep.Timeout limit:
                timeout = limit.Nanoseconds;
                return true;
            case ScriptStep.Screenshot screenshot:
                Failure = guest.Screenshot(screenshot.Path);
                return Failure is null;
            default:
                throw new InvalidOperationException($"No such step: {step}.");
        }
    }

    private string Missing(string why) => $"{steps[next].Source}: {why}; the last output was \"{guest.LastOutput}\"";
}
