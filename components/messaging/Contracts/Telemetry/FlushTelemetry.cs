namespace Plexus.Messaging.Contracts.Telemetry;

/// <summary>Asks telemetry to hand everything it has taken to its outputs. Answered after all messages posted before it.</summary>
[Message(0x0903)]
public readonly partial record struct FlushTelemetry;
