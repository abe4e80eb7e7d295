namespace Plexus.Messaging.Contracts.Telemetry;

/// <summary>Bytes a guest console device sent.</summary>
[Message(0x0902)]
public readonly partial record struct ConsoleBytes([property: Key(0)] string Console, [property: Key(1)] ReadOnlyMemory<byte> Data);
