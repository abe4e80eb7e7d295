using System.Globalization;

namespace Plexus.Host.Telemetry;

/// <summary>Prints the first spans of a trace file as trees: a transition a line, what took part in it below.</summary>
internal static class TraceTree
{
    /// <summary>Prints.</summary>
    /// <param name="file">The file.</param>
    /// <param name="limit">Spans at most.</param>
    /// <param name="output">Where to.</param>
    /// <exception cref="InputException">The file is not a trace, or truncated.</exception>
    public static void Write(TraceFile file, int limit, TextWriter output)
    {
        List<Line> lines = [];
        bool isWhole = true;

        // Children stand behind their parents within a component only: a request is read to its end.
        while (lines.Count < limit && file.ReadSpans(span =>
        {
            lines.Add(new Line(span.TraceId, span.SpanId, span.ParentId, span.Start, Describe(span)));
            return true;
        }))
        {
        }

        isWhole = !file.TryRead(out _);
        ILookup<string, Line> children = lines.ToLookup(line => line.ParentId, StringComparer.Ordinal);
        HashSet<string> known = [.. lines.Select(line => line.SpanId)];
        int left = limit;
        string? trace = null;
        foreach (Line root in lines.Where(line => !known.Contains(line.ParentId)).OrderBy(line => line.Start).ThenBy(line => line.SpanId, StringComparer.Ordinal))
        {
            if (left == 0)
                break;
            if (root.TraceId != trace)
                output.WriteLine($"trace {root.TraceId}");
            trace = root.TraceId;
            Print(root, 1);
        }

        if (left == 0 || !isWhole)
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"… {limit - left} spans are shown; --limit shows more"));

        void Print(Line line, int depth)
        {
            if (left == 0)
                return;
            left--;
            output.WriteLine($"{new string(' ', depth * 2)}{line.Text}");
            foreach (Line child in children[line.SpanId].OrderBy(child => child.Start).ThenBy(child => child.SpanId, StringComparer.Ordinal))
                Print(child, depth + 1);
        }
    }

    private static string Describe(TraceSpan span)
    {
        string attributes = string.Join(' ', span.Attributes.Where(a => a.Name != PlexusTags.Duration).Select(a => $"{Short(a.Name)}={Value(a)}"));
        string events = string.Concat(span.Events.Select(e => $" [{Short(e.Name)} {string.Join(' ', e.Attributes.Select(a => $"{Short(a.Name)}={Value(a)}"))}]"));
        string links = string.Concat(span.Links.Select(link => $" follows={link.SpanId}"));
        return string.Create(CultureInfo.InvariantCulture, $"{span.Service} {span.Name} {(span.End - Math.Min(span.Start, span.End)) / 1000.0:F1} µs {attributes}{events}{links}");
    }

    private static string Short(string name) => name.StartsWith("plexus.", StringComparison.Ordinal) ? name["plexus.".Length..] : name;

    private static string Value(TraceAttribute attribute) => attribute.Type switch
    {
        "int64" when attribute.Name == PlexusTags.Eip => attribute.Bits.ToString("X8", CultureInfo.InvariantCulture),
        "int64" => ((long)attribute.Bits).ToString(CultureInfo.InvariantCulture),
        "float64" => BitConverter.UInt64BitsToDouble(attribute.Bits).ToString(CultureInfo.InvariantCulture),
        "bool" => attribute.Bits != 0 ? "true" : "false",
        _ => attribute.Text,
    };

    private sealed record Line(string TraceId, string SpanId, string ParentId, ulong Start, string Text);
}
