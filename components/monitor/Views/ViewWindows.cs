using Plexus.Messaging.Contracts.Handlers;
using Plexus.Messaging.Shared;
using Plexus.Monitor.Shadow;

namespace Plexus.Monitor.Views;

/// <summary>
/// Chooses where the windows of one privilege class lie: the code view (by its CS base), the handler segment and the virtual CPU pages.
/// Windows live in 4 MiB slots whose page-directory entries the guest leaves empty, and are moved when it takes them.
/// </summary>
internal sealed class ViewWindows(GuestMemory memory, Vcpu vcpu, ShadowPaging paging, bool user)
{
    private const int NearSlots = 4;
    private const int FarSlots = 8;
    private const uint Cr0Pg = 0x80000000;
    private const int LastUnpagedSlot = (int)(0xFE800000u >> 22);

    // Distances (in slots) of the far area from the code: displacements then have E4-E7, EC-EF or 6C-6F as their highest byte.
    private static readonly int[] FarDistances = [(int)(0xE5000000u >> 22), (int)(0xED000000u >> 22), 0x6D000000 >> 22];

    /// <summary>Code this many slots around the primary slot reaches the far area with a trapping highest displacement byte.</summary>
    private const int FarReach = 3;

    private readonly HashSet<int> codeSlots = [];
    private readonly bool[] used = new bool[1024];
    private readonly bool[] free = new bool[1024];
    private int primary;

    /// <summary>True when a layout is in force.</summary>
    internal bool Active { get; private set; }

    /// <summary>The layout in force; valid while <see cref="Active"/>.</summary>
    internal SegmentLayout Layout { get; private set; }

    /// <summary>Raised at every move.</summary>
    internal uint Generation { get; private set; }

    /// <summary>True when code at the EIP lies in the present window.</summary>
    internal bool Covers(uint eip) => Active && codeSlots.Contains((int)(eip >> 22));

    /// <summary>True when the EIP lies in the handler segment's ranges.</summary>
    internal bool IsHandlerEip(uint eip) =>
        Active && (eip - Layout.Near.Start < Layout.Near.Length || eip - Layout.Far.Start < Layout.Far.Length);

    /// <summary>True when the guest has taken a slot that a window uses.</summary>
    internal bool Conflicts()
    {
        if (!Active)
            return false;
        Look();
        for (int slot = 0; slot < 1024; slot++)
        {
            if (used[slot] && !free[slot])
                return true;
        }

        return IsTaken(Layout.Near) || IsTaken(Layout.Far);
    }

    /// <summary>The guest has mapped something where the EIPs of the handler segment are.</summary>
    private bool IsTaken(EipRange range)
    {
        for (uint at = 0; at < range.Length; at += 1u << 22)
        {
            if (!free[(int)((range.Start + at) >> 22)])
                return true;
        }

        return false;
    }

    /// <summary>Lets the window of the present base cover one more slot, if the guest leaves its place empty. The EIP is not in the handler segment.</summary>
    internal bool TryExtend(uint eip)
    {
        if (!Active)
            return false;
        Look();
        int slot = (int)(eip >> 22);
        int place = (slot + (int)(Layout.CodeBase >> 22)) & 1023;
        if (used[place] || !free[place])
            return false;

        // New code out of reach of the far area is worth a move: it becomes the primary slot (once; afterwards both are covered).
        if (Layout.Far.Length != 0 && Math.Abs(slot - primary) > FarReach && !codeSlots.Contains(slot))
            return false;
        codeSlots.Add(slot);
        used[place] = true;
        return true;
    }

    /// <summary>Chooses a layout that covers the EIP and, where possible, all code seen so far.</summary>
    /// <returns>False when the guest leaves no room: its code is interpreted.</returns>
    internal bool Move(uint eip)
    {
        Look();
        int now = (int)(eip >> 22);
        primary = now;
        codeSlots.Add(now);
        if ((memory.IsShared && TryChooseForAll()) || TryChoose() || Forget(now))
        {
            Generation++;
            Active = true;
            return true;
        }

        Clear();
        return false;
    }

    /// <summary>Gives the windows up; the slots that held code are remembered for the next layout.</summary>
    internal void Retire()
    {
        Array.Clear(used);
        Active = false;
    }

    internal void Clear()
    {
        codeSlots.Clear();
        Array.Clear(used);
        Active = false;
    }

    /// <summary>
    /// A place that every context leaves empty: on the host's own processor, moving costs more than looking. Where there is none, the present context's will do.
    /// </summary>
    private bool TryChooseForAll()
    {
        bool[] present = [.. free];
        if ((vcpu.State.Cr0 & Cr0Pg) != 0)
            paging.FindTakenElsewhere(free);
        bool found = TryChoose();
        present.CopyTo(free, 0);
        return found;
    }

    private bool Forget(int slot)
    {
        codeSlots.Clear();
        codeSlots.Add(slot);
        return TryChoose();
    }

    private bool TryChoose()
    {
        int supervisor = primary >= 512 ? primary : 0;
        foreach (bool wantFar in user ? [false] : (ReadOnlySpan<bool>)[true, false])
        {
            for (int preference = 0; preference < 2; preference++)
            {
                int lowest = preference == 0 ? supervisor : 0;
                for (int shift = 1; shift < 1024; shift++)
                {
                    if (TryShift(shift, lowest, wantFar))
                        return true;
                }
            }
        }

        return false;
    }

    private bool TryShift(int shift, int lowest, bool wantFar)
    {
        Span<bool> taken = stackalloc bool[1024];
        foreach (int slot in codeSlots)
        {
            int place = (slot + shift) & 1023;
            if ((place < lowest && slot == primary) || !free[place])
                return false;
            taken[place] = true;
        }

        uint codeBase = (uint)shift << 22;
        if (user)
        {
            Commit(new SegmentLayout(codeBase, 0, default, default), taken);
            return true;
        }

        EipRange far = default;
        if (wantFar)
        {
            int place = -1;
            foreach (int distance in FarDistances)
            {
                int candidate = (primary + distance + shift) & 1023;
                if (!RunFits(candidate, FarSlots, lowest, shift, taken))
                    continue;
                place = candidate;
                break;
            }

            if (place < 0)
                return false;
            taken.Slice(place, FarSlots).Fill(true);
            far = new EipRange((uint)((place - shift) & 1023) << 22, FarSlots << 22);
        }

        for (int near = 1023 - NearSlots; near > lowest; near--)
        {
            if (!RunFits(near, NearSlots, lowest, shift, taken))
                continue;
            taken.Slice(near, NearSlots).Fill(true);
            for (int page = 1022; page > lowest; page--)
            {
                if (taken[page] || !free[page])
                    continue;
                taken[page] = true;
                Commit(
                    new SegmentLayout(codeBase, (uint)page << 22, new EipRange((uint)((near - shift) & 1023) << 22, NearSlots << 22), far),
                    taken);
                return true;
            }

            return false;
        }

        return false;
    }

    private bool RunFits(int first, int count, int lowest, int shift, ReadOnlySpan<bool> taken)
    {
        if (first < lowest || first + count > 1024)
            return false;
        for (int place = first; place < first + count; place++)
        {
            // At the EIPs of the handler segment there is no guest code, and can be none.
            int eip = (place - shift) & 1023;
            if (taken[place] || !free[place] || codeSlots.Contains(eip) || !free[eip])
                return false;
        }

        return ((first - shift) & 1023) + count <= 1024;
    }

    private void Commit(SegmentLayout layout, ReadOnlySpan<bool> taken)
    {
        Layout = layout;
        taken.CopyTo(used);
    }

    /// <summary>Sees which slots the guest leaves empty now.</summary>
    private void Look()
    {
        if ((vcpu.State.Cr0 & Cr0Pg) != 0)
        {
            paging.FindEmpty(free);
            return;
        }

        for (int slot = 0; slot < free.Length; slot++)
            free[slot] = (uint)slot << 22 >= memory.RamSize && slot < LastUnpagedSlot;
    }
}
