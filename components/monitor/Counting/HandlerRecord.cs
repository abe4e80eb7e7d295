namespace Plexus.Monitor.Counting;

/// <summary>What a record of the trace ring stands for, and how often it came since the ring was emptied last.</summary>
internal sealed class HandlerRecord(SiteRecord site, string strategy)
{
    /// <summary>Times that are not counted yet.</summary>
    internal ulong Pending;

    internal SiteRecord Site { get; } = site;

    internal string Strategy { get; } = strategy;
}
