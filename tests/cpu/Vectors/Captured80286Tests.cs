using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;
using Xunit.Abstractions;

namespace Plexus.Cpu.Tests.Vectors;

/// <summary>Runs every captured case of a real 80286 in real mode and compares registers, flags and memory.</summary>
public sealed class Captured80286Tests(ITestOutputHelper output)
{
    private const int RamSize = 16 << 20;

    /// <summary>IOPL and NT do not exist in the real mode of a 286.</summary>
    private const ushort FlagsOf286 = 0x0FFF;

    [VectorFact]
    public void Captured_cases_run_alone_give_the_captured_state()
    {
        Assert.True(VectorLibrary.Folder is not null, $"{VectorLibrary.RequireVariable} is set and the cases are not there");
        List<VectorExclusion> exclusions = VectorExclusions.Read(Path.Combine(AppContext.BaseDirectory, "Vectors", "exclusions.txt"));
        Dictionary<string, ushort> masks = VectorLibrary.FlagMasks();
        using var bench = new CpuBench(RamSize);
        int ran = 0;
        int excluded = 0;
        var unused = new HashSet<VectorExclusion>(exclusions);
        var failures = new List<string>();
        foreach (string form in VectorLibrary.Forms())
        {
            int failed = 0;
            string? first = null;
            foreach (MooCase test in VectorLibrary.Cases(form))
            {
                VectorExclusion? exclusion = exclusions.Find(e => (e.Form == form || e.Form == "*") && VectorExclusions.Applies(e.Condition, test));
                if (exclusion is not null)
                {
                    unused.Remove(exclusion);
                    excluded++;
                    continue;
                }

                ran++;
                string? difference = Run(bench, test, masks[form]);
                if (difference is null)
                    continue;
                failed++;
                first ??= $"#{test.Index} {test.Name} [{Convert.ToHexString(test.Bytes)}] exception {test.ExceptionVector?.ToString() ?? "none"}: {difference}";
            }

            if (failed != 0)
                failures.Add($"{form}: {failed} failed; first {first}");
        }

        output.WriteLine($"{ran} cases ran, {excluded} excluded.");
        Assert.True(failures.Count == 0, string.Join(Environment.NewLine, failures));
        Assert.True(unused.Count == 0, "exclusions that exclude nothing: " + string.Join("; ", unused));
        Assert.True(ran > 60_000, $"only {ran} cases ran");
    }

    private static unsafe string? Run(CpuBench bench, MooCase test, ushort flagsMask)
    {
        VcpuBlock* v = bench.V;
        ushort[] r = test.Initial.Registers;
        Load(v, r);
        SetSegment(bench, SegmentIndex.Cs, r[MooState.Cs]);
        SetSegment(bench, SegmentIndex.Ss, r[MooState.Ss]);
        SetSegment(bench, SegmentIndex.Ds, r[MooState.Ds]);
        SetSegment(bench, SegmentIndex.Es, r[MooState.Es]);

        // An exception that the case does not expect finds a null vector and halts there.
        bench.Write(0, 0xF4);
        foreach ((uint address, byte value) in test.Initial.Memory)
            bench.Write(address, value);

        CpuExit exit = bench.Run(200_000);
        string? difference = exit.Kind == ExitKind.Halt ? Compare(bench, test, flagsMask) : $"ended with {exit.Kind} {exit.Detail} at {bench.Segment(SegmentIndex.Cs).Selector:X4}:{v->Eip:X4}";
        v->Halted = 0;
        foreach ((uint address, byte _) in test.Initial.Memory)
            bench.Write(address, 0);
        foreach ((uint address, byte _) in test.Final.Memory)
            bench.Write(address, 0);
        return difference;
    }

    private static unsafe void Load(VcpuBlock* v, ushort[] r)
    {
        v->Gpr[0] = r[0];
        v->Gpr[3] = r[1];
        v->Gpr[1] = r[2];
        v->Gpr[2] = r[3];
        v->Gpr[4] = r[8];
        v->Gpr[5] = r[9];
        v->Gpr[6] = r[10];
        v->Gpr[7] = r[11];
        v->Eip = r[MooState.Ip];
        v->Eflags = (uint)(r[MooState.Flags] & FlagsOf286) | 2;
        v->Cr0 = 0x10;
        v->Cpl = 0;
        v->Shadow = 0;
        v->PendingDebug = 0;
        v->IdtBase = 0;
        v->IdtLimit = 0x3FF;
    }

    private static void SetSegment(CpuBench bench, SegmentIndex index, ushort selector) =>
        bench.Segment(index) = new SegmentRegister { Selector = selector, Base = (uint)selector << 4, Limit = 0xFFFF, Attributes = 0x93, Usable = 1 };

    private static unsafe string? Compare(CpuBench bench, MooCase test, ushort flagsMask)
    {
        VcpuBlock* v = bench.V;
        Span<uint> actual =
        [
            v->Gpr[0], v->Gpr[3], v->Gpr[1], v->Gpr[2],
            bench.Segment(SegmentIndex.Cs).Selector, bench.Segment(SegmentIndex.Ss).Selector,
            bench.Segment(SegmentIndex.Ds).Selector, bench.Segment(SegmentIndex.Es).Selector,
            v->Gpr[4], v->Gpr[5], v->Gpr[6], v->Gpr[7], v->Eip, v->Eflags,
        ];
        var wrong = new List<string>();
        for (int i = 0; i < actual.Length; i++)
        {
            uint expected = test.Final.Has(i) ? test.Final.Registers[i] : test.Initial.Registers[i];

            // The 286 has 16 bits of IP: behind offset FFFF comes 0 there, 10000h (beyond the limit) on later processors.
            uint mask = i == MooState.Flags ? (uint)(flagsMask & FlagsOf286) : i == MooState.Ip ? 0xFFFF : 0xFFFF_FFFF;
            if (((expected ^ actual[i]) & mask) != 0)
                wrong.Add($"{MooState.Names[i]} {actual[i]:X4} expected {expected:X4}");
        }

        // Where the exception pushed the flags. The file's own address is that of the bus cycle, even when the stack pointer is odd.
        uint flagsAddress = ((uint)test.Initial.Registers[MooState.Ss] << 4) + ((v->Gpr[4] + 4) & 0xFFFF);

        // The last write counts, and the final list names only what changed.
        var expectedMemory = new Dictionary<uint, byte>();
        foreach ((uint address, byte value) in test.Initial.Memory)
            expectedMemory[address] = value;
        foreach ((uint address, byte value) in test.Final.Memory)
            expectedMemory[address] = value;
        foreach ((uint address, byte expected) in expectedMemory)
        {
            byte value = bench.Read8(address);
            byte mask = 0xFF;
            if (test.ExceptionVector is not null && address == flagsAddress)
                mask = (byte)flagsMask;
            else if (test.ExceptionVector is not null && address == flagsAddress + 1)
                mask = (byte)((flagsMask & FlagsOf286) >> 8);
            if (((value ^ expected) & mask) != 0)
                wrong.Add($"[{address:X6}] {value:X2} expected {expected:X2}");
        }

        return wrong.Count == 0 ? null : string.Join(", ", wrong);
    }
}
