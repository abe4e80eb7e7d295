using System.Buffers.Binary;
using System.Text.Unicode;

namespace Plexus.Messaging.Codec;

/// <summary>Decodes single MessagePack values from a span. Nothing here throws, whatever the bytes are: a failure is a <see cref="DecodeErrorKind"/>, and <c>offset</c> then still points at the offending value.</summary>
public static class MessagePackPrimitives
{
    /// <summary>How deep arrays and maps may nest in a value that is skipped.</summary>
    public const int MaximumDepth = 64;

    /// <summary>The family of the value at an offset.</summary>
    public static MessagePackKind KindAt(ReadOnlySpan<byte> source, int offset)
    {
        if ((uint)offset >= (uint)source.Length)
            return MessagePackKind.Invalid;
        return source[offset] switch
        {
            <= 0x7F or >= 0xE0 => MessagePackKind.Integer,
            <= 0x8F => MessagePackKind.Map,
            <= 0x9F => MessagePackKind.Array,
            <= 0xBF => MessagePackKind.String,
            0xC0 => MessagePackKind.Nil,
            0xC1 => MessagePackKind.Invalid,
            0xC2 or 0xC3 => MessagePackKind.Boolean,
            0xC4 or 0xC5 or 0xC6 => MessagePackKind.Binary,
            0xC7 or 0xC8 or 0xC9 => MessagePackKind.Extension,
            0xCA or 0xCB => MessagePackKind.Float,
            <= 0xD3 => MessagePackKind.Integer,
            <= 0xD8 => MessagePackKind.Extension,
            0xD9 or 0xDA or 0xDB => MessagePackKind.String,
            0xDC or 0xDD => MessagePackKind.Array,
            _ => MessagePackKind.Map,
        };
    }

    /// <summary>true or false.</summary>
    public static bool TryReadBoolean(ReadOnlySpan<byte> source, scoped ref int offset, out bool value, out DecodeErrorKind error)
    {
        value = false;
        if ((uint)offset >= (uint)source.Length)
            return Fail(DecodeErrorKind.Truncated, out error);
        byte code = source[offset];
        if (code is not (0xC2 or 0xC3))
            return Fail(Mismatch(code), out error);
        value = code == 0xC3;
        offset++;
        error = DecodeErrorKind.None;
        return true;
    }

    /// <summary>An integer of any form that fits a signed 64-bit one.</summary>
    public static bool TryReadInt64(ReadOnlySpan<byte> source, scoped ref int offset, out long value, out DecodeErrorKind error)
    {
        if (!TryReadInteger(source, ref offset, out value, out bool negative, out int length, out error))
            return false;
        if (value < 0 && !negative)
        {
            value = 0;
            return Fail(DecodeErrorKind.OutOfRange, out error);
        }

        offset += length;
        return true;
    }

    /// <summary>An integer of any form that fits an unsigned 64-bit one.</summary>
    public static bool TryReadUInt64(ReadOnlySpan<byte> source, scoped ref int offset, out ulong value, out DecodeErrorKind error)
    {
        value = 0;
        if (!TryReadInteger(source, ref offset, out long raw, out bool negative, out int length, out error))
            return false;
        if (negative)
            return Fail(DecodeErrorKind.OutOfRange, out error);
        value = unchecked((ulong)raw);
        offset += length;
        return true;
    }

    /// <summary>float 32, float 64 (in a float 64 value).</summary>
    public static bool TryReadDouble(ReadOnlySpan<byte> source, scoped ref int offset, out double value, out DecodeErrorKind error)
    {
        value = 0;
        if ((uint)offset >= (uint)source.Length)
            return Fail(DecodeErrorKind.Truncated, out error);
        ReadOnlySpan<byte> rest = source[(offset + 1)..];
        switch (source[offset])
        {
            case 0xCA:
                if (!BinaryPrimitives.TryReadSingleBigEndian(rest, out float single))
                    return Fail(DecodeErrorKind.Truncated, out error);
                value = single;
                offset += 5;
                break;
            case 0xCB:
                if (!BinaryPrimitives.TryReadDoubleBigEndian(rest, out value))
                    return Fail(DecodeErrorKind.Truncated, out error);
                offset += 9;
                break;
            default:
                return Fail(Mismatch(source[offset]), out error);
        }

        error = DecodeErrorKind.None;
        return true;
    }

    /// <summary>float 32 only, bit for bit (a float 64 would lose precision).</summary>
    public static bool TryReadSingle(ReadOnlySpan<byte> source, scoped ref int offset, out float value, out DecodeErrorKind error)
    {
        value = 0;
        if ((uint)offset >= (uint)source.Length)
            return Fail(DecodeErrorKind.Truncated, out error);
        if (source[offset] != 0xCA)
            return Fail(Mismatch(source[offset]), out error);
        if (!BinaryPrimitives.TryReadSingleBigEndian(source[(offset + 1)..], out value))
            return Fail(DecodeErrorKind.Truncated, out error);
        offset += 5;
        error = DecodeErrorKind.None;
        return true;
    }

    /// <summary>The UTF-8 bytes of a string, checked to be UTF-8.</summary>
    public static bool TryReadUtf8(ReadOnlySpan<byte> source, scoped ref int offset, out ReadOnlySpan<byte> value, out DecodeErrorKind error)
    {
        value = default;
        if (!TryReadLength(source, offset, MessagePackKind.String, out int header, out uint length, out error))
            return false;
        if (length > (uint)(source.Length - offset - header))
            return Fail(DecodeErrorKind.Truncated, out error);
        ReadOnlySpan<byte> bytes = source.Slice(offset + header, (int)length);
        if (!Utf8.IsValid(bytes))
            return Fail(DecodeErrorKind.InvalidUtf8, out error);
        value = bytes;
        offset += header + (int)length;
        return true;
    }

    /// <summary>Bytes, as a view of the source.</summary>
    public static bool TryReadBinary(ReadOnlySpan<byte> source, scoped ref int offset, out ReadOnlySpan<byte> value, out DecodeErrorKind error)
    {
        value = default;
        if (!TryReadLength(source, offset, MessagePackKind.Binary, out int header, out uint length, out error))
            return false;
        if (length > (uint)(source.Length - offset - header))
            return Fail(DecodeErrorKind.Truncated, out error);
        value = source.Slice(offset + header, (int)length);
        offset += header + (int)length;
        return true;
    }

    /// <summary>The header of an array. Fails when fewer bytes are left than the elements must take.</summary>
    public static bool TryReadArrayHeader(ReadOnlySpan<byte> source, scoped ref int offset, out int count, out DecodeErrorKind error)
        => TryReadCount(source, ref offset, MessagePackKind.Array, 1, out count, out error);

    /// <summary>The header of a map. Fails when fewer bytes are left than the pairs must take.</summary>
    public static bool TryReadMapHeader(ReadOnlySpan<byte> source, scoped ref int offset, out int count, out DecodeErrorKind error)
        => TryReadCount(source, ref offset, MessagePackKind.Map, 2, out count, out error);

    /// <summary>An extension: its type, and its bytes as a view of the source.</summary>
    public static bool TryReadExtension(ReadOnlySpan<byte> source, scoped ref int offset, out sbyte type, out ReadOnlySpan<byte> data, out DecodeErrorKind error)
    {
        type = 0;
        data = default;
        if (!TryReadLength(source, offset, MessagePackKind.Extension, out int header, out uint length, out error))
            return false;
        if ((ulong)length + 1 > (ulong)(source.Length - offset - header))
            return Fail(DecodeErrorKind.Truncated, out error);
        type = unchecked((sbyte)source[offset + header]);
        data = source.Slice(offset + header + 1, (int)length);
        offset += header + 1 + (int)length;
        return true;
    }

    /// <summary>A timestamp in any of its three forms.</summary>
    public static bool TryReadTimestamp(ReadOnlySpan<byte> source, scoped ref int offset, out MessagePackTimestamp value, out DecodeErrorKind error)
    {
        value = default;
        int start = offset;
        if (!TryReadExtension(source, ref start, out sbyte type, out ReadOnlySpan<byte> data, out error))
            return false;
        if (type != MessagePackTimestamp.ExtensionType)
            return Fail(DecodeErrorKind.InvalidExtension, out error);
        long seconds;
        uint nanoseconds = 0;
        switch (data.Length)
        {
            case 4:
                seconds = BinaryPrimitives.ReadUInt32BigEndian(data);
                break;
            case 8:
                ulong both = BinaryPrimitives.ReadUInt64BigEndian(data);
                nanoseconds = (uint)(both >> 34);
                seconds = (long)(both & ((1UL << 34) - 1));
                break;
            case 12:
                nanoseconds = BinaryPrimitives.ReadUInt32BigEndian(data);
                seconds = BinaryPrimitives.ReadInt64BigEndian(data[4..]);
                break;
            default:
                return Fail(DecodeErrorKind.InvalidExtension, out error);
        }

        if (nanoseconds > MessagePackTimestamp.MaximumNanoseconds)
            return Fail(DecodeErrorKind.InvalidExtension, out error);
        value = new MessagePackTimestamp(seconds, nanoseconds);
        offset = start;
        return true;
    }

    /// <summary>Passes over one value, whatever it is, without recursion. On failure <paramref name="offset"/> points at the innermost offending value.</summary>
    public static bool TrySkip(ReadOnlySpan<byte> source, scoped ref int offset, out DecodeErrorKind error)
    {
        Span<uint> left = stackalloc uint[MaximumDepth];
        int depth = 0;
        while (true)
        {
            MessagePackKind kind = KindAt(source, offset);
            uint children = 0;
            switch (kind)
            {
                case MessagePackKind.Nil or MessagePackKind.Boolean:
                    offset++;
                    break;
                case MessagePackKind.Integer:
                    if (!TryReadInteger(source, ref offset, out _, out _, out int length, out error))
                        return false;
                    offset += length;
                    break;
                case MessagePackKind.Float:
                    if (!TryReadDouble(source, ref offset, out _, out error))
                        return false;
                    break;
                case MessagePackKind.String:
                    if (!TryReadUtf8(source, ref offset, out _, out error))
                        return false;
                    break;
                case MessagePackKind.Binary:
                    if (!TryReadBinary(source, ref offset, out _, out error))
                        return false;
                    break;
                case MessagePackKind.Extension:
                    if (!TryReadExtension(source, ref offset, out _, out _, out error))
                        return false;
                    break;
                case MessagePackKind.Array:
                    if (depth == MaximumDepth)
                        return Fail(DecodeErrorKind.TooDeep, out error);
                    if (!TryReadArrayHeader(source, ref offset, out int elements, out error))
                        return false;
                    children = (uint)elements;
                    break;
                case MessagePackKind.Map:
                    if (depth == MaximumDepth)
                        return Fail(DecodeErrorKind.TooDeep, out error);
                    if (!TryReadMapHeader(source, ref offset, out int pairs, out error))
                        return false;
                    children = (uint)pairs * 2;
                    break;
                default:
                    return Fail(offset < source.Length ? DecodeErrorKind.Reserved : DecodeErrorKind.Truncated, out error);
            }

            if (children != 0)
            {
                left[depth++] = children;
                continue;
            }

            while (depth > 0 && --left[depth - 1] == 0)
                depth--;
            if (depth == 0)
            {
                error = DecodeErrorKind.None;
                return true;
            }
        }
    }

    /// <summary>Any integer as 64 raw bits and its sign; leaves <paramref name="offset"/> alone and says how long the value is.</summary>
    private static bool TryReadInteger(ReadOnlySpan<byte> source, scoped ref int offset, out long value, out bool negative, out int length, out DecodeErrorKind error)
    {
        value = 0;
        negative = false;
        length = 1;
        if ((uint)offset >= (uint)source.Length)
            return Fail(DecodeErrorKind.Truncated, out error);
        byte code = source[offset];
        error = DecodeErrorKind.None;
        if (code <= 0x7F)
        {
            value = code;
            return true;
        }

        if (code >= 0xE0)
        {
            value = unchecked((sbyte)code);
            negative = true;
            return true;
        }

        if (code is < 0xCC or > 0xD3)
            return Fail(Mismatch(code), out error);
        int size = 1 << (code & 3);
        ReadOnlySpan<byte> rest = source[(offset + 1)..];
        if (rest.Length < size)
            return Fail(DecodeErrorKind.Truncated, out error);
        value = code switch
        {
            0xCC => rest[0],
            0xCD => BinaryPrimitives.ReadUInt16BigEndian(rest),
            0xCE => BinaryPrimitives.ReadUInt32BigEndian(rest),
            0xD0 => unchecked((sbyte)rest[0]),
            0xD1 => BinaryPrimitives.ReadInt16BigEndian(rest),
            0xD2 => BinaryPrimitives.ReadInt32BigEndian(rest),
            _ => BinaryPrimitives.ReadInt64BigEndian(rest),
        };
        negative = code >= 0xD0 && value < 0;
        length = size + 1;
        return true;
    }

    private static bool TryReadCount(ReadOnlySpan<byte> source, scoped ref int offset, MessagePackKind kind, uint bytesPerItem, out int count, out DecodeErrorKind error)
    {
        count = 0;
        if (!TryReadLength(source, offset, kind, out int header, out uint claimed, out error))
            return false;
        if ((ulong)claimed * bytesPerItem > (ulong)(source.Length - offset - header))
            return Fail(DecodeErrorKind.Truncated, out error);
        count = (int)claimed;
        offset += header;
        return true;
    }

    /// <summary>The format byte and length field of a string, binary, array, map or extension. <paramref name="header"/> counts those bytes (an extension's type byte not included).</summary>
    private static bool TryReadLength(ReadOnlySpan<byte> source, int offset, MessagePackKind kind, out int header, out uint length, out DecodeErrorKind error)
    {
        header = 1;
        length = 0;
        if ((uint)offset >= (uint)source.Length)
            return Fail(DecodeErrorKind.Truncated, out error);
        byte code = source[offset];
        if (KindAt(source, offset) != kind)
            return Fail(Mismatch(code), out error);
        error = DecodeErrorKind.None;
        int size;
        switch (code)
        {
            case <= 0x9F:
                length = code & 15u;
                return true;
            case <= 0xBF:
                length = code & 31u;
                return true;
            case >= 0xD4 and <= 0xD8:
                length = 1u << (code - 0xD4);
                return true;
            case 0xC4 or 0xC7 or 0xD9:
                size = 1;
                break;
            case 0xC5 or 0xC8 or 0xDA or 0xDC or 0xDE:
                size = 2;
                break;
            default:
                size = 4;
                break;
        }

        ReadOnlySpan<byte> rest = source[(offset + 1)..];
        if (rest.Length < size)
            return Fail(DecodeErrorKind.Truncated, out error);
        length = size switch
        {
            1 => rest[0],
            2 => BinaryPrimitives.ReadUInt16BigEndian(rest),
            _ => BinaryPrimitives.ReadUInt32BigEndian(rest),
        };
        header = 1 + size;
        return true;
    }

    private static DecodeErrorKind Mismatch(byte code) => code == 0xC1 ? DecodeErrorKind.Reserved : DecodeErrorKind.WrongType;

    private static bool Fail(DecodeErrorKind kind, out DecodeErrorKind error)
    {
        error = kind;
        return false;
    }
}
