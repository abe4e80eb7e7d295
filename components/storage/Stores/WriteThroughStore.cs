namespace Plexus.Storage;

/// <summary>A store whose every write is flushed before it returns (<see cref="CacheMode.Writethrough"/>).</summary>
internal sealed class WriteThroughStore(IBlockStore inner) : IBlockStore
{
    /// <inheritdoc/>
    public string Name => inner.Name;

    /// <inheritdoc/>
    public long Length => inner.Length;

    /// <inheritdoc/>
    public bool IsReadOnly => inner.IsReadOnly;

    /// <inheritdoc/>
    public void Read(long offset, Span<byte> destination) => inner.Read(offset, destination);

    /// <inheritdoc/>
    public void Write(long offset, ReadOnlySpan<byte> source)
    {
        inner.Write(offset, source);
        inner.Flush();
    }

    /// <inheritdoc/>
    public void Zero(long offset, long length)
    {
        inner.Zero(offset, length);
        inner.Flush();
    }

    /// <inheritdoc/>
    public void Flush() => inner.Flush();

    /// <inheritdoc/>
    public void Dispose() => inner.Dispose();
}
