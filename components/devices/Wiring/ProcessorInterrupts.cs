using Plexus.Messaging.Shared;

namespace Plexus.Devices;

/// <summary>
/// The wires of interrupt delivery at the processor: INT of the 8259A pair (pin INTR, or LINT0 of a local APIC), NMI (LINT1), and the APIC bus between I/O APIC and local APIC.
/// In a machine without APICs, INT is INTR.
/// </summary>
/// <param name="lines">INTR and NMI.</param>
public sealed class ProcessorInterrupts(PlatformLines lines)
{
    /// <summary>INT of the 8259A pair (level).</summary>
    public bool Int { get; private set; }

    /// <summary>The NMI wire (level).</summary>
    public bool Nmi { get; private set; }

    /// <summary>The local APIC; null for none.</summary>
    public ILocalApic? Local { get; internal set; }

    /// <summary>The I/O APIC; null for none.</summary>
    public IIoApic? Io { get; internal set; }

    /// <summary>The processor's next INTA is answered by the local APIC, not by the 8259A pair.</summary>
    public bool LocalAnswers => Local is { HasVector: true };

    /// <summary>Moves INT.</summary>
    public void SetInt(bool level)
    {
        if (level == Int)
        {
            // Whoever resets the platform lines may have taken INTR down.
            if (Local is null)
                lines.Intr = level;
            return;
        }

        Int = level;
        if (Local is null)
            lines.Intr = level;
        else
            Local.MovePin(0, level);
        Io?.MoveInt(level);
    }

    /// <summary>Puts INT where it was when the state was saved: no edge.</summary>
    public void RestoreInt(bool level)
    {
        Int = level;
        if (Local is null)
            lines.Intr = level;
        else
            Local.RestorePins();
    }

    /// <summary>The 8259A pair has answered an INTA. Its INT goes low meanwhile: a further request is a new edge for the I/O APIC.</summary>
    internal void Acknowledged()
    {
        Local?.TakeExternal();
        if (Int)
            Io?.MoveInt(true);
    }

    /// <summary>Moves NMI: its rising edge is what counts.</summary>
    public void SetNmi(bool level)
    {
        if (level == Nmi)
            return;
        Nmi = level;
        if (Local is null)
            lines.Nmi |= level;
        else
            Local.MovePin(1, level);
    }
}
