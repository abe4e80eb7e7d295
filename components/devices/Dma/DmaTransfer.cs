namespace Plexus.Devices;

/// <summary>Direction of a DMA channel, from the memory's side (8237A mode register, bits 3-2).</summary>
internal enum DmaTransfer
{
    /// <summary>Addresses and counts move, data does not.</summary>
    Verify = 0,

    /// <summary>Device to memory.</summary>
    Write = 1,

    /// <summary>Memory to device.</summary>
    Read = 2,
}
