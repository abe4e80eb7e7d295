using System.Text;
using Plexus.Host.Loaders;

namespace Plexus.Host.Symbols;

/// <summary>The symbol table of an ELF32 file (System V ABI, chapter 4): functions, and labels of code that say nothing of their kind.</summary>
internal static class ElfSymbols
{
    private const uint Magic = 0x464C_457F;
    private const int SectionHeaderSize = 40;
    private const int SymbolSize = 16;
    private const uint SymbolSection = 2;
    private const int NoType = 0;
    private const int Function = 2;
    private const int FirstReserved = 0xFF00;

    /// <summary>It is an ELF32 file.</summary>
    public static bool Recognises(GuestImage file) => file.Data.Length > 52 && new ImageReader(file).U32(0, "header") == Magic && file.Data.Span[4] == 1;

    /// <summary>Reads the symbols; none when there is no table.</summary>
    /// <exception cref="InputException">The table is truncated or corrupt.</exception>
    public static IEnumerable<Symbol> Read(GuestImage file)
    {
        ImageReader image = new(file);
        uint table = image.U32(32, "e_shoff");
        int size = image.U16(46, "e_shentsize");
        int count = image.U16(48, "e_shnum");
        if (table == 0 || count == 0)
            yield break;
        if (size < SectionHeaderSize)
            throw image.Bad($"section headers of {size} bytes; build it again");
        for (int i = 0; i < count; i++)
        {
            long section = table + ((long)i * size);
            if (image.U32(section + 4, "a section header") != SymbolSection)
                continue;
            uint offset = image.U32(section + 16, "sh_offset");
            uint length = image.U32(section + 20, "sh_size");
            uint strings = image.U32(section + 24, "sh_link");
            if (strings >= count)
                throw image.Bad("the symbol table names a string table that is not there; build it again");
            long stringSection = table + ((long)strings * size);
            uint stringOffset = image.U32(stringSection + 16, "sh_offset");
            uint stringLength = image.U32(stringSection + 20, "sh_size");
            image.Slice(offset, length, "the symbol table");
            image.Slice(stringOffset, stringLength, "the string table");
            for (long at = offset; at + SymbolSize <= (long)offset + length; at += SymbolSize)
            {
                int kind = image.U8(at + 12, "st_info") & 0xF;
                ushort home = image.U16(at + 14, "st_shndx");
                string name = NameAt(image, stringOffset, stringLength, image.U32(at, "st_name"));
                if (kind is NoType or Function && home is not 0 and < FirstReserved && name.Length > 0)
                    yield return new Symbol(name, image.U32(at + 4, "st_value"), kind == Function ? image.U32(at + 8, "st_size") : 0, 0);
            }
        }
    }

    private static string NameAt(ImageReader image, uint offset, uint length, uint index)
    {
        if (index >= length)
            throw image.Bad("a symbol's name lies outside the string table; build it again");
        ReadOnlySpan<byte> text = image.Slice(offset + (long)index, length - index, "a symbol's name");
        int end = text.IndexOf((byte)0);
        return Encoding.Latin1.GetString(end < 0 ? text : text[..end]);
    }
}
