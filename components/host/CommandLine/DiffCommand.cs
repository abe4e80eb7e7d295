using System.CommandLine;
using Plexus.Host.Diff;
using Plexus.Host.Journals;

namespace Plexus.Host.CommandLine;

/// <summary><c>plexus diff</c>: one guest under two configurations, in lockstep.</summary>
internal static class DiffCommand
{
    private const string DefaultStep = "1000000";

    public static Command Create(HostStreams streams)
    {
        Option<string> a = new("--a") { HelpName = "NAME=VALUE,…", Description = "First configuration: engine=, strategy=, branches=, cpu=, machine=, mem=", DefaultValueFactory = _ => "engine=emulated" };
        Option<string> b = new("--b") { HelpName = "NAME=VALUE,…", Description = "Second configuration", DefaultValueFactory = _ => "engine=ring3" };
        Option<string> every = new("--every") { HelpName = "N", Description = "Guest instructions between comparisons", DefaultValueFactory = _ => DefaultStep };
        Option<string> from = new("--from") { HelpName = "N", Description = "Both interpret the first N guest instructions", DefaultValueFactory = _ => "0" };
        Command command = new("diff", "Run one guest under two configurations in lockstep and report the first divergence");
        RunOptions options = new();
        options.AddTo(command, withOutput: false);
        command.Options.Add(a);
        command.Options.Add(b);
        command.Options.Add(every);
        command.Options.Add(from);
        command.SetAction(parsed =>
        {
            RunSettings settings = options.Read(parsed);
            ulong step = RunOptions.ParseCount(parsed.GetRequiredValue(every), "--every");
            string begin = parsed.GetRequiredValue(from);
            ulong start = begin == "0" ? 0 : RunOptions.ParseCount(begin, "--from");
            RunSettings first = settings.With(parsed.GetRequiredValue(a), "--a");
            RunSettings second = settings.With(parsed.GetRequiredValue(b), "--b");
            if (NativeDiff.Of(first, second) is { } native)
                return new NativeDiff(native, streams).Run();
            return new Lockstep(first, second, start, step, streams).Run();
        });
        return command;
    }
}
