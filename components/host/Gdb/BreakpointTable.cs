using Plexus.Messaging.Contracts.Cpu;

namespace Plexus.Host.Gdb;

/// <summary>The breakpoints and watchpoints that a debugger has set. None of them is in guest memory.</summary>
internal sealed class BreakpointTable
{
    private const int Most = 4096;

    /// <summary>By GDB's number of the kind, 0 to 4, and linear address; the value is the length.</summary>
    private readonly HashSet<(uint Type, uint Address, uint Length)> set = [];

    /// <summary>There are some.</summary>
    public bool Any => set.Count != 0;

    /// <summary>Sets one; to set it again changes nothing.</summary>
    /// <param name="type">0 software, 1 hardware, 2 write, 3 read, 4 access.</param>
    /// <param name="address">Linear address.</param>
    /// <param name="length">Bytes.</param>
    /// <returns>False when there are too many.</returns>
    public bool Insert(uint type, uint address, uint length)
    {
        if (set.Count >= Most)
            return false;
        set.Add((type, address, length));
        return true;
    }

    /// <summary>Takes one away; one that is not there is none.</summary>
    public void Remove(uint type, uint address, uint length) => set.Remove((type, address, length));

    /// <summary>Takes all away.</summary>
    public void Clear() => set.Clear();

    /// <summary>One of software's kind is at an address.</summary>
    public bool IsSoftware(uint address) => set.Any(entry => entry.Type == 0 && entry.Address == address);

    /// <summary>As the processor takes them.</summary>
    public Breakpoint[] ToArray() => [.. set.Select(entry => new Breakpoint(KindOf(entry.Type), entry.Address, entry.Length)).Distinct()];

    private static BreakpointKind KindOf(uint type) => type switch
    {
        2 => BreakpointKind.Write,
        3 => BreakpointKind.Read,
        4 => BreakpointKind.Access,
        _ => BreakpointKind.Execute,
    };
}
