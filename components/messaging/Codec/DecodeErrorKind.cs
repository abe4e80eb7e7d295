namespace Plexus.Messaging.Codec;

/// <summary>Why bytes could not be decoded.</summary>
public enum DecodeErrorKind
{
    /// <summary>No error.</summary>
    None = 0,

    /// <summary>The bytes end before the value does, or a claimed length exceeds what is left.</summary>
    Truncated = 1,

    /// <summary>The format byte is of another kind than the one asked for.</summary>
    WrongType = 2,

    /// <summary>An integer that does not fit the asked-for width or sign.</summary>
    OutOfRange = 3,

    /// <summary>The format byte C1h, which MessagePack never uses.</summary>
    Reserved = 4,

    /// <summary>A string whose bytes are not UTF-8.</summary>
    InvalidUtf8 = 5,

    /// <summary>Arrays, maps nested beyond <see cref="MessagePackPrimitives.MaximumDepth"/>.</summary>
    TooDeep = 6,

    /// <summary>An extension of another type, or a timestamp of an impossible length or nanosecond count.</summary>
    InvalidExtension = 7,

    /// <summary>Bytes are left over after the value.</summary>
    TrailingBytes = 8,
}
