using Plexus.Cpu.Native;

namespace Plexus.Cpu.Tests.Oracle;

/// <summary>Random cases on the host's processor and on the interpreter, until so many instructions agree or a case does not.</summary>
internal sealed class OracleRun : IDisposable
{
    private readonly OracleHost host;
    private readonly OracleMachine machine;
    private readonly OracleGenerator generator;
    private readonly OracleCase[] cases = new OracleCase[OracleLayout.Slots];
    private readonly OracleOutcome[] outcomes = [.. Enumerable.Range(0, OracleLayout.Slots).Select(_ => new OracleOutcome())];
    private readonly OracleOutcome guest = new();

    /// <summary>Flags count that the manual leaves undefined.</summary>
    private readonly bool exact;

    /// <summary>Begins.</summary>
    /// <param name="seed">The same seed gives the same cases, in the same mode and on the same model.</param>
    /// <param name="model">The interpreter's model.</param>
    /// <param name="mode">The host's mode; null for the one with more instructions.</param>
    /// <param name="habits">What the guest sees of the host, undefined flags among it, which are then compared; null where they are not.</param>
    public OracleRun(int seed, string model = "pentium-pro", ContainerMode? mode = null, HostHabits? habits = null)
    {
        host = new OracleHost(mode);
        exact = habits is not null;
        machine = new OracleMachine(model, habits ?? default);
        generator = new OracleGenerator(seed, host.Mode, model);
    }

    public ContainerMode Mode => host.Mode;

    /// <summary>Cases compared.</summary>
    public long Cases { get; private set; }

    /// <summary>Cases that ended in what only the host has.</summary>
    public long Incomparable { get; private set; }

    /// <summary>Cases that differed once and not when they were run alone: another slot's case had touched their memory, or they had read their own code where it is not the same on both sides.</summary>
    public long Disturbed { get; private set; }

    /// <summary>How often each vector ended a case; the last is for those that did not end.</summary>
    public long[] Endings { get; } = new long[33];

    /// <summary>Instructions compared: what the interpreter retired, but of each case no more than it has instructions, so that repetitions count as one.</summary>
    public long Instructions { get; private set; }

    /// <summary>Runs until so many instructions have been compared.</summary>
    /// <param name="instructions">How many.</param>
    /// <param name="progress">Told after every batch; false ends the run.</param>
    /// <returns>Null, or the first divergence, shrunk.</returns>
    public OracleDivergence? Run(long instructions, Func<bool>? progress = null)
    {
        while (Instructions < instructions && progress?.Invoke() != false)
        {
            if (RunBatch() is { } divergence)
                return divergence;
        }

        return null;
    }

    /// <summary>Runs one case alone on both sides.</summary>
    /// <returns>Null when they agree.</returns>
    public OracleDivergence? Check(OracleCase subject)
    {
        (OracleOutcome theirs, OracleOutcome ours) = (new(), new());
        host.Clear();
        machine.Clear();
        host.Run(subject, theirs);
        machine.Run(subject, ours);
        if (OracleComparison.IsIncomparable(Mode, theirs, ours) || ReadsItsCode(subject, ours))
            return null;
        return OracleComparison.Find(subject, theirs, ours, exact) is { } difference ? new OracleDivergence(subject, theirs, ours, difference) : null;
    }

    /// <summary>Where the two sides' code differs by a prefix: whether the interpreter's outcome changes with a third prefix that means as little.</summary>
    private bool ReadsItsCode(OracleCase subject, OracleOutcome outcome)
    {
        if (Mode == ContainerMode.Compatibility)
            return false;
        OracleOutcome other = new();
        machine.Clear();
        machine.Run(subject with { Items = [.. subject.Items.Select(item => item.WithOtherPrefixes())] }, other);
        return !other.Registers.AsSpan().SequenceEqual(outcome.Registers) || !other.Memory.AsSpan().SequenceEqual(outcome.Memory) || !other.Fx.AsSpan().SequenceEqual(outcome.Fx)
            || (other.Vector, other.Eip, other.Eflags, other.Cr2) != (outcome.Vector, outcome.Eip, outcome.Eflags, outcome.Cr2);
    }

    public void Dispose()
    {
        host.Dispose();
        machine.Dispose();
    }

    private OracleDivergence? RunBatch()
    {
        for (int slot = 0; slot < cases.Length; slot++)
            cases[slot] = generator.Next(slot);
        if (host.Run(cases, outcomes, out int completed) is { } failure)
            throw new InvalidOperationException($"{failure}\n{OracleText.Write(cases[completed], Mode)}");
        for (int slot = 0; slot < cases.Length; slot++)
        {
            OracleOutcome theirs = outcomes[slot];
            ulong retired = machine.Retired;
            machine.Run(cases[slot], guest);
            if (OracleComparison.IsIncomparable(Mode, theirs, guest))
            {
                Incomparable++;
                continue;
            }

            Cases++;
            Instructions += Math.Min((long)(machine.Retired - retired), cases[slot].Items.Count + 1);
            Endings[theirs.Vector is >= 0 and < 32 ? theirs.Vector : 32]++;
            if (OracleComparison.Find(cases[slot], theirs, guest, exact) is null)
                continue;
            if (Check(cases[slot]) is { } divergence)
                return OracleShrinker.Shrink(divergence, Check);
            Disturbed++;
        }

        return null;
    }
}
