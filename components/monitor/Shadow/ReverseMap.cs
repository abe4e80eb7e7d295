namespace Plexus.Monitor.Shadow;

/// <summary>For each guest RAM frame, the shadow mappings made to it: so that every alias can be write-protected or dropped. Linked lists in one pooled array; no allocation in steady state.</summary>
internal sealed class ReverseMap
{
    private readonly int[] heads;
    private Node[] nodes = new Node[4096];
    private int free;

    internal ReverseMap(uint frames)
    {
        heads = new int[frames];
        Array.Fill(heads, -1);
        Thread(0);
    }

    internal void Add(uint frame, ShadowSpace space, uint linearPage)
    {
        if (free < 0)
        {
            int old = nodes.Length;
            Array.Resize(ref nodes, old * 2);
            Thread(old);
        }

        int node = free;
        free = nodes[node].Next;
        nodes[node] = new Node { Space = space, LinearPage = linearPage, Next = heads[frame] };
        heads[frame] = node;
    }

    internal void Remove(uint frame, ShadowSpace space, uint linearPage)
    {
        int previous = -1;
        for (int node = heads[frame]; node >= 0; previous = node, node = nodes[node].Next)
        {
            if (nodes[node].LinearPage != linearPage || nodes[node].Space != space)
                continue;
            if (previous < 0)
                heads[frame] = nodes[node].Next;
            else
                nodes[previous].Next = nodes[node].Next;
            nodes[node].Space = null;
            nodes[node].Next = free;
            free = node;
            return;
        }
    }

    /// <summary>First mapping of a frame, as a cursor; -1 when there is none.</summary>
    internal int First(uint frame) => heads[frame];

    /// <summary>Reads a cursor and moves on.</summary>
    internal int Next(int cursor, out ShadowSpace space, out uint linearPage)
    {
        ref Node node = ref nodes[cursor];
        space = node.Space!;
        linearPage = node.LinearPage;
        return node.Next;
    }

    private void Thread(int from)
    {
        for (int i = from; i < nodes.Length; i++)
            nodes[i].Next = i + 1;
        nodes[^1].Next = -1;
        free = from;
    }

    private struct Node
    {
        internal ShadowSpace? Space;
        internal uint LinearPage;
        internal int Next;
    }
}
