using System.Text;
using Plexus.Messaging.Shared;

namespace Plexus.Host.Loaders;

/// <summary>Loads a Linux bzImage by the 32-bit boot protocol, versions 2.02 and later (Linux Documentation/arch/x86/boot.rst).</summary>
internal static unsafe class LinuxLoader
{
    private const int SectorSize = 512;
    private const int SetupSects = 0x1F1;
    private const int SysSize = 0x1F4;
    private const int BootFlag = 0x1FE;
    private const int JumpOffset = 0x201;
    private const int HeaderMagic = 0x202;
    private const int ProtocolVersion = 0x206;
    private const int LoadFlags = 0x211;
    private const int Code32Start = 0x214;
    private const int InitrdAddrMax = 0x22C;
    private const int KernelAlignment = 0x230;
    private const int RelocatableKernel = 0x234;
    private const int XLoadFlags = 0x236;
    private const int CmdlineSize = 0x238;
    private const int PrefAddress = 0x258;
    private const int InitSize = 0x260;

    /// <summary>"HdrS".</summary>
    private const uint Magic = 0x5372_6448;

    /// <summary>loadflags bit 0, LOADED_HIGH: the protected-mode part belongs at 1 MiB.</summary>
    private const byte LoadedHigh = 0x01;

    /// <summary>xloadflags bit 0, XLF_KERNEL_64: a 64-bit kernel.</summary>
    private const ushort Kernel64 = 0x01;

    /// <summary>initrd_addr_max of kernels before protocol 2.03.</summary>
    private const uint OldInitrdMax = 0x37FF_FFFF;

    /// <summary>cmdline_size of kernels before protocol 2.06.</summary>
    private const uint OldCommandLine = 255;

    /// <summary>The setup header's magic is there.</summary>
    public static bool Recognises(GuestImage image)
    {
        ReadOnlySpan<byte> data = image.Data.Span;
        return data.Length >= HeaderMagic + 4 && new ImageReader(image).U32(HeaderMagic, "header") == Magic;
    }

    /// <summary>Loads the kernel, its initial RAM disk and command line, and puts the entry state into the vCPU.</summary>
    /// <exception cref="InputException">The image is truncated, corrupt, too old, or does not fit.</exception>
    public static string Load(BootRequest request, GuestMemory memory, Vcpu vcpu)
    {
        LinuxImage kernel = Read(request.Kernel);
        LoadPlan plan = new(memory.RamSize);
        uint kernelEnd = ReserveKernel(kernel, plan.Layout);
        plan.Write(kernel.Start, kernel.System);
        LinuxBootParameters parameters = new(kernel.Setup.Span[SetupSects..kernel.HeaderEnd]);
        Finish(request, plan, memory, vcpu, parameters, kernel.Start, kernel.InitrdMax, kernel.CommandLineMax);
        return $"Linux bzImage, boot protocol {kernel.Version >> 8}.{kernel.Version & 0xFF:D2}, {kernel.System.Length} bytes at {kernel.Start:X8}h to {kernelEnd:X8}h";
    }

    /// <summary>Reads an image's headers.</summary>
    /// <exception cref="InputException">The image is truncated, corrupt or too old.</exception>
    public static LinuxImage Read(GuestImage kernel)
    {
        ImageReader image = new(kernel);
        if (image.U16(BootFlag, "the boot flag") != 0xAA55)
            throw image.Bad("the boot flag at offset 1FEh is not AA55h: not an intact Linux kernel; fetch or build it again");
        ushort version = image.U16(ProtocolVersion, "the protocol version");
        if (version < 0x0202)
            throw image.Bad($"boot protocol {version >> 8}.{version & 0xFF:D2} is too old; use a kernel of 2.4.0 or later (protocol 2.02)");
        byte loadFlags = image.U8(LoadFlags, "loadflags");
        if ((loadFlags & LoadedHigh) == 0)
            throw image.Bad("a zImage that loads low is not supported; build a bzImage");
        if (version >= 0x020C && (image.U16(XLoadFlags, "xloadflags") & Kernel64) != 0)
            throw image.Bad("a 64-bit kernel; Plexus runs 32-bit guests: use an i386 kernel");

        int setupSectors = image.U8(SetupSects, "setup_sects") is byte n and not 0 ? n : 4;
        int setupSize = (setupSectors + 1) * SectorSize;
        uint paragraphs = version >= 0x0204 ? image.U32(SysSize, "syssize") : image.U16(SysSize, "syssize");

        ReadOnlyMemory<byte> setup = image.Range(0, setupSize, "the real-mode setup code");

        // syssize counts paragraphs, rounded up: the file may end inside the last one (memtest86+ does).
        long present = image.Length - (long)setupSize;
        long promised = (long)paragraphs * 16;
        long systemSize = promised - present is > 0 and < 16 ? present : Math.Max(promised, present);
        ReadOnlyMemory<byte> system = image.Range(setupSize, systemSize, "the protected-mode code");
        if (system.Length == 0)
            throw image.Bad("holds no protected-mode code; fetch or build it again");

        int headerEnd = HeaderMagic + image.U8(JumpOffset, "the setup header's length");
        return new LinuxImage(image, version, setup, system)
        {
            Start = image.U32(Code32Start, "code32_start"),
            HeaderEnd = Math.Clamp(headerEnd, InitrdAddrMax, 0x290),
            InitrdMax = version >= 0x0203 ? image.U32(InitrdAddrMax, "initrd_addr_max") : OldInitrdMax,
            CommandLineMax = version >= 0x0206 ? image.U32(CmdlineSize, "cmdline_size") : OldCommandLine,
        };
    }

    /// <summary>Places what every kernel entered with a zero page gets, carries the plan out, and sets ESI to the page.</summary>
    public static void Finish(
        BootRequest request, LoadPlan plan, GuestMemory memory, Vcpu vcpu, LinuxBootParameters parameters, uint entry, uint initrdMax, uint commandLineMax)
    {
        PhysicalLayout layout = plan.Layout;
        uint gdt = LowMemory.Reserve(layout, StartState.GdtSize, 16, "the GDT");
        uint zeroPage = LowMemory.Reserve(layout, LinuxBootParameters.Size, 4096, "boot_params");
        byte[] commandLine = LinuxBootParameters.CommandLineBytes(request.CommandLine, commandLineMax);
        parameters.SetCommandLine(LowMemory.Place(plan, commandLine, 16, "the command line"));
        parameters.SetMemory(layout);
        if (PlaceRamdisk(request, plan, initrdMax) is var (address, length))
            parameters.SetRamdisk(address, length);
        parameters.Write(plan, zeroPage);
        plan.Commit(memory, vcpu, gdt, entry);
        vcpu.Block->Gpr[6] = zeroPage;
    }

    /// <summary>Takes the highest room that the kernel lets an initial RAM disk have; null when there is none to place.</summary>
    /// <exception cref="InputException">More than one, or no room.</exception>
    public static (uint Address, uint Length)? PlaceRamdisk(BootRequest request, LoadPlan plan, uint initrdMax)
    {
        if (request.Modules.Count == 0)
            return null;
        if (request.Modules.Count > 1)
            throw new InputException($"--initrd: this kernel takes one initial RAM disk, not {request.Modules.Count}; concatenate them into one file");
        GuestImage initrd = request.Modules[0];
        uint length = (uint)initrd.Data.Length;
        uint address = plan.Layout.TakeHighest(length, 4096, (ulong)initrdMax + 1)
            ?? throw new InputException($"--initrd {initrd.Name}: {length} bytes do not fit below {Math.Min(initrdMax, plan.Layout.RamSize - 1):X8}h beside the kernel; give more memory with -m");
        plan.Write(address, initrd.Data);
        return (address, length);
    }

    /// <summary>Takes both where the kernel is loaded and where it will run and unpack itself.</summary>
    /// <returns>Where it ends.</returns>
    /// <exception cref="InputException">It does not fit.</exception>
    public static uint ReserveKernel(LinuxImage kernel, PhysicalLayout layout)
    {
        (ImageReader image, ushort version, uint start, int size) = (kernel.Reader, kernel.Version, kernel.Start, kernel.System.Length);
        if (start < PhysicalLayout.HighMemoryStart)
            throw image.Bad($"code32_start {start:X8}h lies below 1 MiB; fetch or build it again");
        ulong end = start + (ulong)size;
        if (version >= 0x020A)
        {
            // A relocatable kernel runs at its load address, aligned, but never below pref_address (32-bit: LOAD_PHYSICAL_ADDR).
            ulong preferred = image.U64(PrefAddress, "pref_address");
            if (preferred > uint.MaxValue)
                throw image.Bad($"pref_address {preferred:X}h lies above 4 GiB; fetch or build it again");
            uint alignment = Math.Max(image.U32(KernelAlignment, "kernel_alignment"), 1);
            ulong aligned = (start + (ulong)alignment - 1) / alignment * alignment;
            ulong run = image.U8(RelocatableKernel, "relocatable_kernel") != 0 ? Math.Max(aligned, preferred) : preferred;
            end = Math.Max(end, run + image.U32(InitSize, "init_size"));
        }

        if (end > layout.RamSize || !layout.TryTake(start, end - start))
            throw image.Bad($"needs {end / (1024 * 1024) + 1} MiB of memory, the machine has {layout.RamSize / (1024 * 1024)}; give more with -m");
        return (uint)end;
    }
}
