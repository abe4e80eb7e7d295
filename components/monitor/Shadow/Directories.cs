using Plexus.Messaging.Shared;

namespace Plexus.Monitor.Shadow;

/// <summary>
/// Guest-physical frame numbers of a context's page directories: one with 32-bit entries; four with 64-bit entries, as the page-directory-pointer registers have
/// them, whatever the table in memory says meanwhile (SDM vol. 3, 4.4.1). <see cref="None"/> for a directory that is not there.
/// </summary>
internal readonly record struct Directories(uint First, uint Second, uint Third, uint Fourth)
{
    /// <summary>No directory.</summary>
    internal const uint None = uint.MaxValue;

    /// <summary>With paging off.</summary>
    internal static readonly Directories Absent = new(None, None, None, None);

    private const ulong Present = 1;

    internal static Directories Single(uint cr3) => new(cr3 >> 12, None, None, None);

    internal static Directories Four(in VcpuBlock v) => new(Frame(v.GetPagePointer(0)), Frame(v.GetPagePointer(1)), Frame(v.GetPagePointer(2)), Frame(v.GetPagePointer(3)));

    /// <summary>Whether a frame is one of them.</summary>
    internal bool Contains(uint frame) => First == frame || Second == frame || Third == frame || Fourth == frame;

    internal uint this[int index] => index switch
    {
        0 => First,
        1 => Second,
        2 => Third,
        _ => Fourth,
    };

    /// <summary>36 bits of address make 24 bits of frame number.</summary>
    private static uint Frame(ulong pointer) => (pointer & Present) != 0 ? (uint)(pointer >> 12) & 0xFF_FFFF : None;
}
