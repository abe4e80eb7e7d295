using System.Runtime.InteropServices;

namespace Plexus.Cpu.Tests.Simd.Differential;

/// <summary>Random MMX, SSE and SSE2 instructions on the emulated processor and on the host.</summary>
public sealed unsafe class SimdComparison : IDisposable
{
    private const int Batch = 64;
    private readonly SimdCase* cases = (SimdCase*)NativeMemory.AlignedAlloc((nuint)(Batch * sizeof(SimdCase)), 64);
    private readonly HostSimd host = new();
    private readonly SimdMachine machine = new();
    private readonly SimdGenerator generator;

    /// <summary>Begins a comparison.</summary>
    /// <param name="seed">The same seed gives the same cases.</param>
    public SimdComparison(int seed) => generator = new SimdGenerator(seed);

    /// <summary>Executions compared so far.</summary>
    public long Executed { get; private set; }

    /// <summary>Of these, those that raised a floating-point exception.</summary>
    public long Faulted { get; private set; }

    /// <summary>Executes an instruction on so many random cases; another immediate each batch.</summary>
    /// <returns>Descriptions of divergences, at most <paramref name="limit"/>.</returns>
    public IReadOnlyList<string> Run(SimdInstruction instruction, int count, int limit = 3)
    {
        List<string> found = [];
        while (count > 0)
        {
            int size = Math.Min(count, instruction.HasImmediate ? 16 : Batch);
            byte[] bytes = instruction.HasImmediate ? [.. instruction.Bytes, generator.Immediate()] : instruction.Bytes;
            machine.Load(bytes);
            for (int i = 0; i < size; i++)
                generator.Fill(instruction, ref cases[i]);
            host.Execute(bytes, cases, size);
            for (int i = 0; i < size; i++)
            {
                Faulted += cases[i].Faulted;
                if (machine.Compare(instruction, ref cases[i]) is { } difference && found.Count < limit)
                    found.Add(difference + (instruction.HasImmediate ? $" imm {bytes[^1]:X2}" : ""));
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
