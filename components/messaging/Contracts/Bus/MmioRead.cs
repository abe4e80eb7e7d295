namespace Plexus.Messaging.Contracts.Bus;

/// <summary>A read of a guest-physical address that is not RAM.</summary>
[Message(0x0703)]
public readonly partial record struct MmioRead([property: Key(0)] uint Address, [property: Key(1)] int Width, [property: Key(2)] ulong Now);
