namespace Plexus.Devices;

/// <summary>How a DMA channel serves requests (8237A mode register, bits 7-6).</summary>
internal enum DmaService
{
    /// <summary>While the device requests.</summary>
    Demand = 0,

    /// <summary>One transfer a request.</summary>
    Single = 1,

    /// <summary>To the terminal count.</summary>
    Block = 2,

    /// <summary>Another controller's requests pass through.</summary>
    Cascade = 3,
}
