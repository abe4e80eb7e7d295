namespace Plexus.Host.Live;

/// <summary>What the options of <c>plexus top</c> say beside those of <c>plexus run</c>.</summary>
/// <param name="Interval">Time between two tables.</param>
/// <param name="Top">Instructions, and sites, at most.</param>
/// <param name="Once">The first table ends the run.</param>
internal sealed record TopSettings(TimeSpan Interval, int Top, bool Once);
