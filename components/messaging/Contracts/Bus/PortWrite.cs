namespace Plexus.Messaging.Contracts.Bus;

/// <summary>OUT.</summary>
[Message(0x0702)]
public readonly partial record struct PortWrite([property: Key(0)] ushort Port, [property: Key(1)] int Width, [property: Key(2)] uint Value, [property: Key(3)] ulong Now);
