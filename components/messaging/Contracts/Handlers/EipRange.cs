namespace Plexus.Messaging.Contracts.Handlers;

/// <summary>A range of EIPs the guest does not execute, where stubs may be placed.</summary>
[Packed]
public readonly partial record struct EipRange(
    [property: Key(0)] uint Start,
    [property: Key(1)] uint Length);
