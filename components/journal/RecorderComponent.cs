using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Journal;
using Plexus.Messaging.Shared;

namespace Plexus.Journal;

/// <summary>
/// Stands in the place of the bus and notes what passes: every access with its time and result, every turn of the timers and every interrupt with where the guest stood. No port is
/// called stable: what ring 3 read by itself would not be noted.
/// </summary>
/// <param name="vcpu">Read when something comes from outside.</param>
/// <param name="memory">Read for the sum over what is near.</param>
/// <param name="journal">Takes the entries.</param>
public sealed class RecorderComponent(Vcpu vcpu, GuestMemory memory, JournalWriter journal) : IComponent
{
    private IEndpoint? bus;

    /// <summary>The name of the bus behind a journal.</summary>
    public const string BusName = "journalled-bus";

    /// <inheritdoc/>
    public string Name => "bus";

    /// <inheritdoc/>
    public void Attach(IComponentPort port)
    {
        ArgumentNullException.ThrowIfNull(port);
        bus = port.Connect(BusName);
        port.OnCall<PortRead, BusResult>((in PortRead request) =>
            Note(JournalKind.PortRead, request.Port, request.Width, request.Now, bus.Call<PortRead, BusResult>(in request)));
        port.OnCall<MmioRead, BusResult>((in MmioRead request) =>
            Note(JournalKind.MmioRead, request.Address, request.Width, request.Now, bus.Call<MmioRead, BusResult>(in request)));
        port.OnCall<PortWrite, BusResult>((in PortWrite request) =>
        {
            journal.Add(new JournalEntry(JournalKind.PortWrite, request.Port, request.Width, request.Value, request.Now));
            return bus.Call<PortWrite, BusResult>(in request);
        });
        port.OnCall<MmioWrite, BusResult>((in MmioWrite request) =>
        {
            journal.Add(new JournalEntry(JournalKind.MmioWrite, request.Address, request.Width, request.Value, request.Now));
            return bus.Call<MmioWrite, BusResult>(in request);
        });
        port.OnCall<ReadTimeStamp, TimeStamp>((in ReadTimeStamp request) =>
        {
            journal.Add(new JournalEntry(JournalKind.TimeStamp, 0, 0, request.Cycles, vcpu.State.Now));
            return new TimeStamp(request.Cycles);
        });
        port.OnCall<RunTimers, NextDeadline>((in RunTimers request) =>
        {
            journal.Add(new JournalEntry(JournalKind.Timers, 0, 0, 0, request.Now, StateOfVcpu.Read(in vcpu.State, memory)));
            return bus.Call<RunTimers, NextDeadline>(in request);
        });
        port.OnCall<Acknowledge, Vector>((in Acknowledge request) =>
        {
            // A guest that this wakes was halted.
            JournalState state = StateOfVcpu.Read(in vcpu.State, memory) with { Halted = 0 };
            Vector vector = bus.Call<Acknowledge, Vector>(in request);
            journal.Add(new JournalEntry(JournalKind.Interrupt, vector.Value, 0, 0, request.Now, state));
            return vector;
        });
        port.OnCall<NoteBoundary, Done>((in NoteBoundary request) =>
        {
            ulong frame = request.Kind == JournalKind.Delivery ? NearMemory.Frame(in vcpu.State, memory) : 0;
            journal.Add(new JournalEntry(request.Kind, request.Vector, 0, frame, vcpu.State.Now, StateOfVcpu.Read(in vcpu.State, memory)));
            return default;
        });
        JournalFront.Rest(port, bus);
        port.OnCall<Describe, Description>((in Describe _) => new Description(Name, $"a bus that is noted down, {journal.Count} entries"));
    }

    private BusResult Note(JournalKind kind, uint address, int width, ulong now, BusResult result)
    {
        journal.Add(new JournalEntry(kind, address, width, result.Value, now));
        return result;
    }
}
