namespace Plexus.Messaging.Contracts.Patcher;

/// <summary>Identifies a code page.</summary>
/// <param name="Frame">Guest RAM frame the bytes come from.</param>
/// <param name="EipPage">EIP of the page's first byte.</param>
/// <param name="User">Guest privilege class: true for CPL 3.</param>
/// <param name="CodeBits">16 or 32.</param>
[Packed]
public readonly partial record struct CodePageKey(
    [property: Key(0)] uint Frame,
    [property: Key(1)] uint EipPage,
    [property: Key(2)] bool User,
    [property: Key(3)] int CodeBits);
