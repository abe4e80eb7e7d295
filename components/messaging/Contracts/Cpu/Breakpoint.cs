namespace Plexus.Messaging.Contracts.Cpu;

/// <summary>A breakpoint or watchpoint of the host: as the debug registers have them, but without number, and unseen by the guest.</summary>
/// <param name="Kind">What it waits for.</param>
/// <param name="Linear">Guest linear address of the first byte.</param>
/// <param name="Length">Bytes; for <see cref="BreakpointKind.Execute"/> it does not count.</param>
[Packed]
public readonly partial record struct Breakpoint(
    [property: Key(0)] BreakpointKind Kind,
    [property: Key(1)] uint Linear,
    [property: Key(2)] uint Length);
