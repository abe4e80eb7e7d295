namespace Plexus.Host.Traces;

/// <summary>
/// Adds trap paths up: kind, reason and strategy, instruction, site, then the Calls and injections within. Requests of a trace file hold whole transitions, so one
/// request is folded at a time. Spans of ring-3 handlers carry the interval of the run after which they were drained: those that carry the same one share it equally.
/// </summary>
internal sealed class FlameGraph
{
    /// <summary>Frames above each other at most: Calls nest a few deep; a file that says otherwise is not followed any further.</summary>
    private const int MaximumDepth = 64;

    private readonly Dictionary<string, List<FlameSpan>> children = new(StringComparer.Ordinal);
    private readonly HashSet<string> ids = new(StringComparer.Ordinal);
    private readonly Dictionary<FlameNode, ulong> sharing = [];
    private (ulong Start, ulong End) shared;
    private ulong sharers;

    /// <summary>The frame below all others.</summary>
    public FlameNode Root { get; } = new("all transitions");

    /// <summary>Adds the spans of one request.</summary>
    public void Add(IReadOnlyList<FlameSpan> spans)
    {
        children.Clear();
        ids.Clear();
        foreach (FlameSpan span in spans)
            ids.Add(span.Id);
        foreach (FlameSpan span in spans)
        {
            if (!ids.Contains(span.Parent))
                continue;
            if (!children.TryGetValue(span.Parent, out List<FlameSpan>? siblings))
                children.Add(span.Parent, siblings = []);
            siblings.Add(span);
        }

        // A Call without its transition has no place.
        foreach (FlameSpan span in spans)
        {
            if (span.IsTransition && !ids.Contains(span.Parent))
                Add(Root, span, 1);
        }
    }

    /// <summary>All spans were added.</summary>
    public void Finish()
    {
        Share();
        Root.Sum();
    }

    private void Add(FlameNode below, in FlameSpan span, int depth)
    {
        FlameNode node = below;
        foreach (string name in span.Path)
            node = node.Child(name);
        depth += span.Path.Length;
        if (span.IsTransition)
            node.SelfTransitions++;
        else
            node.SelfCalls++;

        ulong within = 0;
        if (depth < MaximumDepth && children.Remove(span.Id, out List<FlameSpan>? inner))
        {
            foreach (FlameSpan child in inner)
            {
                within += child.Duration;
                Add(node, child, depth);
            }
        }

        if (!span.IsShared)
        {
            node.SelfTime += span.Duration - Math.Min(span.Duration, within);
            return;
        }

        if (shared != (span.Start, span.End))
            Share();
        shared = (span.Start, span.End);
        sharers++;
        sharing[node] = sharing.GetValueOrDefault(node) + 1;
    }

    /// <summary>Gives each frame its part of the interval, so that the parts are the whole.</summary>
    private void Share()
    {
        ulong duration = shared.End - Math.Min(shared.Start, shared.End);
        ulong given = 0;
        ulong seen = 0;
        foreach ((FlameNode node, ulong count) in sharing)
        {
            seen += count;
            ulong upTo = (ulong)((UInt128)duration * seen / sharers);
            node.SelfTime += upTo - given;
            given = upTo;
        }

        sharing.Clear();
        sharers = 0;
    }
}
