namespace Plexus.Messaging.Contracts.Device;

/// <summary>One such register, in the device's own terms.</summary>
/// <param name="Region">Index of the device's region.</param>
/// <param name="Offset">Offset in that region.</param>
/// <param name="Readable">A byte read gives <see cref="Value"/>.</param>
/// <param name="Latch">A byte write only replaces the value.</param>
/// <param name="Value">The value now.</param>
[Packed]
public readonly partial record struct StableRegister(
    [property: Key(0)] int Region,
    [property: Key(1)] uint Offset,
    [property: Key(2)] bool Readable,
    [property: Key(3)] bool Latch,
    [property: Key(4)] byte Value);
