using Plexus.Messaging.Contracts.Handlers;
using Plexus.Messaging.Contracts.Patcher;
using Plexus.Messaging.Contracts.Prescan;
using Plexus.Messaging.Shared;

namespace Plexus.Patcher;

/// <content>Patches: planting, demotion, and the way back from a code EIP to the guest.</content>
internal sealed partial class CodeCache
{
    /// <summary>Bytes behind its first one that decide about a patch: JMP, the rest of an instruction, one more behind STI.</summary>
    private const int LongestPatch = Patch.JumpLength + (2 * CodePage.LongestInstruction);

    public const string NoPage = "no such code page";
    public const string BadDisplacement = "the stub's place breaks the landing rule";
    public const string NoFrame = "the arena is exhausted";

    private readonly List<DisplacedInstruction> planned = [];

    /// <summary>Changes the road of one site.</summary>
    public StrategySet SetStrategy(in SetStrategy request)
    {
        if (!pages.TryGetValue(request.Page, out CodePage? page))
            return new StrategySet(false, Strategy.Int3Monitor, NoPage, []);
        uint offset = request.SiteEip - page.Key.EipPage;
        if (offset >= CodePage.Size || !page.Boundaries[(int)offset] || page.ClassAt((int)offset) != InstructionClass.Sensitive)
            return new StrategySet(false, Strategy.Int3Monitor, PatchPlanner.NotSensitive, []);
        int site = (int)offset;
        return request.Strategy == Strategy.Int3Monitor ? Demote(page, site) : Promote(page, site);
    }

    /// <summary>What a code EIP stands for. Allocates nothing.</summary>
    public GuestPoint Locate(in Locate request)
    {
        uint eip = request.CodeEip;
        if (request.ViewFrame != None && byView.TryGetValue(request.ViewFrame, out CodePage? page))
            return page.Key.User == request.User && page.Key.EipPage == (eip & ~0xFFFu) ? LocateInPage(page, (int)(eip & 0xFFF)) : default;
        return LocateInStub(request.User, eip);
    }

    /// <summary>What a trace record stands for.</summary>
    public ResolvedRecord ResolveRecord(in ResolveRecord request) => records.Resolve(request.RecordId);

    private static GuestPoint LocateInPage(CodePage page, int offset)
    {
        uint eip = page.EipOf(offset);
        if (!page.Boundaries[offset])
            return new GuestPoint(PointKind.Unscanned, eip, 0, false, 0, eip);
        int code = page.CodeAt(offset);
        if (page.PatchAt(offset) is { } patch)
        {
            PointKind kind = patch.Start == offset ? PointKind.Plain : PointKind.Displaced;
            return new GuestPoint(kind, eip, 0, false, code, page.EipOf(patch.Start));
        }

        if (!page.Int3[offset])
            return new GuestPoint(PointKind.Plain, eip, 0, false, code, eip);
        return new GuestPoint(page.ClassAt(offset) == InstructionClass.Straddling ? PointKind.Straddling : PointKind.Site, eip, 0, false, code, eip);
    }

    private GuestPoint LocateInStub(bool user, uint eip)
    {
        if (stubs[Class(user)].Find(eip) is not { } stub || !stub.TryFind(eip, out StubMapEntry entry))
            return default;
        int code = 0;
        uint offset = entry.GuestEip - stub.Page.Key.EipPage;
        foreach (DisplacedInstruction displaced in stub.Displaced)
        {
            if ((uint)displaced.Offset == offset)
                code = displaced.Code;
        }

        return new GuestPoint(
            entry.Deferred ? PointKind.StubDeferred : PointKind.Stub,
            entry.GuestEip,
            entry.RestoreMask,
            entry.StiShadow,
            code,
            stub.Page.EipOf(stub.Displaced[0].Offset),
            entry.RingWrite);
    }

    private StrategySet Promote(CodePage page, int site)
    {
        page.Wished.Set(site);
        if (page.PatchAt(site) is { } present)
            return new StrategySet(false, Strategy.JumpStub, present.Start == site ? null : PatchPlanner.InsidePatch, []);
        Pin(page);
        string? reason = TryPlant(page, site);
        if (reason is not null)
            return new StrategySet(false, Strategy.Int3Monitor, reason, TakeEvicted());
        PlantWished(page);
        Refresh(page);
        return new StrategySet(true, Strategy.JumpStub, null, TakeEvicted());
    }

    private StrategySet Demote(CodePage page, int site)
    {
        page.Wished.Clear(site);
        if (page.PatchAt(site) is not { } patch)
            return new StrategySet(false, Strategy.Int3Monitor, null, []);
        Pin(page);
        page.Wished.Clear(patch.Start);
        Remove(page, patch);
        fresh.SetRange(patch.Start, patch.End);
        PlantWished(page);
        Refresh(page);
        return new StrategySet(true, Strategy.Int3Monitor, null, TakeEvicted());
    }

    private void Pin(CodePage page)
    {
        pinned.Clear();
        pinned.Add(page);
        fresh.ClearAll();
    }

    /// <summary>Judges the planted patches after an instruction became known.</summary>
    /// <returns>Stubs taken back.</returns>
    private int Admit(CodePage page, in ScannedInstruction instruction)
    {
        int demoted = 0;
        int end = Math.Min(instruction.Offset + instruction.Length, CodePage.Size);
        for (int i = page.Patches.Count - 1; i >= 0; i--)
        {
            Patch patch = page.Patches[i];
            bool overlaps = instruction.Offset < patch.End && end > patch.Start && !patch.Displaces(instruction.Offset, instruction.Length);
            if (overlaps || (HasTarget(instruction) && IsEntered(page, patch, instruction)))
            {
                demoted += Remove(page, patch);
                fresh.SetRange(patch.Start, patch.End);
            }
        }

        if (HasTarget(instruction) && instruction.Target - page.Key.EipPage >= CodePage.Size && targets[Class(page.Key.User)].Add(instruction.Target))
            demoted += DemoteEntered(page.Key.User, instruction.Target);
        return demoted;
    }

    private static bool HasTarget(in ScannedInstruction instruction) => instruction.Flow is FlowKind.Jump or FlowKind.Conditional or FlowKind.Call;

    private static bool IsEntered(CodePage page, Patch patch, in ScannedInstruction branch)
    {
        uint target = branch.Target - page.Key.EipPage;
        return target > (uint)patch.Start && target < (uint)patch.End
            && !(patch.DisplacesAt(branch.Offset) && patch.DisplacesAt((int)target));
    }

    /// <summary>Takes back the patches of other pages that a newly known branch leads into.</summary>
    private int DemoteEntered(bool user, uint target)
    {
        if (!byEip.TryGetValue((target & ~0xFFFu, user), out List<CodePage>? list))
            return 0;
        int demoted = 0;
        int offset = (int)(target & 0xFFF);
        foreach (CodePage page in list)
        {
            if (page.PatchAt(offset) is not { } patch || patch.Start == offset)
                continue;
            demoted += Remove(page, patch);
            Refresh(page);
        }

        return demoted;
    }

    /// <summary>Plants stubs at the sites that are to have one, have none, and lie near something fresh.</summary>
    private void PlantWished(CodePage page)
    {
        for (int site = page.Wished.Next(0); site < CodePage.Size; site = page.Wished.Next(site + 1))
        {
            if (!page.Patched[site] && fresh.Any(site, site + LongestPatch))
                TryPlant(page, site);
        }
    }

    /// <summary>Plants a stub for a site: with the targets of its branches if possible, else as short as can be, else from the branch before it on.</summary>
    /// <returns>Null when planted, otherwise the reason why not.</returns>
    private string? TryPlant(CodePage page, int site)
    {
        BranchTargets incoming = targets[Class(page.Key.User)];
        string? reason = PatchPlanner.Plan(page, site, extend: true, incoming, planned) ?? PlantPlanned(page);
        if (reason is null)
            return null;
        int extended = planned.Count;
        string? plan = PatchPlanner.Plan(page, site, extend: false, incoming, planned);
        if (plan is not null)
            reason = plan;
        else if (planned.Count != extended)
            reason = PlantPlanned(page);
        if (reason != PatchPlanner.BranchInside || PatchPlanner.BranchBefore(page, site) is not (var start and >= 0))
            return reason;
        return PatchPlanner.Plan(page, start, extend: true, incoming, planned) ?? PlantPlanned(page);
    }

    /// <summary>Has the stub of the planned patch made and plants it. Patches that begin inside it give way.</summary>
    /// <returns>Null when planted, otherwise the reason why not.</returns>
    private string? PlantPlanned(CodePage page)
    {
        int start = planned[0].Offset;
        DisplacedInstruction[] displaced = [.. planned];
        DisplacedInstruction last = displaced[^1];
        uint patchEip = page.EipOf(start);
        int mask = PatchPlanner.TrapMask(page, start);
        StubInstruction[] instructions = PatchPlanner.ForStub(page, planned, records);
        Stub stub = builder.Build(new BuildStub(page.Key.User, patchEip, instructions, page.EipOf(last.Offset + last.Length), mask));
        if (!stub.Placed)
            return stub.Reason ?? "no place";
        uint displacement = stub.Eip - (patchEip + Patch.JumpLength);
        StubStore store = stubs[Class(page.Key.User)];
        string? reason = Traps(displacement, mask) ? GiveFrames(store, stub) : BadDisplacement;
        if (reason is not null)
        {
            builder.Free(new FreeStub(page.Key.User, stub.Eip, stub.Code.Length));
            return reason;
        }

        var planted = new PlantedStub(stub.Eip, stub.Code.Length, stub.Map) { Page = page, Displaced = displaced };
        var patch = new Patch(planted, displacement);
        for (int i = page.Patches.Count - 1; i >= 0; i--)
        {
            Patch inner = page.Patches[i];
            if (inner.Start <= patch.Start || inner.Start >= patch.End)
                continue;
            Remove(page, inner);
            fresh.SetRange(inner.Start, inner.End);
        }

        store.Add(planted, stub.Code.Span);
        page.AddPatch(patch);
        memory.Weights(page.ViewFrame)[patch.Start] = 0;
        return null;
    }

    private string? GiveFrames(StubStore store, in Stub stub)
    {
        foreach (uint missing in store.MissingPages(stub.Eip, stub.Code.Length).ToArray())
        {
            uint frame = TakeFrame();
            if (frame == None)
                return NoFrame;
            store.AddFrame(missing, frame);
        }

        return null;
    }

    private static bool Traps(uint displacement, int mask)
    {
        for (int i = 0; i < 4; i++)
        {
            if ((mask & (1 << i)) != 0 && !TrapBytes.Contains((byte)(displacement >> (8 * i))))
                return false;
        }

        return true;
    }

    /// <summary>Takes a patch back; the page is to be refreshed.</summary>
    /// <returns>1, the stub taken back.</returns>
    private int Remove(CodePage page, Patch patch)
    {
        page.RemovePatch(patch);
        memory.Weights(page.ViewFrame)[patch.Start] = 1;
        stubs[Class(page.Key.User)].Remove(patch.Stub);
        builder.Free(new FreeStub(page.Key.User, patch.Stub.Eip, patch.Stub.Length));
        return 1;
    }

    private int DropPatches(CodePage page)
    {
        int count = 0;
        while (page.Patches.Count > 0)
            count += Remove(page, page.Patches[^1]);
        return count;
    }

    /// <summary>Takes patches away whose stubs go with their whole class.</summary>
    private static void ForgetPatches(CodePage page)
    {
        while (page.Patches.Count > 0)
            page.RemovePatch(page.Patches[^1]);
    }
}
