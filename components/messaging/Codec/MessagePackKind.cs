namespace Plexus.Messaging.Codec;

/// <summary>The families of MessagePack values, as told from their first byte.</summary>
public enum MessagePackKind
{
    /// <summary>C1h, or no byte left.</summary>
    Invalid = 0,

    /// <summary>nil.</summary>
    Nil = 1,

    /// <summary>true or false.</summary>
    Boolean = 2,

    /// <summary>Any integer.</summary>
    Integer = 3,

    /// <summary>float 32 or float 64.</summary>
    Float = 4,

    /// <summary>UTF-8 string.</summary>
    String = 5,

    /// <summary>Bytes.</summary>
    Binary = 6,

    /// <summary>Array header.</summary>
    Array = 7,

    /// <summary>Map header.</summary>
    Map = 8,

    /// <summary>Extension, timestamps included.</summary>
    Extension = 9,
}
