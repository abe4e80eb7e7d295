namespace Plexus.Messaging;

/// <summary>Orders components so that callers come before callees.</summary>
internal static class CallOrder
{
    /// <summary>The order.</summary>
    /// <exception cref="ComponentFaultException">There is none; the cycle is named.</exception>
    public static List<string> Sort(IEnumerable<string> names, IReadOnlyCollection<CallEdge> edges)
    {
        ILookup<string, string> callees = edges.ToLookup(edge => edge.From, edge => edge.To, StringComparer.Ordinal);
        HashSet<string> done = new(StringComparer.Ordinal);
        List<string> path = [];
        List<string> order = [];
        foreach (string name in names.Reverse())
            Visit(name, callees, done, path, order);
        order.Reverse();
        return order;
    }

    private static void Visit(string name, ILookup<string, string> callees, HashSet<string> done, List<string> path, List<string> order)
    {
        if (done.Contains(name))
            return;
        int start = path.IndexOf(name);
        if (start >= 0)
            throw new ComponentFaultException(name, FaultCodes.Cycle, string.Join(" → ", path.Skip(start).Append(name)));
        path.Add(name);
        foreach (string callee in callees[name])
            Visit(callee, callees, done, path, order);
        path.RemoveAt(path.Count - 1);
        done.Add(name);
        order.Add(name);
    }
}
