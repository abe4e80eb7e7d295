namespace Plexus.Patcher;

/// <summary>Targets of direct branches that lead to another page, by EIP. Never forgotten one by one: a target too many only forbids a patch.</summary>
internal sealed class BranchTargets
{
    private readonly Dictionary<uint, PageBits> pages = [];

    /// <summary>Notes a target.</summary>
    /// <returns>True when it is new.</returns>
    public bool Add(uint eip)
    {
        if (!pages.TryGetValue(eip & ~0xFFFu, out PageBits? bits))
            pages.Add(eip & ~0xFFFu, bits = new PageBits());
        int offset = (int)(eip & 0xFFF);
        if (bits[offset])
            return false;
        bits.Set(offset);
        return true;
    }

    /// <summary>True when some other page branches to an offset in (after, before) of a page.</summary>
    public bool Any(uint eipPage, int after, int before) =>
        pages.TryGetValue(eipPage, out PageBits? bits) && bits.Any(after + 1, before);

    /// <summary>Forgets everything.</summary>
    public void Clear() => pages.Clear();
}
