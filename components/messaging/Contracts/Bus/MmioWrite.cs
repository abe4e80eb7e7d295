namespace Plexus.Messaging.Contracts.Bus;

/// <summary>A write to a guest-physical address that is not RAM.</summary>
[Message(0x0704)]
public readonly partial record struct MmioWrite([property: Key(0)] uint Address, [property: Key(1)] int Width, [property: Key(2)] uint Value, [property: Key(3)] ulong Now);
