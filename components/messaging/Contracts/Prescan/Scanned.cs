namespace Plexus.Messaging.Contracts.Prescan;

/// <summary>The result of a scan: instructions reached from the entry, ascending by offset. Streams may overlap.</summary>
[Message(0x0302)]
public readonly partial record struct Scanned([property: Key(0)] ScannedInstruction[] Instructions);
