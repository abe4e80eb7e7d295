using Plexus.Messaging.Contracts.Storage;

namespace Plexus.Storage.Tests;

/// <summary>A file whose host fails now and then: before doing what was asked, or after.</summary>
internal sealed class FaultyFile(RecordedFile inner) : IHostFile
{
    /// <summary>Asked before each write and barrier: null for none, otherwise the fault's status and whether the act is done all the same.</summary>
    public Func<bool, (StorageStatus Status, bool IsDone)?>? Fault { get; set; }

    public string Path => inner.Path;

    public long Length => inner.Length;

    public int Read(long offset, Span<byte> destination) => inner.Read(offset, destination);

    public void Write(long offset, ReadOnlySpan<byte> source)
    {
        (StorageStatus Status, bool IsDone)? fault = Fault?.Invoke(false);
        if (fault is null or { IsDone: true })
            inner.Write(offset, source);
        Throw(fault);
    }

    public void Zero(long offset, long length)
    {
        (StorageStatus Status, bool IsDone)? fault = Fault?.Invoke(false);
        if (fault is null or { IsDone: true })
            inner.Zero(offset, length);
        Throw(fault);
    }

    public void Discard(long offset, long length) => inner.Discard(offset, length);

    public void SetLength(long length) => inner.SetLength(length);

    public void Flush()
    {
        (StorageStatus Status, bool IsDone)? fault = Fault?.Invoke(true);
        if (fault is null or { IsDone: true })
            inner.Flush();
        Throw(fault);
    }

    public void Dispose() => inner.Dispose();

    private static void Throw((StorageStatus Status, bool IsDone)? fault)
    {
        if (fault is { } happened)
            throw new StorageException(happened.Status, "the host failed");
    }
}
