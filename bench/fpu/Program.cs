using System.Diagnostics;
using System.Globalization;
using Plexus.Cpu.Tests.Fpu.Differential;

// Random x87 instructions on the emulated processor and on this machine's own unit: fpu-bench [executions] [seed] [instruction].
if (!HostFpu.IsAvailable)
{
    Console.Error.WriteLine("fpu-bench: needs Linux on x86-64");
    return 2;
}

long wanted = args.Length > 0 ? long.Parse(args[0], NumberStyles.AllowThousands, CultureInfo.InvariantCulture) : 10_000_000;
int seed = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : Environment.TickCount;
string only = args.Length > 2 ? args[2] : "";
List<FpuInstruction> instructions = [.. FpuInstruction.All.Where(i => i.Name.StartsWith(only, StringComparison.Ordinal))];
using FpuComparison comparison = new(seed);
long start = Stopwatch.GetTimestamp();
int each = (int)Math.Max(1, wanted / instructions.Count);
int diverged = 0;
foreach (FpuInstruction instruction in instructions)
{
    IReadOnlyList<string> found = comparison.Run(instruction, each);
    diverged += found.Count;
    foreach (string line in found)
        Console.WriteLine(line);
}

Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{comparison.Executed:N0} executions of {instructions.Count} instructions, seed {seed}, {diverged} divergences shown, {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s"));
return diverged == 0 ? 0 : 1;
