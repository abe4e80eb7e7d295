namespace Plexus.Storage;

/// <summary>Copying an overlay into the image below.</summary>
public sealed partial class Overlay
{
    /// <summary>Puts another superblock into the file of an overlay that is not open. Everything written before is made durable first: it decides which copy may be overwritten.</summary>
    internal static void ReplaceSuperblock(IHostFile file, Superblock old, Superblock next)
    {
        next = next with { Sequence = old.Sequence + 1 };
        Span<byte> block = stackalloc byte[Superblock.Size];
        next.Encode(block);
        file.Flush();
        file.Write(PlaceOf(next.Sequence), block);
        file.Flush();
    }

    /// <summary>Copies everything into the backing image's file and empties the overlay.</summary>
    /// <param name="below">The backing image, raw and writable; the overlay's store reads the same one.</param>
    /// <param name="identify">Its identity when all is written.</param>
    /// <returns>Clusters copied.</returns>
    /// <remarks>
    /// While it copies, the overlay says so, and hides every cluster that is half written below. When the copy is durable, one superblock both names the changed image and, by another identity of the overlay,
    /// ends the validity of all map entries; the map is wiped and the clusters are cut off afterwards.
    /// </remarks>
    internal long CommitInto(IHostFile below, Func<BackingIdentity> identify)
    {
        Flush();
        WriteSuperblock(superblock with { IsCommitting = true });
        if (below.Length < Length)
            below.SetLength(Length);
        long copied = 0;
        for (long number = 0; number < superblock.Clusters; number++)
        {
            Cluster now = map[number];
            if (now.State == ClusterState.Below)
                continue;
            long offset = number << bits;
            int count = (int)Math.Min(ClusterSize, Length - offset);
            if (now.State == ClusterState.Zero)
            {
                below.Zero(offset, count);
            }
            else
            {
                ReadHost(HostOffset(now.Host, offset), cluster.AsSpan(0, count));
                below.Write(offset, cluster.AsSpan(0, count));
            }

            copied++;
        }

        below.Flush();
        isSettled = true; // From here on the map in memory is not that of the file: closing must not call it clean.
        WriteSuperblock(superblock with { IsCommitting = false, Id = Guid.NewGuid(), Backing = identify() });
        guard.BeforeWrite();
        file.Zero(superblock.MapOffset, superblock.DataOffset - superblock.MapOffset);
        file.SetLength(superblock.DataOffset);
        WriteSuperblock(superblock with { IsOpen = false });
        return copied;
    }
}
