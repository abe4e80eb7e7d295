namespace Plexus.Cpu.Native;

/// <summary>Part of a shared region at a fixed address of the container.</summary>
/// <param name="Address">Linear address, a multiple of 4,096, below 4 GiB and not below the host's <c>vm.mmap_min_addr</c>.</param>
/// <param name="Region">Where the pages come from.</param>
/// <param name="Offset">First byte in the region, a multiple of 4,096.</param>
/// <param name="Length">Bytes, a multiple of 4,096.</param>
/// <param name="Access">What the container may do.</param>
public sealed record ContainerMapping(uint Address, SharedRegion Region, long Offset, long Length, ContainerAccess Access);
