using Plexus.Messaging.Contracts.Handlers;
using Plexus.Messaging.Contracts.Patcher;
using Plexus.Messaging.Contracts.Prescan;
using Plexus.Messaging.Shared;

namespace Plexus.Patcher;

/// <summary>All code pages and stubs: the life of pages, pairs of pages, and what to do with a scan. Patches are in the other part.</summary>
internal sealed partial class CodeCache
{
    private const uint None = uint.MaxValue;

    private readonly GuestMemory memory;
    private readonly IStubBuilder builder;
    private readonly Dictionary<CodePageKey, CodePage> pages = [];
    private readonly Dictionary<uint, CodePage> byView = [];
    private readonly Dictionary<uint, List<CodePage>> byFrame = [];
    private readonly Dictionary<(uint EipPage, bool User), List<CodePage>> byEip = [];
    private readonly LinkedList<CodePage> byAge = [];
    private readonly List<DroppedPage> evicted = [];

    /// <summary>Pages the present request works on: not to be given up.</summary>
    private readonly List<CodePage> pinned = [];

    /// <summary>What the present request made known in its page, by first byte, and where it took patches back: sites near it are worth another try.</summary>
    private readonly PageBits fresh = new();
    private readonly StubStore[] stubs;
    private readonly BranchTargets[] targets = [new(), new()];
    private readonly SetLayout?[] requests = new SetLayout?[2];
    private readonly BranchTable table;
    private readonly VerifiedTargets verified;
    private readonly RecordTable records = new();
    private readonly byte[] scratch = new byte[CodePage.Size];

    /// <summary>Creates an empty cache.</summary>
    public CodeCache(GuestMemory memory, IStubBuilder builder, PatcherOptions options)
    {
        this.memory = memory;
        this.builder = builder;
        stubs = [new StubStore(memory), new StubStore(memory)];
        table = new BranchTable(memory);
        verified = new VerifiedTargets(memory);
        MaximumFrames = options.MaximumFrames > 0
            ? options.MaximumFrames
            : Math.Max(2, (int)memory.ArenaFrames - PatcherOptions.ReservedFrames);
    }

    /// <summary>Code pages now.</summary>
    public int PageCount => pages.Count;

    /// <summary>Stubs now.</summary>
    public int StubCount => stubs[0].Count + stubs[1].Count;

    /// <summary>All code pages, least recently planted first.</summary>
    public IEnumerable<CodePage> Pages => byAge;

    /// <summary>Arena frames in use.</summary>
    public int FrameCount => pages.Count + stubs[0].Frames + stubs[1].Frames;

    /// <summary>The most there ever were since the cache was cleared.</summary>
    public int PeakFrames { get; private set; }

    /// <summary>The most there may be.</summary>
    public int MaximumFrames { get; }

    /// <summary>The code page of a key, or null.</summary>
    public CodePage? Find(in CodePageKey key) => pages.GetValueOrDefault(key);

    /// <summary>Carries a scan into its code page.</summary>
    /// <exception cref="ArgumentException">The request contradicts itself.</exception>
    /// <exception cref="InvalidOperationException">The arena has no frame and nothing can be given up.</exception>
    public Planted Plant(in Plant request)
    {
        Validate(request);
        pinned.Clear();
        CodePage page = Obtain(request.Page, request.Bytes.Span) ?? throw new InvalidOperationException("The arena is exhausted.");
        pinned.Add(page);
        fresh.ClearAll();
        changes.Clear();
        int demoted = 0;
        if (!page.Original.AsSpan().SequenceEqual(request.Bytes.Span))
        {
            // The caller should have invalidated the page; what was decoded from other bytes is worth nothing.
            demoted += DropPatches(page);
            verified.RemovePage(page.Key.EipPage);
            page.Clear(request.Bytes.Span);
        }

        if (page.NextFrame != request.NextFrame)
            SetPair(page, request.NextFrame);
        bool paired = request.NextFrame != None && IsSame(request.NextFrame, request.NextBytes.Span);
        foreach (ScannedInstruction scanned in request.Instructions)
        {
            ScannedInstruction instruction = scanned;
            if (instruction.Offset + instruction.Length > CodePage.Size)
            {
                // Bytes of an unverified page prove nothing.
                int known = instruction.Offset + instruction.Length - CodePage.Size;
                if (!paired || known > request.NextBytes.Length)
                    instruction = new ScannedInstruction(instruction.Offset, CodePage.Size - instruction.Offset, InstructionClass.Straddling, 0, FlowKind.End, 0);
                else if (instruction.Class == InstructionClass.Straddling && instruction.Code != 0)
                    ObtainNext(page, request.NextFrame);
            }

            if (!page.Add(instruction))
                continue;
            fresh.Set(instruction.Offset);
            demoted += Admit(page, instruction);
            if (instruction.Class == InstructionClass.Sensitive && RoadOf(request.Strategy) is { } road)
                page.Wish(instruction.Offset, road);
        }

        VerifyTargets(page, request.Instructions);
        PlantWished(page);
        Refresh(page);
        Touch(page);
        return Describe(page, demoted);
    }

    /// <summary>The frame to map.</summary>
    public View FindView(in FindView request)
    {
        if (request.Page.Frame == None)
            return new View(stubs[Class(request.Page.User)].FrameOf(request.Page.EipPage & ~0xFFFu), None);
        return pages.TryGetValue(request.Page, out CodePage? page)
            ? new View(page.ViewFrame, page.LiveTail > 0 ? page.NextFrame : None)
            : new View(None, None);
    }

    /// <summary>Drops the code pages of a frame and breaks the pairs that end in it.</summary>
    public Invalidated Invalidate(in Invalidate request)
    {
        var dropped = new List<DroppedPage>();
        if (byFrame.TryGetValue(request.Frame, out List<CodePage>? list))
        {
            foreach (CodePage page in list.ToArray())
            {
                dropped.Add(new DroppedPage(page.Key, page.ViewFrame));
                Drop(page);
            }
        }

        return new Invalidated([.. dropped]);
    }

    /// <summary>Says whether control may arrive at an EIP, and lets ring-3 branch handlers go there: as long as no other page lies at the same EIP, which they could not tell apart.</summary>
    public Admitted AdmitTarget(in AdmitTarget request)
    {
        uint offset = request.Eip - request.Page.EipPage;
        if (!pages.TryGetValue(request.Page, out CodePage? page) || offset >= CodePage.Size || !page.Boundaries[(int)offset])
            return new Admitted(false);
        bool isKnown = page.ClassAt((int)offset) != InstructionClass.Straddling || page.CodeAt((int)offset) != 0;
        if (isKnown && !page.Key.User && byEip[(page.Key.EipPage, false)].Count == 1)
            verified.Add(request.Eip);
        return new Admitted(isKnown);
    }

    /// <summary>Targets of virtualised direct branches in the page itself need not be asked for: the scan has followed them.</summary>
    private void VerifyTargets(CodePage page, ScannedInstruction[] instructions)
    {
        if (page.Key.User || byEip[(page.Key.EipPage, false)].Count > 1)
            return;
        foreach (ScannedInstruction branch in instructions)
        {
            uint target = branch.Target - page.Key.EipPage;
            if (branch.Class == InstructionClass.Sensitive && HasTarget(branch) && target < CodePage.Size
                && page.Boundaries[(int)target] && page.ClassAt((int)target) != InstructionClass.Straddling)
                verified.Add(branch.Target);
        }
    }

    /// <summary>The length of the basic block at an EIP.</summary>
    public BlockMeasured MeasureBlock(in MeasureBlock request)
    {
        if (!byEip.TryGetValue((request.Eip & ~0xFFFu, request.User), out List<CodePage>? list))
            return default;
        int start = (int)(request.Eip & 0xFFF);
        foreach (CodePage page in list)
        {
            int at = start;
            while (at < CodePage.Size && page.Boundaries[at])
            {
                FlowKind flow = page.FlowAt(at);
                at += page.LengthAt(at);
                if (flow != FlowKind.Next)
                    break;
            }

            if (at != start)
                return new BlockMeasured(at - start);
        }

        return default;
    }

    /// <summary>The page's straddling instructions stand behind INT3 again.</summary>
    public Planted BreakPair(in BreakPair request)
    {
        if (!pages.TryGetValue(request.Page, out CodePage? page))
            return new Planted(0, 0, 0, 0, false, []);
        SetPair(page, None);
        Refresh(page);
        return Describe(page, 0);
    }

    /// <summary>Drops a class and adopts a layout.</summary>
    public LayoutSet SetLayout(in SetLayout request)
    {
        Invalidated dropped = DropClass(request.User);
        requests[Class(request.User)] = request with { Gates = request.Gates.ToArray() };
        Segment segment = builder.Adopt(new BuildSegment(request.User, request.Layout, request.Gates));
        if (!request.User)
        {
            table.Place(request.TableFrame, request.Layout.VirtualCpuLinear);
            verified.Place(request.TargetFrame, request.Layout.VirtualCpuLinear);
        }

        List<GateEntry> gates = [];
        foreach (GateEntry gate in segment.Gates ?? [])
        {
            StubPiece piece = Array.Find(segment.Pieces ?? [], piece => piece.Eip == gate.Eip);
            if (!request.TableFrame.Equals(None) && Install(stubs[Class(request.User)], piece, new PlantedStub(piece.Eip, piece.Code.Length, piece.Map) { Road = Road.Gate }))
                gates.Add(gate);
        }

        return new LayoutSet(dropped.Dropped, [.. gates]);
    }

    /// <summary>Forgets everything, the layouts included; asks nobody.</summary>
    public void Clear()
    {
        DropClass(user: false);
        DropClass(user: true);
        PeakFrames = 0;
        Array.Clear(requests);
        records.Clear();
        evicted.Clear();
        pinned.Clear();
    }

    /// <summary>Drops everything but the layouts, which the builder adopts anew.</summary>
    public void Restart()
    {
        SetLayout?[] kept = [.. requests];
        Clear();
        foreach (SetLayout? layout in kept)
        {
            if (layout is { } request)
                SetLayout(request);
        }
    }

    /// <summary>The road that every site of a run is to have from the beginning; null when it starts behind INT3 to the monitor.</summary>
    private static Road? RoadOf(Strategy strategy) => strategy switch
    {
        Strategy.JumpStub => Road.Jump,
        Strategy.CallTable => Road.Call,
        Strategy.Int3Ring3 => Road.Gate,
        _ => null,
    };

    private static int Class(bool user) => user ? 1 : 0;

    private void Validate(in Plant request)
    {
        CodePageKey key = request.Page;
        if (key.Frame >= memory.GuestFrames)
            throw new ArgumentException($"Frame {key.Frame:X} is not guest memory.", nameof(request));
        if ((key.EipPage & 0xFFF) != 0 || key.CodeBits is not (16 or 32))
            throw new ArgumentException($"Not a code page: {key}.", nameof(request));
        if (request.Bytes.Length != CodePage.Size)
            throw new ArgumentException($"{request.Bytes.Length} bytes instead of 4096.", nameof(request));
        if (request.NextFrame != None && request.NextFrame >= memory.GuestFrames)
            throw new ArgumentException($"Next frame {request.NextFrame:X} is not guest memory.", nameof(request));
        foreach (ScannedInstruction x in request.Instructions)
        {
            if ((uint)x.Offset >= CodePage.Size || x.Length is < 1 or > CodePage.LongestInstruction || (uint)x.Class > 3 || (uint)x.Flow > 6 || (uint)x.Code > ushort.MaxValue)
                throw new ArgumentException($"Not an instruction of a page: {x}.", nameof(request));
            if (x.Class == InstructionClass.Innocuous && x.Offset + x.Length > CodePage.Size)
                throw new ArgumentException($"Innocuous, but past the page: {x}.", nameof(request));
        }
    }

    private CodePage? Obtain(in CodePageKey key, ReadOnlySpan<byte> bytes)
    {
        if (pages.TryGetValue(key, out CodePage? page))
            return page;
        uint frame = TakeFrame();
        if (frame == None)
            return null;
        page = new CodePage(key, frame, bytes);
        pages.Add(key, page);
        byView.Add(frame, page);
        AddTo(byFrame, key.Frame, page);
        AddTo(byEip, (key.EipPage, key.User), page);
        ForgetAmbiguous(byEip[(key.EipPage, key.User)]);
        page.Node = byAge.AddLast(page);
        memory.AddWatch(key.Frame, Watch.CodePage);
        memory.Frame(frame).Fill(TrapBytes.Int3);
        memory.NoteWrite(frame, 0, CodePage.Size);
        return page;
    }

    /// <summary>Has a code page show the tails of a page's straddling instructions. Without room for it these stay behind their INT3.</summary>
    private void ObtainNext(CodePage page, uint frame)
    {
        ReadOnlySpan<byte> bytes = memory.Frame(frame);
        CodePage? next = page.Next ?? Obtain(page.Key with { Frame = frame, EipPage = page.Key.EipPage + CodePage.Size }, bytes);
        if (next is null)
            return;
        if (!next.Original.AsSpan().SequenceEqual(bytes))
        {
            DropPatches(next);
            next.Clear(bytes);
            Refresh(next);
        }

        if (page.Next is not null)
            return;
        pinned.Add(next);
        page.Next = next;
        next.Previous.Add(page);
    }

    private bool IsSame(uint frame, ReadOnlySpan<byte> bytes) => bytes.SequenceEqual(memory.Frame(frame)[..bytes.Length]);

    /// <summary>Adopts another next frame (or none): what straddles has to be shown again by a scan.</summary>
    private void SetPair(CodePage page, uint frame)
    {
        page.NextFrame = frame;
        page.ForgetTails();
        if (page.Next is not { } next)
            return;
        page.Next = null;
        next.Previous.Remove(page);
        page.Resolve();
        RenderInto(next);
    }

    private void Drop(CodePage page)
    {
        DropPatches(page);
        foreach (CodePage previous in page.Previous.ToArray())
        {
            SetPair(previous, None);
            Refresh(previous);
        }

        SetPair(page, None);
        pages.Remove(page.Key);
        byView.Remove(page.ViewFrame);
        RemoveFrom(byEip, (page.Key.EipPage, page.Key.User), page);
        if (RemoveFrom(byFrame, page.Key.Frame, page))
            memory.RemoveWatch(page.Key.Frame, Watch.CodePage);
        if (!page.Key.User)
            verified.RemovePage(page.Key.EipPage);
        byAge.Remove(page.Node!);
        memory.FreeArenaFrame(page.ViewFrame);
    }

    private Invalidated DropClass(bool user)
    {
        var dropped = new List<DroppedPage>();
        foreach (CodePage page in byAge.ToArray())
        {
            if (page.Key.User != user)
                continue;
            dropped.Add(new DroppedPage(page.Key, page.ViewFrame));
            ForgetPatches(page);
            Drop(page);
        }

        stubs[Class(user)].Clear();
        targets[Class(user)].Clear();
        if (!user)
        {
            table.Clear();
            verified.Clear();
        }

        return new Invalidated([.. dropped]);
    }

    /// <summary>Takes an arena frame, giving up the least recently planted pages (but no pinned one) when there is none.</summary>
    private uint TakeFrame()
    {
        while (true)
        {
            if (FrameCount < MaximumFrames)
            {
                uint frame = memory.AllocateArenaFrame();
                if (frame != None)
                {
                    PeakFrames = Math.Max(PeakFrames, FrameCount + 1);
                    return frame;
                }
            }

            LinkedListNode<CodePage>? oldest = byAge.First;
            while (oldest is not null && pinned.Contains(oldest.Value))
                oldest = oldest.Next;
            if (oldest is null)
                return None;
            evicted.Add(new DroppedPage(oldest.Value.Key, oldest.Value.ViewFrame));
            Drop(oldest.Value);
        }
    }

    private void Touch(CodePage page)
    {
        byAge.Remove(page.Node!);
        byAge.AddLast(page.Node!);
    }

    private DroppedPage[] TakeEvicted()
    {
        if (evicted.Count == 0)
            return [];
        DroppedPage[] result = [.. evicted];
        evicted.Clear();
        return result;
    }

    private Planted Describe(CodePage page, int demoted) =>
        new(page.ViewFrame, page.Sites, page.SitesInStubs, demoted, page.LiveTail > 0, TakeEvicted(), TakeChanges());

    /// <summary>Brings the frame of a page up to date, and of the pages whose straddling instructions it lets run or stops.</summary>
    private void Refresh(CodePage page)
    {
        bool tailChanged = page.Resolve();
        foreach (CodePage previous in page.Previous)
            Refresh(previous);
        RenderInto(page);
        if (tailChanged && page.Next is { } next)
            RenderInto(next);
    }

    private void RenderInto(CodePage page)
    {
        page.Render(scratch);
        Span<byte> view = memory.Frame(page.ViewFrame);
        const int chunk = 64;
        for (int offset = 0; offset < CodePage.Size; offset += chunk)
        {
            Span<byte> wanted = scratch.AsSpan(offset, chunk);
            Span<byte> shown = view.Slice(offset, chunk);
            if (wanted.SequenceEqual(shown))
                continue;
            wanted.CopyTo(shown);
            memory.NoteWrite(page.ViewFrame, offset, chunk);
        }
    }

    private static void AddTo<TKey>(Dictionary<TKey, List<CodePage>> index, TKey key, CodePage page)
        where TKey : notnull
    {
        if (!index.TryGetValue(key, out List<CodePage>? list))
            index.Add(key, list = []);
        list.Add(page);
    }

    /// <returns>True when it was the last one.</returns>
    private static bool RemoveFrom<TKey>(Dictionary<TKey, List<CodePage>> index, TKey key, CodePage page)
        where TKey : notnull
    {
        List<CodePage> list = index[key];
        list.Remove(page);
        if (list.Count > 0)
            return false;
        index.Remove(key);
        return true;
    }
}
