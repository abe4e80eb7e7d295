namespace Plexus.Devices;

/// <summary>
/// The sixteen ISA interrupt request lines. Devices set levels; interrupt controllers sample levels and the rising edges since they last looked, each with a reader of its own.
/// Nothing is called when a line moves: the bus sees <see cref="Changed"/> after the access or timer event that moved it.
/// </summary>
public sealed class InterruptLines
{
    /// <summary>Number of lines.</summary>
    public const int Count = 16;

    private readonly int[] asserting = new int[Count];
    private readonly List<InterruptReader> readers = [];
    private int levels;
    private int edges;

    /// <summary>The levels, IRQ n in bit n.</summary>
    public int Levels => levels;

    /// <summary>Something moved since the last <see cref="Sample"/>.</summary>
    public bool Changed { get; private set; }

    /// <summary>Opens a connection to a line. Several devices on one line are a wired OR.</summary>
    /// <param name="irq">0 to 15. The AT gave the slot pin of IRQ 2 to the cascade and wired the pin to IRQ 9, so 2 means 9.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such line.</exception>
    public InterruptLine Connect(int irq)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(irq);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(irq, Count);
        return new InterruptLine(this, irq == 2 ? 9 : irq);
    }

    /// <summary>Opens a reader: what an interrupt controller sees of the lines.</summary>
    public InterruptReader OpenReader()
    {
        var reader = new InterruptReader(this);
        readers.Add(reader);
        return reader;
    }

    /// <summary>Takes the levels, and the rising edges since the last call. Readers do not notice.</summary>
    public void Sample(out int currentLevels, out int risingEdges)
    {
        currentLevels = levels;
        risingEdges = edges;
        edges = 0;
        Changed = false;
    }

    internal void Move(int irq, bool level, bool latch)
    {
        int before = asserting[irq];
        int after = before + (level ? 1 : -1);
        asserting[irq] = after;
        if (level && before == 0)
        {
            levels |= 1 << irq;
            if (latch)
                Latch(1 << irq);
        }
        else if (!level && after == 0)
        {
            levels &= ~(1 << irq);
            if (latch)
                Latch(0);
        }
    }

    private void Latch(int rising)
    {
        edges |= rising;
        Changed = true;
        foreach (InterruptReader reader in readers)
            reader.Latch(rising);
    }
}
