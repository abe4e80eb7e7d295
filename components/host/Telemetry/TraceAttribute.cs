namespace Plexus.Host.Telemetry;

/// <summary>An attribute of a span or resource.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">The type in Jaeger's words: <c>string</c>, <c>int64</c>, <c>float64</c> or <c>bool</c>.</param>
/// <param name="Text">The value of a string.</param>
/// <param name="Bits">The value of anything else: a whole number, the bits of a double, or 0 and 1.</param>
internal readonly record struct TraceAttribute(string Name, string Type, string Text, ulong Bits);
