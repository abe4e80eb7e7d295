using System.Buffers.Binary;
using System.Text;

namespace Plexus.Storage;

/// <summary>What an overlay says about itself in its first blocks, apart from the map. Two copies are written in turns, so one is always whole.</summary>
internal sealed record Superblock
{
    /// <summary>Bytes of a copy. The copies lie at 0 and <see cref="Size"/>.</summary>
    public const int Size = 4096;

    /// <summary>Largest medium: 64 TiB.</summary>
    public const long MaxLength = 64L << 40;

    /// <summary>Smallest and largest clusters, as powers of two: 4 KiB to 2 MiB.</summary>
    public const int MinClusterBits = 12, MaxClusterBits = 21;

    /// <summary>Most clusters of a medium; also bounds what a hostile file can make us read.</summary>
    public const long MaxClusters = 1L << 28;

    /// <summary>Longest path of a backing image in bytes of UTF-8.</summary>
    public const int MaxPath = Size - PathAt - 4;

    private const uint Version = 1;
    private const uint FlagOpen = 1;
    private const uint FlagCommitting = 2;
    private const int PathAt = 140;
    private const int CheckAt = Size - 4;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The first bytes of an overlay.</summary>
    public static ReadOnlySpan<byte> Magic => "PLEXUSOV"u8;

    /// <summary>Counts the writes of superblocks; the valid copy with the higher number holds. Its parity is the place.</summary>
    public required ulong Sequence { get; init; }

    /// <summary>Power of two of the cluster size.</summary>
    public required int ClusterBits { get; init; }

    /// <summary>Bytes of the medium.</summary>
    public required long Length { get; init; }

    /// <summary>The last epoch whose map entries, and the data they point at, are known to be on stable storage.</summary>
    public required ulong Committed { get; init; }

    /// <summary>Random; part of every map entry's checksum, so that bytes of another overlay, or of an emptied one, are no entries.</summary>
    public required Guid Id { get; init; }

    /// <summary>The boot of the host under which entries of the epoch after <see cref="Committed"/> are written.</summary>
    public required Guid Boot { get; init; }

    /// <summary>It was not closed: the map may hold entries that are torn or were never committed.</summary>
    public required bool IsOpen { get; init; }

    /// <summary>Its clusters are being copied into the backing image, which is therefore neither old nor new.</summary>
    public required bool IsCommitting { get; init; }

    /// <summary>The image below.</summary>
    public required BackingIdentity Backing { get; init; }

    /// <summary>Bytes of a cluster.</summary>
    public int ClusterSize => 1 << ClusterBits;

    /// <summary>Clusters of the medium; the last one may be cut by its end.</summary>
    public long Clusters => (Length + ClusterSize - 1) >> ClusterBits;

    /// <summary>First byte of the map.</summary>
    public long MapOffset => Math.Max(2 * Size, ClusterSize);

    /// <summary>First byte that clusters may take, a multiple of the cluster size.</summary>
    public long DataOffset => (MapOffset + (Clusters * MapEntry.Size) + ClusterSize - 1) & -ClusterSize;

    /// <summary>Writes it.</summary>
    /// <param name="block"><see cref="Size"/> bytes.</param>
    public void Encode(Span<byte> block)
    {
        block.Clear();
        Magic.CopyTo(block);
        BinaryPrimitives.WriteUInt32LittleEndian(block[8..], Version);
        BinaryPrimitives.WriteInt32LittleEndian(block[12..], ClusterBits);
        BinaryPrimitives.WriteUInt64LittleEndian(block[16..], Sequence);
        BinaryPrimitives.WriteInt64LittleEndian(block[24..], Length);
        BinaryPrimitives.WriteInt64LittleEndian(block[32..], MapOffset);
        BinaryPrimitives.WriteUInt64LittleEndian(block[40..], Committed);
        Id.TryWriteBytes(block[48..]);
        Boot.TryWriteBytes(block[64..]);
        BinaryPrimitives.WriteUInt32LittleEndian(block[80..], (IsOpen ? FlagOpen : 0) | (IsCommitting ? FlagCommitting : 0));
        BinaryPrimitives.WriteInt32LittleEndian(block[84..], (int)Backing.Format);
        BinaryPrimitives.WriteInt64LittleEndian(block[88..], Backing.Length);
        BinaryPrimitives.WriteInt64LittleEndian(block[96..], Backing.Changed);
        Backing.Head.CopyTo(block[104..]);
        int path = Utf8.GetBytes(Backing.Path, block[PathAt..CheckAt]);
        BinaryPrimitives.WriteInt32LittleEndian(block[136..], path);
        BinaryPrimitives.WriteUInt32LittleEndian(block[CheckAt..], Checksum.Of(block[..CheckAt]));
    }

    /// <summary>Reads a copy.</summary>
    /// <param name="block"><see cref="Size"/> bytes, of anything.</param>
    /// <returns>Null when it is not whole or contradicts itself.</returns>
    public static Superblock? Decode(ReadOnlySpan<byte> block)
    {
        if (!block.StartsWith(Magic) || BinaryPrimitives.ReadUInt32LittleEndian(block[CheckAt..]) != Checksum.Of(block[..CheckAt]))
            return null;
        if (BinaryPrimitives.ReadUInt32LittleEndian(block[8..]) != Version)
            return null;
        int bits = BinaryPrimitives.ReadInt32LittleEndian(block[12..]);
        long length = BinaryPrimitives.ReadInt64LittleEndian(block[24..]);
        uint flags = BinaryPrimitives.ReadUInt32LittleEndian(block[80..]);
        int format = BinaryPrimitives.ReadInt32LittleEndian(block[84..]);
        int path = BinaryPrimitives.ReadInt32LittleEndian(block[136..]);
        if (bits is < MinClusterBits or > MaxClusterBits || length is <= 0 or > MaxLength || length % 512 != 0 || path is <= 0 or > MaxPath
            || (ImageFormat)format is not (ImageFormat.Raw or ImageFormat.Overlay))
        {
            return null;
        }

        string text;
        try
        {
            text = Utf8.GetString(block.Slice(PathAt, path));
        }
        catch (DecoderFallbackException)
        {
            return null;
        }

        Superblock read = new()
        {
            Sequence = BinaryPrimitives.ReadUInt64LittleEndian(block[16..]),
            ClusterBits = bits,
            Length = length,
            Committed = BinaryPrimitives.ReadUInt64LittleEndian(block[40..]),
            Id = new Guid(block.Slice(48, 16)),
            Boot = new Guid(block.Slice(64, 16)),
            IsOpen = (flags & FlagOpen) != 0,
            IsCommitting = (flags & FlagCommitting) != 0,
            Backing = new BackingIdentity(
                text,
                (ImageFormat)format,
                BinaryPrimitives.ReadInt64LittleEndian(block[88..]),
                BinaryPrimitives.ReadInt64LittleEndian(block[96..]),
                block.Slice(104, BackingIdentity.HeadSize).ToArray()),
        };
        bool isSound = read.Clusters <= MaxClusters && read.MapOffset == BinaryPrimitives.ReadInt64LittleEndian(block[32..]) && !text.Contains('\0', StringComparison.Ordinal);
        return isSound ? read : null;
    }
}
