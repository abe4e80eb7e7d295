using System.Runtime.InteropServices;
using Plexus.Messaging.Shared;

namespace Plexus.System.Tests.Interruptions;

/// <summary>Everything the guest can see at a boundary: the vCPU block, and memory as its differences from the guest's image.</summary>
internal sealed class Snapshot
{
    private static readonly string[] GprNames = ["EAX", "ECX", "EDX", "EBX", "ESP", "EBP", "ESI", "EDI"];

    private readonly List<(uint Address, byte Value)> memory = [];
    private VcpuBlock block;

    /// <summary>Where the boundary is, and what the run said when it ended there.</summary>
    internal string End { get; private init; } = string.Empty;

    internal ulong Retired => block.Retired;

    internal uint Eip => block.Eip;

    internal static Snapshot Take(in VcpuBlock block, ReadOnlySpan<byte> ram, ReadOnlySpan<byte> image, string end = "", byte[]? ports = null)
    {
        Snapshot result = new() { block = block, End = ports is null ? end : $"{end}; ports {string.Join(' ', ports.Select((value, port) => value == 0 ? "" : $"{port:X2}={value:X2}").Where(text => text.Length != 0))}" };
        for (int from = 0; ;)
        {
            int same = ram[from..].CommonPrefixLength(image[from..]);
            if (from + same == ram.Length)
                return result;
            from += same;
            result.memory.Add(((uint)from, ram[from]));
            from++;
        }
    }

    /// <summary>The first difference; null when there is none.</summary>
    /// <param name="expected">The reference.</param>
    /// <param name="image">What memory holds where neither differs.</param>
    /// <param name="excused">Bytes that a road overwrote below the guest's stack pointer.</param>
    internal string? Difference(Snapshot expected, ReadOnlySpan<byte> image, OverwrittenBytes excused)
    {
        if (!string.Equals(End, expected.End, StringComparison.Ordinal))
            return $"end: {End}, emulated {expected.End}";
        if (!Bytes(ref block).SequenceEqual(Bytes(ref expected.block)))
            return BlockDifference(ref block, ref expected.block);
        int i = 0;
        int j = 0;
        while (i < memory.Count || j < expected.memory.Count)
        {
            uint here = i < memory.Count ? memory[i].Address : uint.MaxValue;
            uint there = j < expected.memory.Count ? expected.memory[j].Address : uint.MaxValue;
            uint at = Math.Min(here, there);
            byte mine = here == at ? memory[i++].Value : image[(int)at];
            byte theirs = there == at ? expected.memory[j++].Value : image[(int)at];
            if (mine != theirs && !excused.Excuses(at, mine))
                return $"memory at {at:X8}: {mine:X2}, emulated {theirs:X2}";
        }

        return null;
    }

    private static Span<byte> Bytes(ref VcpuBlock block) => MemoryMarshal.AsBytes(new Span<VcpuBlock>(ref block));

    private static string OtherDifference(ReadOnlySpan<byte> mine, ReadOnlySpan<byte> theirs)
    {
        int at = mine.CommonPrefixLength(theirs);
        return $"byte {at} of the vCPU block: {mine[at]:X2}, emulated {theirs[at]:X2}";
    }

    private static string BlockDifference(ref VcpuBlock mine, ref VcpuBlock theirs)
    {
        List<string> all = [];
        for (int i = 0; i < 8; i++)
            Compare(GprNames[i], mine.GetGpr(i), theirs.GetGpr(i));
        Compare("EIP", mine.Eip, theirs.Eip);
        Compare("EFLAGS", mine.Eflags, theirs.Eflags);
        Compare("CR2", mine.Cr2, theirs.Cr2);
        Compare("DR6", mine.GetDr(6), theirs.GetDr(6));
        Compare("shadow", mine.Shadow, theirs.Shadow);
        Compare("halted", mine.Halted, theirs.Halted);
        Compare("pending #DB", mine.PendingDebug, theirs.PendingDebug);
        Compare("retired", (uint)mine.Retired, (uint)theirs.Retired);
        Compare("physical CS", mine.PhysicalCs, theirs.PhysicalCs);
        return all.Count == 0 ? OtherDifference(Bytes(ref mine), Bytes(ref theirs)) : string.Join("; ", all);

        void Compare(string name, uint a, uint b)
        {
            if (a != b)
                all.Add($"{name} {a:X8}, emulated {b:X8}");
        }
    }
}
