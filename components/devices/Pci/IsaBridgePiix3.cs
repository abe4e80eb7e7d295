namespace Plexus.Devices;

/// <summary>
/// The ISA bridge function of the Intel 82371SB (PIIX3), function 0 of a multifunction device: PIRQ routing to ISA interrupt requests; the other registers are stored
/// (datasheet 290550, 2.2). Its reset control at CF9h is <see cref="ResetControl"/>, its interrupt controllers, timers and DMA are devices of their own.
/// </summary>
public sealed class IsaBridgePiix3 : PciFunction
{
    private const int PirqRouting = 0x60;

    /// <summary>PIRQRC bit 7: the wire is led nowhere.</summary>
    private const uint RoutingDisabled = 0x80;

    /// <summary>Interrupt requests that a PIRQ may be led to (datasheet 2.2.10): 3 to 7, 9 to 12, 14 and 15.</summary>
    private const int Routable = 0b1101_1110_1111_1000;

    /// <summary>Makes the bridge.</summary>
    /// <param name="chipset">The machine's wires.</param>
    /// <param name="device">PCI device number.</param>
    public IsaBridgePiix3(Chipset chipset, int device)
        : base(chipset, new PciIdentity(device, 0, 0x8086, 0x7000, 0x06_01_00, 0) { IsMultifunction = true })
    {
        // I/O, memory, master and special cycles are always on.
        Define(0x04, 0x0007, 0x0100, 2);
        Define(0x06, 0x0280, 0, 2);
        DefineClearable(0x06, 0x7800, 2);
        Define(0x0C, 0, 0, 2);
        Define(0x4C, 0x4D, 0xFF, 1);
        Define(0x4E, 0x0003, 0x05FF, 2);
        for (int i = 0; i < PciInterrupts.Count; i++)
            Define(PirqRouting + i, RoutingDisabled, 0x8F, 1);
        Define(0x69, 0x02, 0xFE, 1);
        Define(0x6A, 0, 0x8002, 2);
        Define(0x70, 0x80, 0xCF, 1);
        Define(0x71, 0x80, 0xCF, 1);
        Define(0x76, 0x0C, 0x8F, 1);
        Define(0x77, 0x0C, 0x8F, 1);
        Define(0x78, 0x0002, 0xFFFF, 2);
        Define(0x80, 0, 0x7F, 1);
        Define(0x82, 0, 0x0F, 1);
        Define(0xA0, 0x08, 0x1F, 1);
        Define(0xA2, 0, 0x00FF, 2);
        Define(0xA4, 0, 0xFFFF_FFFF, 4);
        Define(0xA8, 0x0F, 0xFF, 1);
        Define(0xAA, 0, 0, 2);
        DefineClearable(0xAA, 0x00FF, 2);
        Define(0xAC, 0, 0xFF, 1);
        Define(0xAE, 0, 0xFF, 1);
    }

    /// <inheritdoc/>
    public override byte StateVersion => 1;

    /// <inheritdoc/>
    protected override void ConfigurationWritten(int offset, int width, ulong now)
    {
        if (offset < PirqRouting + PciInterrupts.Count && offset + width > PirqRouting)
            Route(latch: true);
    }

    /// <inheritdoc/>
    protected override void ResetFunction(bool cold) => Route(latch: true);

    /// <inheritdoc/>
    protected override void SaveFunction(StateWriter writer)
    {
    }

    /// <inheritdoc/>
    protected override void RestoreFunction(ref StateReader reader) => Route(latch: false);

    private void Route(bool latch)
    {
        for (int i = 0; i < PciInterrupts.Count; i++)
        {
            uint routing = Get(PirqRouting + i, 1);
            int irq = (int)(routing & 0x0F);
            bool isLed = (routing & RoutingDisabled) == 0 && (Routable & (1 << irq)) != 0;
            Chipset.PciInterrupts.Route(i, isLed ? irq : null, latch);
        }
    }
}
