namespace Plexus.Storage;

/// <summary>The map of an open overlay: in memory for look-ups, and slot by slot in the file.</summary>
internal sealed class OverlayMap
{
    private const int ChunkBits = 12;
    private const int ChunkLength = 1 << ChunkBits;

    private static readonly Cluster[] Nothing = new Cluster[ChunkLength];

    private readonly Cluster[]?[] chunks;
    private readonly List<long> tentative = [];
    private readonly List<(long Cluster, int Slot)> suspect = [];
    private readonly IHostFile? file;
    private readonly long offset;
    private readonly uint seed;

    /// <summary>Makes an empty map.</summary>
    /// <param name="superblock">The overlay's shape.</param>
    /// <param name="file">Where changes are written; null for a map in memory alone.</param>
    public OverlayMap(Superblock superblock, IHostFile? file)
    {
        this.file = file;
        chunks = new Cluster[]?[(superblock.Clusters + ChunkLength - 1) >> ChunkBits];
        offset = superblock.MapOffset;
        seed = MapSlot.Seed(superblock.Id);
    }

    /// <summary>Whether there are entries that wait for their epoch to be committed.</summary>
    public bool HasTentative => tentative.Count != 0;

    /// <summary>Whether <see cref="Settle"/> has something to do.</summary>
    public bool HasSuspect => suspect.Count != 0;

    /// <summary>What is known of a cluster.</summary>
    public ref readonly Cluster this[long cluster] => ref (chunks[cluster >> ChunkBits] ?? Nothing)[cluster & (ChunkLength - 1)];

    /// <summary>Takes over what the file says.</summary>
    public void Adopt(long cluster, Cluster state)
    {
        At(cluster) = state;
        if (state.IsTentative)
            tentative.Add(cluster);
    }

    /// <summary>Changes an entry, first in the file, in the slot that does not count; when that fails the entry stays what it was.</summary>
    /// <param name="cluster">The medium's cluster.</param>
    /// <param name="host">Cluster of the file with its bytes, already written; 0 when it reads as zeros.</param>
    /// <param name="epoch">The epoch after the committed one.</param>
    /// <exception cref="StorageException">The file could not be written.</exception>
    public void Set(long cluster, uint host, ulong epoch)
    {
        ref Cluster entry = ref At(cluster);
        int slot = entry.IsTentative ? entry.Slot
            : entry.State == ClusterState.Below ? 0
            : 1 - entry.Slot;
        if (file is not null)
        {
            try
            {
                WriteSlot(cluster, slot, epoch, host);
            }
            catch (StorageException)
            {
                suspect.Add((cluster, slot));
                throw;
            }

            if (!entry.IsTentative)
                tentative.Add(cluster);
            entry.IsTentative = true;
        }

        entry.Slot = (byte)slot;
        entry.Host = host;
        entry.State = host == 0 ? ClusterState.Zero : ClusterState.Data;
    }

    /// <summary>Wipes a slot that does not count and never will.</summary>
    /// <exception cref="StorageException">The file could not be written.</exception>
    public void Wipe(long cluster, int slot)
    {
        Span<byte> bytes = stackalloc byte[MapSlot.Size];
        bytes.Clear();
        file!.Write(SlotOffset(cluster, slot), bytes);
    }

    /// <summary>Before the epoch is committed: a slot whose write failed may hold what we do not count, so it is written again, or wiped.</summary>
    /// <exception cref="StorageException">The file could not be written; the epoch must not be committed.</exception>
    public void Settle(ulong epoch)
    {
        while (suspect.Count != 0)
        {
            (long cluster, int slot) = suspect[^1];
            ref readonly Cluster entry = ref this[cluster];
            if (entry.IsTentative && entry.Slot == slot)
                WriteSlot(cluster, slot, epoch, entry.Host);
            else
                Wipe(cluster, slot);
            suspect.RemoveAt(suspect.Count - 1);
        }
    }

    /// <summary>The epoch of all tentative entries was committed.</summary>
    public void Commit()
    {
        foreach (long cluster in tentative)
            At(cluster).IsTentative = false;
        tentative.Clear();
    }

    private void WriteSlot(long cluster, int slot, ulong epoch, uint host)
    {
        Span<byte> bytes = stackalloc byte[MapSlot.Size];
        MapSlot.Encode(bytes, seed, cluster, epoch, host);
        file!.Write(SlotOffset(cluster, slot), bytes);
    }

    private long SlotOffset(long cluster, int slot) => offset + (cluster * MapEntry.Size) + (slot * MapSlot.Size);

    private ref Cluster At(long cluster) => ref (chunks[cluster >> ChunkBits] ??= new Cluster[ChunkLength])[cluster & (ChunkLength - 1)];
}
