namespace Plexus.Messaging.Contracts.Monitor;

/// <summary>How the machine stopped.</summary>
[Message(0x0602)]
public readonly partial record struct MachineExit(
    [property: Key(0)] MachineExitKind Kind,
    [property: Key(1)] int Code,
    [property: Key(2)] string Detail);
