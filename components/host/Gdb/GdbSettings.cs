namespace Plexus.Host.Gdb;

/// <summary>What the command line says of a debugger.</summary>
/// <param name="Address">Where one can connect.</param>
/// <param name="Freeze">The guest waits for one before its first instruction.</param>
public sealed record GdbSettings(GdbAddress Address, bool Freeze);
