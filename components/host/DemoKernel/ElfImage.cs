using System.Buffers.Binary;

namespace Plexus.Host.DemoKernel;

/// <summary>Writes an ELF32 executable with one loadable segment and the names of its code (System V ABI, chapter 4).</summary>
internal static class ElfImage
{
    private const int HeaderBytes = 52;
    private const int SegmentBytes = 32;
    private const int SectionBytes = 40;
    private const int SymbolBytes = 16;

    /// <summary>Where the segment's bytes start in the file: page aligned, and inside the 8 KiB a multiboot loader searches.</summary>
    private const int Offset = 0x1000;

    /// <summary>Wraps an image.</summary>
    /// <param name="image">Its bytes.</param>
    /// <param name="physical">Where they are loaded.</param>
    /// <param name="linearBase">Linear minus physical address.</param>
    /// <param name="entry">Physical entry point.</param>
    /// <param name="symbols">Labels of its code, with their linear addresses.</param>
    public static byte[] Write(byte[] image, uint physical, uint linearBase, uint entry, IReadOnlyList<(string Name, uint Address)> symbols)
    {
        (byte[] table, byte[] names) = Symbols(symbols);
        int tableOffset = Aligned(Offset + image.Length);
        int namesOffset = tableOffset + table.Length;
        int sectionsOffset = Aligned(namesOffset + names.Length);
        var file = new byte[sectionsOffset + (4 * SectionBytes)];
        Span<byte> header = file;
        ReadOnlySpan<byte> identification = [0x7F, (byte)'E', (byte)'L', (byte)'F', 1, 1, 1];
        identification.CopyTo(header);
        Half(header, 16, 2);  // executable
        Half(header, 18, 3);  // Intel 80386
        Word(header, 20, 1);
        Word(header, 24, entry);
        Word(header, 28, HeaderBytes);
        Half(header, 40, HeaderBytes);
        Half(header, 42, SegmentBytes);
        Half(header, 44, 1);
        Word(header, 32, (uint)sectionsOffset);
        Half(header, 46, SectionBytes);
        Half(header, 48, 4);
        Half(header, 50, 3);  // names of the sections

        Span<byte> segment = header.Slice(HeaderBytes, SegmentBytes);
        Word(segment, 0, 1);  // loadable
        Word(segment, 4, Offset);
        Word(segment, 8, linearBase + physical);
        Word(segment, 12, physical);
        Word(segment, 16, (uint)image.Length);
        Word(segment, 20, (uint)image.Length);
        Word(segment, 24, 7); // read, write, execute
        Word(segment, 28, 0x1000);

        // Sections: none, the code, its symbols, and all names.
        Section(header[(sectionsOffset + SectionBytes)..], 1, 1, 7, linearBase + physical, Offset, image.Length, 0, 0);
        Section(header[(sectionsOffset + (2 * SectionBytes))..], 7, 2, 0, 0, tableOffset, table.Length, 3, SymbolBytes);
        Section(header[(sectionsOffset + (3 * SectionBytes))..], 15, 3, 0, 0, namesOffset, names.Length, 0, 0);
        image.CopyTo(file, Offset);
        table.CopyTo(file, tableOffset);
        names.CopyTo(file, namesOffset);
        return file;
    }

    private static (byte[] Table, byte[] Names) Symbols(IReadOnlyList<(string Name, uint Address)> symbols)
    {
        List<byte> names = [.. "\0.text\0.symtab\0.strtab\0"u8];
        byte[] table = new byte[(symbols.Count + 1) * SymbolBytes];
        for (int i = 0; i < symbols.Count; i++)
        {
            Span<byte> symbol = table.AsSpan((i + 1) * SymbolBytes);
            Word(symbol, 0, (uint)names.Count);
            Word(symbol, 4, symbols[i].Address);
            symbol[12] = 0x10; // global, of no type
            Half(symbol, 14, 1);
            names.AddRange(System.Text.Encoding.Latin1.GetBytes(symbols[i].Name));
            names.Add(0);
        }

        return (table, [.. names]);
    }

    private static void Section(Span<byte> section, uint name, uint type, uint flags, uint address, int offset, int size, uint link, uint entrySize)
    {
        Word(section, 0, name);
        Word(section, 4, type);
        Word(section, 8, flags);
        Word(section, 12, address);
        Word(section, 16, (uint)offset);
        Word(section, 20, (uint)size);
        Word(section, 24, link);
        Word(section, 28, type == 2 ? 1u : 0);
        Word(section, 32, 4);
        Word(section, 36, entrySize);
    }

    private static int Aligned(int offset) => (offset + 15) & ~15;

    private static void Half(Span<byte> target, int offset, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(target[offset..], value);

    private static void Word(Span<byte> target, int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(target[offset..], value);
}
