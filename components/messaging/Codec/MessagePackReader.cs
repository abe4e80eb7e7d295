using System.Text;

namespace Plexus.Messaging.Codec;

/// <summary>Reads MessagePack from a span. Malformed input never throws: a method returns false and <see cref="Error"/> says what was wrong and where. The reader must not be used further after a failure.</summary>
public ref struct MessagePackReader
{
    private readonly ReadOnlySpan<byte> source;
    private int position;
    private DecodeError error;

    /// <summary>Starts at the first byte.</summary>
    public MessagePackReader(ReadOnlySpan<byte> source)
    {
        this.source = source;
        position = 0;
        error = default;
    }

    /// <summary>Offset of the next byte to read.</summary>
    public readonly int Position => position;

    /// <summary>Bytes not read yet.</summary>
    public readonly int Remaining => source.Length - position;

    /// <summary>What the last failed read found.</summary>
    public readonly DecodeError Error => error;

    /// <summary>The family of the next value.</summary>
    public readonly MessagePackKind NextKind => MessagePackPrimitives.KindAt(source, position);

    /// <summary>True, and past it, when the next value is nil. False is no error.</summary>
    public bool TryReadNil()
    {
        if ((uint)position >= (uint)source.Length || source[position] != 0xC0)
            return false;
        position++;
        return true;
    }

    /// <summary>true or false.</summary>
    public bool TryReadBoolean(out bool value)
        => MessagePackPrimitives.TryReadBoolean(source, ref position, out value, out DecodeErrorKind kind) || Fail(kind);

    /// <summary>An integer that fits.</summary>
    public bool TryReadInt64(out long value)
        => MessagePackPrimitives.TryReadInt64(source, ref position, out value, out DecodeErrorKind kind) || Fail(kind);

    /// <summary>An integer that fits.</summary>
    public bool TryReadUInt64(out ulong value)
    {
        if ((uint)position < (uint)source.Length && source[position] <= 0x7F)
        {
            value = source[position++];
            return true;
        }

        return MessagePackPrimitives.TryReadUInt64(source, ref position, out value, out DecodeErrorKind kind) || Fail(kind);
    }

    /// <summary>An integer that fits.</summary>
    public bool TryReadSByte(out sbyte value)
    {
        bool ok = TryReadSigned(sbyte.MinValue, sbyte.MaxValue, out long wide);
        value = (sbyte)wide;
        return ok;
    }

    /// <summary>An integer that fits.</summary>
    public bool TryReadInt16(out short value)
    {
        bool ok = TryReadSigned(short.MinValue, short.MaxValue, out long wide);
        value = (short)wide;
        return ok;
    }

    /// <summary>An integer that fits.</summary>
    public bool TryReadInt32(out int value)
    {
        bool ok = TryReadSigned(int.MinValue, int.MaxValue, out long wide);
        value = (int)wide;
        return ok;
    }

    /// <summary>An integer that fits.</summary>
    public bool TryReadByte(out byte value)
    {
        bool ok = TryReadUnsigned(byte.MaxValue, out ulong wide);
        value = (byte)wide;
        return ok;
    }

    /// <summary>An integer that fits.</summary>
    public bool TryReadUInt16(out ushort value)
    {
        bool ok = TryReadUnsigned(ushort.MaxValue, out ulong wide);
        value = (ushort)wide;
        return ok;
    }

    /// <summary>An integer that fits.</summary>
    public bool TryReadUInt32(out uint value)
    {
        bool ok = TryReadUnsigned(uint.MaxValue, out ulong wide);
        value = (uint)wide;
        return ok;
    }

    /// <summary>float 32 only.</summary>
    public bool TryReadSingle(out float value)
        => MessagePackPrimitives.TryReadSingle(source, ref position, out value, out DecodeErrorKind kind) || Fail(kind);

    /// <summary>float 32 or float 64.</summary>
    public bool TryReadDouble(out double value)
        => MessagePackPrimitives.TryReadDouble(source, ref position, out value, out DecodeErrorKind kind) || Fail(kind);

    /// <summary>A string, decoded into a new object; the empty string allocates nothing.</summary>
    public bool TryReadString(out string value)
    {
        value = string.Empty;
        if (!TryReadUtf8(out ReadOnlySpan<byte> bytes))
            return false;
        if (bytes.Length != 0)
            value = Encoding.UTF8.GetString(bytes);
        return true;
    }

    /// <summary>The UTF-8 bytes of a string.</summary>
    public bool TryReadUtf8(out ReadOnlySpan<byte> value)
        => MessagePackPrimitives.TryReadUtf8(source, ref position, out value, out DecodeErrorKind kind) || Fail(kind);

    /// <summary>Bytes, as a view of the source.</summary>
    public bool TryReadBinary(out ReadOnlySpan<byte> value)
        => MessagePackPrimitives.TryReadBinary(source, ref position, out value, out DecodeErrorKind kind) || Fail(kind);

    /// <summary>Bytes, copied into a new array; no bytes allocate nothing.</summary>
    public bool TryReadBytes(out byte[] value)
    {
        value = [];
        if (!TryReadBinary(out ReadOnlySpan<byte> bytes))
            return false;
        if (bytes.Length != 0)
            value = bytes.ToArray();
        return true;
    }

    /// <summary>The header of an array; <paramref name="count"/> never exceeds the bytes that are left.</summary>
    public bool TryReadArrayHeader(out int count)
    {
        // Nearly every array is a message of up to 15 members: one byte.
        if ((uint)position < (uint)source.Length && (source[position] & 0xF0) == 0x90)
        {
            count = source[position] & 0xF;
            if (count < source.Length - position)
            {
                position++;
                return true;
            }
        }

        return MessagePackPrimitives.TryReadArrayHeader(source, ref position, out count, out DecodeErrorKind kind) || Fail(kind);
    }

    /// <summary>The header of a map; twice <paramref name="count"/> never exceeds the bytes that are left.</summary>
    public bool TryReadMapHeader(out int count)
        => MessagePackPrimitives.TryReadMapHeader(source, ref position, out count, out DecodeErrorKind kind) || Fail(kind);

    /// <summary>An extension; its bytes are a view of the source.</summary>
    public bool TryReadExtension(out sbyte type, out ReadOnlySpan<byte> data)
        => MessagePackPrimitives.TryReadExtension(source, ref position, out type, out data, out DecodeErrorKind kind) || Fail(kind);

    /// <summary>A timestamp.</summary>
    public bool TryReadTimestamp(out MessagePackTimestamp value)
        => MessagePackPrimitives.TryReadTimestamp(source, ref position, out value, out DecodeErrorKind kind) || Fail(kind);

    /// <summary>Passes over values of any kind.</summary>
    /// <param name="count">How many.</param>
    public bool TrySkip(int count = 1)
    {
        for (int i = 0; i < count; i++)
        {
            if (!MessagePackPrimitives.TrySkip(source, ref position, out DecodeErrorKind kind))
                return Fail(kind);
        }

        return true;
    }

    /// <summary>True when everything has been read; otherwise the rest is an error.</summary>
    public bool TryReadEnd() => position == source.Length || Fail(DecodeErrorKind.TrailingBytes);

    private bool TryReadSigned(long minimum, long maximum, out long value)
    {
        int start = position;
        if ((uint)start < (uint)source.Length && source[start] <= 0x7F)
        {
            value = source[start];
            position = start + 1;
            return true;
        }

        if (!TryReadInt64(out value))
            return false;
        if (value >= minimum && value <= maximum)
            return true;
        value = 0;
        position = start;
        return Fail(DecodeErrorKind.OutOfRange);
    }

    private bool TryReadUnsigned(ulong maximum, out ulong value)
    {
        int start = position;
        if (!TryReadUInt64(out value))
            return false;
        if (value <= maximum)
            return true;
        value = 0;
        position = start;
        return Fail(DecodeErrorKind.OutOfRange);
    }

    private bool Fail(DecodeErrorKind kind)
    {
        error = new DecodeError(kind, position);
        return false;
    }
}
