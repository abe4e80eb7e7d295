namespace Plexus.Messaging.Contracts.Cpu;

/// <summary>How a run ended. The register file is in the <c>VcpuBlock</c>.</summary>
/// <param name="Kind">Why.</param>
/// <param name="Vector">Exception vector of a trap. EIP is that of the faulting instruction; for #BP (3) it is one past the INT3 byte, as on the CPU.</param>
/// <param name="HasErrorCode">Whether the exception pushes an error code.</param>
/// <param name="ErrorCode">The physical error code; of a <see cref="ExitKind.Breakpoint"/> its <see cref="BreakpointKind"/>.</param>
/// <param name="Linear">Faulting linear address of a #PF; for an entry by <c>MonitorTables.EntryVector</c> that of the last one.</param>
/// <param name="Detail">For <see cref="ExitKind.Unsupported"/>: what is missing; otherwise null.</param>
/// <param name="HostNanoseconds">How long guest code had the host's processor, without the ways there and back; 0 where it is interpreted.</param>
/// <param name="Entries">Of what was interpreted, how often deprivileged code would have entered ring 0: device accesses but reads of ports, flushes of translations, deliveries.</param>
[Message(0x0202)]
public readonly partial record struct CpuExit(
    [property: Key(0)] ExitKind Kind,
    [property: Key(1)] byte Vector,
    [property: Key(2)] bool HasErrorCode,
    [property: Key(3)] uint ErrorCode,
    [property: Key(4)] uint Linear,
    [property: Key(5)] string? Detail,
    [property: Key(6)] ulong HostNanoseconds = 0,
    [property: Key(7)] uint Entries = 0);
