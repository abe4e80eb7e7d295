using System.Runtime.InteropServices;

namespace Plexus.Messaging.Shared;

/// <summary>
/// Counts of transitions by guest site, beside <see cref="TransitionMeters"/> and by the same rules: the monitor writes where it counts, anyone reads while the
/// machine runs, and writing allocates nothing. Sites for which there is no room share one count.
/// </summary>
/// <remarks>unsafe: one block of native memory, freed once by <see cref="Dispose"/>; every index is masked to it.</remarks>
public sealed unsafe class SiteMeters : IDisposable
{
    private const int Slots = 1 << 16;
    private const int FullAt = Slots * 3 / 4;
    private const ulong Used = 1UL << 63;
    private const ulong User = 1UL << 32;

    private readonly Lock gate = new();
    private readonly Cell* cells = (Cell*)NativeMemory.AllocZeroed(Slots, (nuint)sizeof(Cell));
    private int used;
    private ulong others;
    private bool disposed;

    ~SiteMeters() => Free();

    /// <summary>Transitions of sites without a count of their own.</summary>
    public ulong Others => Volatile.Read(ref others);

    /// <summary>Counts one transition. Only the thread that owns the machine calls it.</summary>
    /// <param name="user">The guest's CPL was 3.</param>
    /// <param name="eip">Guest EIP.</param>
    /// <param name="instructionCode">Iced <c>Code</c>; 0 if unknown.</param>
    public void Count(bool user, uint eip, int instructionCode)
    {
        ulong key = Used | (user ? User : 0) | eip;
        uint slot = (uint)((key * 0x9E37_79B9_7F4A_7C15UL) >> 48);
        while (true)
        {
            Cell* cell = cells + (slot & (Slots - 1));
            if (cell->Key == key)
            {
                if (instructionCode != 0)
                    Volatile.Write(ref cell->InstructionCode, instructionCode);
                Volatile.Write(ref cell->Count, cell->Count + 1);
                return;
            }

            if (cell->Key == 0)
            {
                if (used >= FullAt)
                {
                    Volatile.Write(ref others, others + 1);
                    return;
                }

                used++;
                cell->InstructionCode = instructionCode;
                cell->Count = 1;
                Volatile.Write(ref cell->Key, key);
                return;
            }

            slot++;
        }
    }

    /// <summary>All counts, in no order.</summary>
    public IReadOnlyList<SiteCount> Read()
    {
        lock (gate)
        {
            List<SiteCount> counts = [];
            for (int i = 0; !disposed && i < Slots; i++)
            {
                ulong key = Volatile.Read(ref cells[i].Key);
                if (key != 0)
                    counts.Add(new SiteCount((key & User) != 0, (uint)key, Volatile.Read(ref cells[i].InstructionCode), Volatile.Read(ref cells[i].Count)));
            }

            return counts;
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
        if (disposed)
            return;
        disposed = true;
        NativeMemory.Free(cells);
    }

    private struct Cell
    {
        public ulong Key;
        public ulong Count;
        public int InstructionCode;
    }
}
