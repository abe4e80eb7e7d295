namespace Plexus.Messaging.Contracts.Common;

/// <summary>Asks what this component is and how it is set up.</summary>
[Message(0x0106)]
public readonly partial record struct Describe;
