using System.CommandLine;
using System.CommandLine.Parsing;
using Plexus.Host.Journals;

namespace Plexus.Host.CommandLine;

/// <summary>The command line: parses, runs the command, and turns every wrong input into one line on stderr and exit code 2.</summary>
public static class PlexusCommandLine
{
    private static readonly string[] OwnWords = ["run", "diff", "replay", "demo-kernel", "bench", "top", "trace", "report", "image", "doctor", "--help", "-h", "-?", "--version"];

    /// <summary>Runs one command line.</summary>
    /// <param name="arguments">Arguments without the program's name. <c>run</c> is meant when no command is named.</param>
    /// <param name="streams">Where output goes.</param>
    /// <returns>The exit code; see <see cref="ExitCodes"/>.</returns>
    public static int Invoke(string[] arguments, HostStreams streams)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        ArgumentNullException.ThrowIfNull(streams);
        if (arguments.Length == 0 || !OwnWords.Contains(arguments[0], StringComparer.Ordinal))
            arguments = ["run", .. arguments];
        try
        {
            ParseResult parsed = BuildRoot(streams).Parse(arguments, Parsing);
            if (parsed.Errors is [ParseError first, ..])
                throw new InputException($"{OneLine(first.Message).TrimEnd('.')}; see plexus {parsed.CommandResult.Command.Name} --help");
            return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null, Error = streams.Messages });
        }
        catch (InputException e)
        {
            streams.Messages.WriteLine($"plexus: {OneLine(e.Message)}");
            return ExitCodes.Usage;
        }
    }

    /// <summary>How a command line is taken apart.</summary>
    internal static ParserConfiguration Parsing { get; } = new() { EnablePosixBundling = false, ResponseFileTokenReplacer = null };

    private static RootCommand BuildRoot(HostStreams streams)
    {
        RootCommand root = new("Plexus: a software virtual-machine monitor for 32-bit x86.");
        root.Subcommands.Add(RunCommand.Create(streams));
        root.Subcommands.Add(TopCommand.Create(streams));
        root.Subcommands.Add(DiffCommand.Create(streams));
        root.Subcommands.Add(ReplayCommand.Create(streams));
        root.Subcommands.Add(DemoKernelCommand.Create(streams));
        root.Subcommands.Add(BenchCommand.Create(streams));
        root.Subcommands.Add(TraceCommand.Create(streams));
        root.Subcommands.Add(ReportCommand.Create(streams));
        root.Subcommands.Add(ImageCommand.Create(streams));
        root.Subcommands.Add(DoctorCommand.Create(streams));
        return root;
    }

    private static string OneLine(string text) => text.ReplaceLineEndings(" ");
}
