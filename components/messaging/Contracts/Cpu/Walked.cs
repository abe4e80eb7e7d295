namespace Plexus.Messaging.Contracts.Cpu;

/// <summary>The result of a guest page walk.</summary>
/// <param name="Ok">False: the access faults, with <see cref="ErrorCode"/>.</param>
/// <param name="ErrorCode">The #PF error code (SDM vol. 3, 4.7).</param>
/// <param name="Physical">Guest-physical address (A20 applied).</param>
/// <param name="Writable">A write at the same privilege would be allowed (R/W bits, WP and U/S considered).</param>
/// <param name="UserAccessible">User accesses are allowed.</param>
/// <param name="Dirty">The mapping entry's dirty bit is set (always true with paging off).</param>
/// <param name="Global">The mapping entry is global.</param>
/// <param name="DirectoryEntry">Guest-physical address of the page-directory entry used; 0 with paging off.</param>
/// <param name="TableEntry">Guest-physical address of the page-table entry used; 0 with paging off or for a 4 MiB page.</param>
[Message(0x0208)]
public readonly partial record struct Walked(
    [property: Key(0)] bool Ok,
    [property: Key(1)] uint ErrorCode,
    [property: Key(2)] ulong Physical,
    [property: Key(3)] bool Writable,
    [property: Key(4)] bool UserAccessible,
    [property: Key(5)] bool Dirty,
    [property: Key(6)] bool Global,
    [property: Key(7)] uint DirectoryEntry,
    [property: Key(8)] uint TableEntry);
