namespace Plexus.Messaging.Contracts.Cpu;

/// <summary>Walks the guest's own page tables.</summary>
/// <param name="Linear">Guest linear address.</param>
/// <param name="Access">The access to check.</param>
/// <param name="User">True to check as guest CPL 3.</param>
/// <param name="Commit">True to set the accessed (and, for writes, dirty) bits as the access would; false only looks.</param>
[Message(0x0207)]
public readonly partial record struct Walk(
    [property: Key(0)] uint Linear,
    [property: Key(1)] PageAccess Access,
    [property: Key(2)] bool User,
    [property: Key(3)] bool Commit);
