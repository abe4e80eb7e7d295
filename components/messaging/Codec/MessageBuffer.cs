using System.Buffers;

namespace Plexus.Messaging.Codec;

/// <summary>A growing byte buffer that is reset and used again: after it has grown to a message's size, writing such messages allocates nothing.</summary>
public sealed class MessageBuffer : IBufferWriter<byte>
{
    private byte[] bytes;
    private int length;

    /// <summary>Makes an empty buffer.</summary>
    /// <param name="capacity">Bytes to reserve.</param>
    public MessageBuffer(int capacity = 256)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        bytes = new byte[capacity];
    }

    /// <summary>What has been written since the last <see cref="Reset"/>; valid until the next write or reset.</summary>
    public ReadOnlySpan<byte> Written => bytes.AsSpan(0, length);

    /// <summary>Bytes written.</summary>
    public int Length => length;

    /// <summary>Forgets what was written and keeps the capacity.</summary>
    public void Reset() => length = 0;

    /// <summary>Replaces the content.</summary>
    public void Set(ReadOnlySpan<byte> content)
    {
        length = 0;
        content.CopyTo(GetSpan(Math.Max(content.Length, 1)));
        length = content.Length;
    }

    /// <inheritdoc/>
    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, bytes.Length - length);
        length += count;
    }

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return bytes.AsSpan(length);
    }

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return bytes.AsMemory(length);
    }

    private void Reserve(int sizeHint)
    {
        int wanted = Math.Max(sizeHint, 1);
        if (bytes.Length - length < wanted)
            Array.Resize(ref bytes, Math.Max(bytes.Length * 2, checked(length + wanted)));
    }
}
