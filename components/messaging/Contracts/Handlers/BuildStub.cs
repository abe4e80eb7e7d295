namespace Plexus.Messaging.Contracts.Handlers;

/// <summary>Asks for a stub that stands for the instructions of a patch.</summary>
/// <param name="User">Privilege class.</param>
/// <param name="PatchEip">EIP of the JMP's first byte; its displacement is relative to <c>PatchEip + 5</c>.</param>
/// <param name="Instructions">The displaced instructions in order; the first begins at PatchEip.</param>
/// <param name="ReturnEip">First guest instruction that is not displaced.</param>
/// <param name="TrapMask">Bit i set: displacement byte i (0 = lowest) must be one of the bytes that always trap at CPL 3.</param>
[Message(0x0503)]
public readonly partial record struct BuildStub(
    [property: Key(0)] bool User,
    [property: Key(1)] uint PatchEip,
    [property: Key(2)] StubInstruction[] Instructions,
    [property: Key(3)] uint ReturnEip,
    [property: Key(4)] int TrapMask);
