using Plexus.Messaging.Contracts.Bus;

namespace Plexus.Messaging.Contracts.Device;

/// <summary>Asks for one register as <see cref="StableRegisters"/> would list it; answered by <c>StablePortState</c> (no array: for the trap path).</summary>
[Message(0x080A)]
public readonly partial record struct ReadStableRegister([property: Key(0)] int Region, [property: Key(1)] uint Offset, [property: Key(2)] ulong Now);
