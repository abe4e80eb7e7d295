using System.Globalization;
using Plexus.Host.CommandLine;
using Plexus.Host.Loaders;
using Plexus.Host.Machines;
using Plexus.Journal;
using Plexus.Messaging.Contracts.Monitor;
using Plexus.Monitor;

namespace Plexus.Host.Journals;

/// <summary>
/// <c>plexus diff</c> where one side is the host's own processor, which counts no instructions: the guest is run there with a journal, and repeated under <c>emulated</c> up to each
/// access, interrupt, delivery and change of the privilege level.
/// </summary>
internal sealed class NativeDiff(RunSettings settings, HostStreams streams)
{
    /// <summary>The two sides can be compared so.</summary>
    /// <exception cref="InputException">One is native, and the other is not emulated, or they differ in more.</exception>
    public static RunSettings? Of(RunSettings a, RunSettings b)
    {
        if (a.Engine != Engine.Native && b.Engine != Engine.Native)
            return null;
        (RunSettings native, RunSettings other) = a.Engine == Engine.Native ? (a, b) : (b, a);
        if (other.Engine != Engine.Emulated || other.Cpu != native.Cpu || other.Machine != native.Machine || other.Memory != native.Memory)
            throw new InputException("--a, --b: native is compared with engine=emulated on the same machine; give both the same cpu=, machine=, mem=");
        return native;
    }

    /// <summary>Compares to the end.</summary>
    /// <returns>0 when there is no divergence, 1 when there is one.</returns>
    public int Run()
    {
        JournalSetup.Check(settings, "--a, --b");
        BootRequest boot = MachineSetup.Boot(settings);
        using FileStream file = new(Path.Combine(Path.GetTempPath(), $"plexus-{Guid.NewGuid():N}.journal"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
        using MemoryStream printed = new();
        int code = Record(boot, file, printed);
        if (code != ExitCodes.Success)
            return code;
        file.Position = 0;
        using JournalReader journal = new(file);
        using MemoryStream again = new();
        int result = new Repetition(streams, "diff").Run(settings, boot, journal, () => again);

        // The machines have closed their consoles; what was printed is still there.
        (byte[] native, byte[] emulated) = (printed.ToArray(), again.ToArray());
        if (result != ExitCodes.Success || native.AsSpan().SequenceEqual(emulated))
            return result;
        Say($"first divergence: console: {native.Length} bytes against {emulated.Length}, equal up to byte {native.AsSpan().CommonPrefixLength(emulated)}");
        return ExitCodes.Divergence;
    }

    private int Record(BootRequest boot, FileStream file, MemoryStream printed)
    {
        using JournalWriter writer = new(file, JournalSetup.Header(settings), leaveOpen: true);
        using Machine machine = MachineSetup.Build(settings with { NoReboot = true }, () => printed, journal: new MachineJournal(writer));
        machine.Load(boot);
        MachineExit exit = machine.Run();
        writer.Finish(in machine.Vcpu.State, machine.Memory);
        Say($"native: {ExitCodes.Reason(exit)}; {writer.Count:N0} entries");
        if (writer.Failure is { } failure)
            throw new InputException(failure);
        return exit.Kind == MachineExitKind.ContainerLost ? ExitCodes.ContainerLost : ExitCodes.Success;
    }

    private void Say(FormattableString text) => streams.Messages.WriteLine($"plexus diff: {text.ToString(CultureInfo.InvariantCulture)}");
}
