using System.Diagnostics;
using System.Globalization;
using Plexus.Cpu.Tests.Fpu.Differential;
using Plexus.Cpu.Tests.Simd.Differential;

// Random x87 instructions, or MMX, SSE and SSE2 ones, on the emulated processor and on this machine's own: fpu-bench [--simd] [executions] [seed] [instruction].
if (!HostFpu.IsAvailable)
{
    Console.Error.WriteLine("fpu-bench: needs Linux on x86-64");
    return 2;
}

bool simd = args is ["--simd", ..];
string[] rest = simd ? args[1..] : args;
long wanted = rest.Length > 0 ? long.Parse(rest[0], NumberStyles.AllowThousands, CultureInfo.InvariantCulture) : 10_000_000;
int seed = rest.Length > 1 ? int.Parse(rest[1], CultureInfo.InvariantCulture) : Environment.TickCount;
string only = rest.Length > 2 ? rest[2] : "";
return simd ? CompareSimd() : CompareFpu();

int CompareFpu()
{
    List<FpuInstruction> instructions = [.. FpuInstruction.All.Where(i => i.Name.StartsWith(only, StringComparison.Ordinal))];
    using FpuComparison comparison = new(seed);
    return Compare(instructions, comparison.Run, () => $"{comparison.Executed:N0} executions");
}

int CompareSimd()
{
    List<SimdInstruction> instructions = [.. SimdInstruction.All.Where(i => i.Name.StartsWith(only, StringComparison.OrdinalIgnoreCase))];
    using SimdComparison comparison = new(seed);
    return Compare(instructions, comparison.Run, () => $"{comparison.Executed:N0} executions ({comparison.Faulted:N0} with an exception)");
}

int Compare<TInstruction>(List<TInstruction> instructions, Func<TInstruction, int, int, IReadOnlyList<string>> run, Func<string> executed)
{
    long start = Stopwatch.GetTimestamp();
    int each = (int)Math.Max(1, wanted / instructions.Count);
    int diverged = 0;
    foreach (TInstruction instruction in instructions)
    {
        IReadOnlyList<string> found = run(instruction, each, 3);
        diverged += found.Count;
        foreach (string line in found)
            Console.WriteLine(line);
    }

    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{executed()} of {instructions.Count} instructions, seed {seed}, {diverged} divergences shown, {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s"));
    return diverged == 0 ? 0 : 1;
}
