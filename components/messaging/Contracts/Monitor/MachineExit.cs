using Plexus.Messaging.Contracts.Cpu;

namespace Plexus.Messaging.Contracts.Monitor;

/// <summary>How the machine stopped.</summary>
/// <param name="Kind">Why.</param>
/// <param name="Code">Exit code, vector or address, by kind.</param>
/// <param name="Detail">One line for people.</param>
/// <param name="Breakpoint">Of a <see cref="MachineExitKind.Breakpoint"/>: what it waited for.</param>
[Message(0x0602)]
public readonly partial record struct MachineExit(
    [property: Key(0)] MachineExitKind Kind,
    [property: Key(1)] int Code,
    [property: Key(2)] string Detail,
    [property: Key(3)] BreakpointKind Breakpoint = BreakpointKind.Execute);
