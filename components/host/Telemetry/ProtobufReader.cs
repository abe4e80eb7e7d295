using System.Buffers.Binary;
using System.Text;

namespace Plexus.Host.Telemetry;

/// <summary>Reads the fields of one message in the protobuf wire format (protobuf.dev, "Encoding"). Whatever the bytes are, it stays inside them.</summary>
internal ref struct ProtobufReader(ReadOnlySpan<byte> message)
{
    private ReadOnlySpan<byte> rest = message;

    /// <summary>Number of the present field.</summary>
    public int Field { get; private set; }

    /// <summary>Its value, of a varint or fixed field.</summary>
    public ulong Number { get; private set; }

    /// <summary>Its value, of a length-delimited field.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>The present field is length-delimited.</summary>
    public bool IsBytes { get; private set; }

    /// <summary>Its value as text.</summary>
    public readonly string Text => Encoding.UTF8.GetString(Bytes);

    /// <summary>Goes on to the next field.</summary>
    /// <returns>False at the end.</returns>
    /// <exception cref="InvalidDataException">These bytes are no such message.</exception>
    public bool Next()
    {
        if (rest.IsEmpty)
            return false;
        ulong tag = Varint();
        Field = (int)Math.Min(tag >> 3, int.MaxValue);
        if (Field == 0)
            throw Wrong();
        Bytes = default;
        IsBytes = false;
        switch (tag & 7)
        {
            case 0:
                Number = Varint();
                break;
            case 1:
                Number = BinaryPrimitives.ReadUInt64LittleEndian(Take(8));
                break;
            case 2:
                Bytes = Take(Varint());
                IsBytes = true;
                break;
            case 5:
                Number = BinaryPrimitives.ReadUInt32LittleEndian(Take(4));
                break;
            default:
                throw Wrong();
        }

        return true;
    }

    private static InvalidDataException Wrong() => new("not a protobuf message");

    private ReadOnlySpan<byte> Take(ulong length)
    {
        if (length > (ulong)rest.Length)
            throw Wrong();
        ReadOnlySpan<byte> taken = rest[..(int)length];
        rest = rest[(int)length..];
        return taken;
    }

    private ulong Varint()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            if (rest.IsEmpty)
                throw Wrong();
            byte b = rest[0];
            rest = rest[1..];
            value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80)
                return value;
        }

        throw Wrong();
    }
}
