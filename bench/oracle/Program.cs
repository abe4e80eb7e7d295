using System.Diagnostics;
using System.Globalization;
using Plexus.Cpu.Native;
using Plexus.Cpu.Tests.Oracle;

// Random instruction sequences on this machine's processor and on the interpreter:
// oracle-bench [--instructions N] [--seed N] [--model NAME] [--mode compatibility|long]. Exit code 1 with a vector on a divergence, 2 where the host lacks something.
long wanted = 10_000_000;
int seed = Environment.TickCount;
string model = "pentium-pro";
ContainerMode? mode = null;
for (int i = 0; i + 1 < args.Length; i += 2)
{
    switch (args[i])
    {
        case "--instructions":
            wanted = long.Parse(args[i + 1], NumberStyles.AllowThousands, CultureInfo.InvariantCulture);
            break;
        case "--seed":
            seed = int.Parse(args[i + 1], CultureInfo.InvariantCulture);
            break;
        case "--model":
            model = args[i + 1];
            break;
        case "--mode":
            mode = Enum.Parse<ContainerMode>(args[i + 1], ignoreCase: true);
            break;
        default:
            Console.Error.WriteLine($"oracle-bench: no such option: {args[i]}");
            return 2;
    }
}

if (NativeSupport.WhyNot is { } missing)
{
    Console.Error.WriteLine($"oracle-bench: {missing}");
    return 2;
}

using OracleRun run = new(seed, model, mode);
if (run.Mode == ContainerMode.Long)
    Console.Error.WriteLine("oracle-bench: this host has no 32-bit code segment, or 64-bit mode was asked for: what only 32-bit code can encode is not compared");
long start = Stopwatch.GetTimestamp();
OracleDivergence? divergence = run.Run(wanted);
double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
if (divergence is not null)
    Console.WriteLine($"divergence: {divergence.Difference}\n{OracleText.Write(divergence, run.Mode)}");
string endings = string.Join(", ", run.Endings.Select((count, vector) => (count, vector)).Where(pair => pair.count != 0).Select(pair => $"{(pair.vector == 32 ? "endless" : pair.vector.ToString(CultureInfo.InvariantCulture))}: {pair.count}"));
Console.WriteLine(string.Create(
    CultureInfo.InvariantCulture,
    $"{run.Instructions:N0} instructions in {run.Cases:N0} cases, {model} against {run.Mode} mode, seed {seed}; {run.Instructions / seconds:N0} instructions/s; {run.Incomparable:N0} incomparable, {run.Disturbed:N0} disturbed; endings by vector {endings}"));
return divergence is null ? 0 : 1;
