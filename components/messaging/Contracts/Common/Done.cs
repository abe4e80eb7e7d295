namespace Plexus.Messaging.Contracts.Common;

/// <summary>Nothing to say: the request was carried out.</summary>
[Message(0x0102)]
public readonly partial record struct Done;
