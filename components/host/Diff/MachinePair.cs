using System.Runtime.InteropServices;
using Plexus.Host.CommandLine;
using Plexus.Host.Loaders;
using Plexus.Messaging.Shared;

namespace Plexus.Host.Diff;

/// <summary>Two machines with the same guest, compared at the same number of retired instructions.</summary>
internal sealed class MachinePair : IDisposable
{
    /// <summary>Accessed and dirty: an engine with shadow paging may set them earlier than the access.</summary>
    private const uint EarlyBits = 0x60;

    public MachinePair(RunSettings a, RunSettings b, BootRequest boot)
    {
        A = new MachineUnderTest(a, boot);
        B = new MachineUnderTest(b, boot);
        if (A.Machine.Memory.RamSize != B.Machine.Memory.RamSize)
            throw new InputException("--a, --b: the two configurations have different memory sizes; give both the same mem=");
    }

    public MachineUnderTest A { get; }

    public MachineUnderTest B { get; }

    /// <summary>Runs both to a number of retired instructions.</summary>
    /// <param name="retired">The number.</param>
    /// <param name="interpreted">On their virtual processors, whatever their engines.</param>
    public void RunTo(ulong retired, bool interpreted = false)
    {
        A.RunTo(retired, interpreted);
        B.RunTo(retired, interpreted);
    }

    /// <summary>The first difference, in one line; null when there is none.</summary>
    public string? Difference()
    {
        List<(string Name, string Value)> a = StateDump.Of(A.Machine.Vcpu);
        List<(string Name, string Value)> b = StateDump.Of(B.Machine.Vcpu);
        for (int i = 0; i < a.Count; i++)
        {
            if (a[i] != b[i])
                return $"{a[i].Name}: {a[i].Value} against {b[i].Value}";
        }

        if (A.End != B.End)
            return $"end: {A.End} against {B.End}";
        if (!A.Console.SequenceEqual(B.Console))
            return $"console: {A.Console.Length} bytes against {B.Console.Length}, equal up to byte {A.Console.CommonPrefixLength(B.Console)}";
        return MemoryDifference();
    }

    public void Dispose()
    {
        A.Dispose();
        B.Dispose();
    }

    private string? MemoryDifference()
    {
        ReadOnlySpan<byte> ramA = A.Machine.Memory.Ram;
        ReadOnlySpan<byte> ramB = B.Machine.Memory.Ram;
        for (int from = 0; ;)
        {
            int same = ramA[from..].CommonPrefixLength(ramB[from..]);
            if (from + same == ramA.Length)
                return null;
            int at = (from + same) & ~3;
            uint wordA = MemoryMarshal.Read<uint>(ramA[at..]);
            uint wordB = MemoryMarshal.Read<uint>(ramB[at..]);
            if (!IsExcused((uint)at, wordA, wordB))
                return $"memory at physical {at:X8}h: {wordA:X8} against {wordB:X8}";
            from = at + 4;
        }
    }

    /// <summary>The closed list of what two engines may differ in: accessed and dirty bits set early, and words below ESP that a road overwrote.</summary>
    private bool IsExcused(uint physical, uint wordA, uint wordB)
    {
        uint frame = physical / GuestMemory.FrameSize;
        bool pageTable = ((A.Machine.Memory.WatchOf(frame) | B.Machine.Memory.WatchOf(frame)) & (Watch.PageTable | Watch.OpenTable)) != 0;
        if (pageTable && ((wordA ^ wordB) & ~EarlyBits) == 0)
            return true;
        for (int i = 0; i < 32; i += 8)
        {
            byte a = (byte)(wordA >> i);
            byte b = (byte)(wordB >> i);
            uint at = physical + (uint)(i / 8);
            if (a != b && !A.Overwritten.Excuses(at, a) && !B.Overwritten.Excuses(at, b))
                return false;
        }

        return true;
    }
}
