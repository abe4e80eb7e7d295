using System.Buffers.Binary;
using System.Text;

namespace Plexus.Host.Loaders;

/// <summary>
/// The "zero page" (struct boot_params) of a Linux kernel, for a machine without firmware and without VGA
/// (Linux Documentation/arch/x86/boot.rst and zero-page.rst). screen_info stays zero: no video mode, no lines, no columns.
/// </summary>
internal sealed class LinuxBootParameters
{
    /// <summary>Bytes in the zero page.</summary>
    public const uint Size = 4096;

    /// <summary>Offset of the setup header, in the zero page and in a bzImage.</summary>
    public const int SetupHeader = 0x1F1;

    private const int ExtMemK = 0x002;
    private const int AltMemK = 0x1E0;
    private const int E820Entries = 0x1E8;
    private const int TypeOfLoader = 0x210;
    private const int LoadFlags = 0x211;
    private const int RamdiskImage = 0x218;
    private const int RamdiskSize = 0x21C;
    private const int HeapEndPtr = 0x224;
    private const int ExtLoaderVersion = 0x226;
    private const int CmdLinePtr = 0x228;
    private const int SetupData = 0x250;
    private const int E820Table = 0x2D0;

    /// <summary>type_of_loader: a loader without an assigned number.</summary>
    private const byte UndefinedLoader = 0xFF;

    /// <summary>loadflags bit 7: heap_end_ptr is valid.</summary>
    private const byte CanUseHeap = 0x80;

    private const uint E820Ram = 1;
    private const uint E820Reserved = 2;

    private readonly byte[] page = new byte[Size];

    /// <summary>Begins with the setup header of a bzImage (empty for another kernel format).</summary>
    public LinuxBootParameters(ReadOnlySpan<byte> setupHeader)
    {
        setupHeader.CopyTo(page.AsSpan(SetupHeader));
        page[TypeOfLoader] = UndefinedLoader;
        page[LoadFlags] |= CanUseHeap;
        BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(HeapEndPtr), 0xFE00);

        // The loader's to fill in: what an image holds there, the kernel would take for a RAM disk or follow as a list.
        SetRamdisk(0, 0);
        BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(ExtLoaderVersion), 0);
        BinaryPrimitives.WriteUInt64LittleEndian(page.AsSpan(SetupData), 0);
    }

    /// <summary>Says which memory there is.</summary>
    public void SetMemory(PhysicalLayout layout)
    {
        ulong extended = layout.RamSize > PhysicalLayout.HighMemoryStart ? (layout.RamSize - PhysicalLayout.HighMemoryStart) / 1024 : 0;
        BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(ExtMemK), (ushort)Math.Min(extended, 0xFC00));
        BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(AltMemK), (uint)extended);
        int count = 0;
        foreach ((uint start, uint end) in layout.Usable)
            AddE820(ref count, start, end - start, E820Ram);
        AddE820(ref count, PhysicalLayout.LowMemoryEnd, PhysicalLayout.HighMemoryStart - PhysicalLayout.LowMemoryEnd, E820Reserved);
        page[E820Entries] = (byte)count;
    }

    /// <summary>Places the command line and says where.</summary>
    public void SetCommandLine(uint address) => BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(CmdLinePtr), address);

    /// <summary>Says where the initial RAM disk is.</summary>
    public void SetRamdisk(uint address, uint size)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(RamdiskImage), address);
        BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(RamdiskSize), size);
    }

    /// <summary>Has the page written to guest memory.</summary>
    public void Write(LoadPlan plan, uint address) => plan.Write(address, page);

    /// <summary>A command line as guest bytes, NUL-terminated.</summary>
    /// <exception cref="InputException">Longer than the kernel takes.</exception>
    public static byte[] CommandLineBytes(string commandLine, uint limit)
    {
        byte[] text = Encoding.UTF8.GetBytes(commandLine + '\0');
        if (text.Length - 1 > limit)
            throw new InputException($"--append: the command line has {text.Length - 1} bytes, this kernel takes {limit}; shorten it");
        return text;
    }

    private void AddE820(ref int count, uint start, uint size, uint type)
    {
        Span<byte> entry = page.AsSpan(E820Table + (count * 20), 20);
        BinaryPrimitives.WriteUInt64LittleEndian(entry, start);
        BinaryPrimitives.WriteUInt64LittleEndian(entry[8..], size);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[16..], type);
        count++;
    }
}
