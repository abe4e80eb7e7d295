namespace Plexus.Messaging.Contracts.Patcher;

/// <summary>The answer to <see cref="AdmitTarget"/>.</summary>
/// <param name="Scanned">An instruction begins there that a scan has decoded.</param>
[Message(0x0412)]
public readonly partial record struct Admitted([property: Key(0)] bool Scanned);
