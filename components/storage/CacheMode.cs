namespace Plexus.Storage;

/// <summary>When written data reaches stable storage.</summary>
public enum CacheMode
{
    /// <summary>At a flush by the guest. The guest's own order of writes and flushes decides what survives, as on a real disk with a cache.</summary>
    Writeback = 0,

    /// <summary>Before each write is answered: for guests that never flush. Slow.</summary>
    Writethrough = 1,

    /// <summary>Whenever the host likes; flushes are answered at once. For images that can be made again: a crash of the host, or a loss of power, may destroy them.</summary>
    Unsafe = 2,
}
