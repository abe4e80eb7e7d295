namespace Plexus.Messaging.Contracts.Bus;

/// <summary>Lets the devices whose time has come act.</summary>
[Message(0x0708)]
public readonly partial record struct RunTimers([property: Key(0)] ulong Now);
