using System.Buffers.Binary;

namespace Plexus.Cpu.Native;

/// <summary>A static 64-bit executable with one segment (System V ABI, chapter 4; AMD64 supplement).</summary>
internal static class ElfImage
{
    /// <summary>Bytes of the headers: the code begins behind them.</summary>
    public const int HeaderSize = FileHeaderSize + ProgramHeaderSize;

    private const int FileHeaderSize = 64, ProgramHeaderSize = 56;
    private const ushort TypeExecutable = 2, MachineX64 = 62;
    private const uint SegmentLoad = 1, ReadExecute = 5;

    /// <summary>Puts headers before code.</summary>
    /// <param name="address">Where the image is to be, a multiple of 4,096; the code was assembled for <see cref="HeaderSize"/> behind it, and is entered there.</param>
    /// <param name="code">The code.</param>
    public static byte[] Create(ulong address, ReadOnlySpan<byte> code)
    {
        byte[] image = new byte[HeaderSize + code.Length];
        Span<byte> file = image;

        // Magic, 64-bit, little-endian, version 1.
        ReadOnlySpan<byte> identity = [0x7F, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1];
        identity.CopyTo(file);
        BinaryPrimitives.WriteUInt16LittleEndian(file[16..], TypeExecutable);
        BinaryPrimitives.WriteUInt16LittleEndian(file[18..], MachineX64);
        BinaryPrimitives.WriteUInt32LittleEndian(file[20..], 1);
        BinaryPrimitives.WriteUInt64LittleEndian(file[24..], address + HeaderSize);
        BinaryPrimitives.WriteUInt64LittleEndian(file[32..], FileHeaderSize);
        BinaryPrimitives.WriteUInt16LittleEndian(file[52..], FileHeaderSize);
        BinaryPrimitives.WriteUInt16LittleEndian(file[54..], ProgramHeaderSize);
        BinaryPrimitives.WriteUInt16LittleEndian(file[56..], 1);

        Span<byte> segment = file[FileHeaderSize..];
        BinaryPrimitives.WriteUInt32LittleEndian(segment, SegmentLoad);
        BinaryPrimitives.WriteUInt32LittleEndian(segment[4..], ReadExecute);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[16..], address);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[24..], address);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[32..], (ulong)image.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[40..], (ulong)image.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[48..], 0x1000);
        code.CopyTo(file[HeaderSize..]);
        return image;
    }
}
