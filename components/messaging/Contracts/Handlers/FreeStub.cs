namespace Plexus.Messaging.Contracts.Handlers;

/// <summary>Gives a stub's place back.</summary>
[Message(0x0505)]
public readonly partial record struct FreeStub([property: Key(0)] bool User, [property: Key(1)] uint Eip, [property: Key(2)] int Length);
