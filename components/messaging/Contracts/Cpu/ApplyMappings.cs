namespace Plexus.Messaging.Contracts.Cpu;

/// <summary>Changes one run of pages in a mapping space of the physical processor.</summary>
/// <param name="Space">The space; created on first use.</param>
/// <param name="Operation">What to do.</param>
/// <param name="LinearPage">First linear page number (linear address >> 12).</param>
/// <param name="Frame">First frame number in <c>GuestMemory</c> (RAM and arena share one numbering).</param>
/// <param name="Pages">How many pages.</param>
/// <param name="Rights">The rights.</param>
[Message(0x0209)]
public readonly partial record struct ApplyMappings(
    [property: Key(0)] uint Space,
    [property: Key(1)] MappingOperation Operation,
    [property: Key(2)] uint LinearPage,
    [property: Key(3)] uint Frame,
    [property: Key(4)] uint Pages,
    [property: Key(5)] MappingRights Rights);
