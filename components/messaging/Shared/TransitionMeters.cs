using System.Runtime.InteropServices;

namespace Plexus.Messaging.Shared;

/// <summary>
/// Counts and wall-time histograms of transitions, in shared memory: the monitor writes where it counts, the host reads while the machine runs. Writing
/// allocates nothing. Each number is read whole; numbers read together may be a transition apart while the machine runs, and agree when it stands.
/// </summary>
/// <remarks>unsafe: one block of native memory, freed once by <see cref="Dispose"/>; every index is masked or clamped to it.</remarks>
public sealed unsafe class TransitionMeters : IDisposable
{
    /// <summary>The instruction code of counts for whose own key there was no room.</summary>
    public const ushort OtherInstruction = ushort.MaxValue;

    private const int Slots = 1 << 14;
    private const int FullAt = Slots * 3 / 4;
    private const int KindCount = 8;
    private const int StrategyCount = 16;
    private const ulong Used = 1UL << 63;

    private static readonly long[] BoundValues =
        [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 10_000_000];

    private readonly Lock gate = new();
    private readonly ulong[] work = new ulong[byte.MaxValue + 1];
    private readonly Cell* cells = (Cell*)NativeMemory.AllocZeroed(Slots, (nuint)sizeof(Cell));
    private readonly Latency* latencies = (Latency*)NativeMemory.AllocZeroed(KindCount * StrategyCount, (nuint)sizeof(Latency));
    private int used;
    private bool disposed;

    /// <summary>Makes empty meters.</summary>
    /// <param name="withSites">Count by site as well.</param>
    public TransitionMeters(bool withSites = false) => Sites = withSites ? new SiteMeters() : null;

    ~TransitionMeters() => Free();

    /// <summary>Upper bounds of the histograms' buckets in nanoseconds, inclusive; one more bucket lies above the last.</summary>
    public static ReadOnlySpan<long> Bounds => BoundValues;

    /// <summary>The names of strategies.</summary>
    public NameTable Names { get; } = new();

    /// <summary>The names of the monitor's own work.</summary>
    public NameTable WorkNames { get; } = new();

    /// <summary>Counts by site; null when nobody wants them.</summary>
    public SiteMeters? Sites { get; }

    /// <summary>Counts one transition.</summary>
    /// <param name="kind">Its kind.</param>
    /// <param name="vector">Vector; 255 for none.</param>
    /// <param name="strategy">Strategy, by <see cref="Names"/>.</param>
    /// <param name="instructionCode">Iced <c>Code</c>; 0 if unknown.</param>
    /// <param name="nanoseconds">Wall time; negative when it was not measured.</param>
    public void Count(byte kind, byte vector, byte strategy, int instructionCode, long nanoseconds)
    {
        Cell* cell = Find(Key(kind, vector, strategy, (ushort)instructionCode));
        if (cell == null)
            cell = Find(Key(kind, byte.MaxValue, strategy, OtherInstruction), reserved: true);
        Volatile.Write(ref cell->Count, cell->Count + 1);
        if (nanoseconds < 0)
            return;
        Latency* latency = latencies + (Math.Min(kind, (byte)(KindCount - 1)) * StrategyCount) + Math.Min(strategy, (byte)(StrategyCount - 1));
        int bucket = 0;
        while (bucket < BoundValues.Length && nanoseconds > BoundValues[bucket])
            bucket++;
        Volatile.Write(ref latency->Buckets[bucket], latency->Buckets[bucket] + 1);
        Volatile.Write(ref latency->Sum, latency->Sum + (ulong)nanoseconds);
        if (nanoseconds > latency->Maximum)
            latency->Maximum = nanoseconds;
        if (latency->Minimum == 0 || nanoseconds + 1 < latency->Minimum)
            latency->Minimum = nanoseconds + 1;
    }

    /// <summary>Counts one piece of the monitor's own work (not a transition).</summary>
    /// <param name="what">Which, by <see cref="WorkNames"/>.</param>
    public void CountWork(byte what) => Volatile.Write(ref work[what], work[what] + 1);

    /// <summary>The monitor's own work, as far as there was any, by name.</summary>
    public IReadOnlyList<(string Name, ulong Count)> ReadWork()
    {
        List<(string Name, ulong Count)> counts = [];
        for (int i = 0; i < work.Length; i++)
        {
            if (Volatile.Read(ref work[i]) is > 0 and ulong count)
                counts.Add((WorkNames.NameOf((byte)i), count));
        }

        return [.. counts.OrderBy(c => c.Name, StringComparer.Ordinal)];
    }

    /// <summary>All counts that are not 0, in a stable order.</summary>
    public IReadOnlyList<TransitionCount> ReadCounts()
    {
        lock (gate)
        {
            List<TransitionCount> counts = [];
            for (int i = 0; !disposed && i < Slots; i++)
            {
                ulong key = Volatile.Read(ref cells[i].Key);
                ulong count = Volatile.Read(ref cells[i].Count);
                if (count != 0)
                    counts.Add(new TransitionCount((byte)(key >> 32), (byte)(key >> 24), Names.NameOf((byte)(key >> 16)), (ushort)key, count));
            }

            return [.. counts.OrderBy(c => c.Kind).ThenBy(c => c.Vector).ThenBy(c => c.Strategy, StringComparer.Ordinal).ThenBy(c => c.InstructionCode)];
        }
    }

    /// <summary>All histograms that are not empty, in a stable order.</summary>
    public IReadOnlyList<TransitionLatency> ReadLatencies()
    {
        lock (gate)
        {
            List<TransitionLatency> result = [];
            for (int i = 0; !disposed && i < KindCount * StrategyCount; i++)
            {
                Latency* latency = latencies + i;
                ulong[] buckets = new ulong[BoundValues.Length + 1];
                for (int k = 0; k < buckets.Length; k++)
                    buckets[k] = Volatile.Read(ref latency->Buckets[k]);
                int strategy = i % StrategyCount;
                if (buckets.AsSpan().ContainsAnyExcept(0ul))
                {
                    result.Add(new TransitionLatency(
                        (byte)(i / StrategyCount),
                        strategy == StrategyCount - 1 ? "other" : Names.NameOf((byte)strategy),
                        buckets,
                        Volatile.Read(ref latency->Sum),
                        (ulong)(latency->Minimum - 1),
                        (ulong)latency->Maximum));
                }
            }

            return [.. result.OrderBy(l => l.Kind).ThenBy(l => l.Strategy, StringComparer.Ordinal)];
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Sites?.Dispose();
        lock (gate)
            Free();
        GC.SuppressFinalize(this);
    }

    private static ulong Key(byte kind, byte vector, byte strategy, ushort code) =>
        Used | ((ulong)kind << 32) | ((ulong)vector << 24) | ((ulong)strategy << 16) | code;

    /// <summary>The cell of a key; null when it has none and only reserved keys may still get one.</summary>
    private Cell* Find(ulong key, bool reserved = false)
    {
        uint slot = (uint)((key * 0x9E37_79B9_7F4A_7C15UL) >> 50);
        while (true)
        {
            Cell* cell = cells + (slot & (Slots - 1));
            if (cell->Key == key)
                return cell;
            if (cell->Key == 0)
            {
                if (used >= FullAt && !reserved)
                    return null;
                used++;
                Volatile.Write(ref cell->Key, key);
                return cell;
            }

            slot++;
        }
    }

    private void Free()
    {
        if (disposed)
            return;
        disposed = true;
        NativeMemory.Free(cells);
        NativeMemory.Free(latencies);
    }

    private struct Cell
    {
        public ulong Key;
        public ulong Count;
    }

    private struct Latency
    {
        public fixed ulong Buckets[15];
        public ulong Sum;

        /// <summary>One more than the least; 0 for none yet.</summary>
        public long Minimum;
        public long Maximum;
    }
}
