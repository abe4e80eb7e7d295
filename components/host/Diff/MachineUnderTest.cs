using Plexus.Host.CommandLine;
using Plexus.Host.Loaders;
using Plexus.Host.Machines;
using Plexus.Messaging;
using Plexus.Messaging.Contracts.Monitor;
using Plexus.Messaging.Shared;

namespace Plexus.Host.Diff;

/// <summary>One side of a comparison: a machine, what it printed, and how its last step ended.</summary>
internal sealed class MachineUnderTest : IDisposable
{
    private readonly MemoryStream console = new();

    public MachineUnderTest(RunSettings settings, BootRequest boot)
    {
        Machine = MachineSetup.Build(settings, () => console, overwritten: Overwritten);
        Machine.Load(boot);
        Name = Machine.Options.Engine == Monitor.Engine.Emulated
            ? MachineSetup.NameOf(Machine.Options.Engine)
            : $"{MachineSetup.NameOf(Machine.Options.Engine)}/{StrategyNames.Of(Machine.Options.Strategy)}";
    }

    public Machine Machine { get; }

    /// <summary>What this machine's roads overwrote below the guest's stack pointer.</summary>
    public OverwrittenBytes Overwritten { get; } = new();

    public string Name { get; }

    /// <summary>How the last step ended; a failed component counts as an end.</summary>
    public string End { get; private set; } = "";

    /// <summary>The last step reached its limit: there is more to run.</summary>
    public bool CanContinue { get; private set; } = true;

    /// <summary>What the guest printed so far.</summary>
    public ReadOnlySpan<byte> Console => console.GetBuffer().AsSpan(0, (int)console.Length);

    public void RunTo(ulong retired, bool interpreted = false)
    {
        try
        {
            MachineExit exit = Machine.Run(retired, interpreted: interpreted);
            CanContinue = exit.Kind == MachineExitKind.Limit;
            End = $"{exit.Kind} {exit.Code} {exit.Detail}".TrimEnd();
        }
        catch (ComponentFaultException e)
        {
            CanContinue = false;
            End = $"component {e.Message.ReplaceLineEndings(" ")}";
        }
    }

    public void Dispose() => Machine.Dispose();
}
