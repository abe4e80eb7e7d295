using System.Globalization;
using Plexus.Host.CommandLine;
using Plexus.Host.Diff;
using Plexus.Host.Loaders;
using Plexus.Host.Machines;
using Plexus.Host.Reports;
using Plexus.Journal;
using Plexus.Messaging;
using Plexus.Messaging.Contracts.Monitor;
using Plexus.Monitor;

namespace Plexus.Host.Journals;

/// <summary>Repeats a run from its journal under <c>emulated</c>, and says where the two differ.</summary>
/// <param name="streams">Where the report goes.</param>
/// <param name="command">The command's name, for messages.</param>
internal sealed class Repetition(HostStreams streams, string command)
{
    /// <summary>Repeats.</summary>
    /// <param name="settings">What was run.</param>
    /// <param name="boot">What it started.</param>
    /// <param name="journal">What happened.</param>
    /// <param name="console">Opens the guest's console.</param>
    /// <returns>0 when nothing differs, 1 otherwise.</returns>
    public int Run(RunSettings settings, BootRequest boot, JournalReader journal, Func<Stream> console)
    {
        RunSettings emulated = settings with { Engine = Engine.Emulated, IsEngineAutomatic = false, NoReboot = true, Stats = null, Record = null };
        using Machine machine = MachineSetup.Build(emulated, console, journal: new MachineJournal(journal));
        machine.Load(boot);
        string? difference;
        try
        {
            using Progress progress = new(streams, () => machine.Vcpu.State.Retired);
            MachineExit exit = machine.Run();
            difference = journal.CompareEnd(in machine.Vcpu.State, machine.Memory);
            Say($"{exit.Detail}; {machine.Vcpu.State.Retired:N0} guest instructions, {journal.Count:N0} entries");
        }
        catch (ComponentFaultException e)
        {
            difference = $"component {e.Message.ReplaceLineEndings(" ")}";
        }

        if (difference is null)
        {
            Say($"no divergence between native and emulated");
            return ExitCodes.Success;
        }

        Say($"first divergence {difference}");
        streams.Messages.WriteLine("the guest on the virtual processor stands at");
        foreach ((string name, string value) in StateDump.Of(machine.Vcpu))
            streams.Messages.WriteLine($"  {name,-14} {value}");
        streams.Messages.WriteLine($"  {GuestView.Disassemble(machine)}");
        return ExitCodes.Divergence;
    }

    private void Say(FormattableString text) => streams.Messages.WriteLine($"plexus {command}: {text.ToString(CultureInfo.InvariantCulture)}");
}
