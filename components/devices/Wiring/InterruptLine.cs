namespace Plexus.Devices;

/// <summary>One device's connection to an interrupt request line.</summary>
public sealed class InterruptLine
{
    private readonly InterruptLines lines;

    internal InterruptLine(InterruptLines lines, int irq)
    {
        this.lines = lines;
        Irq = irq;
    }

    /// <summary>The line, 0 to 15.</summary>
    public int Irq { get; }

    /// <summary>Whether this device asserts the line.</summary>
    public bool Level { get; private set; }

    /// <summary>Asserts or releases the line.</summary>
    public void Set(bool level) => Move(level, latch: true);

    /// <summary>Puts the line where it was when the state was saved: no edge.</summary>
    public void Restore(bool level) => Move(level, latch: false);

    private void Move(bool level, bool latch)
    {
        if (level == Level)
            return;
        Level = level;
        lines.Move(Irq, level, latch);
    }
}
