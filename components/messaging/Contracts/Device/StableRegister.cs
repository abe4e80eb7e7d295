using Plexus.Messaging.Contracts.Bus;

namespace Plexus.Messaging.Contracts.Device;

/// <summary>One such register, in the device's own terms.</summary>
/// <param name="Region">Index of the device's region.</param>
/// <param name="Offset">Offset in that region.</param>
/// <param name="Readable">A byte read gives <see cref="Value"/>.</param>
/// <param name="Writes">The byte writes that a handler may take.</param>
/// <param name="Value">The value now.</param>
/// <param name="Reads">How many reads that holds for, if each takes something away: 1 or 2; 0 for any number.</param>
/// <param name="Next">What the second of two reads gives.</param>
[Packed]
public readonly partial record struct StableRegister(
    [property: Key(0)] int Region,
    [property: Key(1)] uint Offset,
    [property: Key(2)] bool Readable,
    [property: Key(3)] PortWrites Writes,
    [property: Key(4)] byte Value,
    [property: Key(5)] byte Reads = 0,
    [property: Key(6)] byte Next = 0)
{
    /// <summary>A register in a state.</summary>
    public StableRegister(int region, uint offset, in StablePortState state)
        : this(region, offset, state.Readable, state.Writes, state.Value, state.Reads, state.Next)
    {
    }
}
