namespace Plexus.Storage;

/// <summary>A file of the host as the stores use it: the seam at which tests watch the order of writes and barriers. Trouble is a <see cref="StorageException"/>.</summary>
internal interface IHostFile : IDisposable
{
    /// <summary>Its path, for messages.</summary>
    string Path { get; }

    /// <summary>Bytes in it now.</summary>
    long Length { get; }

    /// <summary>Reads as far as the file goes.</summary>
    /// <returns>Bytes read; fewer than asked only at the file's end.</returns>
    int Read(long offset, Span<byte> destination);

    /// <summary>Writes; the file grows as needed.</summary>
    void Write(long offset, ReadOnlySpan<byte> source);

    /// <summary>Makes a range read as zeros, without space on the host where it can; the file neither grows nor shrinks.</summary>
    void Zero(long offset, long length);

    /// <summary>Says that a range's contents do not matter any more. Afterwards it may hold anything; it never fails.</summary>
    void Discard(long offset, long length);

    /// <summary>Cuts or extends (with zeros).</summary>
    void SetLength(long length);

    /// <summary>A barrier: returns when everything written before is on stable storage, with the file's length.</summary>
    void Flush();
}
