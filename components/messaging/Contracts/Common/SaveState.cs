namespace Plexus.Messaging.Contracts.Common;

/// <summary>Asks for the volatile state.</summary>
[Message(0x0103)]
public readonly partial record struct SaveState;
