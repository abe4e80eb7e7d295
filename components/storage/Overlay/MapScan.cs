using System.Globalization;

namespace Plexus.Storage;

/// <summary>Reads the whole map of an overlay's file and decides which slot of each entry counts.</summary>
/// <remarks>
/// Of the slots whose epoch counts, the one with the highest counts. Epochs up to the superblock's committed one count: their entries and data were on stable storage before it was written.
/// The one after it counts when the host has not been booted since: then everything that was written is there, in order, and a killed process loses nothing, flushed or not.
/// After another boot nobody knows which of these writes reached the disk, so their entries are dropped, as a real disk drops its cache.
/// </remarks>
internal sealed class MapScan
{
    private const int ChunkEntries = 1 << 15;
    private const int MaxProblems = 10;

    private readonly Superblock superblock;
    private readonly IHostFile file;
    private readonly OverlayMap map;
    private readonly bool countsUncommitted;
    private readonly uint seed;
    private readonly uint firstHost;
    private readonly long endHost;
    private readonly List<string> problems = [];
    private bool[] taken = [];
    private uint end;

    private MapScan(Superblock superblock, IHostFile file, OverlayMap map, Guid boot)
    {
        this.superblock = superblock;
        this.file = file;
        this.map = map;
        countsUncommitted = superblock.Boot == boot && boot != Guid.Empty;
        seed = MapSlot.Seed(superblock.Id);
        firstHost = (uint)(superblock.DataOffset >> superblock.ClusterBits);
        endHost = Math.Min(HostLimit(superblock), file.Length >> superblock.ClusterBits);
    }

    /// <summary>What is wrong, the first few lines of it; such an overlay must not be used.</summary>
    public IReadOnlyList<string> Problems => problems;

    /// <summary>How much is wrong.</summary>
    public long ProblemCount { get; private set; }

    /// <summary>Slots that do not count and must be wiped before anything is written: their epoch's number will be used again.</summary>
    public List<(long Cluster, int Slot)> Stale { get; } = [];

    /// <summary>Clusters of the file that only a committed entry with a tentative successor points at.</summary>
    public List<uint> Waiting { get; } = [];

    /// <summary>Clusters with bytes in the file.</summary>
    public long DataClusters { get; private set; }

    /// <summary>Clusters that read as zeros.</summary>
    public long ZeroClusters { get; private set; }

    /// <summary>The cluster after the last one that is taken.</summary>
    public uint End => Math.Max(end, firstHost);

    /// <summary>Clusters below <see cref="End"/> that are not taken, highest first.</summary>
    public IEnumerable<uint> Free
    {
        get
        {
            for (uint host = End; host-- > firstHost;)
            {
                if (!taken[host])
                    yield return host;
            }
        }
    }

    /// <summary>Clusters of the file that no overlay takes from here on: twice the medium, and some for what waits to be free.</summary>
    public static long HostLimit(Superblock superblock) => (superblock.DataOffset >> superblock.ClusterBits) + (2 * superblock.Clusters) + 64;

    /// <summary>Scans.</summary>
    /// <param name="superblock">The superblock that holds.</param>
    /// <param name="file">The file.</param>
    /// <param name="map">Filled with what counts.</param>
    /// <param name="boot">The boot of the host now.</param>
    /// <exception cref="StorageException">The file could not be read.</exception>
    public static MapScan Run(Superblock superblock, IHostFile file, OverlayMap map, Guid boot)
    {
        MapScan scan = new(superblock, file, map, boot);
        if (file.Length < superblock.DataOffset)
            scan.Report($"the file has {file.Length} bytes, less than its map needs");
        else
            scan.ReadAll();
        return scan;
    }

    private void ReadAll()
    {
        byte[] buffer = new byte[(int)Math.Min(ChunkEntries, superblock.Clusters) * MapEntry.Size];
        for (long first = 0; first < superblock.Clusters; first += ChunkEntries)
        {
            int count = (int)Math.Min(ChunkEntries, superblock.Clusters - first);
            Span<byte> chunk = buffer.AsSpan(0, count * MapEntry.Size);
            if (file.Read(superblock.MapOffset + (first * MapEntry.Size), chunk) != chunk.Length)
            {
                Report("the map ends early");
                return;
            }

            for (int at = 0; ;)
            {
                int next = chunk[at..].IndexOfAnyExcept((byte)0);
                if (next < 0)
                    break;
                int entry = (at + next) / MapEntry.Size;
                ReadEntry(first + entry, chunk.Slice(entry * MapEntry.Size, MapEntry.Size));
                at = (entry + 1) * MapEntry.Size;
            }
        }
    }

    private void ReadEntry(long cluster, ReadOnlySpan<byte> bytes)
    {
        MapSlot first = Judge(cluster, 0, MapSlot.Decode(bytes, seed, cluster));
        MapSlot second = Judge(cluster, 1, MapSlot.Decode(bytes[MapSlot.Size..], seed, cluster));
        if (first.Kind == SlotKind.Empty && second.Kind == SlotKind.Empty)
            return;
        if (first.Epoch == second.Epoch)
        {
            Report($"cluster {cluster} has two entries of one epoch");
            return;
        }

        int slot = first.Epoch > second.Epoch ? 0 : 1;
        (MapSlot current, MapSlot older) = slot == 0 ? (first, second) : (second, first);
        bool isTentative = current.Epoch > superblock.Committed;
        if (current.Host == 0)
            ZeroClusters++;
        else if (Claim(cluster, current.Host))
            DataClusters++;
        if (isTentative && older.Host >= firstHost && older.Host < endHost && !IsTaken(older.Host))
        {
            Mark(older.Host);
            Waiting.Add(older.Host);
        }

        map.Adopt(cluster, new Cluster
        {
            Host = current.Host,
            State = current.Host == 0 ? ClusterState.Zero : ClusterState.Data,
            Slot = (byte)slot,
            IsTentative = isTentative,
        });
    }

    /// <summary>A slot that counts, or an empty one.</summary>
    private MapSlot Judge(long cluster, int slot, MapSlot read)
    {
        if (read.Kind == SlotKind.Empty || (read.Kind == SlotKind.Whole && read.Epoch <= superblock.Committed))
            return read;
        if (!superblock.IsOpen)
            Report($"cluster {cluster} has a map entry that is {(read.Kind == SlotKind.Torn ? "torn" : "not committed")}, in an overlay that was closed");
        else if (read.Epoch > superblock.Committed + 1) // A torn one has epoch 0.
            Report($"cluster {cluster} has a map entry from the future");
        else if (read.Kind == SlotKind.Whole && countsUncommitted)
            return read;
        else
            Stale.Add((cluster, slot));
        return default;
    }

    private bool Claim(long cluster, uint host)
    {
        if (host < firstHost || host >= endHost)
        {
            Report($"cluster {cluster} lies outside of the file, at its cluster {host.ToString(CultureInfo.InvariantCulture)}: the file was cut, or damaged");
            return false;
        }

        if (IsTaken(host))
        {
            Report($"cluster {cluster} shares cluster {host} of the file with another one");
            return false;
        }

        Mark(host);
        return true;
    }

    private bool IsTaken(uint host) => host < end && taken[host];

    private void Mark(uint host)
    {
        if (host >= taken.Length)
            Array.Resize(ref taken, (int)Math.Max(host + 1, Math.Min(2L * taken.Length, endHost)));
        taken[host] = true;
        end = Math.Max(end, host + 1);
    }

    private void Report(string problem)
    {
        ProblemCount++;
        if (problems.Count < MaxProblems)
            problems.Add(problem);
    }
}
