namespace Plexus.Host.Gdb;

/// <summary>Something that came in from a debugger.</summary>
/// <param name="Kind">What.</param>
/// <param name="Connection">From whom.</param>
/// <param name="Payload">Of a packet: what stands between <c>$</c> and <c>#</c>.</param>
internal readonly record struct GdbEvent(GdbEventKind Kind, GdbConnection Connection, byte[] Payload);
