using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Journal;
using Plexus.Messaging.Shared;

namespace Plexus.Journal;

/// <summary>
/// Stands in the place of the bus and compares what passes with a journal. Devices see each access at the time that was noted, so that they do again what they did; what the guest
/// reads is what was noted. The first difference stops the machine.
/// </summary>
/// <param name="vcpu">Read at boundaries.</param>
/// <param name="memory">Read for the sum over what is near.</param>
/// <param name="lines">Interrupts are held back, timers do not ask for time, and the machine is asked to stop.</param>
/// <param name="journal">What happened.</param>
public sealed class ReplayerComponent(Vcpu vcpu, GuestMemory memory, PlatformLines lines, JournalReader journal) : IComponent
{
    private const uint ResumeFlag = 0x1_0000;

    private IEndpoint? bus;

    /// <summary>How often the guest stood at the EIP of what comes next from outside, but was in another state, and which; and what came next then.</summary>
    private ulong passes;
    private JournalState lastPass;
    private ulong passesBefore;

    /// <inheritdoc/>
    public string Name => "bus";

    /// <inheritdoc/>
    public void Attach(IComponentPort port)
    {
        ArgumentNullException.ThrowIfNull(port);
        lines.FollowsJournal = true;
        bus = port.Connect(RecorderComponent.BusName);
        port.OnCall<PortRead, BusResult>((in PortRead request) => TryTake(new JournalEntry(JournalKind.PortRead, request.Port, request.Width, 0, 0), out JournalEntry noted)
            ? Answer(in noted, bus.Call<PortRead, BusResult>(request with { Now = noted.Now }))
            : Nothing);
        port.OnCall<MmioRead, BusResult>((in MmioRead request) => TryTake(new JournalEntry(JournalKind.MmioRead, request.Address, request.Width, 0, 0), out JournalEntry noted)
            ? Answer(in noted, bus.Call<MmioRead, BusResult>(request with { Now = noted.Now }))
            : Nothing);
        port.OnCall<PortWrite, BusResult>((in PortWrite request) => TryTake(new JournalEntry(JournalKind.PortWrite, request.Port, request.Width, request.Value, 0), out JournalEntry noted)
            ? Done(bus.Call<PortWrite, BusResult>(request with { Now = noted.Now }))
            : Nothing);
        port.OnCall<MmioWrite, BusResult>((in MmioWrite request) => TryTake(new JournalEntry(JournalKind.MmioWrite, request.Address, request.Width, request.Value, 0), out JournalEntry noted)
            ? Done(bus.Call<MmioWrite, BusResult>(request with { Now = noted.Now }))
            : Nothing);
        port.OnCall<ReadTimeStamp, TimeStamp>((in ReadTimeStamp _) => TryTake(new JournalEntry(JournalKind.TimeStamp, 0, 0, 0, 0), out JournalEntry noted)
            ? Done(new TimeStamp(noted.Value))
            : default);
        port.OnCall<RunTimers, NextDeadline>((in RunTimers _) =>
        {
            bus.Call<RunTimers, NextDeadline>(new RunTimers(journal.Take().Now));
            return Done(new NextDeadline(ulong.MaxValue));
        });
        port.OnCall<Acknowledge, Vector>(OnAcknowledge);
        port.OnCall<NoteBoundary, Done>(OnBoundary);
        port.OnCall<ReadNextPoint, NextPoint>(OnNextPoint);
        port.OnCall<Diverge, Done>((in Diverge request) =>
        {
            Differs($"{request.Why}; in the journal comes {journal.Next.Words}");
            return default;
        });
        JournalFront.Rest(port, bus);
        port.OnCall<Describe, Description>((in Describe _) => new Description(Name, $"a bus that is compared with a journal, {journal.Count} entries so far"));
    }

    /// <summary>What an access gives after a difference: the machine stops, and nobody looks at it any more.</summary>
    private static BusResult Nothing => new(AccessStatus.Unmapped, uint.MaxValue);

    private NextPoint OnNextPoint(in ReadNextPoint request)
    {
        JournalState noted = journal.Next.State ?? default;
        NextPoint point = new(journal.Next.Kind, noted);
        return point is { IsFromOutside: true, Kind: not JournalKind.None } ? point with { IsHere = IsAt(noted) } : point;
    }

    /// <summary>The resume flag is left out, and that the guest is halted where an interrupt wakes it.</summary>
    private bool IsAt(in JournalState noted)
    {
        JournalState here = StateOfVcpu.Registers(in vcpu.State);
        if (here.Eip != noted.Eip)
            return false;
        here = here with
        {
            Near = NearMemory.Sum(in vcpu.State, memory),
            Eflags = (here.Eflags & ~ResumeFlag) | (noted.Eflags & ResumeFlag),
            Halted = journal.Next.Kind == JournalKind.Interrupt ? noted.Halted : here.Halted,
        };
        if (here == noted)
            return true;
        passes = passesBefore == journal.Count ? passes + 1 : 1;
        passesBefore = journal.Count;
        lastPass = here;
        return false;
    }

    private Vector OnAcknowledge(in Acknowledge request)
    {
        JournalEntry noted = journal.Take();
        Vector vector = Done(bus!.Call<Acknowledge, Vector>(new Acknowledge(noted.Now)));
        if (vector.Value != noted.Address)
            Differs($"the interrupt controller answers {vector.Value:X2}h, where it answered {noted.Address:X2}h");
        return new Vector((byte)noted.Address);
    }

    private Done OnBoundary(in NoteBoundary request)
    {
        JournalState here = StateOfVcpu.Read(in vcpu.State, memory);
        JournalEntry asked = new(request.Kind, request.Vector, 0, request.Kind == JournalKind.Delivery ? NearMemory.Frame(in vcpu.State, memory) : 0, 0, here);
        if (!TryTake(asked, out JournalEntry noted))
            return default;
        if (noted.State != here)
            Differs($"{asked.Words}: {StateOfVcpu.Difference(here, noted.State ?? default)}{(noted.Value == asked.Value ? "" : $"; pushed were {asked.Value:X16}, where they were {noted.Value:X16}")}");
        return Done(default(Done));
    }

    private BusResult Answer(in JournalEntry noted, in BusResult result)
    {
        if (result.Value != noted.Value)
            Differs($"{noted.Words} gives {result.Value:X}h, where it gave {noted.Value:X}h");
        return Done(result with { Value = (uint)noted.Value });
    }

    /// <summary>Something was done: what comes from outside next is waited for.</summary>
    private T Done<T>(T result)
    {
        lines.JournalStop = new NextPoint(journal.Next.Kind, default).IsFromOutside;
        return result;
    }

    private bool TryTake(in JournalEntry asked, out JournalEntry noted)
    {
        noted = default;
        if (journal.Divergence is not null)
            return false;
        if (journal.Next.Asks(in asked))
        {
            noted = journal.Take();
            return true;
        }

        Differs($"the guest does {asked.Words} near EIP {vcpu.State.Eip:X8}h; in the journal comes {journal.Next.Words}");
        return false;
    }

    private void Differs(string why)
    {
        bool isMissed = passes != 0 && passesBefore == journal.Count;
        journal.Diverge(isMissed ? $"{why}; {passes:N0} times the guest stood at its EIP, the last time with {StateOfVcpu.Difference(lastPass, journal.Next.State ?? default)}" : why);
        lines.HostStop = true;
    }
}
