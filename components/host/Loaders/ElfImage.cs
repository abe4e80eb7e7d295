namespace Plexus.Host.Loaders;

/// <summary>The loadable segments of an ELF32 executable for the 80386 (System V ABI, chapters 4 and 5; Intel386 supplement).</summary>
internal sealed class ElfImage
{
    private const uint Magic = 0x464C_457F;
    private const byte Class32 = 1;
    private const byte LittleEndian = 1;
    private const ushort Executable = 2;
    private const ushort Machine386 = 3;
    private const ushort Machine486 = 6;
    private const ushort MachineX8664 = 62;
    private const uint ProgramLoad = 1;
    private const int HeaderSize = 52;
    private const int ProgramHeaderSize = 32;

    private readonly List<(uint Offset, uint Virtual, uint Physical, uint FileSize, uint MemorySize)> segments = [];

    private ElfImage(uint entry) => Entry = entry;

    /// <summary>e_entry as a physical address.</summary>
    public uint Entry { get; private set; }

    /// <summary>One past the highest physical byte.</summary>
    public uint End { get; private set; }

    /// <summary>The ELF magic is there.</summary>
    public static bool Recognises(GuestImage image) => image.Data.Length >= 4 && new ImageReader(image).U32(0, "header") == Magic;

    /// <summary>Reads and checks the headers.</summary>
    /// <exception cref="InputException">Truncated, corrupt, or not a 32-bit x86 executable.</exception>
    public static ElfImage Parse(GuestImage file)
    {
        ImageReader image = new(file);
        ReadOnlySpan<byte> header = image.Slice(0, HeaderSize, "the ELF header");
        ushort machine = image.U16(18, "e_machine");
        if (header[4] != Class32 || machine == MachineX8664)
            throw image.Bad("a 64-bit ELF file; Plexus runs 32-bit guests: build it for i386");
        if (header[5] != LittleEndian || machine is not (Machine386 or Machine486))
            throw image.Bad($"an ELF file for another processor (e_machine {machine}); build it for i386");
        if (image.U16(16, "e_type") != Executable)
            throw image.Bad("not an executable ELF file (e_type is not ET_EXEC); link it with fixed addresses");
        ushort count = image.U16(44, "e_phnum");
        ushort entrySize = image.U16(42, "e_phentsize");
        if (count == 0 || entrySize < ProgramHeaderSize)
            throw image.Bad("has no program headers; link it as an executable");

        ElfImage elf = new(image.U32(24, "e_entry"));
        uint table = image.U32(28, "e_phoff");
        for (int i = 0; i < count; i++)
        {
            long at = table + ((long)i * entrySize);
            string name = $"program header {i}";
            image.Slice(at, ProgramHeaderSize, name);
            if (image.U32(at, name) == ProgramLoad)
                elf.AddSegment(image, i, at);
        }

        if (elf.segments.Count == 0)
            throw image.Bad("has no loadable segment; link it as an executable");
        elf.Entry = elf.ToPhysical(elf.Entry) ?? throw image.Bad($"the entry point {elf.Entry:X8}h lies in no loadable segment; link it again");
        return elf;
    }

    /// <summary>Takes the segments' places and copies them; the rest of each segment's memory stays zero.</summary>
    /// <exception cref="InputException">A segment does not fit guest memory or overlaps another.</exception>
    public void Load(GuestImage file, LoadPlan plan)
    {
        ImageReader image = new(file);
        PhysicalLayout layout = plan.Layout;

        // In order of address each range goes behind the last one: a file may have 65,535 of them.
        foreach ((uint offset, _, uint physical, uint fileSize, uint memorySize) in segments.OrderBy(segment => segment.Physical))
        {
            if ((ulong)physical + memorySize > layout.RamSize)
                throw image.Bad($"a segment at {physical:X8}h ({memorySize} bytes) lies outside the {layout.RamSize / (1024 * 1024)} MiB of guest memory; give more with -m");
            if (!layout.TryTake(physical, memorySize))
                throw image.Bad($"two segments overlap at {physical:X8}h; link it again");
            plan.Write(physical, image.Range(offset, fileSize, "a segment"));
        }
    }

    private void AddSegment(ImageReader image, int index, long at)
    {
        string name = $"program header {index}";
        uint offset = image.U32(at + 4, name);
        uint virtualAddress = image.U32(at + 8, name);
        uint physical = image.U32(at + 12, name);
        uint fileSize = image.U32(at + 16, name);
        uint memorySize = image.U32(at + 20, name);
        if (fileSize > memorySize)
            throw image.Bad($"segment {index} has more bytes in the file than in memory; link it again");
        if ((ulong)physical + memorySize > uint.MaxValue)
            throw image.Bad($"segment {index} wraps around 4 GiB; link it again");
        image.Slice(offset, fileSize, $"segment {index}");
        if (memorySize == 0)
            return;
        segments.Add((offset, virtualAddress, physical, fileSize, memorySize));
        End = Math.Max(End, physical + memorySize);
    }

    /// <summary>Kernels give e_entry as a physical address or as a virtual one: a segment's physical range is tried first.</summary>
    private uint? ToPhysical(uint entry)
    {
        foreach ((_, _, uint physical, _, uint memorySize) in segments)
        {
            if (entry - physical < memorySize)
                return entry;
        }

        foreach ((_, uint virtualAddress, uint physical, _, uint memorySize) in segments)
        {
            if (entry - virtualAddress < memorySize)
                return physical + (entry - virtualAddress);
        }

        return null;
    }
}
