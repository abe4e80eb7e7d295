namespace Plexus.Messaging.Shared;

/// <summary>
/// The wires between chipset, CPU and monitor: devices latch, the CPU and the monitor sample. Nothing Calls upward through it.
/// </summary>
public sealed class PlatformLines
{
    /// <summary>INTR: the interrupt controller requests (level). The CPU does not see it while <see cref="FollowsJournal"/>.</summary>
    public bool Intr
    {
        get => intr && !FollowsJournal;
        set => intr = value;
    }

    /// <summary>A journal is replayed: INTR and timers do not reach the CPU, since interrupts and device time come where they came before.</summary>
    public bool FollowsJournal { get; set; }

    /// <summary>A journal that is replayed asks the machine to stop at the next boundary: something comes next that the guest does not come to by itself.</summary>
    public bool JournalStop { get; set; }

    /// <summary>NMI latched (edge); cleared when taken.</summary>
    public bool Nmi { get; set; }

    /// <summary>The CPU is in an NMI handler: a latched <see cref="Nmi"/> waits for its IRET, and wakes nobody.</summary>
    public bool NmiBlocked { get; set; }

    /// <summary>An NMI is latched that the CPU would take.</summary>
    public bool NmiDeliverable => Nmi && !NmiBlocked;

    /// <summary>NMI does not reach the CPU: bit 7 of port 70h. A latched <see cref="Nmi"/> waits.</summary>
    public bool NmiMasked { get; set; }

    /// <summary>How often the virtual processor forgot translations, all or some (INVLPG, loads of CR3, changes of CR0, CR4, IA32_EFER and A20).</summary>
    public ulong TranslationFlushes { get; set; }

    /// <summary>Changes whenever the answer to <c>ReadStablePorts</c> may have changed by anything but a handler's own write.</summary>
    public ulong StablePortsVersion { get; set; }

    /// <summary>Ports whose byte reads ring-3 handlers answer at present, by the virtual CPU pages: ring 0 is not entered for these.</summary>
    public PortSet HandledReads { get; } = new();

    /// <summary>Ports of which they take byte writes.</summary>
    public PortSet HandledWrites { get; } = new();

    /// <summary>A20 gate open (address bit 20 passes). Closed: bit 20 of every physical address is forced to 0.</summary>
    public bool A20 { get; set; } = true;

    /// <summary>A device asked for a CPU reset.</summary>
    public bool ResetRequested { get; set; }

    /// <summary>INIT: the local APIC asks the CPU to begin at its reset vector; other components are not reset. Cleared when done.</summary>
    public bool InitRequested { get; set; }

    /// <summary>Power-off requested.</summary>
    public bool PowerOffRequested { get; set; }

    /// <summary>The guest wrote the debug-exit port: the process exit code, otherwise null.</summary>
    public int? GuestExitCode { get; set; }

    /// <summary>The host asks the machine to stop at the next boundary (set from any thread).</summary>
    public bool HostStop
    {
        get => Volatile.Read(ref hostStop);
        set => Volatile.Write(ref hostStop, value);
    }

    /// <summary>A debugger asks the machine to stop at the next boundary and to listen to it (set from any thread). Unlike <see cref="HostStop"/> it does not end the run.</summary>
    public bool DebuggerStop
    {
        get => Volatile.Read(ref debuggerStop);
        set => Volatile.Write(ref debuggerStop, value);
    }

    /// <summary>Guest time in nanoseconds of the next timer event of any device; the bus keeps it current after every access.</summary>
    public ulong TimerDeadline
    {
        get => Volatile.Read(ref timerDeadline);
        set
        {
            Volatile.Write(ref timerDeadline, value);
            DeadlineSet?.Invoke(value);
        }
    }

    /// <summary>Told of each <see cref="TimerDeadline"/> on the thread that set it: of whoever runs guest code meanwhile, and cannot look.</summary>
    public Action<ulong>? DeadlineSet { get; set; }

    /// <summary><see cref="TimerDeadline"/>, as far as it is the CPU's to look at.</summary>
    public ulong ProcessorDeadline => FollowsJournal ? ulong.MaxValue : TimerDeadline;

    /// <summary>True when anything asks for a stop.</summary>
    public bool StopRequested => ResetRequested || InitRequested || PowerOffRequested || GuestExitCode is not null || HostStop || DebuggerStop || JournalStop;

    /// <summary>
    /// FERR#: an unmasked x87 exception is pending while CR0.NE is clear (level). When it moves, the next timer event is now, so that the bus looks at it;
    /// with it falls <see cref="IgnoreNumericError"/>, as on the AT (SDM vol. 1, appendix D.2).
    /// </summary>
    public bool NumericError
    {
        get => numericError;
        set
        {
            if (value == numericError)
                return;
            numericError = value;
            IgnoreNumericError &= value;
            TimerDeadline = 0;
        }
    }

    /// <summary>IA32_APIC_BASE at power-on: bootstrap processor, enabled, at FEE00000h.</summary>
    public const ulong ApicBaseAtReset = 0xFEE0_0900;

    /// <summary>The machine has the local APIC of its processor.</summary>
    public bool HasLocalApic { get; set; }

    /// <summary>IA32_APIC_BASE: the CPU writes it, the local APIC follows. When it moves, the next timer event is now, so that the bus looks at it.</summary>
    public ulong ApicBase
    {
        get => apicBase;
        set
        {
            if (value == apicBase)
                return;
            apicBase = value;
            TimerDeadline = 0;
        }
    }

    /// <summary>IGNNE#: while CR0.NE is clear, x87 instructions go on in spite of a pending exception (level).</summary>
    public bool IgnoreNumericError { get; set; }

    private ulong timerDeadline = ulong.MaxValue;
    private bool intr;
    private bool hostStop;
    private bool debuggerStop;
    private bool numericError;
    private ulong apicBase;
}
