using Plexus.Messaging.Contracts.Storage;

namespace Plexus.Storage;

/// <summary>
/// A copy-on-write image: what was written since it was made, over a backing image that it never changes. The format and why it survives every crash are in the component's README.
/// </summary>
public sealed partial class Overlay : IBlockStore
{
    /// <summary>Cluster size unless told otherwise, in bytes.</summary>
    public const int DefaultClusterSize = 64 << 10;

    private readonly IHostFile file;
    private readonly IBlockStore backing;
    private readonly FlushGuard guard;
    private readonly OverlayMap map;
    private readonly ClusterAllocator allocator;
    private readonly byte[] cluster;
    private readonly bool isTemporary;
    private readonly int bits;
    private Superblock superblock;
    private bool isSettled;

    /// <summary>Opens what is in a file; it owns file and backing image from then on, also when it fails.</summary>
    /// <param name="file">The overlay's file.</param>
    /// <param name="superblock">The superblock that holds in it.</param>
    /// <param name="backing">The backing image; not longer than the overlay.</param>
    /// <param name="isReadOnly">Refuse writes and leave the file as it is.</param>
    /// <param name="boot">The boot of the host now.</param>
    /// <exception cref="StorageException">The overlay is damaged, or the file could not be read or written.</exception>
    internal Overlay(IHostFile file, Superblock superblock, IBlockStore backing, bool isReadOnly, Guid boot)
        : this(file, superblock, backing)
    {
        IsReadOnly = isReadOnly;
        try
        {
            map = new OverlayMap(superblock, file);
            MapScan scan = MapScan.Run(superblock, file, map, boot);
            if (scan.ProblemCount != 0)
                throw new StorageException(StorageStatus.IoError, $"{file.Path} is damaged: {scan.Problems[0]}; restore it from a copy (plexus image check {file.Path} lists more)");
            allocator = new ClusterAllocator(scan.End, MapScan.HostLimit(superblock), isImmediate: false);
            allocator.Adopt(scan.End, scan.Free, scan.Waiting);
            if (!isReadOnly)
                BeginWriting(scan, boot);
        }
        catch (StorageException)
        {
            file.Dispose();
            backing.Dispose();
            throw;
        }
    }

    /// <summary>Makes an overlay that ends with the process: its map is in memory only.</summary>
    private Overlay(IHostFile file, IBlockStore backing, Superblock superblock)
        : this(file, superblock, backing)
    {
        isTemporary = true;
        map = new OverlayMap(superblock, file: null);
        allocator = new ClusterAllocator(first: 1, long.MaxValue, isImmediate: true);
    }

#pragma warning disable CS8618 // The constructors above set map and allocator.
    private Overlay(IHostFile file, Superblock superblock, IBlockStore backing)
#pragma warning restore CS8618
    {
        this.file = file;
        this.backing = backing;
        this.superblock = superblock;
        guard = new FlushGuard(file);
        bits = superblock.ClusterBits;
        cluster = new byte[superblock.ClusterSize];
    }

    /// <inheritdoc/>
    public string Name => isTemporary ? $"{backing.Name} (snapshot)" : file.Path;

    /// <inheritdoc/>
    public long Length => superblock.Length;

    /// <inheritdoc/>
    public bool IsReadOnly { get; }

    /// <summary>Bytes of a cluster.</summary>
    public int ClusterSize => cluster.Length;

    /// <summary>The epoch of map entries that are written now.</summary>
    private ulong Epoch => superblock.Committed + 1;

    /// <inheritdoc/>
    public void Read(long offset, Span<byte> destination)
    {
        this.CheckRange(offset, destination.Length);
        while (!destination.IsEmpty)
        {
            int count = Run(offset, destination.Length, out Cluster first);
            Span<byte> part = destination[..count];
            switch (first.State)
            {
                case ClusterState.Data:
                    ReadHost(HostOffset(first.Host, offset), part);
                    break;
                case ClusterState.Below:
                    ReadBelow(offset, part);
                    break;
                default:
                    part.Clear();
                    break;
            }

            offset += count;
            destination = destination[count..];
        }
    }

    /// <inheritdoc/>
    public void Write(long offset, ReadOnlySpan<byte> source)
    {
        this.CheckWrite(offset, source.Length);
        guard.BeforeWrite();
        while (!source.IsEmpty)
        {
            int count;
            Cluster first = map[offset >> bits];
            if (first.State == ClusterState.Data)
            {
                count = Run(offset, source.Length, out first);
                file.Write(HostOffset(first.Host, offset), source[..count]);
            }
            else
            {
                count = (int)Math.Min(ToClusterEnd(offset), source.Length);
                WriteNew(offset, count, source[..count]);
            }

            offset += count;
            source = source[count..];
        }
    }

    /// <inheritdoc/>
    public void Zero(long offset, long length)
    {
        this.CheckWrite(offset, length);
        guard.BeforeWrite();
        while (length > 0)
        {
            long count = Math.Min(ToClusterEnd(offset), length);
            long number = offset >> bits;
            Cluster now = map[number];
            bool isWhole = count == Math.Min(ClusterSize, Length - (number << bits));
            if (now.State == ClusterState.Zero || (now.State == ClusterState.Below && number << bits >= backing.Length))
            {
                // Zeros already.
            }
            else if (isWhole)
            {
                map.Set(number, host: 0, Epoch);
                if (now.State == ClusterState.Data)
                    allocator.GiveUp(now.Host);
            }
            else if (now.State == ClusterState.Data)
            {
                file.Zero(HostOffset(now.Host, offset), count);
            }
            else
            {
                WriteNew(offset, (int)count, default);
            }

            offset += count;
            length -= count;
        }
    }

    /// <inheritdoc/>
    /// <remarks>
    /// Data and tentative entries first, then a superblock that makes their epoch count, with a barrier after each. A crash between the two leaves the old superblock, and so all of the old state, for which nothing was promised beyond.
    /// </remarks>
    public void Flush()
    {
        if (IsReadOnly || isTemporary)
            return;
        map.Settle(Epoch);
        guard.Flush();
        if (!map.HasTentative)
            return;
        WriteSuperblock(superblock with { Committed = Epoch });
        map.Commit();
        allocator.Commit(file, bits);
    }

    /// <inheritdoc/>
    /// <remarks>Flushes and closes cleanly if it can; whoever must know whether it could flushes first.</remarks>
    public void Dispose()
    {
        try
        {
            if (IsReadOnly || isTemporary || isSettled)
                return;
            if (guard.HasFailed)
                Distrust();
            else
                Close();
        }
        catch (StorageException)
        {
            // It stays open in its own words, and the next one to open it recovers.
        }
        finally
        {
            file.Dispose();
            backing.Dispose();
        }
    }

    private void Close()
    {
        Flush();
        WriteSuperblock(superblock with { IsOpen = false });
    }

    /// <summary>The host lost writes, so what it shows of the last epoch may not be what was written: none of it must count at the next opening.</summary>
    private void Distrust()
    {
        Superblock last = superblock with { Sequence = superblock.Sequence + 1, Boot = Guid.Empty };
        Span<byte> block = stackalloc byte[Superblock.Size];
        last.Encode(block);
        file.Write(PlaceOf(last.Sequence), block);
        file.Flush();
    }

    /// <summary>
    /// Before the first write: make durable what was read, for it decides what may be overwritten; wipe what does not count, because the epoch's number is used again; and only then say that entries are written under this boot.
    /// </summary>
    private void BeginWriting(MapScan scan, Guid boot)
    {
        guard.Flush();
        foreach ((long number, int slot) in scan.Stale)
        {
            guard.BeforeWrite();
            map.Wipe(number, slot);
        }

        guard.Flush();
        WriteSuperblock(superblock with { IsOpen = true, Boot = boot });
    }

    /// <summary>Writes the next superblock over the copy that does not hold, and makes it durable.</summary>
    private void WriteSuperblock(Superblock next)
    {
        next = next with { Sequence = superblock.Sequence + 1 };
        guard.Flush();
        guard.BeforeWrite();
        Span<byte> block = stackalloc byte[Superblock.Size];
        next.Encode(block);
        try
        {
            file.Write(PlaceOf(next.Sequence), block);
        }
        catch (StorageException e) when (e.Status != StorageStatus.NoSpace)
        {
            guard.Fail(e); // It may be there nevertheless, and would let entries count that are written from now on.
            throw;
        }

        guard.Flush();
        superblock = next;
    }

    private static long PlaceOf(ulong sequence) => (long)(sequence & 1) * Superblock.Size;

    /// <summary>Puts a cluster that is not in the file there, with some of its bytes replaced: first the bytes, then the entry.</summary>
    /// <param name="offset">First byte to replace.</param>
    /// <param name="count">Bytes to replace, in this cluster.</param>
    /// <param name="source">The new bytes; empty for zeros.</param>
    private void WriteNew(long offset, int count, ReadOnlySpan<byte> source)
    {
        long number = offset >> bits;
        int within = (int)(offset & (ClusterSize - 1));
        ReadOnlySpan<byte> bytes = source;
        if (source.Length != ClusterSize)
        {
            if (map[number].State == ClusterState.Below)
                ReadBelow(number << bits, cluster);
            else
                cluster.AsSpan().Clear();
            if (source.IsEmpty)
                cluster.AsSpan(within, count).Clear();
            else
                source.CopyTo(cluster.AsSpan(within));
            bytes = cluster;
        }

        if (allocator.IsExhausted)
        {
            Flush();
            guard.BeforeWrite();
        }

        uint host = allocator.Take();
        try
        {
            file.Write((long)host << bits, bytes);
        }
        catch (StorageException)
        {
            allocator.Return(host);
            throw;
        }

        map.Set(number, host, Epoch); // When this fails nobody knows whether the entry is there: the cluster stays taken.
    }

    /// <summary>How many bytes from an offset on can be handled as one: clusters in the same state, and in a row where they are in the file.</summary>
    private int Run(long offset, int length, out Cluster first)
    {
        long number = offset >> bits;
        first = map[number];
        long count = ToClusterEnd(offset);
        for (uint next = 1; count < length; next++, count += ClusterSize)
        {
            ref readonly Cluster other = ref map[number + next];
            if (other.State != first.State || (other.State == ClusterState.Data && other.Host != first.Host + next))
                break;
        }

        return (int)Math.Min(count, length);
    }

    private void ReadHost(long offset, Span<byte> destination)
    {
        if (file.Read(offset, destination) != destination.Length)
            throw new StorageException(StorageStatus.IoError, $"{Name} became shorter while in use; end the machine and restore the overlay");
    }

    /// <summary>The backing image goes on as zeros.</summary>
    private void ReadBelow(long offset, Span<byte> destination)
    {
        int count = (int)Math.Clamp(backing.Length - offset, 0, destination.Length);
        if (count != 0)
            backing.Read(offset, destination[..count]);
        destination[count..].Clear();
    }

    private long ToClusterEnd(long offset) => ClusterSize - (offset & (ClusterSize - 1));

    private long HostOffset(uint host, long offset) => ((long)host << bits) + (offset & (ClusterSize - 1));
}
