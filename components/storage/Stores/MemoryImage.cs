namespace Plexus.Storage;

/// <summary>A medium in the process's own memory: for tests, and for a scratch disk that nobody keeps.</summary>
public sealed class MemoryImage : IBlockStore
{
    private readonly byte[] bytes;

    /// <summary>Makes one of zeros.</summary>
    /// <param name="length">Bytes, a multiple of 512.</param>
    public MemoryImage(int length)
        : this(new byte[length])
    {
    }

    /// <summary>Makes one over bytes, which stay the caller's.</summary>
    /// <param name="bytes">Its content; a multiple of 512.</param>
    /// <param name="isReadOnly">Refuse writes.</param>
    public MemoryImage(byte[] bytes, bool isReadOnly = false)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        if (bytes.Length % 512 != 0)
            throw new ArgumentException("not a multiple of 512 bytes", nameof(bytes));
        this.bytes = bytes;
        IsReadOnly = isReadOnly;
    }

    /// <inheritdoc/>
    public string Name => "memory";

    /// <inheritdoc/>
    public long Length => bytes.Length;

    /// <inheritdoc/>
    public bool IsReadOnly { get; }

    /// <inheritdoc/>
    public void Read(long offset, Span<byte> destination)
    {
        this.CheckRange(offset, destination.Length);
        bytes.AsSpan((int)offset, destination.Length).CopyTo(destination);
    }

    /// <inheritdoc/>
    public void Write(long offset, ReadOnlySpan<byte> source)
    {
        this.CheckWrite(offset, source.Length);
        source.CopyTo(bytes.AsSpan((int)offset));
    }

    /// <inheritdoc/>
    public void Zero(long offset, long length)
    {
        this.CheckWrite(offset, length);
        bytes.AsSpan((int)offset, (int)length).Clear();
    }

    /// <inheritdoc/>
    /// <remarks>It is as stable as it ever gets.</remarks>
    public void Flush()
    {
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
