using Plexus.Messaging.Shared;

namespace Plexus.Patcher;

/// <summary>
/// Checks a code page against the rules that make overwriting neighbours sound, from the bytes in the arena and the decoded instructions
/// alone. It shares no decision with the planner: tests and diagnostics run it over pages the planner made.
/// </summary>
internal static class LandingRule
{
    /// <summary>Checks a page.</summary>
    /// <returns>Null when all is well, otherwise the first violation.</returns>
    public static string? Check(CodePage page, GuestMemory memory)
    {
        ReadOnlySpan<byte> view = memory.Frame(page.ViewFrame);
        foreach (Patch patch in page.Patches)
        {
            if (CheckPatch(page, patch, view) is { } violation)
                return violation;
            if (memory.Weights(page.ViewFrame)[patch.Start] != 0)
                return $"The patch at {page.EipOf(patch.Start):X8} retires an instruction.";
        }

        int tail = 0;
        foreach (CodePage previous in page.Previous)
            tail = Math.Max(tail, previous.LiveTail);
        ReadOnlySpan<byte> weights = memory.Weights(page.ViewFrame);
        for (int offset = 0; offset < CodePage.Size; offset++)
        {
            if ((offset & 63) == 0 && page.Boundaries.Words[offset >> 6] == 0
                && view.Slice(offset, 64).IndexOfAnyExcept(TrapBytes.Int3) < 0 && weights.Slice(offset, 64).IndexOfAnyExcept((byte)1) < 0)
            {
                offset += 63; // nothing decoded, nothing but INT3 shown
                continue;
            }

            if (page.Patched[offset])
                continue;
            if (weights[offset] != 1)
                return $"{page.EipOf(offset):X8} has a weight without a patch.";
            if (view[offset] != TrapBytes.Int3 && view[offset] != page.Original[offset] && !(page.Int3[offset] && view[offset] == page.TrapAt(offset)))
                return $"{page.EipOf(offset):X8} shows {view[offset]:X2}, neither INT3 nor the guest's byte.";
            if (!page.Covered[offset] && offset >= tail && view[offset] != TrapBytes.Int3)
                return $"{page.EipOf(offset):X8} was never decoded and shows {view[offset]:X2}.";
            if (page.Boundaries[offset] && CheckInstruction(page, offset, view) is { } violation)
                return violation;
        }

        return null;
    }

    /// <summary>Outside patches an instruction is shown whole, or its first byte is INT3.</summary>
    private static string? CheckInstruction(CodePage page, int offset, ReadOnlySpan<byte> view)
    {
        if (page.Int3[offset])
            return view[offset] == page.TrapAt(offset) ? null : $"The INT3 at {page.EipOf(offset):X8} is missing.";
        if (page.ClassAt(offset) is Messaging.Contracts.Prescan.InstructionClass.Sensitive or Messaging.Contracts.Prescan.InstructionClass.Invalid)
            return $"The instruction at {page.EipOf(offset):X8} may not run.";
        int end = Math.Min(offset + page.LengthAt(offset), CodePage.Size);
        return view[offset..end].SequenceEqual(page.Original.AsSpan(offset, end - offset)) ? null : $"The instruction at {page.EipOf(offset):X8} is cut.";
    }

    private static string? CheckPatch(CodePage page, Patch patch, ReadOnlySpan<byte> view)
    {
        string at = page.EipOf(patch.Start).ToString("X8", System.Globalization.CultureInfo.InvariantCulture);
        if (patch.Start + Patch.JumpLength > CodePage.Size || patch.End > CodePage.Size)
            return $"The patch at {at} leaves the page.";
        if (view[patch.Start] != patch.Opcode)
            return $"There is no {patch.Opcode:X2} at {at}.";
        uint target = page.EipOf(patch.Start) + Patch.JumpLength + System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(view[(patch.Start + 1)..]);
        if (target != patch.Stub.Eip)
            return $"The patch at {at} leads to {target:X8}, not to its stub.";
        for (int offset = patch.Start + 1; offset < patch.End; offset++)
        {
            bool mustTrap = page.Boundaries[offset] || !page.Covered[offset];
            if (mustTrap && !TrapBytes.Contains(view[offset]))
                return $"A landing at {page.EipOf(offset):X8} would run {view[offset]:X2}.";
            if (mustTrap && offset == CodePage.Size - 1 && view[offset] is >= 0xE4 and <= 0xE7)
                return $"A landing at {page.EipOf(offset):X8} would fetch from the next page.";
            if (offset >= patch.Start + Patch.JumpLength && view[offset] != TrapBytes.Int3)
                return $"The left-over byte at {page.EipOf(offset):X8} is {view[offset]:X2}.";
        }

        for (int offset = Math.Max(0, patch.Start - CodePage.LongestInstruction + 1); offset < patch.End; offset++)
        {
            if (!page.Boundaries[offset] || offset + page.LengthAt(offset) <= patch.Start || patch.DisplacesAt(offset))
                continue;
            if (offset < patch.Start && view[offset] != page.TrapAt(offset))
                return $"The patch at {at} cuts the instruction at {page.EipOf(offset):X8}.";
        }

        return null;
    }
}
