using Plexus.Messaging.Contracts.Monitor;

namespace Plexus.Host;

/// <summary>
/// Process exit codes. Codes written by the guest to the debug-exit port are odd (<c>(value &lt;&lt; 1) | 1</c>), so every code of ours is even
/// (except the 1 of <c>plexus diff</c> and <c>plexus replay</c>, which run no guest of their own).
/// </summary>
public static class ExitCodes
{
    /// <summary>Power-off, a reset under <c>--no-reboot</c>, the asked number of instructions, or a breakpoint.</summary>
    public const int Success = 0;

    /// <summary><c>plexus diff</c> or <c>plexus replay</c> found a divergence.</summary>
    public const int Divergence = 1;

    /// <summary>The command line, an image, a manifest or another input is wrong.</summary>
    public const int Usage = 2;

    /// <summary>HLT with interrupts disabled: nothing can wake the guest.</summary>
    public const int HaltedForever = 4;

    /// <summary>Triple fault.</summary>
    public const int TripleFault = 6;

    /// <summary>The guest used something that is not there yet.</summary>
    public const int Unsupported = 8;

    /// <summary>A component of ours failed.</summary>
    public const int HostFailure = 10;

    /// <summary>Output could not be written: stdout, the statistics file or the trace.</summary>
    public const int OutputFailure = 12;

    /// <summary><c>plexus image check</c> found an image that must not be used.</summary>
    public const int DamagedImage = 14;

    /// <summary>Guest code left the container that it runs in, or ended it.</summary>
    public const int ContainerLost = 16;

    /// <summary>Ctrl-C.</summary>
    public const int Interrupted = 130;

    /// <summary>The exit code of a machine's end.</summary>
    public static int Of(in MachineExit exit) => exit.Kind switch
    {
        MachineExitKind.Limit or MachineExitKind.PowerOff or MachineExitKind.Reset or MachineExitKind.Breakpoint or MachineExitKind.Delivered => Success,
        MachineExitKind.GuestExit => exit.Code & 0xFF,
        MachineExitKind.HaltedForever => HaltedForever,
        MachineExitKind.TripleFault => TripleFault,
        MachineExitKind.Unsupported => Unsupported,
        MachineExitKind.HostStop => Interrupted,
        MachineExitKind.ContainerLost => ContainerLost,
        _ => HostFailure,
    };

    /// <summary>One line that says why the machine ended.</summary>
    public static string Reason(in MachineExit exit)
    {
        if (!string.IsNullOrEmpty(exit.Detail))
            return exit.Detail.ReplaceLineEndings(" ");
        return exit.Kind switch
        {
            MachineExitKind.Limit => "the asked number of guest instructions was reached",
            MachineExitKind.PowerOff => "the guest powered off",
            MachineExitKind.Reset => "the guest asked for a reset",
            MachineExitKind.GuestExit => $"the guest wrote exit code {exit.Code} to the debug-exit port",
            MachineExitKind.HaltedForever => "the guest halted with interrupts disabled: nothing can wake it",
            MachineExitKind.TripleFault => "triple fault",
            MachineExitKind.Unsupported => "the guest used something that is not there yet",
            MachineExitKind.HostStop => "interrupted",
            MachineExitKind.ContainerLost => "the guest's container was lost",
            _ => $"unknown machine exit {exit.Kind}",
        };
    }
}
