using Plexus.Host.Machines;
using Plexus.Messaging;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Contracts.Monitor;
using Plexus.Messaging.Shared;

namespace Plexus.Host.Gdb;

/// <summary>
/// Runs a machine under a debugger's control: <c>plexus run --gdb</c>. Sockets are read elsewhere; everything that touches the machine happens on its own thread,
/// between two runs of it.
/// </summary>
public sealed class GdbServer : IDisposable
{
    private const int PollMilliseconds = 100;

    private readonly Machine machine;
    private readonly GdbListener listener;
    private readonly Action<string> say;
    private readonly bool freeze;
    private readonly TargetChoices choices = new();
    private GdbSession? session;
    private GdbEvent? pushedBack;
    private Func<ulong, bool, MachineExit> go;

    /// <summary>How the guest ended, when it can still be looked at.</summary>
    private MachineExit? ended;

    /// <summary>Begins to listen.</summary>
    /// <param name="settings">Where, and whether the guest waits.</param>
    /// <param name="machine">The machine; a guest is loaded.</param>
    /// <param name="say">Takes messages for the user.</param>
    /// <exception cref="InputException">The address is in use or cannot be had.</exception>
    public GdbServer(GdbSettings settings, Machine machine, Action<string> say)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(machine);
        ArgumentNullException.ThrowIfNull(say);
        this.machine = machine;
        this.say = say;
        freeze = settings.Freeze;
        go = (retireLimit, endAtReset) => machine.Run(retireLimit, endAtReset: endAtReset);
        listener = new GdbListener(settings.Address, () => machine.Lines.DebuggerStop = true);
    }

    /// <summary>Where it listens: with the port, where that was left open.</summary>
    public string Where => listener.Where;

    /// <summary>Runs the machine until the guest ends, has retired so many instructions, or the debugger or the user ends it.</summary>
    /// <param name="retireLimit">Retired guest instructions at which the run ends.</param>
    /// <param name="runner">Runs the machine to an end, that limit, a reset where it is told so, or whatever stops it; null for <see cref="Machine.Run"/>.</param>
    /// <exception cref="ComponentFaultException">A component failed.</exception>
    public MachineExit Run(ulong retireLimit = ulong.MaxValue, Func<ulong, bool, MachineExit>? runner = null)
    {
        go = runner ?? go;
        say($"plexus: gdb: {(freeze ? "the guest waits for a debugger" : "a debugger can connect")} at {Where}");
        try
        {
            MachineExit exit = RunUntilEnd(retireLimit);
            if (machine.Lines.HostStop)
                session?.ReportDeath(GdbSession.Interrupted, "plexus: stopped by the host\n");
            else
                session?.ReportEnd(ExitCodes.Of(exit), $"plexus: {ExitCodes.Reason(exit)}\n");
            return exit;
        }
        catch (ComponentFaultException e)
        {
            session?.ReportDeath(GdbSession.Aborted, $"plexus: {e.Message}\n");
            throw;
        }
        finally
        {
            if (session is not null)
                listener.LetGo(session.Connection);
            session = null;
            machine.Lines.DebuggerStop = false;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => listener.Dispose();

    private MachineExit RunUntilEnd(ulong retireLimit)
    {
        Resume next = freeze ? Serve(new Resume(ResumeKind.Continue)) : new Resume(ResumeKind.Continue);
        while (true)
        {
            if (session is { IsDetached: true })
            {
                // It closes the connection, when it has read the answer.
                session.Connection.Finish();
                Leave("detached");
            }

            if (next.Kind == ResumeKind.End)
                return machine.Lines.HostStop ? new MachineExit(MachineExitKind.HostStop, 0, "stopped by the host") : new MachineExit(MachineExitKind.HostStop, 0, "ended by the debugger");
            if (ended is { } before)
                return before;
            MachineExit exit = Go(next, retireLimit);
            if (IsEnd(exit, next, retireLimit))
                return exit;
            next = exit.Kind == MachineExitKind.HostStop ? Attend(next) : Stopped(exit, next);
        }
    }

    /// <summary>Nothing is left to look at, or nobody is there to look.</summary>
    private bool IsEnd(in MachineExit exit, Resume asked, ulong retireLimit) => exit.Kind switch
    {
        MachineExitKind.Breakpoint or MachineExitKind.Delivered => false,
        MachineExitKind.Limit => asked.Kind == ResumeKind.Continue || machine.Vcpu.State.Retired >= retireLimit,
        MachineExitKind.HostStop => machine.Lines.HostStop || !machine.Lines.DebuggerStop,
        MachineExitKind.Reset => machine.Options.NoReboot,
        MachineExitKind.HaltedForever or MachineExitKind.TripleFault or MachineExitKind.Unsupported => session is null,
        _ => true,
    };

    private MachineExit Go(Resume next, ulong retireLimit)
    {
        // An event that came before this is seen here, one that comes later raises the line again.
        machine.Lines.DebuggerStop = false;
        if (pushedBack is not null || listener.HasEvents)
        {
            machine.Lines.DebuggerStop = true;
            return new MachineExit(MachineExitKind.HostStop, 0, string.Empty);
        }

        machine.SetBreakpoints(session is null ? [] : session.Breakpoints.ToArray(), session is { PassesBreakpoint: true });
        if (session is null || next.Kind == ResumeKind.Continue)
            return go(retireLimit, session is not null);
        MachineExit exit;
        do
            exit = StepOne();
        while (exit.Kind == MachineExitKind.Limit && next.Kind == ResumeKind.StepRange && IsWithin(next) && machine.Vcpu.State.Retired < retireLimit);
        machine.Flush();
        return exit;
    }

    private bool IsWithin(Resume next) => machine.Vcpu.State.Eip - next.Start < next.End - next.Start;

    /// <summary>
    /// One instruction. An interrupt that waits is held back until it is done, as in the shadow of STI, or else every step would end in the timer's handler;
    /// an exception that it raises is delivered, and the step ends at its handler. A halted guest sleeps until its interrupt.
    /// </summary>
    private MachineExit StepOne()
    {
        const uint ShadowOfSti = 1;
        ref VcpuBlock v = ref machine.Vcpu.State;
        if (session!.StepsPastInterrupts && v.Halted == 0)
            v.Shadow |= ShadowOfSti;
        return machine.Step(endAtReset: true);
    }

    /// <summary>The guest came to a stop of its own: tells the debugger and listens to it.</summary>
    private Resume Stopped(in MachineExit exit, Resume asked)
    {
        switch (exit.Kind)
        {
            case MachineExitKind.TripleFault or MachineExitKind.Unsupported:
                // Its state can be looked at, but it cannot go on.
                ended = exit;
                session?.ReportStop(exit.Kind == MachineExitKind.TripleFault ? GdbSession.SegmentationFault : GdbSession.IllegalInstruction, exit, $"plexus: {ExitCodes.Reason(exit)}\n");
                break;
            case MachineExitKind.Reset or MachineExitKind.HaltedForever:
                session?.ReportStop(GdbSession.Trap, exit, $"plexus: {ExitCodes.Reason(exit)}\n");
                break;
            default:
                session?.ReportStop(GdbSession.Trap, exit);
                break;
        }

        return Serve(asked);
    }

    /// <summary>The machine was stopped because something came in.</summary>
    private Resume Attend(Resume asked)
    {
        if (!TryTake(out GdbEvent happened, 0))
            return asked;
        switch (happened.Kind)
        {
            case GdbEventKind.Interrupt when session is not null:
                session.ReportStop(GdbSession.Interrupted);
                return Serve(asked);
            case GdbEventKind.Packet or GdbEventKind.Oversized when session is not null:
                // Nobody sends packets to a running guest; one that does wants it stopped.
                session.ReportStop(GdbSession.Interrupted);
                pushedBack = happened;
                return Serve(asked);
            case GdbEventKind.Connected:
                Begin(happened.Connection);
                return Serve(asked);
            case GdbEventKind.Closed when session is not null:
                happened.Connection.Dispose();
                Leave("gone");
                return new Resume(ResumeKind.Continue);
            case GdbEventKind.Corrupt or GdbEventKind.Repeat:
                Answer(happened);
                return asked;
            case GdbEventKind.Closed:
                happened.Connection.Dispose();
                return asked;
            default:
                return asked;
        }
    }

    /// <summary>Answers the debugger until it has the guest go on.</summary>
    /// <param name="asked">What the guest was doing: it goes on so when a connection comes to nothing.</param>
    private Resume Serve(Resume asked)
    {
        while (!machine.Lines.HostStop)
        {
            if (!TryTake(out GdbEvent happened, PollMilliseconds))
                continue;
            switch (happened.Kind)
            {
                case GdbEventKind.Connected:
                    Begin(happened.Connection);
                    break;
                case GdbEventKind.Closed when session is { HasSpoken: false } && freeze && machine.Vcpu.State.Retired == 0:
                    // Somebody tried whether the port is open.
                    session = null;
                    happened.Connection.Dispose();
                    break;
                case GdbEventKind.Closed when session is { HasSpoken: false }:
                    session = null;
                    happened.Connection.Dispose();
                    return asked;
                case GdbEventKind.Closed when session is not null:
                    happened.Connection.Dispose();
                    Leave("gone");
                    return new Resume(ResumeKind.Continue);
                case GdbEventKind.Closed:
                    happened.Connection.Dispose();
                    break;
                default:
                    if (Answer(happened) is { } next)
                        return next;
                    break;
            }
        }

        return new Resume(ResumeKind.End);
    }

    private Resume? Answer(in GdbEvent happened)
    {
        if (session is null || happened.Connection != session.Connection)
            return null;
        switch (happened.Kind)
        {
            case GdbEventKind.Packet:
                session.Connection.Acknowledge(arrived: true);
                Resume? next = session.Handle(happened.Payload);
                if (session.TakeReset())
                    ended = null;
                return next;
            case GdbEventKind.Oversized:
                session.Connection.Acknowledge(arrived: true);
                session.Connection.Send("E22");
                return null;
            case GdbEventKind.Corrupt:
                session.Connection.Acknowledge(arrived: false);
                return null;
            case GdbEventKind.Repeat:
                session.Connection.Repeat();
                return null;
            default:
                return null;
        }
    }

    private bool TryTake(out GdbEvent happened, int milliseconds)
    {
        if (pushedBack is not { } held)
            return listener.TryTake(out happened, milliseconds);
        happened = held;
        pushedBack = null;
        return true;
    }

    private void Begin(GdbConnection connection)
    {
        session = new GdbSession(machine, connection, choices);
        if (machine.Vcpu.State.Retired != 0)
            say("plexus: gdb: a debugger has stopped the guest");
    }

    /// <summary>The guest runs on without a debugger, and without its breakpoints.</summary>
    private void Leave(string how)
    {
        say($"plexus: gdb: the debugger is {how}; the guest goes on");
        session = null;
    }
}
