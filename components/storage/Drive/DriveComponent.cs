using System.Buffers.Binary;
using Plexus.Messaging;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Storage;

namespace Plexus.Storage;

/// <summary>
/// One drive: answers the storage contracts over an image. Nothing the host does makes it throw at its caller: every trouble is a status with one line.
/// </summary>
public sealed class DriveComponent : IComponent, IDisposable
{
    private const byte StateVersion = 1;
    private const int StateLength = 1 + sizeof(uint) + sizeof(ulong);

    // Glue.
    private readonly IStorageEvents events;
    private readonly Func<string, IBlockStore>? opener;
    private readonly bool isRemovable;
    private readonly int blockSize;

    // Book-keeping.
    private IBlockStore? store;
    private string? image;
    private byte[] buffer = [];
    private string? lastFailure;
    private DriveCounters counters;

    // Volatile state.
    private uint changes;

    /// <summary>Makes the drive that options describe, with its image open.</summary>
    /// <param name="name">The component's name, for example <c>disk0</c>.</param>
    /// <param name="options">What it is.</param>
    /// <param name="events">Told of failures and changes; null for nobody.</param>
    /// <exception cref="StorageException">The image cannot be opened.</exception>
    public DriveComponent(string name, StorageOptions options, IStorageEvents? events = null)
        : this(name, (options ?? throw new ArgumentNullException(nameof(options))).Open(), options.BlockSize, options.IsRemovable ? path => OpenAnother(options, path) : null, events)
        => image = options.File;

    /// <summary>Makes a drive over a store.</summary>
    /// <param name="name">The component's name.</param>
    /// <param name="store">Its medium, the drive's from now on; null for none.</param>
    /// <param name="blockSize">Logical block size in bytes: 512 or 2048.</param>
    /// <param name="opener">Opens the image of a medium to insert; null for a drive whose medium cannot be changed.</param>
    /// <param name="events">Told of failures and changes; null for nobody.</param>
    public DriveComponent(string name, IBlockStore? store, int blockSize = 512, Func<string, IBlockStore>? opener = null, IStorageEvents? events = null)
    {
        Name = name;
        this.store = store;
        image = store?.Name;
        this.blockSize = blockSize;
        this.opener = opener;
        this.events = events ?? NoStorageEvents.Instance;
        isRemovable = opener is not null;
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>Size of the medium in bytes; 0 for none.</summary>
    public long MediumBytes => store?.Length ?? 0;

    /// <summary>What it has done.</summary>
    public DriveCounters Counters => counters;

    /// <inheritdoc/>
    public void Attach(IComponentPort port)
    {
        ArgumentNullException.ThrowIfNull(port);
        port.OnCall<DescribeBlocks, BlockGeometry>((in _) => Geometry());
        port.OnCall<ReadBlocks, BlocksRead>(Read);
        port.OnCall<WriteBlocks, StorageResult>(Write);
        port.OnCall<ZeroBlocks, StorageResult>(Zero);
        port.OnCall<FlushBlocks, StorageResult>((in _) => Flush());
        port.OnCall<ChangeMedium, StorageResult>(Change);
        port.OnCall<Reset, Done>((in _) => default); // A drive's medium and cache know nothing of the machine's reset.
        port.OnCall<SaveState, SavedState>((in _) => new SavedState(Save()));
        port.OnCall<RestoreState, Done>(Restore);
        port.OnCall<Describe, Description>((in _) => new Description(Name, Summary()));
    }

    /// <summary>Flushes and closes the image. A flush that fails is told to <see cref="IStorageEvents"/>.</summary>
    public void Dispose()
    {
        if (store is null)
            return;
        Flush();
        store.Dispose();
        store = null;
    }

    /// <summary>A medium that is put in later is an image of its own, unless it is the first one again: the format and the overlay that the user named belong to that one.</summary>
    private static IBlockStore OpenAnother(StorageOptions options, string path)
        => ImageOpener.Open(options.File is { } first && ImagePaths.AreSame(first, path) ? options : options with { Format = ImageFormat.Auto, Overlay = null }, path);

    private BlockGeometry Geometry() => store is null
        ? new BlockGeometry(0, blockSize, ReadOnly: true, Present: false, isRemovable, changes)
        : new BlockGeometry((ulong)store.Length, blockSize, store.IsReadOnly, Present: true, isRemovable, changes);

    private BlocksRead Read(in ReadBlocks request)
    {
        try
        {
            IBlockStore medium = Medium(request.Offset, (ulong)(uint)request.Length, StorageLimits.MaxTransfer);
            if (buffer.Length < request.Length)
                buffer = new byte[Math.Max(request.Length, Math.Min(2 * buffer.Length, StorageLimits.MaxTransfer))];
            medium.Read((long)request.Offset, buffer.AsSpan(0, request.Length));
            counters = counters with { Reads = counters.Reads + 1, BytesRead = counters.BytesRead + (uint)request.Length };
            return new BlocksRead(StorageStatus.Ok, buffer.AsMemory(0, request.Length)); // Encoded before the next request is handled.
        }
        catch (StorageException e)
        {
            return new BlocksRead(e.Status, default, Note(e));
        }
    }

    private StorageResult Write(in WriteBlocks request)
    {
        try
        {
            Medium(request.Offset, (ulong)request.Data.Length, StorageLimits.MaxTransfer).Write((long)request.Offset, request.Data.Span);
            counters = counters with { Writes = counters.Writes + 1, BytesWritten = counters.BytesWritten + (uint)request.Data.Length };
            return default;
        }
        catch (StorageException e)
        {
            return new StorageResult(e.Status, Note(e));
        }
    }

    private StorageResult Zero(in ZeroBlocks request)
    {
        try
        {
            Medium(request.Offset, request.Length, ulong.MaxValue).Zero((long)request.Offset, (long)request.Length);
            counters = counters with { Zeroes = counters.Zeroes + 1 };
            return default;
        }
        catch (StorageException e)
        {
            return new StorageResult(e.Status, Note(e));
        }
    }

    private StorageResult Flush()
    {
        try
        {
            Medium(0, 0, 0).Flush();
            counters = counters with { Flushes = counters.Flushes + 1 };
            return default;
        }
        catch (StorageException e)
        {
            return new StorageResult(e.Status, Note(e));
        }
    }

    private StorageResult Change(in ChangeMedium request)
    {
        try
        {
            if (opener is null)
                throw new StorageException(StorageStatus.IoError, $"the medium of {Name} cannot be changed; only those of floppy and CD-ROM drives can");
            if (request.Path is null && store is null)
                return default;
            FlushBeforeChange();
            IBlockStore? old = store;
            bool isSame = request.Path is not null && image is not null && ImagePaths.AreSame(request.Path, image);
            if (isSame || request.Path is null)
                Eject(); // The lock of the same image would keep us out.
            if (request.Path is not null)
            {
                IBlockStore inserted = opener(request.Path);
                if (!isSame)
                    old?.Dispose();
                store = inserted;
                image = request.Path;
                changes++;
            }

            events.Changed(Name, image);
            return default;
        }
        catch (StorageException e)
        {
            return new StorageResult(e.Status, Note(e));
        }
    }

    /// <summary>With a full disk the medium stays in, so that nothing is lost when there is room again; what is broken may go.</summary>
    private void FlushBeforeChange()
    {
        try
        {
            store?.Flush();
        }
        catch (StorageException e) when (e.Status != StorageStatus.NoSpace)
        {
            Note(e);
        }
    }

    private void Eject()
    {
        store?.Dispose();
        store = null;
        image = null;
        changes++;
    }

    /// <summary>The medium, when a range is on it.</summary>
    private IBlockStore Medium(ulong offset, ulong length, ulong most)
    {
        IBlockStore medium = store ?? throw new StorageException(StorageStatus.NoMedium, $"there is no medium in {Name}");
        if (length > most)
            throw new StorageException(StorageStatus.OutOfRange, $"{Name}: one request for {length} bytes; at most {most} are possible");
        if (offset > (ulong)medium.Length || length > (ulong)medium.Length - offset)
            throw new StorageException(StorageStatus.OutOfRange, $"{Name}: {length} bytes at {offset} are not all on a medium of {medium.Length}");
        return medium;
    }

    /// <summary>Counts a failure, and tells of it when the host is to blame and it is news.</summary>
    private string Note(StorageException e)
    {
        counters = counters with { Errors = counters.Errors + 1 };
        bool isGuests = e.Status is StorageStatus.OutOfRange or StorageStatus.ReadOnly or StorageStatus.NoMedium;
        if (!isGuests && !string.Equals(lastFailure, e.Message, StringComparison.Ordinal))
        {
            lastFailure = e.Message;
            events.Failed(Name, e.Status, e.Message);
        }

        return e.Message;
    }

    private byte[] Save()
    {
        byte[] state = new byte[StateLength];
        state[0] = StateVersion;
        BinaryPrimitives.WriteUInt32LittleEndian(state.AsSpan(1), changes);
        BinaryPrimitives.WriteInt64LittleEndian(state.AsSpan(5), store?.Length ?? 0);
        return state;
    }

    /// <summary>The medium's contents are no part of the state; that another medium is in is noticed by its size only.</summary>
    private Done Restore(in RestoreState request)
    {
        ReadOnlySpan<byte> state = request.Data.Span;
        if (state.Length != StateLength || state[0] != StateVersion)
            throw new ArgumentException($"Not a state of the drive {Name}.");
        long length = BinaryPrimitives.ReadInt64LittleEndian(state[5..]);
        if (length != (store?.Length ?? 0))
            throw new ArgumentException($"The state of {Name} was taken with a medium of {length} bytes, and one of {store?.Length ?? 0} is in.");
        changes = BinaryPrimitives.ReadUInt32LittleEndian(state[1..]);
        return default;
    }

    private string Summary() => store is null
        ? "empty"
        : $"{store.Name}: {store.Length} bytes in blocks of {blockSize}{(store.IsReadOnly ? ", read-only" : string.Empty)}{(isRemovable ? ", removable" : string.Empty)}";
}
