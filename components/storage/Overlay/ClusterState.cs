namespace Plexus.Storage;

/// <summary>Where a cluster of the medium is.</summary>
internal enum ClusterState : byte
{
    /// <summary>In the backing image.</summary>
    Below = 0,

    /// <summary>Nowhere: it reads as zeros.</summary>
    Zero = 1,

    /// <summary>In the overlay's file.</summary>
    Data = 2,
}

/// <summary>What the overlay knows of a cluster while it is open.</summary>
internal struct Cluster
{
    /// <summary>Cluster of the file, when <see cref="State"/> is <see cref="ClusterState.Data"/>.</summary>
    public uint Host;

    /// <summary>Where it is.</summary>
    public ClusterState State;

    /// <summary>Which of the entry's slots holds that.</summary>
    public byte Slot;

    /// <summary>The slot's epoch is not committed yet, so it may be overwritten.</summary>
    public bool IsTentative;
}
