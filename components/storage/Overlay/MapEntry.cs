using System.Buffers.Binary;

namespace Plexus.Storage;

/// <summary>What is in a slot of the map.</summary>
internal enum SlotKind
{
    /// <summary>Never written.</summary>
    Empty,

    /// <summary>Whole.</summary>
    Whole,

    /// <summary>The checksum is wrong: torn, or damaged.</summary>
    Torn,
}

/// <summary>
/// One of the two slots of a cluster's map entry: in which epoch it was written, and where the cluster's bytes are since.
/// A slot that counts is never overwritten: a change goes to the other one, with a higher epoch.
/// </summary>
/// <param name="Kind">Whether there is anything.</param>
/// <param name="Epoch">It holds when this epoch is committed and the other slot's is older.</param>
/// <param name="Host">Cluster of the overlay's file; 0 when the cluster reads as zeros.</param>
internal readonly record struct MapSlot(SlotKind Kind, ulong Epoch, uint Host)
{
    /// <summary>Bytes of a slot: epoch, host cluster, checksum.</summary>
    public const int Size = 16;

    /// <summary>Reads a slot.</summary>
    /// <param name="bytes"><see cref="Size"/> bytes.</param>
    /// <param name="seed"><see cref="Seed"/> of the overlay.</param>
    /// <param name="cluster">The medium's cluster it belongs to.</param>
    public static MapSlot Decode(ReadOnlySpan<byte> bytes, uint seed, long cluster)
    {
        if (!bytes[..Size].ContainsAnyExcept((byte)0))
            return default;
        ulong epoch = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        uint host = BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]);
        return BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]) == Check(seed, cluster, epoch, host)
            ? new MapSlot(SlotKind.Whole, epoch, host)
            : new MapSlot(SlotKind.Torn, 0, 0);
    }

    /// <summary>Writes a slot.</summary>
    public static void Encode(Span<byte> bytes, uint seed, long cluster, ulong epoch, uint host)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, epoch);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[8..], host);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[12..], Check(seed, cluster, epoch, host));
    }

    /// <summary>What an overlay's identity adds to its slots' checksums.</summary>
    public static uint Seed(Guid overlay)
    {
        Span<byte> bytes = stackalloc byte[16];
        overlay.TryWriteBytes(bytes);
        return Checksum.Of(bytes);
    }

    private static uint Check(uint seed, long cluster, ulong epoch, uint host)
        => Checksum.Of(host, Checksum.Of(epoch, Checksum.Of((ulong)cluster, seed)));
}

/// <summary>The map's entry of one cluster: two slots.</summary>
internal static class MapEntry
{
    /// <summary>Bytes of an entry: 16 of them fill a sector, so none is ever cut by a sector's end.</summary>
    public const int Size = 2 * MapSlot.Size;
}
