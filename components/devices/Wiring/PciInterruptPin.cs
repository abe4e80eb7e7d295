namespace Plexus.Devices;

/// <summary>One PCI function's interrupt pin.</summary>
public sealed class PciInterruptPin
{
    private readonly PciInterrupts wires;
    private readonly int pirq;

    internal PciInterruptPin(PciInterrupts wires, int pirq)
    {
        this.wires = wires;
        this.pirq = pirq;
    }

    /// <summary>Whether the function asserts the pin.</summary>
    public bool Level { get; private set; }

    /// <summary>Asserts or releases the pin.</summary>
    public void Set(bool level) => Move(level, latch: true);

    /// <summary>Puts the pin where it was when the state was saved: no edge.</summary>
    public void Restore(bool level) => Move(level, latch: false);

    private void Move(bool level, bool latch)
    {
        if (level == Level)
            return;
        Level = level;
        wires.Set(pirq, level, latch);
    }
}
