using Plexus.Journal;
using Plexus.Messaging;
using Plexus.Messaging.Shared;

namespace Plexus.Host.Machines;

/// <summary>The journal of a machine: one that is made, or one that is replayed.</summary>
public sealed class MachineJournal
{
    private readonly JournalWriter? writer;
    private readonly JournalReader? reader;

    /// <summary>A journal that is made.</summary>
    public MachineJournal(JournalWriter writer)
    {
        this.writer = writer;
    }

    /// <summary>A journal that is replayed.</summary>
    public MachineJournal(JournalReader reader)
    {
        this.reader = reader;
    }

    /// <summary>Which of the two.</summary>
    public JournalMode Mode => writer is null ? JournalMode.Replay : JournalMode.Record;

    /// <summary>What stands in the place of the bus.</summary>
    internal IComponent Front(Vcpu vcpu, PlatformLines lines)
    {
        writer?.Connect(lines);
        return writer is null ? new ReplayerComponent(vcpu, lines, reader!) : new RecorderComponent(vcpu, writer);
    }
}
