namespace Plexus.Devices;

/// <summary>One interrupt controller's view of the request lines: it misses no edge, whoever else looks.</summary>
public sealed class InterruptReader
{
    private readonly InterruptLines lines;
    private int edges;

    internal InterruptReader(InterruptLines lines) => this.lines = lines;

    /// <summary>Something moved since the last <see cref="Sample"/>.</summary>
    public bool Changed { get; private set; }

    /// <summary>Takes the levels, and the rising edges since the last call; IRQ n in bit n.</summary>
    public void Sample(out int currentLevels, out int risingEdges)
    {
        currentLevels = lines.Levels;
        risingEdges = edges;
        edges = 0;
        Changed = false;
    }

    internal void Latch(int rising)
    {
        edges |= rising;
        Changed = true;
    }
}
