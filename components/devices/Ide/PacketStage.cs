namespace Plexus.Devices;

/// <summary>How far a packet command has come.</summary>
internal enum PacketStage
{
    /// <summary>There is none.</summary>
    None = 0,

    /// <summary>The host writes the packet.</summary>
    Packet = 1,

    /// <summary>The packet is there and is to be carried out.</summary>
    Execute = 2,

    /// <summary>Data goes to the host.</summary>
    DataIn = 3,

    /// <summary>Data comes from the host.</summary>
    DataOut = 4,

    /// <summary>The medium is being looked for.</summary>
    Seek = 5,
}
