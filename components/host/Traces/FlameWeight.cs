namespace Plexus.Host.Traces;

/// <summary>What the width of a frame means.</summary>
internal enum FlameWeight
{
    /// <summary>Wall time.</summary>
    Time = 0,

    /// <summary>Number of spans: transitions and the Calls within them.</summary>
    Count = 1,
}
