namespace Plexus.Devices;

/// <summary>The DMA request lines of the ISA bus, and who answers them: nobody, in a machine without a DMA controller.</summary>
public sealed class DmaLines
{
    /// <summary>Number of channels.</summary>
    public const int Count = 8;

    /// <summary>The channel whose request is the first controller's output.</summary>
    public const int Cascade = 4;

    /// <summary>The levels of DREQ, channel n in bit n.</summary>
    public int Requests { get; private set; }

    /// <summary>The controller; null for none.</summary>
    public IDmaController? Controller { get; internal set; }

    /// <summary>Opens a connection to a channel.</summary>
    /// <param name="channel">0 to 7, but not 4.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such channel for devices.</exception>
    public DmaChannel Connect(int channel)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(channel);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(channel, Count);
        ArgumentOutOfRangeException.ThrowIfEqual(channel, Cascade);
        return new DmaChannel(this, channel);
    }

    internal void Set(int channel, bool level) => Requests = level ? Requests | (1 << channel) : Requests & ~(1 << channel);
}
