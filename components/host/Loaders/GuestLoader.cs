using Plexus.Messaging.Shared;

namespace Plexus.Host.Loaders;

/// <summary>Recognises a guest image, loads it into guest memory and puts the initial state into the vCPU.</summary>
public static class GuestLoader
{
    /// <summary>Loads a guest.</summary>
    /// <param name="request">Image, modules, command line.</param>
    /// <param name="memory">Guest memory; expected to be zero.</param>
    /// <param name="vcpu">Receives the state at entry.</param>
    /// <param name="hasFpu">The CPU has an x87 unit, which the firmware has initialised.</param>
    /// <param name="hasSse">The CPU has XMM registers and MXCSR, which are as after RESET#.</param>
    /// <returns>One line that says what was loaded.</returns>
    /// <exception cref="InputException">The image is unknown, truncated, corrupt, or does not fit; one line with the remedy.</exception>
    public static string Load(BootRequest request, GuestMemory memory, Vcpu vcpu, bool hasFpu = false, bool hasSse = false)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(memory);
        ArgumentNullException.ThrowIfNull(vcpu);
        string loaded = LoadImage(request, memory, vcpu);
        if (hasFpu)
            StartState.EnableFpu(vcpu);
        vcpu.State.Sse = hasSse ? StartState.Sse : default;
        return loaded;
    }

    private static string LoadImage(BootRequest request, GuestMemory memory, Vcpu vcpu)
    {
        if (LinuxLoader.Recognises(request.Kernel))
            return LinuxLoader.Load(request, memory, vcpu);
        if (MultibootLoader.FindHeader(request.Kernel) is int header)
            return MultibootLoader.Load(request, header, memory, vcpu);
        if (ElfImage.Recognises(request.Kernel))
            return ElfLoader.Load(request, memory, vcpu);
        throw new InputException($"kernel {request.Kernel.Name}: not a kernel image that is known; give a Linux bzImage, a multiboot kernel or an ELF32 executable");
    }
}
