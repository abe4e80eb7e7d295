namespace Plexus.Monitor.Shadow;

/// <summary>What decides, besides the tables, where a linear address leads and what may be done there.</summary>
[Flags]
internal enum PagingModes
{
    None = 0,

    /// <summary>CR0.PG.</summary>
    Paging = 1,

    /// <summary>CR0.WP.</summary>
    WriteProtect = 2,

    /// <summary>CR4.PSE.</summary>
    LargePages = 4,

    /// <summary>The A20 gate is open.</summary>
    A20 = 8,

    /// <summary>CR4.PAE: entries of 64 bits.</summary>
    WideEntries = 16,

    /// <summary>IA32_EFER.NXE.</summary>
    NoExecute = 32,
}
