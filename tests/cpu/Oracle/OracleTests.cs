using Plexus.Cpu.Native;

namespace Plexus.Cpu.Tests.Oracle;

/// <summary>A sample of what bench/oracle does. Where the host lacks something these fail and say what.</summary>
public sealed class OracleTests
{
    private static readonly string Vectors = Path.Combine(AppContext.BaseDirectory, "Vectors", "host");

    [Theory]
    [InlineData(20261125, "pentium-pro")]
    [InlineData(4711, "pentium-m")]
    public void Random_sequences_end_alike_on_the_host_and_on_the_interpreter(int seed, string model)
    {
        Assert.True(NativeSupport.WhyNot is null, NativeSupport.WhyNot);
        using OracleRun run = new(seed, model);

        OracleDivergence? divergence = run.Run(200_000);

        Assert.True(divergence is null, divergence is null ? "" : $"{divergence.Difference}\n{OracleText.Write(divergence, run.Mode)}");
        Assert.True(run.Cases > 10 * run.Incomparable, $"{run.Incomparable} of {run.Cases} cases cannot be compared");
        foreach (int vector in (ReadOnlySpan<int>)[0, 1, 3, 6, 13, 14, 16, 17])
            Assert.True(run.Endings[vector] != 0, $"no case ended with exception {vector}");
    }

    /// <summary>A replayed run follows the habits of the processor that was recorded.</summary>
    [ZenFact]
    public void Undefined_flags_of_this_host_are_known()
    {
        using OracleRun run = new(17, habits: HostHabits.Present);

        OracleDivergence? divergence = run.Run(200_000);

        Assert.True(divergence is null, divergence is null ? "" : $"{divergence.Difference}\n{OracleText.Write(divergence, run.Mode)}");
    }

    /// <summary>FXSAVE is executed where guest code runs: it writes the host's MXCSR_MASK, and XMM registers that the guest's model does not have.</summary>
    [ZenTheory]
    [InlineData("pentium2", false)]
    [InlineData("pentium2", true)]
    [InlineData("pentium-m", false)]
    [InlineData("pentium-m", true)]
    public void Image_that_Fxsave_writes_is_this_host_s(string model, bool pending)
    {
        using OracleRun run = new(1, model, habits: HostHabits.Present);
        byte[] fx = new byte[512];
        BitConverter.TryWriteBytes(fx, (ushort)(pending ? 0x37B : 0x37F));
        BitConverter.TryWriteBytes(fx.AsSpan(24), 0x1F80u);
        uint[] registers = new uint[8];
        registers[3] = OracleLayout.Data(3);

        // FLDPI, FLDZ, FDIVP (divides by zero), FXSAVE [EBX]; the selectors, which are the physical ones, are overwritten: MOV WORD [EBX+12],0 and MOV WORD [EBX+20],0.
        byte[][] code = [[0xD9, 0xEB], [0xD9, 0xEE], [0xDE, 0xF9], [0x0F, 0xAE, 0x03], [0x66, 0xC7, 0x43, 0x0C, 0, 0], [0x66, 0xC7, 0x43, 0x14, 0, 0]];
        OracleItem[] items = [.. code.Select(bytes => new OracleItem(bytes, bytes))];
        OracleCase subject = new() { Slot = 3, Image = 1, CodeAt = 16, Registers = registers, Eflags = 0x202, Fx = fx, Items = items };

        OracleDivergence? divergence = run.Check(subject);

        Assert.True(divergence is null, divergence?.Difference);
    }

    public static TheoryData<string> VectorFiles() => [.. Directory.GetFiles(Vectors, "*.txt").Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    /// <summary>What the interpreter once did otherwise, with what the host gave then: needs no host.</summary>
    [Theory]
    [MemberData(nameof(VectorFiles))]
    public void Divergence_that_was_mended_stays_so(string file)
    {
        using OracleMachine machine = new("pentium-pro");
        int count = 0;
        foreach ((OracleCase subject, OracleOutcome host) in OracleText.Read(File.ReadAllText(Path.Combine(Vectors, file))))
        {
            OracleOutcome outcome = new();
            machine.Clear();
            machine.Run(subject, outcome);
            Assert.True(OracleComparison.Find(subject, host, outcome) is not { } difference, $"vector {count} of {file}: {OracleComparison.Find(subject, host, outcome)}");
            count++;
        }

        Assert.NotEqual(0, count);
    }

    [Fact]
    public void Result_that_differs_is_found_and_shrunk_to_its_instruction()
    {
        Assert.True(NativeSupport.WhyNot is null, NativeSupport.WhyNot);
        using OracleRun run = new(1);
        OracleItem nop = new([0x90], [0x90]);

        // INC ECX for the interpreter, DEC ECX for the host.
        OracleItem wrong = new([0xFF, 0xC1], [0xFF, 0xC9]);
        byte[] fx = new byte[512];
        BitConverter.TryWriteBytes(fx, (ushort)0x37F);
        BitConverter.TryWriteBytes(fx.AsSpan(24), 0x1F80u);
        OracleCase subject = new() { Slot = 3, Image = 0, CodeAt = 16, Registers = new uint[8], Eflags = 0x202, Fx = fx, Items = [nop, nop, wrong, nop, nop] };

        OracleDivergence? found = run.Check(subject);
        Assert.NotNull(found);

        Assert.Equal([wrong], OracleShrinker.Shrink(found, run.Check).Case.Items);
    }
}
