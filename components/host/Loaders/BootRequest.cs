namespace Plexus.Host.Loaders;

/// <summary>What to start: an image, modules, and a command line.</summary>
/// <param name="Kernel">The kernel image: Linux bzImage, multiboot-1, or ELF32.</param>
/// <param name="Modules">Initial RAM disk (Linux takes exactly one) or multiboot modules, in order.</param>
/// <param name="CommandLine">The kernel command line.</param>
public sealed record BootRequest(GuestImage Kernel, IReadOnlyList<GuestImage> Modules, string CommandLine);
