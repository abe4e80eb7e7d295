namespace Plexus.Messaging.Shared;

/// <summary>Why a frame is watched.</summary>
[Flags]
public enum Watch : byte
{
    /// <summary>Not watched.</summary>
    None = 0,

    /// <summary>A decode cache holds instructions of it.</summary>
    Decoded = 1,

    /// <summary>A code page was made from it.</summary>
    CodePage = 2,

    /// <summary>Shadow mappings were made from the page-table entries in it.</summary>
    PageTable = 4,

    /// <summary>Likewise, but writes to it are not reported: it is compared later.</summary>
    OpenTable = 8,

    /// <summary>Guest code runs in it as it stands.</summary>
    PlainCode = 16,
}
