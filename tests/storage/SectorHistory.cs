using System.Buffers.Binary;

namespace Plexus.Storage.Tests;

/// <summary>What each sector of a medium may hold after a crash: what it held at the last flush that was answered, or anything that was written to it since.</summary>
internal sealed class SectorHistory
{
    public const int Sector = 512;

    private readonly List<int>[] versions;
    private readonly int[] settled;
    private readonly bool[] isUnsure;
    private int version;

    public SectorHistory(int sectors)
    {
        versions = new List<int>[sectors];
        settled = new int[sectors];
        isUnsure = new bool[sectors];
        for (int i = 0; i < sectors; i++)
            versions[i] = [0];
    }

    public int Count => versions.Length;

    /// <summary>Bytes of a medium in its first version.</summary>
    public byte[] First()
    {
        byte[] bytes = new byte[Count * Sector];
        for (int i = 0; i < Count; i++)
            Stamp(bytes.AsSpan(i * Sector, Sector), i, 0);
        return bytes;
    }

    /// <summary>Notes a write that is about to happen and makes its bytes.</summary>
    public byte[] Write(int first, int count)
    {
        byte[] bytes = new byte[count * Sector];
        version++;
        for (int i = 0; i < count; i++)
        {
            versions[first + i].Add(version);
            Stamp(bytes.AsSpan(i * Sector, Sector), first + i, version);
        }

        return bytes;
    }

    /// <summary>Notes a range that is about to be zeroed.</summary>
    public void Zero(int first, int count)
    {
        for (int i = 0; i < count; i++)
            versions[first + i].Add(-1);
    }

    /// <summary>What was noted last for a range was done, or failed: then nobody knows which of these sectors are old and which are new, until they are written again.</summary>
    public void Note(int first, int count, bool isDone) => isUnsure.AsSpan(first, count).Fill(!isDone);

    /// <summary>A flush was answered.</summary>
    public void Settle()
    {
        for (int i = 0; i < Count; i++)
        {
            if (!isUnsure[i])
                settled[i] = versions[i].Count - 1;
        }
    }

    /// <summary>Checks a medium after a loss of power.</summary>
    public void CheckAllowed(IBlockStore store, string when)
    {
        byte[] bytes = new byte[Sector];
        for (int i = 0; i < Count; i++)
        {
            store.Read((long)i * Sector, bytes);
            int found = VersionOf(bytes, i);
            if (!versions[i].Skip(settled[i]).Contains(found))
                Assert.Fail($"{when}: sector {i} holds version {found}, allowed are {string.Join(", ", versions[i].Skip(settled[i]))}");
        }
    }

    /// <summary>Checks that a medium holds the last version everywhere, but for what a write in progress covers.</summary>
    public void CheckLast(IBlockStore store, string when, int inProgressFirst = 0, int inProgressCount = 0)
    {
        byte[] bytes = new byte[Sector];
        for (int i = 0; i < Count; i++)
        {
            store.Read((long)i * Sector, bytes);
            int found = VersionOf(bytes, i);
            bool isInProgress = i >= inProgressFirst && i < inProgressFirst + inProgressCount;
            if (found != versions[i][^1] && !(isInProgress && found == versions[i][^2]))
                Assert.Fail($"{when}: sector {i} holds version {found} instead of {versions[i][^1]}");
        }
    }

    private static void Stamp(Span<byte> bytes, int sector, int version)
    {
        for (int at = 0; at < Sector; at += 8)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes[at..], sector + 1);
            BinaryPrimitives.WriteInt32LittleEndian(bytes[(at + 4)..], version);
        }
    }

    /// <summary>-1 for zeros, -2 for what is no version of this sector.</summary>
    private static int VersionOf(ReadOnlySpan<byte> bytes, int sector)
    {
        if (!bytes.ContainsAnyExcept((byte)0))
            return -1;
        int version = BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]);
        Span<byte> expected = stackalloc byte[Sector];
        Stamp(expected, sector, version);
        return bytes.SequenceEqual(expected) ? version : -2;
    }
}
