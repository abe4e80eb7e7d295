namespace Plexus.Messaging.Contracts.Monitor;

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

    /// <summary>The host asked for a stop (Ctrl-C), or a debugger did.</summary>
    HostStop = 5,

    /// <summary>The guest used something that is not there yet.</summary>
    Unsupported = 6,

    /// <summary>Power-off.</summary>
    PowerOff = 7,

    /// <summary>An exception or interrupt was delivered; <see cref="MachineExit.Code"/> is its vector. It can go on.</summary>
    Delivered = 8,

    /// <summary>A breakpoint or watchpoint of the host was met; <see cref="MachineExit.Code"/> is its linear address, or the first of its bytes that was touched. It can go on.</summary>
    Breakpoint = 9,

    /// <summary>Guest code left its confinement, or the process that it runs in ended.</summary>
    ContainerLost = 10,
}
