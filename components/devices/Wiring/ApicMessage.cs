namespace Plexus.Devices;

/// <summary>An interrupt message on the APIC bus.</summary>
/// <param name="Delivery">How.</param>
/// <param name="Vector">Vector, for fixed and lowest-priority delivery.</param>
/// <param name="Destination">Destination field, 8 bits.</param>
/// <param name="IsLogical">The destination is a set of logical IDs, not an APIC ID.</param>
/// <param name="IsLevel">Level-triggered.</param>
public readonly record struct ApicMessage(ApicDelivery Delivery, byte Vector, byte Destination, bool IsLogical, bool IsLevel);
