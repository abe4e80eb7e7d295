namespace Plexus.Devices;

/// <summary>What answers the DMA request lines.</summary>
public interface IDmaController
{
    /// <summary>A device's bytes go to memory, as far as the channel lets them.</summary>
    /// <param name="channel">0 to 7.</param>
    /// <param name="data">The bytes; on channels 5 to 7 only whole words are moved.</param>
    /// <param name="terminalCount">TC came with the last byte moved.</param>
    /// <returns>Bytes moved: 0 while the channel is masked, up to the terminal count otherwise.</returns>
    int ToMemory(int channel, ReadOnlySpan<byte> data, out bool terminalCount);

    /// <summary>A device asks for bytes of memory.</summary>
    /// <param name="channel">0 to 7.</param>
    /// <param name="data">Where they go.</param>
    /// <param name="terminalCount">TC came with the last byte moved.</param>
    /// <returns>Bytes moved.</returns>
    int FromMemory(int channel, Span<byte> data, out bool terminalCount);
}
