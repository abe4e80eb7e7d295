using System.Globalization;
using Plexus.Host.CommandLine;
using Plexus.Host.Loaders;
using Plexus.Host.Reports;

namespace Plexus.Host.Diff;

/// <summary>
/// Runs one guest on two machines in steps of retired instructions and compares registers, memory and console after each.
/// A difference is narrowed down to one instruction by running again from the start in smaller steps: runs are deterministic.
/// </summary>
/// <param name="a">First configuration.</param>
/// <param name="b">Second configuration.</param>
/// <param name="start">Instructions that both machines interpret first.</param>
/// <param name="step">Instructions between comparisons.</param>
/// <param name="streams">Where the report goes.</param>
internal sealed class Lockstep(RunSettings a, RunSettings b, ulong start, ulong step, HostStreams streams)
{
    private const int TrailLength = 32;
    private const ulong Narrowing = 1000;

    private readonly BootRequest boot = MachineSetup.Boot(a);

    /// <summary>Compares to the end of both machines.</summary>
    /// <returns>0 when there is no divergence, 1 when there is one.</returns>
    public int Run()
    {
        ulong agreed = start;
        for (ulong size = step; ;)
        {
            using MachinePair pair = new(a, b, boot);
            Queue<string> trail = new(TrailLength);
            string? difference = Walk(pair, size, ref agreed, size == 1 ? trail : null);
            if (difference is null)
            {
                if (size != step)
                    throw new InvalidOperationException($"A divergence after {agreed} instructions did not come again in smaller steps: one of the machines is not deterministic.");
                Say($"no divergence between {pair.A.Name} and {pair.B.Name} in {pair.A.Machine.Vcpu.State.Retired:N0} guest instructions; {pair.A.Console.Length} console bytes; end: {pair.A.End}");
                return ExitCodes.Success;
            }

            if (size == 1)
            {
                Report(pair, difference, agreed, trail);
                return ExitCodes.Divergence;
            }

            Say($"difference between instructions {agreed:N0} and {agreed + size:N0} ({difference}); narrowing it down");
            size = Math.Max(1, size / Narrowing);
        }
    }

    /// <summary>Runs the pair from where it last agreed, to the first difference or the end.</summary>
    private string? Walk(MachinePair pair, ulong size, ref ulong agreed, Queue<string>? trail)
    {
        using Progress progress = new(streams, () => pair.B.Machine.Vcpu.State.Retired);
        if (trail is not null && agreed > start + TrailLength)
            agreed -= TrailLength;
        if (start != 0)
            pair.RunTo(start, interpreted: true);
        if (agreed > start)
            pair.RunTo(agreed);
        string? difference = pair.Difference();
        while (difference is null && pair.A.CanContinue && agreed < a.Limit)
        {
            if (trail is not null)
            {
                if (trail.Count == TrailLength)
                    trail.Dequeue();
                trail.Enqueue(GuestView.Disassemble(pair.A.Machine));
            }

            pair.RunTo(Math.Min(agreed + size, a.Limit));
            difference = pair.Difference();
            if (difference is null)
                agreed = Math.Min(agreed + size, a.Limit);
        }

        return difference;
    }

    private void Report(MachinePair pair, string difference, ulong agreed, Queue<string> trail)
    {
        Say($"first divergence after {agreed:N0} guest instructions: {difference}");
        streams.Messages.WriteLine($"{"",-16} {pair.A.Name,-44} {pair.B.Name}");
        List<(string Name, string Value)> left = Diff.StateDump.Of(pair.A.Machine.Vcpu);
        List<(string Name, string Value)> right = Diff.StateDump.Of(pair.B.Machine.Vcpu);
        for (int i = 0; i < left.Count; i++)
            streams.Messages.WriteLine($"{(left[i] == right[i] ? " " : "*")} {left[i].Name,-14} {left[i].Value,-44} {right[i].Value}");
        streams.Messages.WriteLine($"{(pair.A.End == pair.B.End ? " " : "*")} {"end",-14} {pair.A.End,-44} {pair.B.End}");
        streams.Messages.WriteLine($"the last {trail.Count} instructions, the divergent one last:");
        foreach (string line in trail)
            streams.Messages.WriteLine($"  {line}");
    }

    private void Say(FormattableString text) => streams.Messages.WriteLine($"plexus diff: {text.ToString(CultureInfo.InvariantCulture)}");
}
