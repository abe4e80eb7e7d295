namespace Plexus.Messaging.Codec;

/// <summary>Encodes and decodes whole messages and packed values, outside of any envelope.</summary>
public static class MessageCodec
{
    /// <summary>The wire type id of a message.</summary>
    public static int TypeIdOf<T>()
        where T : struct, IMessage<T>
        => T.TypeId;

    /// <summary>Writes a value.</summary>
    public static void Write<T>(scoped ref MessagePackWriter writer, in T value)
        where T : struct, IPacked<T>
        => T.Write(ref writer, in value);

    /// <summary>Reads a value; on failure the reader's error says why.</summary>
    public static bool TryRead<T>(scoped ref MessagePackReader reader, out T value)
        where T : struct, IPacked<T>
        => T.TryRead(ref reader, out value);

    /// <summary>Encodes a value into a new array.</summary>
    public static byte[] Encode<T>(in T value)
        where T : struct, IPacked<T>
    {
        MessageBuffer buffer = new();
        MessagePackWriter writer = new(buffer);
        T.Write(ref writer, in value);
        writer.Flush();
        return buffer.Written.ToArray();
    }

    /// <summary>Decodes exactly one value from all of the bytes.</summary>
    public static bool TryDecode<T>(ReadOnlySpan<byte> bytes, out T value, out DecodeError error)
        where T : struct, IPacked<T>
    {
        MessagePackReader reader = new(bytes);
        bool ok = T.TryRead(ref reader, out value) && reader.TryReadEnd();
        if (!ok)
            value = default;
        error = reader.Error;
        return ok;
    }
}
