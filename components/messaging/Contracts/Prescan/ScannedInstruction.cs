namespace Plexus.Messaging.Contracts.Prescan;

/// <summary>One decoded instruction of a page.</summary>
/// <param name="Offset">Offset of its first byte in the page.</param>
/// <param name="Length">Length in bytes (1..15).</param>
/// <param name="Class">How it must be treated.</param>
/// <param name="Code">Iced <c>Code</c> value.</param>
/// <param name="Flow">How it passes control.</param>
/// <param name="Target">EIP of a direct branch's target; otherwise 0.</param>
/// <param name="BelowStack">It names memory below ESP, which roads that push onto the guest's stack overwrite.</param>
[Packed]
public readonly partial record struct ScannedInstruction(
    [property: Key(0)] int Offset,
    [property: Key(1)] int Length,
    [property: Key(2)] InstructionClass Class,
    [property: Key(3)] int Code,
    [property: Key(4)] FlowKind Flow,
    [property: Key(5)] uint Target,
    [property: Key(6)] bool BelowStack = false);
