namespace Plexus.Tests.Otlp;

/// <summary>Reads the protobuf wire format by its published rules; shares nothing with the writer under test.</summary>
internal ref struct WireReader(ReadOnlySpan<byte> data)
{
    private ReadOnlySpan<byte> rest = data;

    /// <summary>The field number of the field just read.</summary>
    public int Field { get; private set; }

    /// <summary>The value of a varint or fixed64 field.</summary>
    public ulong Number { get; private set; }

    /// <summary>The bytes of a length-delimited field.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>Reads the next field.</summary>
    public bool Next()
    {
        if (rest.IsEmpty)
            return false;
        ulong tag = Varint(ref rest);
        Field = (int)(tag >> 3);
        Bytes = default;
        switch (tag & 7)
        {
            case 0:
                Number = Varint(ref rest);
                break;
            case 1:
                Number = BitConverter.ToUInt64(rest[..8]);
                rest = rest[8..];
                break;
            case 2:
                int length = checked((int)Varint(ref rest));
                Bytes = rest[..length];
                rest = rest[length..];
                break;
            case 5:
                Number = BitConverter.ToUInt32(rest[..4]);
                rest = rest[4..];
                break;
            default:
                throw new InvalidDataException($"wire type {tag & 7}");
        }

        return true;
    }

    /// <summary>Reads a varint from the front of a span.</summary>
    public static ulong Varint(ref ReadOnlySpan<byte> data)
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            byte next = data[0];
            data = data[1..];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
                return value;
        }

        throw new InvalidDataException("varint longer than ten bytes");
    }
}
