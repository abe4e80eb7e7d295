namespace Plexus.Messaging.Contracts.Patcher;

/// <summary>Asks for the code page of a key, or for the stub page at an EIP (<c>Page.Frame == uint.MaxValue</c>).</summary>
[Message(0x0405)]
public readonly partial record struct FindView([property: Key(0)] CodePageKey Page);
