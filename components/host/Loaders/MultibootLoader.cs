using System.Buffers.Binary;
using System.Text;
using Plexus.Messaging.Shared;

namespace Plexus.Host.Loaders;

/// <summary>Loads a Multiboot-1 kernel (Multiboot Specification 0.6.96): an ELF32 file, or any format with address fields in its header.</summary>
internal static unsafe class MultibootLoader
{
    private const uint HeaderMagic = 0x1BAD_B002;
    /// <summary>What EAX holds at entry.</summary>
    public const uint LoaderMagic = 0x2BAD_B002;

    /// <summary>The header lies within the first 8192 bytes, 4-byte aligned (section 3.1).</summary>
    private const int SearchLimit = 8192;

    /// <summary>Header flags 0-2 are understood (page-aligned modules, memory information, video: there is none to describe); 3-15 are requirements that are not.</summary>
    private const uint UnknownRequirements = 0xFFF8;

    /// <summary>Header flag 16: the address fields are valid and take the place of the executable's own headers.</summary>
    private const uint AddressFields = 1 << 16;

    private const uint InfoMemory = 1 << 0;
    private const uint InfoCommandLine = 1 << 2;
    private const uint InfoModules = 1 << 3;
    private const uint InfoMap = 1 << 6;
    private const uint InfoLoaderName = 1 << 9;
    private const int InfoSize = 116;

    /// <summary>Where the header begins in an image, or null.</summary>
    public static int? FindHeader(GuestImage image)
    {
        ReadOnlySpan<byte> data = image.Data.Span;
        int limit = Math.Min(data.Length, SearchLimit) - 12;
        for (int at = 0; at <= limit; at += 4)
        {
            if (BinaryPrimitives.ReadUInt32LittleEndian(data[at..]) != HeaderMagic)
                continue;
            uint flags = BinaryPrimitives.ReadUInt32LittleEndian(data[(at + 4)..]);
            if (unchecked(HeaderMagic + flags + BinaryPrimitives.ReadUInt32LittleEndian(data[(at + 8)..])) == 0)
                return at;
        }

        return null;
    }

    /// <summary>Loads the image, modules and information structure, and puts the entry state into the vCPU.</summary>
    /// <exception cref="InputException">The image is truncated or corrupt, asks for what is not there, or does not fit.</exception>
    public static string Load(BootRequest request, int header, GuestMemory memory, Vcpu vcpu)
    {
        LoadPlan plan = new(memory.RamSize);
        MultibootEntry entry = Prepare(request, header, plan);
        plan.Commit(memory, vcpu, entry.Gdt, entry.Address);
        vcpu.Block->Gpr[0] = LoaderMagic;
        vcpu.Block->Gpr[3] = entry.Information;
        return $"multiboot, entry {entry.Address:X8}h";
    }

    /// <summary>Plans image, modules and information structure, and takes room for a GDT.</summary>
    /// <param name="request">What to start.</param>
    /// <param name="header">Where the image's header is.</param>
    /// <param name="plan">Takes the writes.</param>
    /// <param name="mapBytes">Room for the memory map, at least what this machine's takes; the rest is for a firmware's.</param>
    /// <exception cref="InputException">The image is truncated or corrupt, asks for what is not there, or does not fit.</exception>
    public static MultibootEntry Prepare(BootRequest request, int header, LoadPlan plan, int mapBytes = 0)
    {
        ImageReader image = new(request.Kernel);
        uint flags = image.U32(header + 4, "the multiboot header");
        if ((flags & UnknownRequirements) != 0)
            throw image.Bad($"its multiboot header requires features that are not known (flags {flags:X8}h); build it for Multiboot 0.6.96");
        PhysicalLayout layout = plan.Layout;
        uint entry = (flags & AddressFields) != 0 ? LoadByAddressFields(image, header, plan) : LoadElf(request.Kernel, plan);
        uint info = LowMemory.Reserve(layout, InfoSize, 16, "the multiboot information");
        uint gdt = LowMemory.Reserve(layout, StartState.GdtSize, 16, "the GDT");
        byte[] structure = new byte[InfoSize];
        uint map = WriteInfo(request, plan, structure, mapBytes);
        plan.Write(info, structure);
        return new MultibootEntry(entry, info, gdt, map);
    }

    private static uint LoadElf(GuestImage kernel, LoadPlan plan)
    {
        if (!ElfImage.Recognises(kernel))
            throw new ImageReader(kernel).Bad("a multiboot kernel that is neither ELF nor has address fields; build it as ELF32");
        ElfImage elf = ElfImage.Parse(kernel);
        elf.Load(kernel, plan);
        return elf.Entry;
    }

    /// <summary>Section 3.1.3: header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr follow the checksum.</summary>
    private static uint LoadByAddressFields(ImageReader image, int header, LoadPlan plan)
    {
        uint headerAddress = image.U32(header + 12, "header_addr");
        uint load = image.U32(header + 16, "load_addr");
        uint loadEnd = image.U32(header + 20, "load_end_addr");
        uint bssEnd = image.U32(header + 24, "bss_end_addr");
        uint entry = image.U32(header + 28, "entry_addr");
        if (load > headerAddress || headerAddress - load > (uint)header)
            throw image.Bad($"load_addr {load:X8}h does not fit header_addr {headerAddress:X8}h in its multiboot header; link it again");
        int offset = header - (int)(headerAddress - load);
        if (loadEnd != 0 && loadEnd < load)
            throw image.Bad($"load_end_addr {loadEnd:X8}h lies below load_addr {load:X8}h in its multiboot header; link it again");
        long length = loadEnd == 0 ? image.Length - offset : loadEnd - load;
        ReadOnlyMemory<byte> content = image.Range(offset, length, "the part from load_addr to load_end_addr");
        ulong end = Math.Max(load + (ulong)length, bssEnd);
        if (entry < load || entry >= end)
            throw image.Bad($"entry_addr {entry:X8}h lies outside the loaded part in its multiboot header; link it again");
        if (!plan.Layout.TryTake(load, end - load))
            throw image.Bad($"its part from {load:X8}h to {end:X8}h lies outside the {plan.Layout.RamSize / (1024 * 1024)} MiB of guest memory; give more with -m");
        plan.Write(load, content);
        return entry;
    }

    /// <returns>Where the memory map is.</returns>
    private static uint WriteInfo(BootRequest request, LoadPlan plan, Span<byte> info, int mapBytes)
    {
        PhysicalLayout layout = plan.Layout;
        uint Text(string text, string what) => LowMemory.Place(plan, Encoding.UTF8.GetBytes(text + '\0'), 4, what);
        uint flags = InfoMemory | InfoCommandLine | InfoMap | InfoLoaderName;
        string kernelName = Path.GetFileName(request.Kernel.Name);
        Put(info, 4, PhysicalLayout.LowMemoryEnd / 1024);
        Put(info, 8, layout.RamSize > PhysicalLayout.HighMemoryStart ? (layout.RamSize - PhysicalLayout.HighMemoryStart) / 1024 : 0);
        Put(info, 16, Text(request.CommandLine.Length == 0 ? kernelName : $"{kernelName} {request.CommandLine}", "the command line"));
        Put(info, 64, Text("Plexus", "the boot loader name"));
        byte[] map = MemoryMap(layout);
        Put(info, 44, (uint)map.Length);
        Array.Resize(ref map, Math.Max(map.Length, mapBytes));
        uint mapAddress = LowMemory.Place(plan, map, 16, "the memory map");
        Put(info, 48, mapAddress);
        if (request.Modules.Count != 0)
        {
            flags |= InfoModules;
            Put(info, 20, (uint)request.Modules.Count);
            Put(info, 24, PlaceModules(request, plan));
        }

        Put(info, 0, flags);
        return mapAddress;
    }

    private static uint PlaceModules(BootRequest request, LoadPlan plan)
    {
        byte[] table = new byte[request.Modules.Count * 16];
        for (int i = 0; i < request.Modules.Count; i++)
        {
            GuestImage module = request.Modules[i];
            uint length = (uint)module.Data.Length;
            uint start = plan.Layout.TakeLowest(length, 4096, PhysicalLayout.HighMemoryStart)
                ?? throw new InputException($"--initrd {module.Name}: no room for {length} bytes beside the kernel; give more memory with -m");
            plan.Write(start, module.Data);
            Span<byte> row = table.AsSpan(i * 16, 16);
            Put(row, 0, start);
            Put(row, 4, start + length);
            Put(row, 8, LowMemory.Place(plan, Encoding.UTF8.GetBytes(Path.GetFileName(module.Name) + '\0'), 4, "a module's name"));
        }

        return LowMemory.Place(plan, table, 4, "the module table");
    }

    /// <summary>Section 3.3, mmap_*: size (not counting itself), base, length, type 1 for RAM.</summary>
    private static byte[] MemoryMap(PhysicalLayout layout)
    {
        (uint Start, uint End)[] usable = [.. layout.Usable];
        byte[] map = new byte[usable.Length * 24];
        for (int i = 0; i < usable.Length; i++)
        {
            Span<byte> row = map.AsSpan(i * 24, 24);
            Put(row, 0, 20);
            BinaryPrimitives.WriteUInt64LittleEndian(row[4..], usable[i].Start);
            BinaryPrimitives.WriteUInt64LittleEndian(row[12..], usable[i].End - usable[i].Start);
            Put(row, 20, 1);
        }

        return map;
    }

    private static void Put(Span<byte> target, int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(target[offset..], value);
}
