namespace Plexus.Messaging.Contracts.Monitor;

/// <summary>All counters, in a stable order.</summary>
/// <param name="Values">The counters: the same for two runs of the same configuration.</param>
/// <param name="ScanNanoseconds">Wall time spent in scanning and planting.</param>
[Message(0x0604)]
public readonly partial record struct Counters([property: Key(0)] Counter[] Values, [property: Key(1)] ulong ScanNanoseconds = 0);
