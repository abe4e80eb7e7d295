using System.CommandLine;

namespace Plexus.Host.Gdb;

/// <summary>The options of <c>plexus run</c> for a debugger, as QEMU spells them.</summary>
internal sealed class GdbOptions
{
    private readonly Option<string?> gdb = new("--gdb", "-gdb")
    {
        HelpName = "tcp:[HOST]:PORT|unix:PATH|stdio",
        Description = "Serve GDB there; without HOST only to this machine's own programs",
    };

    private readonly Option<bool> shorthand = new("-s") { Description = $"The same as --gdb {GdbAddress.Default}" };

    private readonly Option<bool> freeze = new("--freeze", "-S") { Description = "Wait for the debugger before the first instruction" };

    /// <summary>Adds them to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[gdb, shorthand, freeze])
            command.Options.Add(option);
    }

    /// <summary>What a parsed command line says; null when it asks for no debugger.</summary>
    /// <param name="result">The command line.</param>
    /// <param name="stepsItself">An option that steps through the guest or sets breakpoints on its own; null for none.</param>
    /// <exception cref="InputException">A value is wrong, or the options do not go together.</exception>
    public GdbSettings? Read(ParseResult result, string? stepsItself)
    {
        string? address = result.GetValue(gdb) ?? (result.GetValue(shorthand) ? GdbAddress.Default : null);
        bool waits = result.GetValue(freeze);
        if (address is null)
            return waits ? throw new InputException("-S: nobody could start the guest; add -s or --gdb") : null;
        if (stepsItself is not null)
            throw new InputException($"--gdb: does not go together with {stepsItself}; leave one of them out");
        return new GdbSettings(GdbAddress.Parse(address), waits);
    }
}
