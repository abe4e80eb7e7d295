using System.Runtime.InteropServices;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <summary>What the physical processor sees as linear memory: pages of frames with rights. A two-level table, as the hardware's.</summary>
/// <remarks>unsafe: one native directory and native tables, freed by <see cref="Dispose"/>; a linear page number has 20 bits by masking.</remarks>
/// <param name="memory">Counts where a frame may be written.</param>
internal sealed unsafe class MappingSpace(GuestMemory memory) : IDisposable
{
    /// <summary>Entry: frame number in bits 3-31, <see cref="MappingRights"/> in bits 0-2; 0 for no mapping.</summary>
    private readonly uint** directory = (uint**)NativeMemory.AllocZeroed(1024, (nuint)sizeof(uint*));
    private bool disposed;

    ~MappingSpace() => Free();

    public Tlb Tlb { get; } = new();

    /// <summary>The entry of a linear page, 0 for none.</summary>
    public uint Entry(uint linear)
    {
        uint* table = directory[linear >> 22];
        return table == null ? 0 : table[(linear >> 12) & 0x3FF];
    }

    /// <summary>Visits every mapping, in the order of linear addresses.</summary>
    public void ForEach<T>(T target, Action<T, uint, uint, MappingRights> visit)
    {
        for (uint slot = 0; slot < 1024; slot++)
        {
            uint* table = directory[slot];
            for (uint i = 0; table != null && i < 1024; i++)
            {
                if (table[i] != 0)
                    visit(target, (slot << 10) | i, table[i] >> 3, (MappingRights)(table[i] & 7));
            }
        }
    }

    /// <summary>Whether pages lead to frames in a row already, whatever the rights.</summary>
    public bool Leads(uint linearPage, uint frame, uint pages)
    {
        for (uint i = 0; i < pages; i++)
        {
            uint entry = Entry((linearPage + i) << 12);
            if (entry == 0 || entry >> 3 != frame + i)
                return false;
        }

        return true;
    }

    public void Map(uint linearPage, uint frame, uint pages, MappingRights rights)
    {
        for (uint i = 0; i < pages; i++)
        {
            uint page = (linearPage + i) & 0xFFFFF;
            uint* table = directory[page >> 10];
            if (table == null)
                directory[page >> 10] = table = (uint*)NativeMemory.AllocZeroed(1024, sizeof(uint));
            Replace(ref table[page & 0x3FF], ((frame + i) << 3) | (uint)rights);
            Tlb.FlushPage(page << 12);
        }
    }

    public void Unmap(uint linearPage, uint pages)
    {
        for (uint i = 0; i < pages; i++)
        {
            uint page = (linearPage + i) & 0xFFFFF;
            uint* table = directory[page >> 10];
            if (table != null)
                Replace(ref table[page & 0x3FF], 0);
            Tlb.FlushPage(page << 12);
        }
    }

    public void Dispose()
    {
        if (!disposed)
            ForEach(this, static (space, page, _, _) => space.Unmap(page, 1));
        Tlb.Dispose();
        Free();
        GC.SuppressFinalize(this);
    }

    private void Replace(ref uint entry, uint by)
    {
        // In this order: a frame that stays writable has a writer all the time.
        if ((by & (uint)MappingRights.Write) != 0)
            memory.AddWriter(by >> 3);
        if ((entry & (uint)MappingRights.Write) != 0)
            memory.RemoveWriter(entry >> 3);
        entry = by;
    }

    private void Free()
    {
        if (disposed)
            return;
        disposed = true;
        for (int i = 0; i < 1024; i++)
            NativeMemory.Free(directory[i]);
        NativeMemory.Free(directory);
    }
}
