namespace Plexus.Messaging.Contracts.Patcher;

/// <summary>Drops every code page made from a guest RAM frame (its bytes changed), and breaks straddles that end in it.</summary>
[Message(0x0407)]
public readonly partial record struct Invalidate([property: Key(0)] uint Frame);
