using System.Buffers.Binary;

namespace Plexus.Host.DemoKernel;

/// <summary>Writes an ELF32 executable with one loadable segment (System V ABI, chapter 4).</summary>
internal static class ElfImage
{
    private const int HeaderBytes = 52;
    private const int SegmentBytes = 32;

    /// <summary>Where the segment's bytes start in the file: page aligned, and inside the 8 KiB a multiboot loader searches.</summary>
    private const int Offset = 0x1000;

    /// <summary>Wraps an image.</summary>
    /// <param name="image">Its bytes.</param>
    /// <param name="physical">Where they are loaded.</param>
    /// <param name="linearBase">Linear minus physical address.</param>
    /// <param name="entry">Physical entry point.</param>
    public static byte[] Write(byte[] image, uint physical, uint linearBase, uint entry)
    {
        var file = new byte[Offset + image.Length];
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
        Half(header, 46, 40); // size of a section header; there is none

        Span<byte> segment = header.Slice(HeaderBytes, SegmentBytes);
        Word(segment, 0, 1);  // loadable
        Word(segment, 4, Offset);
        Word(segment, 8, linearBase + physical);
        Word(segment, 12, physical);
        Word(segment, 16, (uint)image.Length);
        Word(segment, 20, (uint)image.Length);
        Word(segment, 24, 7); // read, write, execute
        Word(segment, 28, 0x1000);

        image.CopyTo(file, Offset);
        return file;
    }

    private static void Half(Span<byte> target, int offset, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(target[offset..], value);

    private static void Word(Span<byte> target, int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(target[offset..], value);
}
