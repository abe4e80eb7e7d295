using Plexus.Cpu;
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

    /// <summary>What the guest sees of a host's processor: of the one that was recorded.</summary>
    /// <exception cref="InputException">The journal names one that is not known.</exception>
    public HostHabits Habits => reader is null ? HostHabits.Present
        : Enum.TryParse(reader.Header.UndefinedFlags, out UndefinedFlags flags) ? new HostHabits(flags, reader.Header.MxcsrMask)
        : throw new InputException($"the journal was made on a processor with undefined flags of kind {reader.Header.UndefinedFlags}, which is not known; replay it with the version that made it");

    /// <summary>What stands in the place of the bus.</summary>
    internal IComponent Front(Vcpu vcpu, GuestMemory memory, PlatformLines lines)
    {
        writer?.Connect(lines);
        return writer is null ? new ReplayerComponent(vcpu, memory, lines, reader!) : new RecorderComponent(vcpu, memory, writer);
    }
}
