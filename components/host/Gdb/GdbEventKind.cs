namespace Plexus.Host.Gdb;

/// <summary>What came in from a debugger.</summary>
internal enum GdbEventKind
{
    /// <summary>One connected.</summary>
    Connected,

    /// <summary>A packet whose checksum is right.</summary>
    Packet,

    /// <summary>A packet whose checksum is wrong.</summary>
    Corrupt,

    /// <summary>A packet that is longer than was agreed on.</summary>
    Oversized,

    /// <summary>The byte 03h: stop.</summary>
    Interrupt,

    /// <summary><c>-</c>: send the last packet again.</summary>
    Repeat,

    /// <summary>The connection is gone.</summary>
    Closed,
}
