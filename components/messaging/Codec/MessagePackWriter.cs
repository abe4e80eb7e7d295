using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Plexus.Messaging.Codec;

/// <summary>Writes MessagePack, each value in its smallest form, into an <see cref="IBufferWriter{T}"/>. Call <see cref="Flush"/> when done.</summary>
/// <remarks>Integers that are not negative take the unsigned formats, as the reference implementations do.</remarks>
public ref struct MessagePackWriter
{
    private readonly IBufferWriter<byte> output;
    private Span<byte> span;
    private int position;

    /// <summary>Starts writing at the output's current position.</summary>
    public MessagePackWriter(IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        this.output = output;
        span = output.GetSpan();
        position = 0;
    }

    /// <summary>Hands everything written so far to the output.</summary>
    public void Flush()
    {
        output.Advance(position);
        span = span[position..];
        position = 0;
    }

    /// <summary>nil.</summary>
    public void WriteNil() => WriteByte(0xC0);

    /// <summary>true or false.</summary>
    public void WriteBoolean(bool value) => WriteByte(value ? (byte)0xC3 : (byte)0xC2);

    /// <summary>An integer in its smallest form.</summary>
    public void WriteInt64(long value)
    {
        if (value >= 0)
        {
            WriteUInt64((ulong)value);
            return;
        }

        Span<byte> room = Room(9);
        if (value >= -32)
        {
            room[0] = unchecked((byte)value);
            position++;
        }
        else if (value >= sbyte.MinValue)
        {
            room[0] = 0xD0;
            room[1] = unchecked((byte)value);
            position += 2;
        }
        else if (value >= short.MinValue)
        {
            room[0] = 0xD1;
            BinaryPrimitives.WriteInt16BigEndian(room[1..], (short)value);
            position += 3;
        }
        else if (value >= int.MinValue)
        {
            room[0] = 0xD2;
            BinaryPrimitives.WriteInt32BigEndian(room[1..], (int)value);
            position += 5;
        }
        else
        {
            room[0] = 0xD3;
            BinaryPrimitives.WriteInt64BigEndian(room[1..], value);
            position += 9;
        }
    }

    /// <summary>An integer in its smallest form.</summary>
    public void WriteUInt64(ulong value)
    {
        Span<byte> room = Room(9);
        if (value < 0x80)
        {
            room[0] = (byte)value;
            position++;
        }
        else if (value <= byte.MaxValue)
        {
            room[0] = 0xCC;
            room[1] = (byte)value;
            position += 2;
        }
        else if (value <= ushort.MaxValue)
        {
            room[0] = 0xCD;
            BinaryPrimitives.WriteUInt16BigEndian(room[1..], (ushort)value);
            position += 3;
        }
        else if (value <= uint.MaxValue)
        {
            room[0] = 0xCE;
            BinaryPrimitives.WriteUInt32BigEndian(room[1..], (uint)value);
            position += 5;
        }
        else
        {
            room[0] = 0xCF;
            BinaryPrimitives.WriteUInt64BigEndian(room[1..], value);
            position += 9;
        }
    }

    /// <summary>float 32.</summary>
    public void WriteSingle(float value)
    {
        Span<byte> room = Room(5);
        room[0] = 0xCA;
        BinaryPrimitives.WriteSingleBigEndian(room[1..], value);
        position += 5;
    }

    /// <summary>float 64.</summary>
    public void WriteDouble(double value)
    {
        Span<byte> room = Room(9);
        room[0] = 0xCB;
        BinaryPrimitives.WriteDoubleBigEndian(room[1..], value);
        position += 9;
    }

    /// <summary>A string as UTF-8, or nil. Lone surrogates become U+FFFD.</summary>
    public void WriteString(string? value)
    {
        if (value is null)
        {
            WriteNil();
            return;
        }

        int length = Encoding.UTF8.GetByteCount(value);
        WriteLength((uint)length, 31, 0xA0, 0xD9, 0xDA, 0xDB);
        Encoding.UTF8.GetBytes(value, Room(length));
        position += length;
    }

    /// <summary>A string that is UTF-8 already; not checked.</summary>
    public void WriteUtf8(scoped ReadOnlySpan<byte> value)
    {
        WriteLength((uint)value.Length, 31, 0xA0, 0xD9, 0xDA, 0xDB);
        WriteRaw(value);
    }

    /// <summary>Bytes.</summary>
    public void WriteBinary(scoped ReadOnlySpan<byte> value)
    {
        WriteLength((uint)value.Length, -1, 0, 0xC4, 0xC5, 0xC6);
        WriteRaw(value);
    }

    /// <summary>The header of an array; <paramref name="count"/> values must follow.</summary>
    public void WriteArrayHeader(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        WriteLength((uint)count, 15, 0x90, 0, 0xDC, 0xDD);
    }

    /// <summary>The header of a map; <paramref name="count"/> pairs of values must follow.</summary>
    public void WriteMapHeader(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        WriteLength((uint)count, 15, 0x80, 0, 0xDE, 0xDF);
    }

    /// <summary>An extension: a type and bytes.</summary>
    public void WriteExtension(sbyte type, scoped ReadOnlySpan<byte> data)
    {
        byte fix = data.Length switch { 1 => 0xD4, 2 => 0xD5, 4 => 0xD6, 8 => 0xD7, 16 => 0xD8, _ => 0 };
        if (fix != 0)
            WriteByte(fix);
        else
            WriteLength((uint)data.Length, -1, 0, 0xC7, 0xC8, 0xC9);
        WriteByte(unchecked((byte)type));
        WriteRaw(data);
    }

    /// <summary>A timestamp, in the smallest of its 32, 64 and 96 bit forms.</summary>
    public void WriteTimestamp(MessagePackTimestamp value)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value.Nanoseconds, MessagePackTimestamp.MaximumNanoseconds);
        Span<byte> data = stackalloc byte[12];
        if (value.Seconds is < 0 or >= 1L << 34)
        {
            BinaryPrimitives.WriteUInt32BigEndian(data, value.Nanoseconds);
            BinaryPrimitives.WriteInt64BigEndian(data[4..], value.Seconds);
        }
        else if (value.Nanoseconds == 0 && value.Seconds <= uint.MaxValue)
        {
            BinaryPrimitives.WriteUInt32BigEndian(data, (uint)value.Seconds);
            data = data[..4];
        }
        else
        {
            BinaryPrimitives.WriteUInt64BigEndian(data, ((ulong)value.Nanoseconds << 34) | (ulong)value.Seconds);
            data = data[..8];
        }

        WriteExtension(MessagePackTimestamp.ExtensionType, data);
    }

    /// <summary>Bytes that are MessagePack already.</summary>
    public void WriteRaw(scoped ReadOnlySpan<byte> encoded)
    {
        encoded.CopyTo(Room(encoded.Length));
        position += encoded.Length;
    }

    private void WriteByte(byte value)
    {
        Room(1)[0] = value;
        position++;
    }

    /// <summary>Length prefix: in the format byte up to <paramref name="fixMaximum"/>, then 8 (when there is such a form), 16 and 32 bits.</summary>
    private void WriteLength(uint length, int fixMaximum, byte fix, byte form8, byte form16, byte form32)
    {
        Span<byte> room = Room(5);
        if (length <= fixMaximum)
        {
            room[0] = (byte)(fix | length);
            position++;
        }
        else if (length <= byte.MaxValue && form8 != 0)
        {
            room[0] = form8;
            room[1] = (byte)length;
            position += 2;
        }
        else if (length <= ushort.MaxValue)
        {
            room[0] = form16;
            BinaryPrimitives.WriteUInt16BigEndian(room[1..], (ushort)length);
            position += 3;
        }
        else
        {
            room[0] = form32;
            BinaryPrimitives.WriteUInt32BigEndian(room[1..], length);
            position += 5;
        }
    }

    private Span<byte> Room(int size)
    {
        if (span.Length - position < size)
        {
            output.Advance(position);
            span = output.GetSpan(size);
            position = 0;
        }

        return span[position..];
    }
}
