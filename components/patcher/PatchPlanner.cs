using Iced.Intel;
using Plexus.Messaging.Contracts.Handlers;
using Plexus.Messaging.Contracts.Prescan;

namespace Plexus.Patcher;

/// <summary>Decides whether a JMP may be planted at a sensitive instruction, what it displaces, and which displacement bytes must trap.</summary>
internal static class PatchPlanner
{
    /// <summary>No instruction more than this is displaced; five bytes never need more, an STI behind them one; the rest is for what leads to a site.</summary>
    private const int MostInstructions = 12;

    /// <summary>How far before a site a patch may begin.</summary>
    public const int LongestLead = 32;

    /// <summary>Jcc rel32 with a hint prefix.</summary>
    private const int LongestBranch = 7;

    public const string NotSensitive = "not a sensitive instruction";
    public const string UserClass = "user code has no stubs";
    public const string SixteenBit = "16-bit code has no stubs";
    public const string InsidePatch = "inside another patch";
    public const string PageEnd = "too close to the end of the page";
    public const string Undecoded = "what follows is not decoded";
    public const string InvalidInside = "an invalid instruction follows";
    public const string CallInside = "a call would return into the patch";
    public const string Overlap = "another instruction stream overlaps";
    public const string BelowStack = "it names memory below ESP";
    public const string NoTable = "there is no branch table";
    public const string TableFull = "the branch table has no place for it";
    public const string SameEip = "another page lies at the same EIP";
    public const string BranchInside = "a branch leads into the patch";

    /// <summary>Plans a patch.</summary>
    /// <param name="page">The page.</param>
    /// <param name="start">Offset of the JMP: of the sensitive instruction, or of the branch before it.</param>
    /// <param name="extend">Displace on to the targets of displaced branches that lead a little ahead, so that source and target share the stub.</param>
    /// <param name="incoming">Branches from other pages of the class.</param>
    /// <param name="displaced">Receives the displaced instructions.</param>
    /// <param name="through">Offset of an instruction behind <paramref name="start"/> that is to be displaced too; -1 for none.</param>
    /// <returns>Null when it may be planted, otherwise the reason.</returns>
    public static string? Plan(CodePage page, int start, bool extend, BranchTargets incoming, List<DisplacedInstruction> displaced, int through = -1)
    {
        displaced.Clear();
        if (page.Key.User)
            return UserClass;
        if (page.Key.CodeBits != 32)
            return SixteenBit;
        if (page.PatchAt(start) is { } other && other.Start != start)
            return InsidePatch;
        if (Collect(page, start, extend, displaced, Math.Max(Patch.JumpLength, through + 1 - start)) is { } reason)
            return reason;
        DisplacedInstruction last = displaced[^1];
        if (last.Offset < through)
            return Undecoded; // control leaves before it
        int end = Math.Max(last.Offset + last.Length, start + Patch.JumpLength);
        if (end > CodePage.Size || start + Patch.JumpLength == CodePage.Size)
            return PageEnd; // the last byte of a page may not be a displacement byte: IN and OUT with an immediate would fetch across the edge before they trap
        if (Overlaps(page, start, end, displaced))
            return Overlap;
        return IsEntered(page, start, end, displaced) || incoming.Any(page.Key.EipPage, start, end) ? BranchInside : null;
    }

    /// <summary>
    /// Plans the code of a site behind INT3: the sensitive instruction alone, whose neighbours stay in place. Behind STI the next one comes along, as in a patch.
    /// </summary>
    /// <returns>Null when it may be built, otherwise the reason.</returns>
    public static string? PlanGate(CodePage page, int site, List<DisplacedInstruction> displaced)
    {
        displaced.Clear();
        if (page.Key.User)
            return UserClass;
        if (page.Key.CodeBits != 32)
            return SixteenBit;
        if (page.BelowStack[site])
            return BelowStack;
        return Collect(page, site, extend: false, displaced, length: 1);
    }

    /// <summary>The conditional branch that ends where a site begins and leads past it (<c>je +1; sti</c>): a patch that begins there holds both.</summary>
    /// <returns>Its offset, or -1.</returns>
    public static int BranchBefore(CodePage page, int site)
    {
        for (int offset = site - 2; offset >= Math.Max(0, site - LongestBranch); offset--)
        {
            if (page.Boundaries[offset] && offset + page.LengthAt(offset) == site && page.FlowAt(offset) == FlowKind.Conditional
                && page.ClassAt(offset) == InstructionClass.Innocuous && IsAhead(page.TargetOf(offset), site))
                return offset;
        }

        return -1;
    }

    /// <summary>The instruction that ends where another begins, and lets control go on there: a patch can begin at it.</summary>
    /// <returns>Its offset, or -1: there is none, or more than one.</returns>
    public static int Before(CodePage page, int offset)
    {
        int before = -1;
        for (int at = Math.Max(0, offset - CodePage.LongestInstruction); at < offset; at++)
        {
            if (!page.Boundaries[at] || at + page.LengthAt(at) != offset)
                continue;
            if (before >= 0 || page.ClassAt(at) is not (InstructionClass.Innocuous or InstructionClass.Sensitive) || page.FlowAt(at) is not (FlowKind.Next or FlowKind.Conditional))
                return -1;
            before = at;
        }

        return before;
    }

    /// <summary>Bit i set: displacement byte i begins an instruction or is covered by none, so it must trap.</summary>
    public static int TrapMask(CodePage page, int start)
    {
        int mask = 0;
        for (int i = 0; i < 4; i++)
        {
            int offset = start + 1 + i;
            if (page.Boundaries[offset] || !page.Covered[offset])
                mask |= 1 << i;
        }

        return mask;
    }

    /// <summary>What BuildStub needs of the displaced instructions.</summary>
    public static StubInstruction[] ForStub(CodePage page, List<DisplacedInstruction> displaced, RecordTable records, Road road)
    {
        var result = new StubInstruction[displaced.Count];
        for (int i = 0; i < result.Length; i++)
        {
            DisplacedInstruction x = displaced[i];
            uint eip = page.EipOf(x.Offset);
            result[i] = new StubInstruction(eip, page.Original.AsMemory(x.Offset, x.Length), x.Sensitive, x.Sensitive ? records.IdOf(eip, x.Code, road) : 0);
        }

        return result;
    }

    /// <summary>
    /// Takes instructions until the patch has room. The one after STI is always taken along: it runs before interrupts are seen again.
    /// What comes back (a call, INT n) may only be the last, and then the JMP must end before the place it comes back to.
    /// </summary>
    private static string? Collect(CodePage page, int start, bool extend, List<DisplacedInstruction> displaced, int length)
    {
        int at = start;
        int reach = start + length;
        while (true)
        {
            if (at >= CodePage.Size)
                return PageEnd;
            if (!page.Boundaries[at])
                return Undecoded;
            if (page.Crosses(at) || page.ClassAt(at) == InstructionClass.Straddling)
                return PageEnd;
            InstructionClass kind = page.ClassAt(at);
            if (kind == InstructionClass.Invalid)
                return InvalidInside;
            if (displaced.Count == MostInstructions)
                return Undecoded;
            int code = page.CodeAt(at);
            displaced.Add(new DisplacedInstruction(at, page.LengthAt(at), code, kind == InstructionClass.Sensitive));
            FlowKind flow = page.FlowAt(at);
            at += page.LengthAt(at);
            if (flow is FlowKind.Jump or FlowKind.Computed or FlowKind.End)
                return null;
            if (extend && flow == FlowKind.Conditional && page.TargetOf(displaced[^1].Offset) is var target && IsAhead(target, at))
                reach = Math.Max(reach, target);
            if (at >= reach && code != (int)Code.Sti)
                return null;
            if (ComesBack(flow, (Code)code))
                return CallInside;
        }
    }

    /// <summary>True when a branch leads over a few bytes behind an offset.</summary>
    private static bool IsAhead(int target, int offset) => target > offset && target <= offset + CodePage.LongestInstruction;

    private static bool ComesBack(FlowKind flow, Code code) =>
        flow is FlowKind.Call or FlowKind.ComputedCall ||
        code is Code.Int_imm8 or Code.Int3 or Code.Into or Code.Int1 or Code.Call_ptr1632 or Code.Call_ptr1616 or Code.Call_m1632 or Code.Call_m1616;

    /// <summary>True when a decoded instruction that is not displaced shares a byte with the patch.</summary>
    private static bool Overlaps(CodePage page, int start, int end, List<DisplacedInstruction> displaced)
    {
        int next = 0;
        for (int offset = Math.Max(0, start - CodePage.LongestInstruction + 1); offset < end; offset++)
        {
            if (!page.Boundaries[offset])
                continue;
            if (next < displaced.Count && displaced[next].Offset == offset)
                next++;
            else if (offset + page.LengthAt(offset) > start)
                return true;
        }

        return false;
    }

    /// <summary>True when a known branch of the page leads into the patch and would not be displaced together with its target.</summary>
    private static bool IsEntered(CodePage page, int start, int end, List<DisplacedInstruction> displaced)
    {
        foreach ((int source, int target) in page.Edges)
        {
            if (target > start && target < end && !(Contains(displaced, source) && Contains(displaced, target)))
                return true;
        }

        return false;
    }

    private static bool Contains(List<DisplacedInstruction> displaced, int offset)
    {
        foreach (DisplacedInstruction x in displaced)
        {
            if (x.Offset == offset)
                return true;
        }

        return false;
    }
}
