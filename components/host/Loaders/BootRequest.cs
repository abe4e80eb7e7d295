namespace Plexus.Host.Loaders;

/// <summary>What to start: an image, modules, and a command line.</summary>
/// <param name="Kernel">The kernel image: Linux bzImage, multiboot-1, or ELF32.</param>
/// <param name="Modules">Initial RAM disk (Linux takes exactly one) or multiboot modules, in order.</param>
/// <param name="CommandLine">The kernel command line.</param>
public sealed record BootRequest(GuestImage Kernel, IReadOnlyList<GuestImage> Modules, string CommandLine)
{
    /// <summary>The machine's firmware starts, and boots what it finds.</summary>
    public static BootRequest Firmware { get; } = new(new GuestImage("firmware", default), [], "") { ThroughFirmware = true };

    /// <summary>The processor begins at the reset vector; a kernel, if there is one, is started by the firmware.</summary>
    public bool ThroughFirmware { get; init; }

    /// <summary>There is a kernel.</summary>
    public bool HasKernel => Kernel.Data.Length != 0;
}
