namespace Plexus.Host.Telemetry;

/// <summary>One span of a trace file, as it is read. One object serves for all spans of a file.</summary>
internal sealed class TraceSpan
{
    /// <summary>The component.</summary>
    public string Service { get; set; } = "";

    /// <summary>Attributes of the resource but <c>service.name</c>.</summary>
    public List<TraceAttribute> Resource { get; } = [];

    /// <summary>The instrumentation scope.</summary>
    public string Scope { get; set; } = "";

    /// <summary>In hexadecimal.</summary>
    public string TraceId { get; set; } = "";

    /// <summary>In hexadecimal.</summary>
    public string SpanId { get; set; } = "";

    /// <summary>In hexadecimal; empty for a root.</summary>
    public string ParentId { get; set; } = "";

    /// <summary>The name.</summary>
    public string Name { get; set; } = "";

    /// <summary>Unix nanoseconds.</summary>
    public ulong Start { get; set; }

    /// <summary>Unix nanoseconds.</summary>
    public ulong End { get; set; }

    /// <summary>Attributes.</summary>
    public List<TraceAttribute> Attributes { get; } = [];

    /// <summary>Spans of other traces that come before.</summary>
    public List<(string TraceId, string SpanId)> Links { get; } = [];

    /// <summary>What happened within it.</summary>
    public List<TraceEvent> Events { get; } = [];

    /// <summary>Makes room for the next span of the same resource and scope.</summary>
    public void Clear()
    {
        TraceId = SpanId = ParentId = Name = "";
        Start = End = 0;
        Attributes.Clear();
        Links.Clear();
        Events.Clear();
    }
}
