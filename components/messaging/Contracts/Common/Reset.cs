namespace Plexus.Messaging.Contracts.Common;

/// <summary>Return to the power-on (<see cref="Cold"/>) or RESET#-line state.</summary>
[Message(0x0101)]
public readonly partial record struct Reset([property: Key(0)] bool Cold);
