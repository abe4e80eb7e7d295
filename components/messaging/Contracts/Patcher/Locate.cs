namespace Plexus.Messaging.Contracts.Patcher;

/// <summary>Asks what a code EIP stands for.</summary>
/// <param name="User">Privilege class.</param>
/// <param name="CodeEip">EIP in the code view: of a planted byte, or inside a stub. For an INT3 exit this is the INT3's own address.</param>
/// <param name="ViewFrame">The arena frame mapped there, or <see cref="uint.MaxValue"/> when not known to be a code page (stub area).</param>
[Message(0x0403)]
public readonly partial record struct Locate(
    [property: Key(0)] bool User,
    [property: Key(1)] uint CodeEip,
    [property: Key(2)] uint ViewFrame);
