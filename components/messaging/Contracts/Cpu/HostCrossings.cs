namespace Plexus.Messaging.Contracts.Cpu;

/// <summary>What running guest code on the host's own processor took of the host since the machine was built. A ring-3 gate is a signal within a container, an entry to ring 0 a signal and a hand-over.</summary>
/// <param name="HandOvers">Turns given to containers.</param>
/// <param name="Batches">Batches of system calls that containers made for the monitor: mappings and LDT entries.</param>
/// <param name="Calls">The system calls in them.</param>
/// <param name="Kicks">Signals that stopped a running guest.</param>
/// <param name="Containers">Containers that guest code ran in.</param>
/// <param name="Gates">Exceptions that a container took through a ring-3 gate by itself, as far as containers that are gone told.</param>
/// <param name="OnTwo">Turns that were taken on two processors of the host.</param>
[Message(0x0241)]
public readonly partial record struct HostCrossings(
    [property: Key(0)] ulong HandOvers,
    [property: Key(1)] ulong Batches,
    [property: Key(2)] ulong Calls,
    [property: Key(3)] ulong Kicks,
    [property: Key(4)] ulong Containers,
    [property: Key(5)] ulong Gates,
    [property: Key(6)] ulong OnTwo);
