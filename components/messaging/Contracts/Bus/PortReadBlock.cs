namespace Plexus.Messaging.Contracts.Bus;

/// <summary>Repeated IN from one port, as REP INS does it. Answered by <see cref="PortBlock"/> with at most as much as asked for; nothing means: access the port singly.</summary>
/// <param name="Port">Port number.</param>
/// <param name="Width">1, 2 or 4 bytes each.</param>
/// <param name="Count">Accesses wanted, at least 1.</param>
/// <param name="Now">Guest time in nanoseconds.</param>
[Message(0x0711)]
public readonly partial record struct PortReadBlock([property: Key(0)] ushort Port, [property: Key(1)] int Width, [property: Key(2)] int Count, [property: Key(3)] ulong Now);
