using System.Diagnostics;
using Plexus.Host.Machines;
using Plexus.Host.Screens;
using Plexus.Messaging;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Device;
using Plexus.Messaging.Contracts.Monitor;

namespace Plexus.Host.Consoles;

/// <summary>
/// Runs a machine in slices of guest time, and between them brings input in and carries out the script, on the machine's own thread. Slices end at fixed guest times, so a scripted
/// run without a live console is the same run every time.
/// </summary>
internal sealed class ConsoleSession : IScriptedGuest
{
    /// <summary>Guest time between looks at the consoles: shorter than a person notices.</summary>
    private const ulong Slice = 10_000_000;

    /// <summary>How far guest time may fall behind real time before it is no longer made up for.</summary>
    private const long Lag = 50_000_000;

    private readonly Machine machine;
    private readonly HostConsoles consoles;
    private readonly bool exitWhenDone;
    private readonly ScreenOutput screen;
    private readonly GuestScreen? guestScreen;
    private readonly ScriptRunner script;
    private readonly AutoResetEvent arrival = new(false);
    private readonly List<(IEndpoint Port, ConsoleLink Link)> inputs = [];
    private readonly IEndpoint? firstSerial;
    private readonly IEndpoint? keyboard;
    private long realOrigin;
    private ulong guestOrigin;

    public ConsoleSession(Machine machine, HostConsoles consoles, ScreenOutput screen, bool exitWhenDone)
    {
        this.screen = screen;
        guestScreen = GuestScreen.Of(machine);
        if (screen.Keys is { } keys)
            keys.Arrival = arrival;
        this.machine = machine;
        this.consoles = consoles;
        this.exitWhenDone = exitWhenDone;
        script = new ScriptRunner(consoles.Script, this);
        foreach ((string device, ConsoleLink link) in consoles.SerialLinks)
            inputs.Add((machine.Fabric.Connect(device), link));
        foreach (ConsoleLink link in consoles.Links)
            link.Arrival = arrival;
        firstSerial = consoles.SerialDevices.Count == 0 ? null : machine.Fabric.Connect(consoles.SerialDevices[0]);
        keyboard = consoles.Keyboard is null ? null : machine.Fabric.Connect(consoles.Keyboard);
    }

    /// <summary>A script or a link that can bring input needs the machine to be run in slices.</summary>
    public bool IsNeeded => consoles.Script.Count != 0 || screen.IsNeeded || inputs.Exists(input => input.Link.CanReceive);

    /// <summary>What the script missed, in one line; null when it missed nothing.</summary>
    public string? Failure => script.Failure ?? screen.Failure;

    /// <inheritdoc/>
    public string LastOutput => consoles.Script.Any(step => step is ScriptStep.Expect { OnScreen: true }) && guestScreen is not null ? guestScreen.Text().ReplaceLineEndings("\\n") : consoles.Transcript.Tail();

    private bool IsLive => screen.Keys?.IsLive == true || inputs.Exists(input => input.Link.IsLive);

    /// <summary>Runs until the guest ends, or the limit, or the script's or the person's end. A run that a debugger interrupts can go on.</summary>
    /// <param name="retireLimit">Retired guest instructions at which to stop.</param>
    /// <param name="endAtReset">Come back also when the machine was reset.</param>
    public MachineExit Go(ulong retireLimit, bool endAtReset = false)
    {
        Rebase();
        MachineExit exit;
        do
            exit = RunSlice(retireLimit, endAtReset);
        while (exit.Kind == MachineExitKind.Limit && machine.Vcpu.State.Retired < retireLimit && Service(ref exit));
        return exit;
    }

    /// <summary>The run is over.</summary>
    public void Finish()
    {
        script.End(machine.Vcpu.State.Now);
        screen.End();
    }

    /// <inheritdoc/>
    public bool Printed(ReadOnlySpan<byte> text) => consoles.Transcript.TryFind(text);

    /// <inheritdoc/>
    public bool ScreenShows(ReadOnlySpan<byte> text) => guestScreen?.Shows(text) == true;

    /// <inheritdoc/>
    public void TypeSerial(byte[] text, ulong now) => firstSerial?.Call<SerialInput, Done>(new SerialInput(now, text, SerialCondition.None));

    /// <inheritdoc/>
    public void TypeKeys(byte[] scancodes, ulong now) => keyboard?.Call<KeyboardInput, Done>(new KeyboardInput(now, scancodes));

    /// <inheritdoc/>
    public string? Screenshot(string path) => guestScreen is null ? $"screenshot {path}: this machine has no display; use -M pc" : guestScreen.Save(path, "screenshot");

    private MachineExit RunSlice(ulong retireLimit, bool endAtReset)
    {
        ulong idle = machine.Vcpu.State.IdleNanoseconds;
        ulong deadline = ((machine.Vcpu.State.Now / Slice) + 1) * Slice;
        MachineExit exit = machine.Run(retireLimit, deadline, endAtReset);
        if (IsLive && machine.Vcpu.State.IdleNanoseconds != idle)
            Pace();
        return exit;
    }

    /// <returns>False when the run is over.</returns>
    private bool Service(ref MachineExit exit)
    {
        ulong now = machine.Vcpu.State.Now;
        foreach ((IEndpoint port, ConsoleLink link) in inputs)
        {
            while (link.TryTake(out byte[] data))
                port.Call<SerialInput, Done>(new SerialInput(now, data, SerialCondition.None));
            if (link.QuitRequested)
                return End(ref exit, MachineExitKind.Limit, "ended from the console");
        }

        if (screen.Keys is { } keys)
        {
            while (keys.TryTake(out byte[] typed))
                TypeKeys(TerminalKeys.Translate(typed), now);
            if (keys.QuitRequested)
                return End(ref exit, MachineExitKind.Limit, "ended from the terminal");
        }

        screen.Look(now);
        script.Advance(now);
        if (script.Failure is { } failure)
            return End(ref exit, MachineExitKind.HostStop, failure);
        if (script.IsDone && exitWhenDone)
            return End(ref exit, MachineExitKind.Limit, "the script is done");
        if (machine.Vcpu.State.Halted != 0 && machine.Lines.TimerDeadline == ulong.MaxValue && !machine.Lines.Intr && !IsLive && !script.WaitsForTime)
            return End(ref exit, MachineExitKind.HaltedForever, $"the guest halted at EIP {machine.Vcpu.State.Eip:X8}h and nothing can wake it: no timer is running");
        return true;
    }

    private static bool End(ref MachineExit exit, MachineExitKind kind, string why)
    {
        exit = new MachineExit(kind, 0, why);
        return false;
    }

    /// <summary>An idle guest's time passes no faster than real time while somebody may type; input ends the wait.</summary>
    private void Pace()
    {
        long ahead = (long)(machine.Vcpu.State.Now - guestOrigin) - (Stopwatch.GetElapsedTime(realOrigin).Ticks * 100);
        if (ahead < -Lag)
            Rebase();
        else if (ahead > 1_000_000)
            arrival.WaitOne(TimeSpan.FromTicks(ahead / 100));
    }

    private void Rebase()
    {
        realOrigin = Stopwatch.GetTimestamp();
        guestOrigin = machine.Vcpu.State.Now;
    }
}
