using System.Buffers.Binary;
using System.Text;

namespace Plexus.Host.Telemetry;

/// <summary>Writes the protobuf wire format (protobuf.dev, "Encoding") into a growing buffer that is reused.</summary>
internal sealed class ProtobufWriter
{
    private const int Varint = 0;
    private const int Fixed64Type = 1;
    private const int LengthDelimited = 2;

    private byte[] buffer = new byte[256];

    /// <summary>Bytes written so far.</summary>
    public int Length { get; private set; }

    /// <summary>What was written.</summary>
    public ReadOnlySpan<byte> Written => buffer.AsSpan(0, Length);

    /// <summary>Begins again.</summary>
    public void Clear() => Length = 0;

    /// <summary>An unsigned varint without a field number.</summary>
    public void RawVarint(ulong value)
    {
        Span<byte> space = Reserve(10);
        int used = 0;
        for (; value >= 0x80; value >>= 7)
            space[used++] = (byte)(value | 0x80);
        space[used++] = (byte)value;
        Length += used;
    }

    /// <summary>A varint field: int64, uint32, enum, bool.</summary>
    public void VarintField(int field, ulong value)
    {
        Tag(field, Varint);
        RawVarint(value);
    }

    /// <summary>A fixed64 field.</summary>
    public void Fixed64Field(int field, ulong value)
    {
        Tag(field, Fixed64Type);
        RawFixed64(value);
    }

    /// <summary>Eight bytes without a field number: an element of a packed field.</summary>
    public void RawFixed64(ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(Reserve(8), value);
        Length += 8;
    }

    /// <summary>A bytes field, or an embedded message already encoded.</summary>
    public void BytesField(int field, ReadOnlySpan<byte> value)
    {
        Tag(field, LengthDelimited);
        RawVarint((ulong)value.Length);
        Raw(value);
    }

    /// <summary>A string field.</summary>
    public void StringField(int field, string value)
    {
        int length = Encoding.UTF8.GetByteCount(value);
        Tag(field, LengthDelimited);
        RawVarint((ulong)length);
        Encoding.UTF8.GetBytes(value, Reserve(length));
        Length += length;
    }

    /// <summary>Bytes as they are.</summary>
    public void Raw(ReadOnlySpan<byte> value)
    {
        value.CopyTo(Reserve(value.Length));
        Length += value.Length;
    }

    private void Tag(int field, int type) => RawVarint((ulong)((field << 3) | type));

    private Span<byte> Reserve(int count)
    {
        if (buffer.Length - Length < count)
            Array.Resize(ref buffer, Math.Max(buffer.Length * 2, Length + count));
        return buffer.AsSpan(Length);
    }
}
