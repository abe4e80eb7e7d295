using System.Runtime.InteropServices;

namespace Plexus.Cpu.Processor;

/// <summary>A cached translation of a linear page.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct TlbEntry
{
    /// <summary>Linear page address; <see cref="Tlb.Invalid"/> when empty. In the execute array bit 0 is set for 16-bit code.</summary>
    public uint Tag;

    /// <summary>1 for a global page.</summary>
    public uint Global;

    /// <summary>Host address = linear address + this. In the execute array: the <see cref="CodePage"/>.</summary>
    public nint Target;
}

/// <summary>Direct-mapped translations of one privilege (or one mapping space), separate for read, write and execute.</summary>
/// <remarks>unsafe: three native arrays, freed by <see cref="Dispose"/>; indices are masked to their length.</remarks>
internal sealed unsafe class Tlb : IDisposable
{
    /// <summary>A tag that no page address equals.</summary>
    public const uint Invalid = 0xFFF;

    /// <summary>Bits of index.</summary>
    public const int Bits = 11;

    public const int Entries = 1 << Bits;

    /// <summary>Mask for a linear address shifted right by 8: byte offset of its 16-byte entry.</summary>
    public const uint OffsetMask = (Entries - 1) << 4;

    private const int UsedCapacity = 4096;

    /// <summary>Code that writes to its own page has it watched anew all the time: few entries are filled in between.</summary>
    private const int WrittenCapacity = 64;

    public readonly TlbEntry* Read;

    public readonly TlbEntry* Write;

    public readonly TlbEntry* Execute;

    /// <summary>The <c>GuestMemory.WatchGeneration</c> that the write entries agree with.</summary>
    public uint WatchGeneration;

    private readonly TlbEntry* block;
    private readonly ushort[] used = new ushort[UsedCapacity];
    private readonly ushort[] written = new ushort[WrittenCapacity];
    private int usedCount;
    private int writtenCount;
    private bool disposed;

    public Tlb()
    {
        block = (TlbEntry*)NativeMemory.AlignedAlloc((nuint)(3 * Entries * sizeof(TlbEntry)), 64);
        Read = block;
        Write = block + Entries;
        Execute = block + (2 * Entries);
        usedCount = UsedCapacity;
        FlushAll();
    }

    ~Tlb() => Free();

    /// <summary>The slot of a linear address in one of the arrays; remembered for flushing.</summary>
    public TlbEntry* Slot(TlbEntry* array, uint linear)
    {
        TlbEntry* entry = array + ((linear >> 12) & (Entries - 1));

        // A slot that holds something is remembered already.
        if (entry->Tag != Invalid)
            return entry;
        if (usedCount < UsedCapacity)
            used[usedCount++] = (ushort)(entry - block);
        if (array == Write && writtenCount <= WrittenCapacity)
        {
            if (writtenCount < WrittenCapacity)
                written[writtenCount] = (ushort)(entry - Write);
            writtenCount++;
        }

        return entry;
    }

    public void FlushAll()
    {
        if (usedCount >= UsedCapacity)
        {
            for (int i = 0; i < 3 * Entries; i++)
                block[i].Tag = Invalid;
        }
        else
        {
            for (int i = 0; i < usedCount; i++)
                block[used[i]].Tag = Invalid;
        }

        usedCount = 0;
    }

    /// <summary>Forgets all but the global entries.</summary>
    public void FlushLocal()
    {
        if (usedCount >= UsedCapacity)
        {
            // More were used than are remembered: forget the globals too, which is always allowed.
            FlushAll();
            return;
        }

        int kept = 0;
        for (int i = 0; i < usedCount; i++)
        {
            ushort slot = used[i];
            if (block[slot].Global != 0 && block[slot].Tag != Invalid)
                used[kept++] = slot;
            else
                block[slot].Tag = Invalid;
        }

        usedCount = kept;
    }

    public void FlushPage(uint linear)
    {
        uint slot = (linear >> 12) & (Entries - 1);
        Read[slot].Tag = Invalid;
        Write[slot].Tag = Invalid;
        Execute[slot].Tag = Invalid;
    }

    /// <summary>Forgets the 4 MiB around an address.</summary>
    public void FlushRegion(uint linear)
    {
        for (int i = 0; i < 3 * Entries; i++)
        {
            if (((block[i].Tag ^ linear) & 0xFFC00000) == 0)
                block[i].Tag = Invalid;
        }
    }

    /// <summary>Forgets write entries: a frame became watched.</summary>
    public void FlushWrites()
    {
        if (writtenCount > WrittenCapacity)
        {
            for (int i = 0; i < Entries; i++)
                Write[i].Tag = Invalid;
        }
        else
        {
            for (int i = 0; i < writtenCount; i++)
                Write[written[i]].Tag = Invalid;
        }

        writtenCount = 0;
    }

    /// <summary>Forgets execute entries: code pages are about to be freed.</summary>
    public void FlushExecutes()
    {
        for (int i = 0; i < Entries; i++)
            Execute[i].Tag = Invalid;
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (disposed)
            return;
        disposed = true;
        NativeMemory.AlignedFree(block);
    }
}
