namespace Plexus.Messaging.Contracts.Monitor;

/// <summary>Runs the machine until something ends it or the limits are reached.</summary>
/// <param name="Deadline">Guest time in nanoseconds; <see cref="ulong.MaxValue"/> for none.</param>
/// <param name="RetireLimit">Guest instructions retired; <see cref="ulong.MaxValue"/> for none.</param>
[Message(0x0601)]
public readonly partial record struct RunMachine(
    [property: Key(0)] ulong Deadline,
    [property: Key(1)] ulong RetireLimit);

/// <summary>Why the machine stopped.</summary>
public enum MachineExitKind
{
    /// <summary>The deadline or the retire limit was reached; it can go on.</summary>
    Limit = 0,

    /// <summary>The guest wrote the debug-exit port; <see cref="MachineExit.Code"/> is the exit code.</summary>
    GuestExit = 1,

    /// <summary>HLT with interrupts disabled and no NMI: nothing can wake it.</summary>
    HaltedForever = 2,

    /// <summary>Triple fault.</summary>
    TripleFault = 3,

    /// <summary>The guest asked for a reset (port 64h, 92h, CF9h); the state has been reset unless resets end the run.</summary>
    Reset = 4,

    /// <summary>The host asked for a stop (Ctrl-C).</summary>
    HostStop = 5,

    /// <summary>The guest used something that is not there yet.</summary>
    Unsupported = 6,

    /// <summary>Power-off.</summary>
    PowerOff = 7,
}

/// <summary>How the machine stopped.</summary>
[Message(0x0602)]
public readonly partial record struct MachineExit(
    [property: Key(0)] MachineExitKind Kind,
    [property: Key(1)] int Code,
    [property: Key(2)] string Detail);

/// <summary>Asks for the counters.</summary>
[Message(0x0603)]
public readonly partial record struct ReadCounters;

/// <summary>One named counter. Names are dotted: <c>transition.3-0</c>, <c>instruction.Cli.ring0</c>, <c>strategy.jump-stub</c>, <c>site.C0100123.Cli.ring3</c> …</summary>
[Packed]
public readonly partial record struct Counter(
    [property: Key(0)] string Name,
    [property: Key(1)] ulong Value);

/// <summary>All counters, in a stable order.</summary>
[Message(0x0604)]
public readonly partial record struct Counters([property: Key(0)] Counter[] Values);
