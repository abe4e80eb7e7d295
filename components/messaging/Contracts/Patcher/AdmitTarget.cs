namespace Plexus.Messaging.Contracts.Patcher;

/// <summary>Control arrives at an EIP: was it scanned as the beginning of an instruction? If so, ring-3 branch handlers may go there by themselves from now on.</summary>
/// <param name="Page">The code page.</param>
/// <param name="Eip">The EIP.</param>
[Message(0x0411)]
public readonly partial record struct AdmitTarget(
    [property: Key(0)] CodePageKey Page,
    [property: Key(1)] uint Eip);
