namespace Plexus.Devices;

/// <summary>
/// The four PIRQ wires of a PC's PCI bus and where the ISA bridge leads them. Pin p (INTA = 1) of device d is wired to PIRQ (p + d - 2) mod 4, which spreads the devices' first pins.
/// All pins on a wire are a wired OR; levels, not edges.
/// </summary>
/// <param name="lines">The ISA interrupt requests that PIRQ wires can be led to.</param>
public sealed class PciInterrupts(InterruptLines lines)
{
    /// <summary>PIRQA to PIRQD.</summary>
    public const int Count = 4;

    private readonly int[] asserting = new int[Count];
    private readonly InterruptLine?[] targets = new InterruptLine?[Count];

    /// <summary>Opens a connection.</summary>
    /// <param name="device">PCI device number, 0 to 31.</param>
    /// <param name="pin">1 to 4 for INTA to INTD.</param>
    public PciInterruptPin Connect(int device, int pin)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(pin, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(pin, Count);
        return new PciInterruptPin(this, (pin + device - 2) & 3);
    }

    /// <summary>Leads a PIRQ wire to an interrupt request, or to none.</summary>
    /// <param name="pirq">0 to 3.</param>
    /// <param name="irq">The ISA line; null for none.</param>
    /// <param name="latch">Edges count; false when a state is restored.</param>
    public void Route(int pirq, int? irq, bool latch = true)
    {
        if (targets[pirq]?.Irq == irq)
            return;
        Move(targets[pirq], false, latch);
        targets[pirq] = irq is { } number ? lines.Connect(number) : null;
        Move(targets[pirq], asserting[pirq] != 0, latch);
    }

    internal void Set(int pirq, bool level, bool latch)
    {
        asserting[pirq] += level ? 1 : -1;
        Move(targets[pirq], asserting[pirq] != 0, latch);
    }

    private static void Move(InterruptLine? target, bool level, bool latch)
    {
        if (latch)
            target?.Set(level);
        else
            target?.Restore(level);
    }
}
