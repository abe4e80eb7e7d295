namespace Plexus.Storage;

/// <summary>Which clusters of an overlay's file are free. One that was given up is free only when giving it up is committed: until then a loss of power would bring back the entry that points at it.</summary>
internal sealed class ClusterAllocator
{
    private readonly Stack<uint> free = new();
    private readonly List<uint> givenUp = [];
    private readonly bool isImmediate;
    private readonly long limit;
    private uint next;

    /// <summary>Makes one for a file in which nothing is taken.</summary>
    /// <param name="first">First cluster of the file that may be taken.</param>
    /// <param name="limit">Clusters from here on are never taken.</param>
    /// <param name="isImmediate">What is given up is free at once: for a file that nobody reads again.</param>
    public ClusterAllocator(uint first, long limit, bool isImmediate)
    {
        next = first;
        this.limit = limit;
        this.isImmediate = isImmediate;
    }

    /// <summary>Nothing can be taken before what was given up is committed.</summary>
    public bool IsExhausted => free.Count == 0 && next >= limit;

    /// <summary>Takes over what the file says: clusters below <paramref name="end"/> are taken or free, those beyond are new.</summary>
    public void Adopt(uint end, IEnumerable<uint> freeBelowEnd, IEnumerable<uint> waiting)
    {
        next = Math.Max(next, end);
        foreach (uint host in freeBelowEnd)
            free.Push(host);
        givenUp.AddRange(waiting);
    }

    /// <summary>Takes a cluster.</summary>
    public uint Take() => free.TryPop(out uint host) ? host : next++;

    /// <summary>Gives back a cluster that no entry ever pointed at.</summary>
    public void Return(uint host) => free.Push(host);

    /// <summary>Gives up a cluster whose entry now says something else.</summary>
    public void GiveUp(uint host)
    {
        if (isImmediate)
            free.Push(host);
        else
            givenUp.Add(host);
    }

    /// <summary>The changes that gave clusters up are committed: they are free.</summary>
    /// <param name="file">Told that their contents do not matter.</param>
    /// <param name="clusterBits">Power of two of the cluster size.</param>
    public void Commit(IHostFile file, int clusterBits)
    {
        foreach (uint host in givenUp)
        {
            file.Discard((long)host << clusterBits, 1L << clusterBits);
            free.Push(host);
        }

        givenUp.Clear();
    }
}
