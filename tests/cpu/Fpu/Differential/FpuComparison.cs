using System.Runtime.InteropServices;

namespace Plexus.Cpu.Tests.Fpu.Differential;

/// <summary>Random x87 instructions on the emulated processor and on the host's own unit.</summary>
public sealed unsafe class FpuComparison : IDisposable
{
    private const int Batch = 256;
    private readonly FpuCase* cases = (FpuCase*)NativeMemory.AlignedAlloc((nuint)(Batch * sizeof(FpuCase)), 64);
    private readonly HostFpu host = new();
    private readonly FpuMachine machine = new();
    private readonly FpuGenerator generator;

    /// <summary>Begins a comparison.</summary>
    /// <param name="seed">The same seed gives the same cases.</param>
    public FpuComparison(int seed) => generator = new FpuGenerator(seed);

    /// <summary>Executions compared so far.</summary>
    public long Executed { get; private set; }

    /// <summary>Executes an instruction on so many random cases.</summary>
    /// <returns>Descriptions of divergences, at most <paramref name="limit"/>.</returns>
    public IReadOnlyList<string> Run(FpuInstruction instruction, int count, int limit = 3)
    {
        List<string> found = [];
        machine.Load(instruction.Bytes);
        while (count > 0)
        {
            int size = Math.Min(count, Batch);
            for (int i = 0; i < size; i++)
                generator.Fill(instruction, ref cases[i]);
            host.Execute(instruction.Bytes, cases, size);
            for (int i = 0; i < size; i++)
            {
                if (machine.Compare(instruction, ref cases[i]) is { } difference && found.Count < limit)
                    found.Add(difference);
            }

            count -= size;
            Executed += size;
        }

        return found;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        machine.Dispose();
        host.Dispose();
        NativeMemory.AlignedFree(cases);
    }
}
