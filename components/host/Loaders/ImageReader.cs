using System.Buffers.Binary;

namespace Plexus.Host.Loaders;

/// <summary>Reads little-endian fields of an image. What lies past its end is an <see cref="InputException"/> that names the field.</summary>
/// <param name="image">The image.</param>
public readonly struct ImageReader(GuestImage image)
{
    /// <summary>Bytes in the image.</summary>
    public int Length => image.Data.Length;

    /// <summary>The 16-bit field at an offset.</summary>
    public ushort U16(long offset, string field) => BinaryPrimitives.ReadUInt16LittleEndian(Slice(offset, 2, field));

    /// <summary>The 32-bit field at an offset.</summary>
    public uint U32(long offset, string field) => BinaryPrimitives.ReadUInt32LittleEndian(Slice(offset, 4, field));

    /// <summary>The 64-bit field at an offset.</summary>
    public ulong U64(long offset, string field) => BinaryPrimitives.ReadUInt64LittleEndian(Slice(offset, 8, field));

    /// <summary>The byte at an offset.</summary>
    public byte U8(long offset, string field) => Slice(offset, 1, field)[0];

    /// <summary>A range of the image.</summary>
    /// <exception cref="InputException">The range is not wholly inside the image.</exception>
    public ReadOnlySpan<byte> Slice(long offset, long length, string what) => Range(offset, length, what).Span;

    /// <summary>A range of the image, to be kept.</summary>
    /// <exception cref="InputException">The range is not wholly inside the image.</exception>
    public ReadOnlyMemory<byte> Range(long offset, long length, string what)
    {
        if (offset < 0 || length < 0 || offset > Length || length > Length - offset)
            throw Bad($"truncated: {what} needs bytes {offset} to {offset + length}, the file has {Length}; fetch or build it again");
        return image.Data.Slice((int)offset, (int)length);
    }

    /// <summary>An error about this image.</summary>
    public InputException Bad(string problem) => new($"kernel {image.Name}: {problem}");
}
