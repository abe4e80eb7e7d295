namespace Plexus.Host.Loaders;

/// <summary>How a multiboot kernel is entered.</summary>
/// <param name="Address">EIP.</param>
/// <param name="Information">Guest-physical address of the information structure, for EBX.</param>
/// <param name="Gdt">Guest-physical address of room for a GDT.</param>
/// <param name="Map">Guest-physical address of the memory map, a multiple of 16.</param>
internal readonly record struct MultibootEntry(uint Address, uint Information, uint Gdt, uint Map);
