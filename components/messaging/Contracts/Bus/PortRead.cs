namespace Plexus.Messaging.Contracts.Bus;

/// <summary>IN.</summary>
/// <param name="Port">Port number.</param>
/// <param name="Width">1, 2 or 4 bytes.</param>
/// <param name="Now">Guest time in nanoseconds.</param>
[Message(0x0701)]
public readonly partial record struct PortRead([property: Key(0)] ushort Port, [property: Key(1)] int Width, [property: Key(2)] ulong Now);
