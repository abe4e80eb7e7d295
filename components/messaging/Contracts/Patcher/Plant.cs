using Plexus.Messaging.Contracts.Prescan;

namespace Plexus.Messaging.Contracts.Patcher;

/// <summary>Copies scanned instructions into the code page (created on first use) and plants patches.</summary>
/// <param name="Page">Which code page.</param>
/// <param name="Bytes">The guest's own 4096 bytes.</param>
/// <param name="Instructions">What the prescan found.</param>
/// <param name="Strategy">The run's strategy.</param>
/// <param name="NextFrame">Guest RAM frame of the linearly next page when its pairing is verified, otherwise <see cref="uint.MaxValue"/>: then straddling instructions stay INT3.</param>
/// <param name="NextBytes">The first 15 bytes of that next page, or empty.</param>
[Message(0x0401)]
public readonly partial record struct Plant(
    [property: Key(0)] CodePageKey Page,
    [property: Key(1)] ReadOnlyMemory<byte> Bytes,
    [property: Key(2)] ScannedInstruction[] Instructions,
    [property: Key(3)] Strategy Strategy,
    [property: Key(4)] uint NextFrame,
    [property: Key(5)] ReadOnlyMemory<byte> NextBytes);
