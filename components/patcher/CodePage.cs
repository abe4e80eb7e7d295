using System.Numerics;
using Plexus.Messaging.Contracts.Handlers;
using Plexus.Messaging.Contracts.Patcher;
using Plexus.Messaging.Contracts.Prescan;
using Plexus.Messaging.Shared;

namespace Plexus.Patcher;

/// <summary>
/// A code page: what is known of a guest page's instructions, and the arena frame that shows it to the instruction fetch.
/// The frame is a pure function of this state (<see cref="Render"/>): INT3 fill, native instructions copied in, INT3 on the first byte of every
/// other decoded one, patches on top. Nothing edits the frame piecemeal, so no order of events can leave stale bytes behind.
/// </summary>
internal sealed class CodePage
{
    /// <summary>Bytes in a page.</summary>
    public const int Size = GuestMemory.FrameSize;

    /// <summary>Length of the longest instruction.</summary>
    public const int LongestInstruction = 15;

    private readonly byte[] length = new byte[Size];
    private readonly byte[] kind = new byte[Size];
    private readonly ushort[] code = new ushort[Size];
    private readonly List<Patch> patches = [];
    private readonly byte[] roads = new byte[Size];
    private readonly Dictionary<int, PlantedStub> gateSites = [];
    private readonly List<(int Source, int Target)> edges = [];

    /// <summary>Creates an empty page over guest bytes.</summary>
    public CodePage(CodePageKey key, uint viewFrame, ReadOnlySpan<byte> original)
    {
        Key = key;
        ViewFrame = viewFrame;
        original[..Size].CopyTo(Original);
    }

    /// <summary>Which page.</summary>
    public CodePageKey Key { get; }

    /// <summary>The arena frame.</summary>
    public uint ViewFrame { get; }

    /// <summary>The guest's own bytes.</summary>
    public byte[] Original { get; } = new byte[Size];

    /// <summary>Offsets at which a decoded instruction begins.</summary>
    public PageBits Boundaries { get; } = new();

    /// <summary>Bytes that some decoded instruction covers.</summary>
    public PageBits Covered { get; } = new();

    /// <summary>First bytes of the instructions behind an INT3.</summary>
    public PageBits Int3 { get; } = new();

    /// <summary>Instructions that name memory below ESP: an INT3 whose gate leads back into ring 3 would overwrite it.</summary>
    public PageBits BelowStack { get; } = new();

    /// <summary>The byte that stands for an instruction which may not run.</summary>
    public byte TrapAt(int offset) => BelowStack[offset] ? TrapBytes.Hlt : TrapBytes.Int3;

    /// <summary>Bytes that a patch changes.</summary>
    public PageBits Patched { get; } = new();

    /// <summary>Sensitive instructions that are to go through ring-3 code.</summary>
    public PageBits Wished { get; } = new();

    /// <summary>Sites behind INT3 that have ring-3 code of their own, by offset.</summary>
    public IReadOnlyDictionary<int, PlantedStub> GateSites => gateSites;

    /// <summary>Guest frame that verified straddling instructions end in; <see cref="uint.MaxValue"/> for none.</summary>
    public uint NextFrame { get; set; } = uint.MaxValue;

    /// <summary>The code page that holds the tails of this page's straddling instructions.</summary>
    public CodePage? Next { get; set; }

    /// <summary>Pages whose <see cref="Next"/> this is.</summary>
    public List<CodePage> Previous { get; } = [];

    /// <summary>Planted patches, ascending.</summary>
    public IReadOnlyList<Patch> Patches => patches;

    /// <summary>Direct branches of this page with a target in it.</summary>
    public IReadOnlyList<(int Source, int Target)> Edges => edges;

    /// <summary>Position in the order of eviction.</summary>
    public LinkedListNode<CodePage>? Node { get; set; }

    /// <summary>Sensitive instructions known.</summary>
    public int Sites { get; private set; }

    /// <summary>Sensitive instructions that go through ring-3 code.</summary>
    public int SitesInStubs { get; private set; }

    /// <summary>Wishes a road for a site.</summary>
    public void Wish(int offset, Road road)
    {
        Wished.Set(offset);
        roads[offset] = (byte)road;
    }

    /// <summary>The road wished for a site.</summary>
    public Road RoadAt(int offset) => (Road)roads[offset];

    /// <summary>Gives a site behind INT3 its ring-3 code.</summary>
    public void AddGateSite(int offset, PlantedStub stub)
    {
        gateSites.Add(offset, stub);
        SitesInStubs++;
    }

    /// <summary>Takes it away.</summary>
    public void RemoveGateSite(int offset)
    {
        gateSites.Remove(offset);
        SitesInStubs--;
    }

    /// <summary>Bytes of the next page that executable straddling instructions need: 0 for none.</summary>
    public int LiveTail { get; private set; }

    public int LengthAt(int offset) => length[offset];

    public int CodeAt(int offset) => code[offset];

    public InstructionClass ClassAt(int offset) => (InstructionClass)(kind[offset] & 0xF);

    public FlowKind FlowAt(int offset) => (FlowKind)(kind[offset] >> 4);

    /// <summary>True when the instruction there ends in the next page.</summary>
    public bool Crosses(int offset) => offset + length[offset] > Size;

    /// <summary>Offset of a branch's target in this page, or -1.</summary>
    public int TargetOf(int source)
    {
        foreach ((int from, int target) in edges)
        {
            if (from == source)
                return target;
        }

        return -1;
    }

    /// <summary>EIP of an offset.</summary>
    public uint EipOf(int offset) => Key.EipPage + (uint)offset;

    /// <summary>Adds a decoded instruction. A straddling one replaces what was known at its offset, because its bytes are not all this page's.</summary>
    /// <returns>True when something is new.</returns>
    public bool Add(in ScannedInstruction instruction)
    {
        int offset = instruction.Offset;
        byte newKind = (byte)((int)instruction.Class | ((int)instruction.Flow << 4));
        if (Boundaries[offset])
        {
            bool same = length[offset] == instruction.Length && kind[offset] == newKind && code[offset] == instruction.Code;
            if (same || !IsAtEnd(offset, instruction.Length))
                return false;
            Forget(offset);
        }

        Boundaries.Set(offset);
        Covered.SetRange(offset, Math.Min(offset + instruction.Length, Size));
        length[offset] = (byte)instruction.Length;
        kind[offset] = newKind;
        code[offset] = (ushort)instruction.Code;
        if (instruction.BelowStack)
            BelowStack.Set(offset);
        if (instruction.Class == InstructionClass.Sensitive)
            Sites++;
        if (instruction.Flow is FlowKind.Jump or FlowKind.Conditional or FlowKind.Call)
        {
            uint target = instruction.Target - Key.EipPage;
            if (target < Size)
                edges.Add((offset, (int)target));
        }

        return true;
    }

    /// <summary>The next page is no longer the verified one: what straddles is known no more than that it straddles.</summary>
    public void ForgetTails()
    {
        for (int offset = Size - LongestInstruction; offset < Size; offset++)
        {
            if (!Boundaries[offset] || !Crosses(offset))
                continue;
            Forget(offset);
            Boundaries.Set(offset);
            length[offset] = (byte)(Size - offset);
            kind[offset] = (byte)((int)InstructionClass.Straddling | ((int)FlowKind.End << 4));
            code[offset] = 0;
        }
    }

    /// <summary>Forgets all instructions and takes new guest bytes. Patches must be gone.</summary>
    public void Clear(ReadOnlySpan<byte> original)
    {
        original[..Size].CopyTo(Original);
        Array.Clear(length);
        Array.Clear(kind);
        Array.Clear(code);
        edges.Clear();
        Boundaries.ClearAll();
        Covered.ClearAll();
        BelowStack.ClearAll();
        Int3.ClearAll();
        Wished.ClearAll();
        Sites = 0;
    }

    /// <summary>The patch that changes a byte, or null.</summary>
    public Patch? PatchAt(int offset)
    {
        if (!Patched[offset])
            return null;
        foreach (Patch patch in patches)
        {
            if (offset >= patch.Start && offset < patch.End)
                return patch;
        }

        return null;
    }

    /// <summary>Adds a patch; it must not overlap another.</summary>
    public void AddPatch(Patch patch)
    {
        int index = 0;
        while (index < patches.Count && patches[index].Start < patch.Start)
            index++;
        patches.Insert(index, patch);
        Patched.SetRange(patch.Start, patch.End);
        SitesInStubs += CountSensitive(patch);
    }

    /// <summary>Takes a patch away.</summary>
    public void RemovePatch(Patch patch)
    {
        patches.Remove(patch);
        Patched.ClearRange(patch.Start, patch.End);
        SitesInStubs -= CountSensitive(patch);
    }

    /// <summary>
    /// Decides which decoded instructions stand behind an INT3: all that may not run, and all that another's INT3 or patch cuts into.
    /// An instruction is cut only by what begins behind its own first byte, so one pass from the end of the page settles all.
    /// </summary>
    /// <returns>True when <see cref="LiveTail"/> changed.</returns>
    public bool Resolve()
    {
        int tail = 0;
        Int3.ClearAll();
        for (int word = 63; word >= 0; word--)
        {
            ulong bits = Boundaries.Words[word] & ~Patched.Words[word];
            while (bits != 0)
            {
                int bit = 63 - BitOperations.LeadingZeroCount(bits);
                bits &= ~(1UL << bit);
                int offset = (word * 64) + bit;
                int end = offset + length[offset];
                if (!MayRun(offset) || Int3.Any(offset + 1, end) || Patched.Any(offset + 1, end))
                    Int3.Set(offset);
                else
                    tail = Math.Max(tail, end - Size);
            }
        }

        bool changed = tail != LiveTail;
        LiveTail = tail;
        return changed;
    }

    /// <summary>Draws the code view. <see cref="Resolve"/> of this page and of <see cref="Previous"/> must be up to date.</summary>
    public void Render(Span<byte> view)
    {
        view.Fill(TrapBytes.Int3);
        for (int word = 0; word < 64; word++)
        {
            for (ulong bits = Boundaries.Words[word] & ~Patched.Words[word] & ~Int3.Words[word]; bits != 0; bits &= bits - 1)
            {
                int offset = (word * 64) + BitOperations.TrailingZeroCount(bits);
                int count = Math.Min(length[offset], Size - offset);
                Original.AsSpan(offset, count).CopyTo(view[offset..]);
            }
        }

        for (int word = 0; word < 64; word++)
        {
            for (ulong bits = BelowStack.Words[word] & Int3.Words[word]; bits != 0; bits &= bits - 1)
                view[(word * 64) + BitOperations.TrailingZeroCount(bits)] = TrapBytes.Hlt;
        }

        foreach (CodePage previous in Previous)
            Original.AsSpan(0, previous.LiveTail).CopyTo(view);
        foreach (Patch patch in patches)
            patch.Render(view);
    }

    private bool MayRun(int offset) => ClassAt(offset) switch
    {
        InstructionClass.Innocuous => true,
        InstructionClass.Straddling => code[offset] != 0 && Next is not null && Next.CanHoldTail(offset + length[offset] - Size),
        _ => false,
    };

    /// <summary>True when the first bytes of this page can show the tail of a straddling instruction.</summary>
    private bool CanHoldTail(int bytes) => !Int3.Any(0, bytes) && !Patched.Any(0, bytes);

    private void Forget(int offset)
    {
        if (ClassAt(offset) == InstructionClass.Sensitive)
            Sites--;
        BelowStack.Clear(offset);
        Boundaries.Clear(offset);
        for (int i = edges.Count - 1; i >= 0; i--)
        {
            if (edges[i].Source == offset)
                edges.RemoveAt(i);
        }
    }

    private bool IsAtEnd(int offset, int newLength) => offset + length[offset] >= Size || offset + newLength > Size;

    private static int CountSensitive(Patch patch)
    {
        int count = 0;
        foreach (DisplacedInstruction displaced in patch.Displaced)
        {
            if (displaced.Sensitive)
                count++;
        }

        return count;
    }
}
