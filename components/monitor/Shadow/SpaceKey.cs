using Plexus.Messaging.Shared;

namespace Plexus.Monitor.Shadow;

/// <summary>What makes two guest contexts need different mapping spaces.</summary>
/// <param name="Directories">Where its page directories lie.</param>
/// <param name="Modes">Bits of <see cref="PagingModes"/>.</param>
/// <param name="User">Privilege class.</param>
internal readonly record struct SpaceKey(Directories Directories, PagingModes Modes, bool User)
{
    private const uint Cr0Pg = 0x80000000;
    private const uint Cr0Wp = 0x00010000;
    private const uint Cr4Pse = 0x10;
    private const uint Cr4Pae = 0x20;

    internal bool Paging => (Modes & PagingModes.Paging) != 0;

    /// <summary>The guest's present context.</summary>
    internal static SpaceKey Of(in VcpuBlock v, bool a20, bool user)
    {
        PagingModes modes = a20 ? PagingModes.A20 : PagingModes.None;
        if ((v.Cr0 & Cr0Pg) == 0)
            return new SpaceKey(Directories.Absent, modes, user);
        modes |= PagingModes.Paging;
        if ((v.Cr0 & Cr0Wp) != 0)
            modes |= PagingModes.WriteProtect;
        if ((v.Cr4 & Cr4Pae) == 0)
            return new SpaceKey(Directories.Single(v.Cr3), modes | ((v.Cr4 & Cr4Pse) != 0 ? PagingModes.LargePages : 0), user);
        if (v.NoExecute != 0)
            modes |= PagingModes.NoExecute;
        return new SpaceKey(Directories.Four(v), modes | PagingModes.WideEntries, user);
    }
}
