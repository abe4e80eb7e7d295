namespace Plexus.Messaging.Contracts.Cpu;

/// <summary>Why a run ended.</summary>
public enum ExitKind
{
    /// <summary>An exception on the physical processor (only <see cref="RunMode.Deprivileged"/>).</summary>
    Trap = 0,

    /// <summary>Guest time reached the deadline; the state is at a guest-instruction boundary, before the next weighted instruction.</summary>
    Deadline = 1,

    /// <summary>The retire limit was reached, at a guest-instruction boundary.</summary>
    Limit = 2,

    /// <summary>HLT with interrupts possible: nothing to execute until an interrupt line rises.</summary>
    Halt = 3,

    /// <summary>The platform asked for a stop (reset, power-off, debug-exit, A20 change, host stop): see <c>PlatformLines</c>.</summary>
    Stop = 4,

    /// <summary>The state can now run deprivileged (only <see cref="RunMode.Interpreted"/>).</summary>
    Runnable = 5,

    /// <summary>Shutdown: a fault while delivering a double fault (SDM vol. 3, 6.15, #DF).</summary>
    TripleFault = 6,

    /// <summary>The guest used something that is not there yet; <see cref="CpuExit.Detail"/> names it.</summary>
    Unsupported = 7,

    /// <summary>A device moved its deadline or its interrupt line changed: recompute and run again.</summary>
    Resample = 8,

    /// <summary>The physical instructions asked for were executed; the state may lie inside a handler (only <see cref="RunMode.Deprivileged"/> with <c>Steps</c>).</summary>
    Step = 9,

    /// <summary>The guest's privilege level changed, and the request asked to end there: see <see cref="ReadRingChange"/>.</summary>
    RingChange = 16,

    /// <summary>An exception or interrupt was delivered, and the request asked to end there: <see cref="CpuExit.Vector"/>.</summary>
    Delivered = 17,

    /// <summary>A breakpoint or watchpoint of the host was met: <see cref="CpuExit.Linear"/> is its address, or the first of its bytes that was touched.</summary>
    Breakpoint = 18,

    /// <summary>The engine cannot run the present state, for a reason that the state alone does not show: it is to be interpreted for a while (only <see cref="RunMode.Deprivileged"/>).</summary>
    Interpret = 19,

    /// <summary>Guest code left its confinement, or its container ended: <see cref="CpuExit.Detail"/> says how. Nothing of the guest's state is to be relied upon (only <see cref="RunMode.Deprivileged"/>).</summary>
    Lost = 20,
}
