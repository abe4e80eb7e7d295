using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Contracts.Monitor;
using Xunit;

namespace Plexus.System.Tests.Interruptions;

/// <summary>One shape on one road, disturbed before its first, second, third … physical instruction until it is over before that.</summary>
internal sealed class Sweep
{
    private const int MostSteps = 5000;

    private readonly RoadUnderTest road;
    private readonly Shape shape;
    private readonly Reference reference;
    private readonly Rig rig;

    internal Sweep(RoadRigs rigs, Shape shape)
    {
        road = rigs.Road;
        this.shape = shape;
        reference = new Reference(rigs.Emulated, shape);
        rig = rigs.Ring3;
        rig.Load(shape);
        rig.Warm();
    }

    internal SegmentMap Map => rig.Map;

    /// <summary>Runs undisturbed.</summary>
    /// <returns>Null when it comes out as in the reference.</returns>
    internal string? Undisturbed()
    {
        rig.Restore();
        return Said(0, Compare(rig.Outcome(), [reference.Outcome]));
    }

    /// <summary>Stops at every point and compares the boundary that the monitor makes of it.</summary>
    /// <returns>The first thing wrong, or null.</returns>
    internal string? Stops()
    {
        for (int step = 0; ; step++)
        {
            Go(step, () =>
            {
                rig.Lines.HostStop = true;
                return new CpuExit(ExitKind.Stop, 0, false, 0, 0, null);
            });
            MachineExit exit = rig.RunToEnd();
            if (!rig.Lines.HostStop)
                return null;
            Snapshot mine = rig.Take();
            string? wrong = exit.Kind == MachineExitKind.HostStop ? Compare(mine, reference.At(mine.Retired)) : $"it ended: {exit.Detail}";
            if (wrong is not null)
                return Said(step, $"{wrong} (EIP {mine.Eip:X8}, {mine.Retired} retired)");
        }
    }

    /// <summary>Has something happen at every point, to be seen at the boundary that the monitor makes of it, and compares how the run comes out.</summary>
    internal string? Disturbed(string what, Action<Rig> happen)
    {
        for (int step = 0; ; step++)
        {
            // The line changes at the point itself; it is seen at the boundary.
            ulong? seen = null;
            Go(step, () =>
            {
                seen = rig.State.Retired;
                rig.Before = null;
                return new CpuExit(ExitKind.Resample, 0, false, 0, 0, null);
            }, _ => happen(rig));
            Snapshot mine = rig.Outcome();
            if (seen is not { } retired)
                return null;
            if (Compare(mine, reference.OutcomesOf(retired, what, happen)) is { } wrong)
                return Said(step, $"{what}: {wrong} (seen with {retired} retired)");
        }
    }

    /// <summary>Takes a page away at every point without a look at boundaries, and compares how the run comes out.</summary>
    /// <param name="what">The change, in words.</param>
    /// <param name="page">The page.</param>
    /// <param name="change">The change.</param>
    /// <param name="isGuests">
    /// The guest's own tables change. That can only be where the road has not used the page for the present guest instruction: nothing but the guest
    /// changes its tables, and what was there for the first of its accesses is there for all.
    /// </param>
    internal string? Changed(string what, uint page, Action<Rig> change, bool isGuests)
    {
        for (int step = 0; ; step++)
        {
            ulong? changed = null;
            bool reached = false;
            Go(step, () => null, used =>
            {
                reached = true;
                rig.Before = null;
                if (isGuests && used.Contains(page))
                    return;
                changed = rig.State.Retired;
                change(rig);
            }, notesPages: isGuests);
            Snapshot mine = rig.Outcome();
            if (!reached)
                return null;
            if (changed is not { } retired)
                continue;
            if (Compare(mine, isGuests ? reference.OutcomesOf(retired, what, change) : [reference.Outcome]) is { } wrong)
                return Said(step, $"{what}: {wrong} (changed with {retired} retired)");
        }
    }

    /// <summary>Has the ring full at each write of a record.</summary>
    /// <param name="fulls">How often it was.</param>
    internal string? FullRings(out int fulls)
    {
        fulls = 0;
        for (int step = 0; ; step++)
        {
            bool full = false;
            bool reached = false;
            Go(step, () => null, _ =>
            {
                reached = true;
                full = Map.TryFind(rig.State.Eip, out SegmentPiece piece, out int index) && piece.Map[index].RingWrite;
                if (full)
                    rig.FillRing();
                rig.Before = null;
            });
            Snapshot mine = rig.Outcome();
            if (!reached)
                return null;
            fulls += full ? 1 : 0;
            if (Compare(mine, [reference.Outcome]) is { } wrong)
                return Said(step, $"ring full: {wrong}");
        }
    }

    /// <summary>Puts the guest back and arms a point.</summary>
    /// <param name="step">Physical instructions before it.</param>
    /// <param name="atBoundary">What ends the run there. Where the guest's instruction took effect, the road is followed on to the boundary first.</param>
    /// <param name="atPoint">What happens there; it is told the pages that the road used for the present guest instruction, where they are noted.</param>
    /// <param name="notesPages">Whether they are. To know them, every instruction before is looked into, which takes longer than to run it.</param>
    private void Go(int step, Func<CpuExit?> atBoundary, Action<IReadOnlySet<uint>>? atPoint = null, bool notesPages = false)
    {
        rig.Restore();
        int steps = 0;
        ulong retired = 0;
        bool wasCommitted = false;
        HashSet<uint> used = [];
        rig.Before = () =>
        {
            bool inSegment = Map.TryFind(rig.State.Eip, out SegmentPiece piece, out int index);
            bool isCommitted = inSegment && piece.Map[index].Committed;
            if (!inSegment || (!isCommitted && (wasCommitted || rig.State.Retired != retired)))
                used.Clear();
            wasCommitted = isCommitted;
            retired = rig.State.Retired;
            if (steps++ == step)
            {
                if (inSegment)
                    piece.Stopped[index] = true;
                atPoint?.Invoke(used);
            }

            if (notesPages && inSegment)
                MemoryUse.Add(piece.Decode(index), rig.State, used);
            else if (notesPages && road.Pushes)
                MemoryUse.AddPushes(rig.State, used);
            Assert.True(steps < MostSteps, $"{shape}: no end");
            return steps <= step || isCommitted ? null : atBoundary();
        };
    }

    /// <summary>Compares with what may be expected.</summary>
    /// <returns>Null when it equals one of them, otherwise the difference to the last.</returns>
    private string? Compare(Snapshot mine, IEnumerable<Snapshot> expected)
    {
        string? wrong = "there is no such boundary";
        foreach (Snapshot theirs in expected)
        {
            wrong = mine.Difference(theirs, rig.Image, rig.Overwritten);
            if (wrong is null)
                return null;
        }

        return wrong;
    }

    private string? Said(int step, string? wrong) => wrong is null ? null : $"{shape}, before instruction {step}: {wrong}";
}
