using System.Runtime.InteropServices;

namespace Plexus.Messaging.Shared;

/// <summary>
/// The last <see cref="Capacity"/> transitions, always in memory: a ring of fixed records that the monitor writes where it counts, and anyone reads at any time.
/// Writing allocates nothing and never waits for a reader.
/// </summary>
/// <remarks>
/// unsafe: one block of native memory, freed once by <see cref="Dispose"/>; the index is masked to the ring. Records are published by their
/// <see cref="FlightRecord.Number"/>, which is 0 while one is written: a reader that sees another number before and after copying drops the copy.
/// </remarks>
public sealed unsafe class FlightRecorder : IDisposable
{
    /// <summary>Records kept.</summary>
    public const int Capacity = 1 << 16;

    private readonly Lock gate = new();
    private FlightRecord* ring = (FlightRecord*)NativeMemory.AlignedAlloc(Capacity * (nuint)FlightRecord.Size, 64);
    private ulong count;

    /// <summary>Makes an empty recorder.</summary>
    public FlightRecorder() => NativeMemory.Clear(ring, Capacity * (nuint)FlightRecord.Size);

    ~FlightRecorder() => Free();

    /// <summary>Transitions recorded since it was made.</summary>
    public ulong Count => Volatile.Read(ref count);

    /// <summary>The names that records refer to.</summary>
    public NameTable Names { get; } = new();

    /// <summary>Records one transition; its <see cref="FlightRecord.Number"/> is given here. Only the thread that owns the machine calls it.</summary>
    public void Write(in FlightRecord record)
    {
        ulong number = count + 1;
        FlightRecord* slot = ring + (count & (Capacity - 1));
        Volatile.Write(ref slot->Number, 0);
        Volatile.WriteBarrier();
        *slot = record with { Number = 0 };
        Volatile.Write(ref slot->Number, number);
        Volatile.Write(ref count, number);
    }

    /// <summary>Copies what is in the ring, oldest first. Records that the writer replaces meanwhile are left out.</summary>
    public FlightRecord[] Snapshot()
    {
        lock (gate)
        {
            if (ring == null)
                return [];
            ulong end = Count;
            ulong first = end > Capacity ? end - Capacity : 0;
            List<FlightRecord> records = new((int)(end - first));
            for (ulong i = first; i < end; i++)
            {
                FlightRecord* slot = ring + (i & (Capacity - 1));
                ulong before = Volatile.Read(ref slot->Number);
                FlightRecord copy = *slot;
                Volatile.ReadBarrier();
                if (before == i + 1 && Volatile.Read(ref slot->Number) == before)
                    records.Add(copy with { Number = before });
            }

            return [.. records];
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (gate)
            Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (ring == null)
            return;
        NativeMemory.AlignedFree(ring);
        ring = null;
    }
}
