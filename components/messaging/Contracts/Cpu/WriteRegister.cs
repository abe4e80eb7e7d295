namespace Plexus.Messaging.Contracts.Cpu;

/// <summary>Writes a register of the stopped guest from outside, as an instruction at CPL 0 would. Nothing is delivered into the guest.</summary>
/// <param name="Kind">Which register file.</param>
/// <param name="Index">Which register of it; 0 where there is one only.</param>
/// <param name="Value">The value.</param>
[Message(0x0233)]
public readonly partial record struct WriteRegister(
    [property: Key(0)] RegisterKind Kind,
    [property: Key(1)] uint Index,
    [property: Key(2)] ulong Value);
