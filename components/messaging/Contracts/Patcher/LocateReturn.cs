namespace Plexus.Messaging.Contracts.Patcher;

/// <summary>Asks which site a return address stands for that a planted CALL or a ring-3 gate pushed. Answered with <see cref="GuestPoint"/>; <see cref="PointKind.None"/> when the branch table does not hold it.</summary>
/// <param name="ReturnEip">The return address: the patch's EIP + 5, or the INT3's EIP + 1.</param>
/// <param name="Gate">It was pushed by a ring-3 gate.</param>
[Message(0x040F)]
public readonly partial record struct LocateReturn(
    [property: Key(0)] uint ReturnEip,
    [property: Key(1)] bool Gate);
