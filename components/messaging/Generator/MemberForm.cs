namespace Plexus.Messaging.Generator;

/// <summary>How one value is encoded.</summary>
internal enum MemberForm
{
    /// <summary>bool.</summary>
    Boolean,

    /// <summary>Signed integers.</summary>
    Signed,

    /// <summary>Unsigned integers.</summary>
    Unsigned,

    /// <summary>float, double.</summary>
    Float,

    /// <summary>string.</summary>
    Text,

    /// <summary>ReadOnlyMemory of bytes.</summary>
    Memory,

    /// <summary>byte[].</summary>
    Bytes,

    /// <summary>A struct with a reader and writer of its own.</summary>
    Packed,
}
