using Plexus.Messaging.Shared;

namespace Plexus.Host.Loaders;

/// <summary>
/// Loads a plain ELF32 executable at its physical addresses. It is entered as the Linux 32-bit boot protocol enters a kernel (ESI = boot_params with
/// memory map, command line and RAM disk), so an uncompressed Linux <c>vmlinux</c> starts too.
/// </summary>
internal static class ElfLoader
{
    private const uint CommandLineLimit = 2047;
    private const uint InitrdMax = 0x37FF_FFFF;

    /// <summary>Loads the image and puts the entry state into the vCPU.</summary>
    /// <exception cref="InputException">The image is truncated or corrupt, or does not fit.</exception>
    public static string Load(BootRequest request, GuestMemory memory, Vcpu vcpu)
    {
        ElfImage elf = ElfImage.Parse(request.Kernel);
        LoadPlan plan = new(memory.RamSize);
        elf.Load(request.Kernel, plan);
        LinuxLoader.Finish(request, plan, memory, vcpu, new LinuxBootParameters([]), elf.Entry, InitrdMax, CommandLineLimit);
        return $"ELF32, entry {elf.Entry:X8}h";
    }
}
