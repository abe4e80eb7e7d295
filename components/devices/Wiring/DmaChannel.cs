namespace Plexus.Devices;

/// <summary>
/// One device's connection to a DMA channel: DREQ, DACK and TC. DREQ is a level that the guest can poll. A transfer happens when the device moves its bytes, which it does at its own pace;
/// a channel that is masked moves nothing, and the device asks again or reports an overrun as it would.
/// </summary>
public sealed class DmaChannel
{
    private readonly DmaLines lines;

    internal DmaChannel(DmaLines lines, int number)
    {
        this.lines = lines;
        Number = number;
    }

    /// <summary>The channel, 0 to 7; 4 is the cascade.</summary>
    public int Number { get; }

    /// <summary>Whether the device asserts DREQ.</summary>
    public bool Request
    {
        get => (lines.Requests >> Number & 1) != 0;
        set => lines.Set(Number, value);
    }

    /// <summary>Moves bytes from the device to memory.</summary>
    /// <param name="data">What the device has.</param>
    /// <param name="terminalCount">TC came with the last byte moved: the channel wants no more.</param>
    /// <returns>Bytes moved.</returns>
    public int ToMemory(ReadOnlySpan<byte> data, out bool terminalCount)
    {
        terminalCount = false;
        return lines.Controller?.ToMemory(Number, data, out terminalCount) ?? 0;
    }

    /// <summary>Moves bytes from memory to the device.</summary>
    /// <param name="data">Where the device wants them.</param>
    /// <param name="terminalCount">TC came with the last byte moved.</param>
    /// <returns>Bytes moved; the rest of <paramref name="data"/> is untouched.</returns>
    public int FromMemory(Span<byte> data, out bool terminalCount)
    {
        terminalCount = false;
        return lines.Controller?.FromMemory(Number, data, out terminalCount) ?? 0;
    }
}
