using System.Buffers.Binary;

namespace Plexus.Host.Tests.Images;

/// <summary>Builds little-endian test images field by field.</summary>
internal sealed class ImageWriter(int size)
{
    public byte[] Data { get; } = new byte[size];

    public ImageWriter U8(int offset, int value)
    {
        Data[offset] = (byte)value;
        return this;
    }

    public ImageWriter U16(int offset, int value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(Data.AsSpan(offset), (ushort)value);
        return this;
    }

    public ImageWriter U32(int offset, uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(Data.AsSpan(offset), value);
        return this;
    }

    public ImageWriter U64(int offset, ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(Data.AsSpan(offset), value);
        return this;
    }

    public ImageWriter Fill(int offset, int count, byte value)
    {
        Data.AsSpan(offset, count).Fill(value);
        return this;
    }
}
