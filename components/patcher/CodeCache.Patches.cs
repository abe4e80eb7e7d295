using Plexus.Messaging.Contracts.Handlers;
using Plexus.Messaging.Contracts.Patcher;
using Plexus.Messaging.Contracts.Prescan;
using Plexus.Messaging.Shared;

namespace Plexus.Patcher;

/// <content>Patches: planting and demotion.</content>
internal sealed partial class CodeCache
{
    /// <summary>How many places before a site are tried for a patch that holds it.</summary>
    private const int LeadAttempts = 4;

    /// <summary>Bytes behind its first one that decide about a patch: JMP, the rest of an instruction, one more behind STI.</summary>
    private const int LongestPatch = Patch.JumpLength + (2 * CodePage.LongestInstruction);

    /// <summary>Near a patch that had to go, another one was possible.</summary>
    public const string Replanned = "planned anew after a conflict";

    public const string NoPage = "no such code page";
    public const string BadDisplacement = "the stub's place breaks the landing rule";
    public const string NoFrame = "the arena is exhausted";

    private readonly List<DisplacedInstruction> planned = [];

    /// <summary>Sites that changed their road in the present request without having been asked for.</summary>
    private readonly List<SiteChange> changes = [];

    private void Note(CodePage page, int site, Strategy strategy, string reason) =>
        changes.Add(new SiteChange(page.EipOf(site), page.CodeAt(site), strategy, reason));

    private SiteChange[] TakeChanges()
    {
        if (changes.Count == 0)
            return [];
        SiteChange[] result = [.. changes];
        changes.Clear();
        return result;
    }

    /// <summary>Changes the road of one site.</summary>
    public StrategySet SetStrategy(in SetStrategy request)
    {
        if (!pages.TryGetValue(request.Page, out CodePage? page))
            return new StrategySet(false, Strategy.Int3Monitor, NoPage, []);
        uint offset = request.SiteEip - page.Key.EipPage;
        if (offset >= CodePage.Size || !page.Boundaries[(int)offset] || page.ClassAt((int)offset) != InstructionClass.Sensitive)
            return new StrategySet(false, Strategy.Int3Monitor, PatchPlanner.NotSensitive, []);
        int site = (int)offset;
        return request.Strategy == Strategy.Int3Monitor ? Demote(page, site) : Promote(page, site, RoadOf(request.Strategy) ?? Road.Jump);
    }

    private static Strategy StrategyOf(Road road) => road switch
    {
        Road.Call => Strategy.CallTable,
        Road.Gate => Strategy.Int3Ring3,
        _ => Strategy.JumpStub,
    };

    private StrategySet Promote(CodePage page, int site, Road road)
    {
        bool rebuilt = false;
        Pin(page);
        if (page.PatchAt(site) is { } present)
        {
            page.Wish(site, present.Start == site ? road : page.RoadAt(site));
            if (present.Start != site)
                return new StrategySet(false, StrategyOf(present.Stub.Road), PatchPlanner.InsidePatch, []);
            if (present.Stub.Road == road)
                return new StrategySet(false, StrategyOf(road), null, []);
            Remove(page, present);
            fresh.SetRange(present.Start, present.End);
            rebuilt = true;
        }
        else if (page.GateSites.ContainsKey(site))
        {
            page.Wish(site, road);
            if (road == Road.Gate)
                return new StrategySet(false, Strategy.Int3Ring3, null, []);
            RemoveGateSite(page, site);
            rebuilt = true;
        }

        page.Wish(site, road);
        string? reason = TryPlant(page, site);
        if (reason is not null && !rebuilt)
            return new StrategySet(false, Strategy.Int3Monitor, reason, TakeEvicted());
        PlantWished(page);
        Refresh(page);
        return new StrategySet(true, reason is null ? StrategyOf(road) : Strategy.Int3Monitor, reason, TakeEvicted());
    }

    private StrategySet Demote(CodePage page, int site)
    {
        page.Wished.Clear(site);
        if (page.GateSites.ContainsKey(site))
        {
            RemoveGateSite(page, site);
            return new StrategySet(true, Strategy.Int3Monitor, null, []);
        }

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
        changes.Clear();
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
                Note(page, patch.Start, Strategy.Int3Monitor, overlaps ? PatchPlanner.Overlap : PatchPlanner.BranchInside);
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
            Note(page, patch.Start, Strategy.Int3Monitor, PatchPlanner.BranchInside);
            demoted += Remove(page, patch);
            Refresh(page);
        }

        return demoted;
    }

    /// <summary>Gives ring-3 code to the sites that are to have some, have none, and lie near something fresh.</summary>
    private void PlantWished(CodePage page)
    {
        for (int site = page.Wished.Next(0); site < CodePage.Size; site = page.Wished.Next(site + 1))
        {
            if (page.Patched[site] || page.GateSites.ContainsKey(site) || !fresh.Any(Math.Max(0, site - PatchPlanner.LongestLead), site + LongestPatch))
                continue;
            if (TryPlant(page, site) is null && changes.Count > 0)
                Note(page, site, StrategyOf(page.RoadAt(site)), Replanned);
        }
    }

    /// <summary>Gives a site ring-3 code: a patch with the targets of its branches if possible, else as short as can be, else from the branch before it on.</summary>
    /// <returns>Null when done, otherwise the reason why not.</returns>
    private string? TryPlant(CodePage page, int site)
    {
        Road road = page.RoadAt(site);
        if (road != Road.Jump && !table.IsAvailable)
            return PatchPlanner.NoTable;
        if (road == Road.Gate)
            return byEip[(page.Key.EipPage, page.Key.User)].Count > 1 ? PatchPlanner.SameEip : PatchPlanner.PlanGate(page, site, planned) ?? PlantGateSite(page);
        BranchTargets incoming = targets[Class(page.Key.User)];
        string? reason = PatchPlanner.Plan(page, site, extend: true, incoming, planned) ?? PlantPlanned(page, road);
        if (reason is null)
            return null;
        int extended = planned.Count;
        string? plan = PatchPlanner.Plan(page, site, extend: false, incoming, planned);
        if (plan is not null)
            reason = plan;
        else if (planned.Count != extended)
            reason = PlantPlanned(page, road);
        if (road == Road.Call || reason != PatchPlanner.BranchInside || PatchPlanner.BranchBefore(page, site) is not (var start and >= 0))
            return road == Road.Jump && reason != Stub.NoHandler && PlantLead(page, site) ? null : reason; // what a CALL leads to is the handler of a sensitive instruction: it cannot begin before it
        reason = PatchPlanner.Plan(page, start, extend: true, incoming, planned) ?? PlantPlanned(page, road);
        return reason is null || PlantLead(page, site) ? null : reason;
    }

    /// <summary>
    /// A patch that begins some instructions before the site and holds it: where few bytes follow, or many instructions begin in them, those before may have room.
    /// A patch that begins there already gives way to the longer one.
    /// </summary>
    /// <returns>True when planted.</returns>
    private bool PlantLead(CodePage page, int site)
    {
        BranchTargets incoming = targets[Class(page.Key.User)];
        int attempts = LeadAttempts;
        for (int start = PatchPlanner.Before(page, site); start >= 0 && start >= site - PatchPlanner.LongestLead && attempts > 0; start = PatchPlanner.Before(page, start))
        {
            Patch? present = page.PatchAt(start);
            if (present is not null && present.Start != start)
                continue;
            if (present?.Stub.Road == Road.Call || PatchPlanner.Plan(page, start, extend: false, incoming, planned, site) is not null)
                continue;
            attempts--;
            if (present is not null)
            {
                Remove(page, present);
                fresh.SetRange(present.Start, present.End);
            }

            if (PlantPlanned(page, Road.Jump) is null)
                return true;
            if (present is null)
                continue;

            // What was there comes back.
            if (PatchPlanner.Plan(page, start, extend: true, incoming, planned) is null)
                PlantPlanned(page, Road.Jump);
            return false;
        }

        return false;
    }

    /// <summary>Has the code of the planned site behind INT3 made and enters it into the branch table.</summary>
    /// <returns>Null when done, otherwise the reason why not.</returns>
    private string? PlantGateSite(CodePage page)
    {
        DisplacedInstruction[] displaced = [.. planned];
        int site = displaced[0].Offset;
        uint eip = page.EipOf(site);
        uint end = page.EipOf(displaced[^1].Offset + displaced[^1].Length);
        StubInstruction[] instructions = PatchPlanner.ForStub(page, planned, records, Road.Gate);
        Stub stub = builder.Build(new BuildStub(page.Key.User, eip, instructions, end, 0, Road.Gate, BranchesOf(page)));
        if (!stub.Placed)
            return stub.Reason ?? "no place";
        if (Install(page, stub, displaced, Road.Gate, out string? reason) is not { } planted)
            return reason;
        if (!table.TryAdd(eip + 1, gate: true, stub.Continuation, end, instructions[0].RecordId, page, site))
        {
            Uninstall(page, planted);
            return PatchPlanner.TableFull;
        }

        page.AddGateSite(site, planted);
        return null;
    }

    private BranchMode BranchesOf(CodePage page) => requests[Class(page.Key.User)]?.Branches ?? BranchMode.Native;

    /// <summary>A gate knows a site by its EIP alone: where several pages lie at one EIP, every INT3 enters ring 0.</summary>
    private void ForgetAmbiguous(List<CodePage> pagesAtEip)
    {
        if (pagesAtEip.Count < 2)
            return;
        foreach (CodePage page in pagesAtEip)
        {
            verified.RemovePage(page.Key.EipPage);
            foreach (int site in page.GateSites.Keys.ToArray())
                RemoveGateSite(page, site);
        }
    }

    private void RemoveGateSite(CodePage page, int site)
    {
        PlantedStub stub = page.GateSites[site];
        page.RemoveGateSite(site);
        table.Remove(page.EipOf(site) + 1, gate: true);
        Uninstall(page, stub);
    }

    /// <summary>Has the stub of the planned patch made and plants it. Patches that begin inside it give way.</summary>
    /// <returns>Null when planted, otherwise the reason why not.</returns>
    private string? PlantPlanned(CodePage page, Road road)
    {
        if (road == Road.Call && planned.Exists(instruction => page.BelowStack[instruction.Offset]))
            return PatchPlanner.BelowStack;
        int start = planned[0].Offset;
        DisplacedInstruction[] displaced = [.. planned];
        DisplacedInstruction last = displaced[^1];
        uint patchEip = page.EipOf(start);
        uint end = page.EipOf(last.Offset + last.Length);
        int mask = PatchPlanner.TrapMask(page, start);
        StubInstruction[] instructions = PatchPlanner.ForStub(page, planned, records, road);
        Stub stub = builder.Build(new BuildStub(page.Key.User, patchEip, instructions, end, mask, road, BranchesOf(page)));
        if (!stub.Placed)
            return stub.Reason ?? "no place";
        uint displacement = stub.Eip - (patchEip + Patch.JumpLength);
        if (!Traps(displacement, mask))
        {
            FreeAll(page, stub);
            return BadDisplacement;
        }

        if (Install(page, stub, displaced, road, out string? reason) is not { } planted)
            return reason;
        var patch = new Patch(planted, displacement);
        for (int i = page.Patches.Count - 1; i >= 0; i--)
        {
            Patch inner = page.Patches[i];
            if (inner.Start <= patch.Start || inner.Start >= patch.End)
                continue;
            Remove(page, inner);
            fresh.SetRange(inner.Start, inner.End);
        }

        for (int inside = patch.Start; inside < patch.End && page.GateSites.Count > 0; inside++)
        {
            if (page.GateSites.ContainsKey(inside))
                RemoveGateSite(page, inside);
        }

        if (road == Road.Call && !table.TryAdd(patchEip + Patch.JumpLength, gate: false, stub.Continuation, end, instructions[0].RecordId, page, start))
        {
            Uninstall(page, planted);
            return PatchPlanner.TableFull;
        }

        page.AddPatch(patch);
        memory.Weights(page.ViewFrame)[patch.Start] = 0;
        return null;
    }

    /// <summary>Writes a site's code into the arena.</summary>
    /// <returns>Null when there is no frame for it: then its places were given back.</returns>
    private PlantedStub? Install(CodePage page, in Stub stub, DisplacedInstruction[] displaced, Road road, out string? reason)
    {
        StubStore store = stubs[Class(page.Key.User)];
        StubPiece[] all = [.. stub.Pieces ?? [], new StubPiece(stub.Eip, stub.Code, stub.Map, Shared: false)];
        foreach (StubPiece piece in all)
        {
            reason = GiveFrames(store, piece.Eip, piece.Code.Length);
            if (reason is null)
                continue;
            FreeAll(page, stub);
            return null;
        }

        List<PlantedStub> pieces = [];
        foreach (StubPiece piece in stub.Pieces ?? [])
        {
            PlantedStub code = piece.Shared
                ? new PlantedStub(piece.Eip, piece.Code.Length, piece.Map) { Road = road }
                : new PlantedStub(piece.Eip, piece.Code.Length, piece.Map) { Road = road, Page = page, Displaced = displaced };
            store.Add(code, piece.Code.Span);
            if (!piece.Shared)
                pieces.Add(code);
        }

        var planted = new PlantedStub(stub.Eip, stub.Code.Length, stub.Map) { Page = page, Displaced = displaced, Road = road, Pieces = [.. pieces] };
        store.Add(planted, stub.Code.Span);
        reason = null;
        return planted;
    }

    /// <summary>Writes code that serves many sites into the arena.</summary>
    /// <returns>False when there is no frame for it.</returns>
    private bool Install(StubStore store, in StubPiece piece, PlantedStub code)
    {
        if (GiveFrames(store, piece.Eip, piece.Code.Length) is not null)
            return false;
        store.Add(code, piece.Code.Span);
        return true;
    }

    private void Uninstall(CodePage page, PlantedStub stub)
    {
        foreach (PlantedStub piece in (ReadOnlySpan<PlantedStub>)[stub, .. stub.Pieces])
        {
            stubs[Class(page.Key.User)].Remove(piece);
            builder.Free(new FreeStub(page.Key.User, piece.Eip, piece.Length));
        }
    }

    /// <summary>Gives back the places of a stub that is not to be used.</summary>
    private void FreeAll(CodePage page, in Stub stub)
    {
        builder.Free(new FreeStub(page.Key.User, stub.Eip, stub.Code.Length));
        foreach (StubPiece piece in stub.Pieces ?? [])
            builder.Free(new FreeStub(page.Key.User, piece.Eip, piece.Code.Length));
    }

    private string? GiveFrames(StubStore store, uint eip, int length)
    {
        foreach (uint missing in store.MissingPages(eip, length).ToArray())
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
        if (patch.Stub.Road == Road.Call)
            table.Remove(page.EipOf(patch.Start) + Patch.JumpLength, gate: false);
        Uninstall(page, patch.Stub);
        return 1;
    }

    private int DropPatches(CodePage page)
    {
        int count = 0;
        while (page.Patches.Count > 0)
            count += Remove(page, page.Patches[^1]);
        foreach (int site in page.GateSites.Keys.ToArray())
        {
            RemoveGateSite(page, site);
            count++;
        }

        return count;
    }

    /// <summary>Takes patches away whose stubs go with their whole class.</summary>
    private static void ForgetPatches(CodePage page)
    {
        while (page.Patches.Count > 0)
            page.RemovePatch(page.Patches[^1]);
        foreach (int site in page.GateSites.Keys.ToArray())
            page.RemoveGateSite(site);
    }
}
