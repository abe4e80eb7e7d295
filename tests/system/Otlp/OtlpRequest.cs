namespace Plexus.Tests.Otlp;

/// <summary>A request that a collector took.</summary>
/// <param name="Path">Path of the URL.</param>
/// <param name="Headers">Headers; names in any case.</param>
/// <param name="Body">The body, decompressed.</param>
internal sealed record OtlpRequest(string Path, IReadOnlyDictionary<string, string> Headers, byte[] Body);
