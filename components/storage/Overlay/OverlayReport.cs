namespace Plexus.Storage;

/// <summary>What an overlay's file holds.</summary>
public sealed record OverlayReport
{
    /// <summary>Bytes of the medium.</summary>
    public required long Length { get; init; }

    /// <summary>Bytes of a cluster.</summary>
    public required int ClusterSize { get; init; }

    /// <summary>Clusters of the medium.</summary>
    public required long Clusters { get; init; }

    /// <summary>Clusters with bytes in the overlay.</summary>
    public required long DataClusters { get; init; }

    /// <summary>Clusters that read as zeros.</summary>
    public required long ZeroClusters { get; init; }

    /// <summary>Clusters of the file that nothing uses; later writes will.</summary>
    public required long FreeClusters { get; init; }

    /// <summary>Map entries that do not count, left by a machine that was killed; the next opening wipes them.</summary>
    public required long StaleEntries { get; init; }

    /// <summary>It was not closed: a machine uses it, or was killed.</summary>
    public required bool IsOpen { get; init; }

    /// <summary>A commit into the backing image was interrupted.</summary>
    public required bool IsCommitting { get; init; }

    /// <summary>The image below, as the overlay names it.</summary>
    public required string BackingPath { get; init; }

    /// <summary>Its format.</summary>
    public required ImageFormat BackingFormat { get; init; }

    /// <summary>What is wrong, a line each; the first ones only. Empty when the overlay can be used.</summary>
    public required IReadOnlyList<string> Problems { get; init; }
}
