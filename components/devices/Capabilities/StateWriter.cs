using System.Buffers;
using System.Buffers.Binary;

namespace Plexus.Devices;

/// <summary>Collects a device's volatile state, little-endian.</summary>
public sealed class StateWriter
{
    private readonly ArrayBufferWriter<byte> buffer = new();

    /// <summary>What has been written.</summary>
    public ReadOnlyMemory<byte> Written => buffer.WrittenMemory;

    /// <summary>Appends one byte.</summary>
    public void Byte(byte value)
    {
        buffer.GetSpan(1)[0] = value;
        buffer.Advance(1);
    }

    /// <summary>Appends a truth value.</summary>
    public void Bool(bool value) => Byte(value ? (byte)1 : (byte)0);

    /// <summary>Appends a signed 32-bit number.</summary>
    public void Int32(int value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(buffer.GetSpan(4), value);
        buffer.Advance(4);
    }

    /// <summary>Appends a signed 64-bit number.</summary>
    public void Int64(long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(buffer.GetSpan(8), value);
        buffer.Advance(8);
    }

    /// <summary>Appends an unsigned 64-bit number.</summary>
    public void UInt64(ulong value) => Int64(unchecked((long)value));

    /// <summary>Appends bytes preceded by their number.</summary>
    public void Bytes(ReadOnlySpan<byte> value)
    {
        Int32(value.Length);
        buffer.Write(value);
    }
}
