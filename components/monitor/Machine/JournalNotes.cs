using Plexus.Messaging;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Journal;
using Plexus.Messaging.Shared;

namespace Plexus.Monitor.Machine;

/// <summary>Tells a journal, which stands in the bus' place, of the boundaries that every engine sees: deliveries and changes of the guest's privilege level.</summary>
internal sealed class JournalNotes(Vcpu vcpu, IEndpoint journal)
{
    private uint level;

    /// <summary>At an instruction boundary: the privilege level may be another.</summary>
    internal void Look()
    {
        if (vcpu.State.Cpl == level)
            return;
        level = vcpu.State.Cpl;
        journal.Call<NoteBoundary, Done>(new NoteBoundary(JournalKind.RingChange));
    }

    /// <summary>An exception or interrupt was delivered.</summary>
    internal void Delivered(byte vector) => journal.Call<NoteBoundary, Done>(new NoteBoundary(JournalKind.Delivery, vector));
}
