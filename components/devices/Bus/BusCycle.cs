using Plexus.Messaging.Contracts.Bus;

namespace Plexus.Devices;

/// <summary>One bus cycle, after it was carried out.</summary>
/// <param name="Kind">Ports or memory.</param>
/// <param name="IsWrite">Direction.</param>
/// <param name="Address">Port or guest-physical address.</param>
/// <param name="Width">1, 2 or 4 bytes: of this cycle, not of the instruction's access.</param>
/// <param name="Value">What was read or written.</param>
/// <param name="Device">Who answered; null when nobody did.</param>
/// <param name="Status">How.</param>
/// <param name="Now">Guest time in nanoseconds.</param>
public readonly record struct BusCycle(
    RegionKind Kind,
    bool IsWrite,
    uint Address,
    int Width,
    uint Value,
    string? Device,
    AccessStatus Status,
    ulong Now)
{
    /// <summary>A device took the cycle; otherwise the bus supplied ones or dropped the value.</summary>
    public bool WasHandled => Status == AccessStatus.Ok;
}
