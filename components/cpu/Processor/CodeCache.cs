using System.Runtime.InteropServices;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <summary>The decoded ops of one frame for one code size.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct CodePage
{
    /// <summary>The frame.</summary>
    public uint Frame;

    /// <summary>The frame's version that the ops agree with.</summary>
    public uint Version;

    /// <summary>Arena slot of the newest block's header; 0 for none.</summary>
    public uint FirstBlock;

    /// <summary>1 for 32-bit code.</summary>
    public uint Is32;

    /// <summary>1 when it is in the list of pages that others may write without a word.</summary>
    public uint IsListed;

    /// <summary>Per byte offset the arena slot of the op that begins there; 0 for none.</summary>
    public uint* Index;
}

/// <summary>
/// Decoded ops, by frame and code size. Ops are allocated by bumping a pointer in one arena; a page whose frame version moved on is emptied,
/// its ops stay behind as garbage until the arena is full, and then everything is forgotten at once.
/// </summary>
/// <remarks>unsafe: native arrays of fixed size, freed by <see cref="Dispose"/>; offsets into a page's index are below 4096 by construction.</remarks>
internal sealed unsafe class CodeCache : IDisposable
{
    /// <summary>Slots that one block may take at most.</summary>
    public const int BlockSlots = 160;

    private readonly GuestMemory memory;
    private readonly uint capacity;
    private readonly CodePage** pages;
    private readonly List<nint> allocated = [];
    private readonly List<nint> unguarded = [];
    private readonly delegate*<X86Processor, DecodedOp*, DecodedOp*> stale;
    private uint next = 1;
    private bool disposed;

    public CodeCache(GuestMemory memory, uint capacity, delegate*<X86Processor, DecodedOp*, DecodedOp*> stale)
    {
        this.memory = memory;
        this.capacity = capacity;
        this.stale = stale;
        Ops = (DecodedOp*)NativeMemory.AlignedAlloc((nuint)capacity * (nuint)sizeof(DecodedOp), 64);
        pages = (CodePage**)NativeMemory.AllocZeroed((memory.GuestFrames + memory.ArenaFrames) * 2, (nuint)sizeof(CodePage*));
    }

    ~CodeCache() => Free();

    /// <summary>The arena.</summary>
    public DecodedOp* Ops { get; }

    /// <summary>Raised each time everything is forgotten.</summary>
    public int Epoch { get; private set; }

    /// <summary>Ops in use, garbage included.</summary>
    public uint Used => next;

    /// <summary>The page of a frame, emptied if its bytes changed since it was decoded.</summary>
    public CodePage* Page(uint frame, bool is32)
    {
        CodePage* page = pages[(frame * 2) + (is32 ? 1u : 0)];
        if (page == null)
            page = Create(frame, is32);
        if (page->Version != memory.Versions[frame])
            Empty(page);
        return page;
    }

    /// <summary>Room for one more block; forgets everything when there is none.</summary>
    /// <returns>True when everything was forgotten: pages are empty, ops gone.</returns>
    public bool Reserve()
    {
        if (next + BlockSlots + 1 < capacity)
            return false;
        Forget();
        return true;
    }

    /// <summary>Forgets every op.</summary>
    public void Forget()
    {
        foreach (nint page in allocated)
            Empty((CodePage*)page);
        next = 1;
        Epoch++;
    }

    /// <summary>Guest code has run on the host's processor: forgets the ops of the pages that it may have written.</summary>
    public void ForgetUnguarded()
    {
        foreach (nint page in unguarded)
        {
            ((CodePage*)page)->IsListed = 0;
            Empty((CodePage*)page);
        }

        unguarded.Clear();
    }

    /// <summary>Begins a block: the first op goes to the slot returned; end it with <see cref="End"/>.</summary>
    public uint Begin(CodePage* page)
    {
        if (page->IsListed == 0 && memory.IsShared && !memory.IsGuarded(page->Frame))
        {
            page->IsListed = 1;
            unguarded.Add((nint)page);
        }

        BlockHeader* header = (BlockHeader*)(Ops + next);
        header->Next = page->FirstBlock;
        header->Slots = 0;
        page->FirstBlock = next;
        return next + 1;
    }

    /// <summary>Ends the block begun last.</summary>
    /// <param name="page">Its page.</param>
    /// <param name="end">Slot after its last one.</param>
    /// <param name="from">First byte decoded.</param>
    /// <param name="to">Byte after the last one decoded.</param>
    public void End(CodePage* page, uint end, int from, int to)
    {
        BlockHeader* header = (BlockHeader*)(Ops + page->FirstBlock);
        header->Slots = end - page->FirstBlock - 1;
        next = end;
        Mark(page->Frame, from, to);
    }

    /// <summary>Records that bytes of a frame are decoded, so that a write to them is noticed.</summary>
    public void Mark(uint frame, int from, int to)
    {
        int first = from >> 6;
        int last = (Math.Max(to, from + 1) - 1) >> 6;
        memory.DecodedChunks[frame] |= (ulong.MaxValue << first) & (ulong.MaxValue >> (63 - last));
        memory.AddWatch(frame, Watch.Decoded);
    }

    /// <summary>The bytes of the executing page changed: whatever op of it comes next leaves the block instead.</summary>
    public void MakeStale(CodePage* page)
    {
        for (uint block = page->FirstBlock; block != 0;)
        {
            BlockHeader* header = (BlockHeader*)(Ops + block);
            DecodedOp* op = Ops + block + 1;
            for (uint i = 0; i < header->Slots; i++)
                op[i].Run = stale;
            block = header->Next;
        }

        Empty(page);
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private CodePage* Create(uint frame, bool is32)
    {
        CodePage* page = (CodePage*)NativeMemory.AllocZeroed((nuint)sizeof(CodePage));
        page->Index = (uint*)NativeMemory.AllocZeroed(4096, sizeof(uint));
        page->Frame = frame;
        page->Is32 = is32 ? 1u : 0;
        page->Version = memory.Versions[frame];
        pages[(frame * 2) + page->Is32] = page;
        allocated.Add((nint)page);
        return page;
    }

    private void Empty(CodePage* page)
    {
        NativeMemory.Clear(page->Index, 4096 * sizeof(uint));
        page->FirstBlock = 0;
        page->Version = memory.Versions[page->Frame];
    }

    private void Free()
    {
        if (disposed)
            return;
        disposed = true;
        foreach (nint page in allocated)
        {
            NativeMemory.Free(((CodePage*)page)->Index);
            NativeMemory.Free((void*)page);
        }

        NativeMemory.Free(pages);
        NativeMemory.AlignedFree(Ops);
    }

    /// <summary>First slot of a block.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 64)]
    private struct BlockHeader
    {
        public uint Next;
        public uint Slots;
    }
}
