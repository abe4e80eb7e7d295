namespace Plexus.Messaging.Contracts.Telemetry;

/// <summary>Everything is handed over.</summary>
/// <param name="Spans">Transition spans exported since the start.</param>
[Message(0x0904)]
public readonly partial record struct TelemetryFlushed([property: Key(0)] ulong Spans);
