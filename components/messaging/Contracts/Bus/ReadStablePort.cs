namespace Plexus.Messaging.Contracts.Bus;

/// <summary>Asks for one port as <see cref="StablePorts"/> would list it (no array: for the trap path).</summary>
[Message(0x070C)]
public readonly partial record struct ReadStablePort([property: Key(0)] ushort Port, [property: Key(1)] ulong Now);
