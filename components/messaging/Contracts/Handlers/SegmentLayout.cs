namespace Plexus.Messaging.Contracts.Handlers;

/// <summary>Where the handler segment lives.</summary>
/// <param name="CodeBase">CS base of the code view.</param>
/// <param name="VirtualCpuLinear">Linear address of the first virtual CPU page (reached through SS, base 0).</param>
/// <param name="Near">EIPs for ordinary stubs.</param>
/// <param name="Far">EIPs for stubs whose highest displacement byte must be a trapping one; may be empty.</param>
[Packed]
public readonly partial record struct SegmentLayout(
    [property: Key(0)] uint CodeBase,
    [property: Key(1)] uint VirtualCpuLinear,
    [property: Key(2)] EipRange Near,
    [property: Key(3)] EipRange Far);
