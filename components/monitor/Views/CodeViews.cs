using System.Diagnostics;
using Plexus.Messaging;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Contracts.Handlers;
using Plexus.Messaging.Contracts.Patcher;
using Plexus.Messaging.Contracts.Prescan;
using Plexus.Messaging.Shared;
using Plexus.Monitor.Counting;
using Plexus.Monitor.Machine;
using Plexus.Monitor.Shadow;

namespace Plexus.Monitor.Views;

/// <summary>
/// The code view of both privilege classes: has pages scanned and planted on demand, maps them into spaces, keeps straddling pairs verified,
/// and drops pages whose bytes changed.
/// </summary>
internal sealed class CodeViews
{
    private const uint None = uint.MaxValue;
    private const int BurstInvalidations = 8;

    /// <summary>Bytes of an aligned group of pages whose code pages are mapped together.</summary>
    private const uint Group = 32 * GuestMemory.FrameSize;
    private const ulong BurstWindow = 1_000_000;

    private readonly GuestMemory memory;
    private readonly Vcpu vcpu;
    private readonly IEndpoint cpu;
    private readonly IEndpoint prescan;
    private readonly IEndpoint patcher;
    private readonly ShadowPaging paging;
    private readonly VirtualCpuPages pages;
    private readonly MonitorTables tables;
    private readonly TransitionCounters counters;
    private readonly RoadDecisions decisions;
    private readonly MonitorOptions options;
    private readonly PageBytes scanBytes;
    private readonly Dictionary<uint, Burst> bursts = [];
    private readonly GuestUnits units;
    private readonly PlainCode plain;

    internal CodeViews(
        GuestMemory memory,
        Vcpu vcpu,
        IEndpoint cpu,
        IEndpoint prescan,
        IEndpoint patcher,
        ShadowPaging paging,
        VirtualCpuPages pages,
        MonitorTables tables,
        TransitionCounters counters,
        RoadDecisions decisions,
        MonitorOptions options)
    {
        this.memory = memory;
        scanBytes = new PageBytes(memory);
        this.vcpu = vcpu;
        this.cpu = cpu;
        this.prescan = prescan;
        this.patcher = patcher;
        this.paging = paging;
        this.pages = pages;
        this.tables = tables;
        this.counters = counters;
        this.decisions = decisions;
        this.options = options;
        units = new GuestUnits(options.Engine == Engine.Native && options.Journal == JournalMode.None);
        Kernel = new ViewWindows(memory, vcpu, paging, user: false);
        User = new ViewWindows(memory, vcpu, paging, user: true);
        plain = new PlainCode(memory, prescan, paging, counters);
        paging.CodeDropped = OnTranslationDropped;
    }

    /// <summary>Windows of the guest-kernel class.</summary>
    internal ViewWindows Kernel { get; }

    /// <summary>Windows of the guest-user class.</summary>
    internal ViewWindows User { get; }

    internal ViewWindows Windows(bool user) => user ? User : Kernel;

    /// <summary>Makes the windows fit the guest's present directory and cover the EIP.</summary>
    /// <returns>False when there is no room: interpret.</returns>
    internal bool Prepare(ShadowSpace space, uint eip)
    {
        bool user = space.Key.User;
        ViewWindows windows = Windows(user);
        if (units.Follow(vcpu.State, pages.Features))
        {
            // Other instructions than before are innocuous: what was scanned is worth nothing.
            counters.Count(Work.UnitsChange);
            Retire(Kernel, false);
            Retire(User, true);
            plain.Clear();
        }

        if (paging.DirectoryChanged)
        {
            // Both classes look at the same directory; whoever runs next must find its windows free.
            paging.DirectoryChanged = false;
            if (Kernel.Conflicts())
                Retire(Kernel, false);
            if (User.Conflicts())
                Retire(User, true);
        }
        else if (space.LayoutGeneration != windows.Generation && windows.Conflicts())
        {
            Retire(windows, user);
        }

        if (windows.IsHandlerEip(eip))
            return false; // Of the guest there is nothing.
        if (!windows.Covers(eip) && !windows.TryExtend(eip))
        {
            Retire(windows, user);
            if (!windows.Move(eip))
                return false;
            counters.Count(Work.LayoutMove);
            Adopt(user, windows.Layout);
        }

        space.LayoutGeneration = windows.Generation;
        if (!user && !space.HasVirtualCpu)
        {
            uint first = windows.Layout.VirtualCpuLinear >> 12;
            paging.MapArena(space, first, pages.FirstFrame, VirtualCpuPage.Pages, MappingRights.Read | MappingRights.Write);
            MapTable(space, first + VirtualCpuPage.TablePage, pages.TableFrame, VirtualCpuPage.TablePages, MappingRights.Read);
            MapTable(space, first + VirtualCpuPage.BranchPage, pages.BranchFrame, VirtualCpuPage.BranchPages, MappingRights.Read | MappingRights.Write);
            MapTable(space, first + VirtualCpuPage.TargetPage, pages.TargetFrame, VirtualCpuPage.TargetPages, MappingRights.Read);
            space.HasVirtualCpu = true;
        }

        return true;
    }

    private void MapTable(ShadowSpace space, uint page, uint frame, int count, MappingRights rights)
    {
        if (frame != None)
            paging.MapArena(space, page, frame, (uint)count, rights);
    }

    /// <summary>
    /// Control arrives at an EIP: with virtualised branches, or when ring 0 led it there, a page that is mapped already must have it scanned as the beginning of an instruction.
    /// A page that is not mapped is scanned from there when the fetch faults.
    /// </summary>
    internal void Arrive(ShadowSpace space, uint eip, bool landed)
    {
        if ((options.Branches == BranchMode.Native && !landed) || !space.Code.TryGetValue(eip >> 12, out CodeMapping mapping) || mapping.Key.Frame == None)
            return;
        if (patcher.Call<AdmitTarget, Admitted>(new AdmitTarget(mapping.Key, eip)).Scanned)
            return;
        if (Map(space, eip, eip) == CodeOutcome.Ready && space.Code.TryGetValue(eip >> 12, out mapping))
            patcher.Call<AdmitTarget, Admitted>(new AdmitTarget(mapping.Key, eip));
    }

    /// <summary>Tells the patcher of new windows, and points the gates of the class into its handler segment.</summary>
    private void Adopt(bool user, in SegmentLayout layout)
    {
        byte[] gates = user ? [] : options.EffectiveRing3Gates;
        LayoutSet set = patcher.Call<SetLayout, LayoutSet>(new SetLayout(user, layout, user ? None : pages.TableFrame, gates, user ? None : pages.TargetFrame, options.Branches));
        tables.ClearGates(user);
        foreach (GateEntry gate in set.Gates)
            tables.SetGate(user, gate.Vector, MonitorTables.HandlerCode, gate.Eip, gate.Vector is 3 or 4 ? 3 : 0);
        if (user)
            return;
        pages.MoveTo(layout.VirtualCpuLinear);
        tables.BranchTable = options.ResolvesBreakpoints ? layout.VirtualCpuLinear + (VirtualCpuPage.TablePage * (uint)GuestMemory.FrameSize) : 0;
    }

    /// <summary>The arena frame mapped at a code EIP in a space, or <see cref="uint.MaxValue"/>.</summary>
    internal uint ViewFrame(ShadowSpace space, uint codeEip) =>
        space.Code.TryGetValue(codeEip >> 12, out CodeMapping mapping) && mapping.Key.Frame != None ? mapping.ViewFrame : None;

    /// <summary>The arena frame of the handler segment at an EIP.</summary>
    internal uint HandlerFrame(uint eip) => patcher.Call<FindView, View>(new FindView(new CodePageKey(None, eip & ~0xFFFu, false, 32))).ViewFrame;

    /// <summary>Has the code page under an EIP mapped; scans from <paramref name="scanFrom"/> when that is given or when the page is new.</summary>
    internal CodeOutcome Map(ShadowSpace space, uint pageEip, uint? scanFrom)
    {
        bool user = space.Key.User;
        ViewWindows windows = Windows(user);
        uint eipPage = pageEip & ~0xFFFu;
        if (!user && windows.IsHandlerEip(pageEip))
        {
            View stub = patcher.Call<FindView, View>(new FindView(new CodePageKey(None, eipPage, user, 32)));
            if (stub.ViewFrame == None)
                return CodeOutcome.Emulate;
            MapView(space, eipPage, new CodeMapping(new CodePageKey(None, eipPage, user, 32), stub.ViewFrame, None));
            return CodeOutcome.Ready;
        }

        Walked walked = cpu.Call<Walk, Walked>(new Walk(pageEip, PageAccess.Execute, user, Commit: true));
        if (!walked.Ok || !memory.TryReadFrame(walked.Physical, out uint frame))
            return CodeOutcome.Emulate;
        if (IsInterpreted(frame))
            return CodeOutcome.Interpret;
        var key = new CodePageKey(frame, eipPage, user, 32);
        View view = patcher.Call<FindView, View>(new FindView(key));
        if (view.ViewFrame == None || NeedsScan(user, scanFrom, view.ViewFrame))
        {
            Plant(key, scanFrom);
            view = patcher.Call<FindView, View>(new FindView(key));
        }

        if (view.PairFrame != None && NextFrame(eipPage, user) != view.PairFrame)
        {
            patcher.Call<BreakPair, Planted>(new BreakPair(key));
            view = view with { PairFrame = None };
        }

        VerifyPrevious(space, key);
        paging.NoteCode(space, pageEip, walked);
        MapView(space, eipPage, new CodeMapping(key, view.ViewFrame, view.PairFrame));
        if (options.Engine == Engine.Native)
            MapAround(space, eipPage);
        return CodeOutcome.Ready;
    }

    /// <summary>Maps the code pages beside one, as far as there are any: an entry to ring 0 costs as much as several of them.</summary>
    private void MapAround(ShadowSpace space, uint eipPage)
    {
        bool user = space.Key.User;
        uint first = eipPage & ~(Group - 1);
        for (uint page = first; page - first < Group; page += GuestMemory.FrameSize)
        {
            if (space.Code.ContainsKey(page >> 12) || !paging.TryFindAhead(space, page, out uint frame) || (memory.WatchOf(frame) & Watch.CodePage) == 0 || IsInterpreted(frame))
                continue;
            if (user && ShadowPaging.RunsPlain(space, page))
                continue;
            var key = new CodePageKey(frame, page, user, 32);
            View view = patcher.Call<FindView, View>(new FindView(key));
            if (view.ViewFrame == None || (view.PairFrame != None && (!paging.TryFindAhead(space, page + GuestMemory.FrameSize, out uint next) || next != view.PairFrame)))
                continue;
            VerifyPrevious(space, key);
            paging.NoteCodeAhead(space, page);
            MapView(space, page, new CodeMapping(key, view.ViewFrame, view.PairFrame));
            counters.Count(Work.CodeAhead);
        }
    }

    /// <summary>
    /// Maps a page of user code to run as it stands, if nothing in it needs a patch.
    /// </summary>
    /// <param name="space">Where.</param>
    /// <param name="pageEip">An address in the page.</param>
    /// <param name="crosses">The code that goes there runs in the code view.</param>
    /// <returns>Null when it has to be patched, or is crossed into so often that it runs in the code view as well.</returns>
    internal CodeOutcome? MapPlain(ShadowSpace space, uint pageEip, bool crosses)
    {
        Walked walked = cpu.Call<Walk, Walked>(new Walk(pageEip, PageAccess.Execute, User: true, Commit: true));
        if (!walked.Ok || !memory.TryReadFrame(walked.Physical, out uint frame))
            return CodeOutcome.Emulate;
        if (IsInterpreted(frame))
            return CodeOutcome.Interpret;
        uint eipPage = pageEip & ~0xFFFu;
        if (!memory.IsPlain(walked.Physical >> 12) || !plain.Admit(frame, NextFrame(eipPage, user: true), eipPage, units.Innocuous) || plain.IsOftenCrossed(frame, crosses))
            return null;
        paging.FillPlainCode(space, pageEip, walked, frame);
        return CodeOutcome.Ready;
    }

    /// <summary>A page that is in the code view of a space for being crossed into leaves it: the next fetch there looks again where it is to run.</summary>
    internal void TryPlain(ShadowSpace space, uint eip)
    {
        if (space.Code.TryGetValue(eip >> 12, out CodeMapping mapping) && plain.TryAgain(mapping.Key.Frame))
            OnTranslationDropped(space, eip >> 12);
    }

    /// <summary>Whether user code stays in the page under an EIP, where it came from code that runs as it stands; <see cref="NoteStay"/> says so.</summary>
    internal bool IsStayedIn(uint eip) => plain.IsStayedIn(FrameAt(eip, user: true));

    /// <summary>User code came into a page with patches, and did not leave it within a few instructions.</summary>
    internal void NoteStay(uint eip) => plain.Stayed(FrameAt(eip, user: true));

    /// <summary>Drops every code page made from a frame whose bytes changed.</summary>
    internal void Invalidate(uint frame)
    {
        counters.Count(Work.Invalidation);
        plain.Written(frame);
        ulong now = vcpu.State.Now;
        Burst burst = bursts.GetValueOrDefault(frame);
        burst = now - burst.Since > BurstWindow ? new Burst(now, 1, burst.Until, burst.Level) : burst with { Count = burst.Count + 1 };
        if (burst.Count >= BurstInvalidations)
        {
            int level = now > burst.Until + (16 * BurstWindow) ? 0 : Math.Min(burst.Level + 1, 6);
            burst = new Burst(now, 0, now + (BurstWindow << level), level);
        }

        bursts[frame] = burst;
        foreach (DroppedPage page in patcher.Call<Invalidate, Invalidated>(new Invalidate(frame)).Dropped ?? [])
            Unmap(page);
    }

    private void Unmap(in DroppedPage page)
    {
        ViewWindows windows = Windows(page.Page.User);
        uint number = page.Page.EipPage >> 12;
        foreach (ShadowSpace space in paging.Spaces)
        {
            if (space.Key.User != page.Page.User || !space.Code.TryGetValue(number, out CodeMapping mapping) || mapping.ViewFrame != page.ViewFrame)
                continue;
            space.Code.Remove(number);
            paging.UnmapArena(space, (page.Page.EipPage + windows.Layout.CodeBase) >> 12, 1);
        }
    }

    /// <summary>Pages that the patcher gave up to make room.</summary>
    internal void UnmapEvicted(DroppedPage[]? evicted)
    {
        foreach (DroppedPage page in evicted ?? [])
        {
            counters.Count(Work.CodeEvicted);
            Unmap(page);
        }
    }

    /// <summary>The guest's tables no longer lead to the code page mapped at a linear page: the next fetch looks again.</summary>
    private void OnTranslationDropped(ShadowSpace space, uint linearPage)
    {
        if (space.Code.Remove(linearPage))
            paging.UnmapArena(space, (linearPage + (Windows(space.Key.User).Layout.CodeBase >> 12)) & 0xFFFFF, 1);
    }

    /// <summary>True while the guest writes to the frame too often for scanning to pay.</summary>
    internal bool IsInterpreted(uint frame) => bursts.TryGetValue(frame, out Burst burst) && burst.Until > vcpu.State.Now;

    internal void Clear()
    {
        bursts.Clear();
        units.Clear();
        plain.Clear();
        Kernel.Clear();
        User.Clear();
    }

    /// <summary>Forgets a class's windows: everything mapped in them goes, in all spaces.</summary>
    private void Retire(ViewWindows windows, bool user)
    {
        if (!windows.Active)
            return;
        foreach (ShadowSpace space in paging.Spaces)
        {
            if (space.Key.User != user)
                continue;
            foreach (uint number in space.Code.Keys)
                paging.UnmapArena(space, (number + (windows.Layout.CodeBase >> 12)) & 0xFFFFF, 1);
            space.Code.Clear();
            if (!space.HasVirtualCpu)
                continue;
            paging.UnmapArena(space, windows.Layout.VirtualCpuLinear >> 12, VirtualCpuPage.TargetPage + (uint)VirtualCpuPage.TargetPages);
            space.HasVirtualCpu = false;
        }

        windows.Retire();
        tables.ClearGates(user);
        if (!user)
            tables.BranchTable = 0;
    }

    /// <summary>No scan has reached the EIP, or only with an instruction whose pairing was not verified.</summary>
    private bool NeedsScan(bool user, uint? scanFrom, uint viewFrame) =>
        scanFrom is { } eip && patcher.Call<Locate, GuestPoint>(new Locate(user, eip, viewFrame)).Kind is PointKind.Unscanned or PointKind.None or PointKind.Straddling;

    private void MapView(ShadowSpace space, uint eipPage, in CodeMapping mapping)
    {
        if (space.Code.TryGetValue(eipPage >> 12, out CodeMapping old) && old == mapping)
            return;
        space.Code[eipPage >> 12] = mapping;
        uint linear = eipPage + Windows(space.Key.User).Layout.CodeBase;
        // Not readable: a guest that reads there sees that its own tables have nothing at this address.
        if (old.ViewFrame != mapping.ViewFrame || old.Key != mapping.Key)
            paging.MapArena(space, linear >> 12, mapping.ViewFrame, 1, MappingRights.Execute);
    }

    /// <summary>The page mapped before this one may hold an instruction that runs into it: only into the verified frame.</summary>
    private void VerifyPrevious(ShadowSpace space, in CodePageKey key)
    {
        uint previous = (key.EipPage - GuestMemory.FrameSize) >> 12;
        if (!space.Code.TryGetValue(previous, out CodeMapping mapping) || mapping.PairFrame == None || mapping.PairFrame == key.Frame)
            return;
        patcher.Call<BreakPair, Planted>(new BreakPair(mapping.Key));
        space.Code[previous] = mapping with { PairFrame = None };
    }

    /// <summary>What code pages and stubs take.</summary>
    internal CodeMemory ReadCodeMemory() => patcher.Call<ReadCodeMemory, CodeMemory>(default);

    private void Plant(in CodePageKey key, uint? scanFrom)
    {
        long start = Stopwatch.GetTimestamp();
        ScanAndPlant(key, scanFrom);
        counters.CountScanTime(Stopwatch.GetTimestamp() - start);
    }

    private void ScanAndPlant(in CodePageKey key, uint? scanFrom)
    {
        uint nextFrame = NextFrame(key.EipPage, key.User);
        scanBytes.Load(key.Frame, nextFrame);
        ScannedInstruction[] found = [];
        if (scanFrom is { } eip)
        {
            counters.Count(Work.Scan);
            found = prescan.Call<Scan, Scanned>(new Scan(
                key.EipPage, (int)(eip & 0xFFF), key.CodeBits, key.User, scanBytes.All, 0, options.Branches, units.Innocuous)).Instructions;
        }

        Strategy strategy = key.User ? Strategy.Int3Monitor : options.Strategy;
        Planted planted = patcher.Call<Plant, Planted>(new Plant(
            key, scanBytes.Page, found, strategy, nextFrame, scanBytes.Tail));
        counters.Count(Work.Plant);
        for (int i = 0; i < planted.Demoted; i++)
            counters.Count(Work.Demotion);
        decisions.Note(key.User, planted.Changes);
        UnmapEvicted(planted.Evicted);
        paging.WriteProtect(key.Frame);
    }

    /// <summary>The guest RAM frame of the linearly next page for instruction fetch, as the guest's tables have it now.</summary>
    private uint NextFrame(uint eipPage, bool user) => FrameAt(eipPage + GuestMemory.FrameSize, user);

    /// <summary>The guest RAM frame from which instructions at an EIP are fetched, or <see cref="None"/>.</summary>
    private uint FrameAt(uint eip, bool user)
    {
        Walked walked = cpu.Call<Walk, Walked>(new Walk(eip, PageAccess.Execute, user, Commit: false));
        return walked.Ok && memory.TryReadFrame(walked.Physical, out uint frame) ? frame : None;
    }

    /// <summary>How often a code frame is being written.</summary>
    /// <param name="Since">Start of the counting window, guest ns.</param>
    /// <param name="Count">Invalidations in it.</param>
    /// <param name="Until">Interpreted until this guest time.</param>
    /// <param name="Level">Doublings of the interpreted time.</param>
    private readonly record struct Burst(ulong Since, int Count, ulong Until, int Level);
}
