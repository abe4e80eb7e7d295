using Plexus.Messaging.Contracts.Prescan;

namespace Plexus.Messaging.Contracts.Handlers;

/// <summary>Asks for the ring-3 code that stands for the instructions of a patch (for <see cref="Road.Gate"/>: of a site behind INT3).</summary>
/// <param name="User">Privilege class.</param>
/// <param name="PatchEip">EIP of the JMP's or CALL's first byte (of the INT3 for <see cref="Road.Gate"/>); its displacement is relative to <c>PatchEip + 5</c>.</param>
/// <param name="Instructions">The displaced instructions in order; the first begins at PatchEip.</param>
/// <param name="ReturnEip">First guest instruction that is not displaced.</param>
/// <param name="TrapMask">Bit i set: displacement byte i (0 = lowest) must be one of the bytes that always trap at CPL 3.</param>
/// <param name="Road">How the guest gets there, and so what the code finds on the stack and how it leaves.</param>
/// <param name="Branches">Which near branches are virtualised.</param>
[Message(0x0503)]
public readonly partial record struct BuildStub(
    [property: Key(0)] bool User,
    [property: Key(1)] uint PatchEip,
    [property: Key(2)] StubInstruction[] Instructions,
    [property: Key(3)] uint ReturnEip,
    [property: Key(4)] int TrapMask,
    [property: Key(5)] Road Road = Road.Jump,
    [property: Key(6)] BranchMode Branches = BranchMode.Native);
