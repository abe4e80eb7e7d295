using System.Buffers.Binary;
using System.Text;
using Plexus.Devices;
using Plexus.Host.Loaders;
using LowMemory = Plexus.Host.Loaders.LowMemory;

namespace Plexus.Host.Firmware;

/// <summary>
/// A kernel that the machine's firmware starts: its parts as fw_cfg items, and an option ROM that fetches them when the firmware boots it, first of all boot devices.
/// A Linux kernel is entered by the 16-bit boot protocol, so that its setup code asks the BIOS; a multiboot kernel gets the BIOS' memory map.
/// </summary>
internal static class FirmwareKernel
{
    private const string RomFile = "genroms/plexus-kernel.bin";

    /// <summary>The firmware's tables and buffers lie within the last MiB of RAM.</summary>
    private const uint FirmwareTop = 1 << 20;

    /// <summary>The real-mode part, and below its end its stack; the command line follows (boot.rst, "Sample Boot Configuration").</summary>
    private const uint LinuxSetup = 0x10000, LinuxCommandLine = 0x20000;

    private const int TypeOfLoader = 0x210, LoadFlags = 0x211, RamdiskImage = 0x218, RamdiskSize = 0x21C, HeapEndPtr = 0x224, CmdLinePtr = 0x228;

    /// <summary>The firmware boots with its stack below 7C00h.</summary>
    private const uint BootStack = 0x6C00, BootStackLength = 0x1400;

    /// <summary>Adds a kernel to what the firmware reads.</summary>
    /// <exception cref="InputException">The image is unknown, corrupt, or does not fit.</exception>
    public static void AddTo(FirmwareConfiguration configuration, BootRequest request, uint ramBytes)
    {
        uint available = ramBytes - Math.Min(FirmwareTop, ramBytes / 2);
        LoadPlan plan = new(available);
        plan.Layout.TryTake(BootStack, BootStackLength);
        byte[] rom;
        if (LinuxLoader.Recognises(request.Kernel))
        {
            rom = KernelRom.Linux(Linux(configuration, request, plan), (ushort)(LinuxSetup >> 4), (ushort)(LinuxCommandLine - LinuxSetup - 16));
        }
        else if (MultibootLoader.FindHeader(request.Kernel) is int header)
        {
            MultibootEntry entry = MultibootLoader.Prepare(request, header, plan, KernelRom.MapBytes);
            uint thunk = LowMemory.Place(plan, new byte[KernelRom.ThunkBytes], 16, "the entry code");
            rom = KernelRom.Multiboot(Fetches(configuration, plan), entry, thunk);
        }
        else
        {
            throw new InputException($"kernel {request.Kernel.Name}: the firmware starts Linux and multiboot kernels; give one of these, or --bios none for an ELF32 executable");
        }

        configuration.SetFile(RomFile, rom);
        configuration.SetFile("bootorder", (byte[])[.. Encoding.ASCII.GetBytes($"/rom@{RomFile}\n"), 0]);
    }

    private static List<KernelRom.Fetch> Linux(FirmwareConfiguration configuration, BootRequest request, LoadPlan plan)
    {
        const byte UndefinedLoader = 0xFF, CanUseHeap = 0x80;
        LinuxImage kernel = LinuxLoader.Read(request.Kernel);
        LinuxLoader.ReserveKernel(kernel, plan.Layout);
        byte[] commandLine = LinuxBootParameters.CommandLineBytes(request.CommandLine, kernel.CommandLineMax);
        (uint ramdisk, uint ramdiskLength) = LinuxLoader.PlaceRamdisk(request, plan, kernel.InitrdMax) ?? (0, 0);
        byte[] setup = kernel.Setup.ToArray();
        setup[TypeOfLoader] = UndefinedLoader;
        setup[LoadFlags] |= CanUseHeap;
        Put(RamdiskImage, ramdisk);
        Put(RamdiskSize, ramdiskLength);
        BinaryPrimitives.WriteUInt16LittleEndian(setup.AsSpan(HeapEndPtr), (ushort)(LinuxCommandLine - LinuxSetup - 0x200));
        Put(CmdLinePtr, LinuxCommandLine);

        List<KernelRom.Fetch> fetches = [];
        Item(FirmwareConfiguration.SetupAddressItem, FirmwareConfiguration.SetupSizeItem, FirmwareConfiguration.SetupDataItem, LinuxSetup, setup);
        Item(FirmwareConfiguration.CommandLineAddressItem, FirmwareConfiguration.CommandLineSizeItem, FirmwareConfiguration.CommandLineDataItem, LinuxCommandLine, commandLine);
        Item(FirmwareConfiguration.KernelAddressItem, FirmwareConfiguration.KernelSizeItem, FirmwareConfiguration.KernelDataItem, kernel.Start, kernel.System);
        configuration.Set(FirmwareConfiguration.KernelEntryItem, FirmwareConfiguration.Number(kernel.Start, 4));
        if (ramdiskLength != 0)
            Item(FirmwareConfiguration.InitrdAddressItem, FirmwareConfiguration.InitrdSizeItem, FirmwareConfiguration.InitrdDataItem, ramdisk, request.Modules[0].Data);
        return fetches;

        void Put(int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(setup.AsSpan(offset), value);

        void Item(ushort address, ushort size, ushort data, uint to, ReadOnlyMemory<byte> content)
        {
            configuration.Set(address, FirmwareConfiguration.Number(to, 4));
            configuration.Set(size, FirmwareConfiguration.Number((uint)content.Length, 4));
            configuration.Set(data, content);
            fetches.Add(new KernelRom.Fetch(data, (uint)content.Length, to));
        }
    }

    /// <summary>A plan's writes as files that hold them.</summary>
    private static List<KernelRom.Fetch> Fetches(FirmwareConfiguration configuration, LoadPlan plan)
    {
        for (int i = 0; i < plan.Writes.Count; i++)
            configuration.SetFile(Name(i), plan.Writes[i].Data);

        // Numbers follow the names of all files, so that the ones that come after these must be there already.
        configuration.SetFile(RomFile, ReadOnlyMemory<byte>.Empty);
        configuration.SetFile("bootorder", ReadOnlyMemory<byte>.Empty);
        return [.. plan.Writes.Select((write, i) => new KernelRom.Fetch(configuration.NumberOf(Name(i)), (uint)write.Data.Length, write.Address))];

        static string Name(int i) => $"plexus/kernel/{i}";
    }
}
