using Plexus.Messaging.Contracts.Handlers;

namespace Plexus.Handlers.Placement;

/// <summary>
/// Places stubs in the EIP ranges of a layout so that the planted jump obeys the landing rule. Pages that hold stubs already are filled first, lowest
/// EIP first; a stub never straddles two pages. The same requests in the same order give the same places.
/// </summary>
public sealed class StubAllocator
{
    private const int JumpLength = 5;

    /// <summary>No stub is shorter: a page with less room is not looked at.</summary>
    private const int ShortestStub = 16;

    private readonly EipRange near;
    private readonly EipRange far;
    private readonly SortedDictionary<uint, StubPage> pages = [];
    private readonly SortedSet<uint> roomy = [];

    /// <param name="near">EIPs for ordinary stubs.</param>
    /// <param name="far">EIPs for stubs whose highest displacement byte must trap; may be empty.</param>
    /// <exception cref="ArgumentException">A range passes 2^32, or the ranges overlap.</exception>
    public StubAllocator(EipRange near, EipRange far)
    {
        if (End(near) > 1UL << 32 || End(far) > 1UL << 32)
            throw new ArgumentException("A range of stub EIPs passes the end of the address space.");
        if (near.Length != 0 && far.Length != 0 && near.Start < End(far) && far.Start < End(near))
            throw new ArgumentException("The near and the far range overlap.");
        this.near = near;
        this.far = far;
    }

    /// <summary>Pages that hold stubs now.</summary>
    public int Pages => pages.Count;

    /// <summary>Bytes taken now.</summary>
    public long UsedBytes => pages.Values.Sum(page => (long)page.Used);

    /// <summary>Finds and takes a place.</summary>
    /// <param name="patchEip">EIP of the planted jump; its displacement counts from 5 bytes further on.</param>
    /// <param name="length">Length of the stub in bytes.</param>
    /// <param name="trapMask">Bit i set: displacement byte i must trap.</param>
    /// <param name="eip">EIP of the place.</param>
    /// <returns>False when there is none.</returns>
    public bool TryAllocate(uint patchEip, int length, int trapMask, out uint eip)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        uint origin = patchEip + JumpLength;
        eip = 0;
        if (length > StubPage.Size)
            return false;
        bool preferFar = (trapMask & 0x8) != 0;
        return TryRange(preferFar ? far : near, origin, length, trapMask, out eip)
            || TryRange(preferFar ? near : far, origin, length, trapMask, out eip);
    }

    /// <summary>Gives a place back.</summary>
    /// <exception cref="ArgumentException">Nothing was placed there.</exception>
    public void Free(uint eip, int length)
    {
        uint pageEip = eip & ~(StubPage.Size - 1u);
        int offset = (int)(eip - pageEip);
        if (length < 1
            || offset + length > StubPage.Size
            || !pages.TryGetValue(pageEip, out StubPage? page)
            || !page.IsTaken(offset, length))
            throw new ArgumentException($"No stub of {length} bytes lies at {eip:X8}.");
        page.Free(offset, length);
        if (page.Used == 0)
        {
            pages.Remove(pageEip);
            roomy.Remove(pageEip);
        }
        else if (page.LongestFree >= ShortestStub)
        {
            roomy.Add(pageEip);
        }
    }

    private static ulong End(EipRange range) => (ulong)range.Start + range.Length;

    private bool TryRange(EipRange range, uint origin, int length, int trapMask, out uint eip)
    {
        eip = 0;
        return range.Length != 0
            && (TryUsedPages(range, origin, length, trapMask, out eip) || TryFreshPage(range, origin, length, trapMask, out eip));
    }

    private bool TryUsedPages(EipRange range, uint origin, int length, int trapMask, out uint eip)
    {
        uint last = (uint)(End(range) - 1);
        foreach (uint pageEip in roomy.GetViewBetween(range.Start & ~(StubPage.Size - 1u), last))
        {
            StubPage page = pages[pageEip];
            if (page.LongestFree < length || !TryPage(pageEip, page, range, origin, length, trapMask, out eip))
                continue;
            Take(pageEip, page, eip, length);
            return true;
        }

        eip = 0;
        return false;
    }

    private static bool TryPage(uint pageEip, StubPage page, EipRange range, uint origin, int length, int trapMask, out uint eip)
    {
        ulong offset = range.Start > pageEip ? range.Start - pageEip : 0;
        ulong end = Math.Min(StubPage.Size, End(range) - pageEip);
        while (true)
        {
            eip = pageEip + (uint)offset;
            offset += Displacement.DistanceToNext(eip - origin, trapMask);
            if (offset + (uint)length > end)
                return false;
            int taken = page.FirstTaken((int)offset, length);
            if (taken < 0)
            {
                eip = pageEip + (uint)offset;
                return true;
            }

            offset = (ulong)page.NextFree(taken);
        }
    }

    private bool TryFreshPage(EipRange range, uint origin, int length, int trapMask, out uint eip)
    {
        ulong cursor = range.Start;
        ulong end = End(range);
        while (cursor + (uint)length <= end)
        {
            cursor += Displacement.DistanceToNext((uint)cursor - origin, trapMask);
            ulong pageEnd = (cursor & ~(StubPage.Size - 1UL)) + StubPage.Size;
            eip = (uint)cursor;
            uint pageEip = (uint)(pageEnd - StubPage.Size);
            if (cursor + (uint)length > Math.Min(pageEnd, end) || pages.ContainsKey(pageEip))
            {
                cursor = pageEnd;
                continue;
            }

            StubPage page = new();
            pages.Add(pageEip, page);
            Take(pageEip, page, eip, length);
            return true;
        }

        eip = 0;
        return false;
    }

    private void Take(uint pageEip, StubPage page, uint eip, int length)
    {
        page.Take((int)(eip - pageEip), length);
        if (page.LongestFree >= ShortestStub)
            roomy.Add(pageEip);
        else
            roomy.Remove(pageEip);
    }
}
