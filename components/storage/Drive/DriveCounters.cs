namespace Plexus.Storage;

/// <summary>What a drive has done since it was made.</summary>
/// <param name="Reads">Reads that succeeded.</param>
/// <param name="BytesRead">Bytes of these.</param>
/// <param name="Writes">Writes that succeeded.</param>
/// <param name="BytesWritten">Bytes of these.</param>
/// <param name="Zeroes">Ranges zeroed.</param>
/// <param name="Flushes">Flushes that succeeded.</param>
/// <param name="Errors">Requests that failed.</param>
public readonly record struct DriveCounters(ulong Reads, ulong BytesRead, ulong Writes, ulong BytesWritten, ulong Zeroes, ulong Flushes, ulong Errors);
