using System.Globalization;
using System.Text.Json;
using Plexus.Bench;

namespace Plexus.Guest.Bench;

/// <summary>What an operation of the guest's kernel makes the engine native do: counters of a run with so many operations, less those of a run with none.</summary>
/// <param name="programs">Where the programs come from.</param>
/// <param name="machine">The machine.</param>
internal sealed class ProfileBench(GuestPrograms programs, GuestMachine machine)
{
    private static readonly (string Name, int Count)[] Operations =
    [
        ("null-call-int80", 20_000), ("null-call-entry", 20_000), ("yield", 20_000), ("pipe-ping-pong", 5_000), ("fork-exit-wait", 400), ("fork-exec-exit-wait", 400),
        ("page-touch", 20_000), ("pipe-64k", 2_000), ("signal", 10_000),
    ];

    private static readonly (string Title, string Counter, int Digits)[] Columns =
    [
        ("entries to ring 0", "transition.3-0", 2), ("transitions within ring 3", "transition.3-3", 1), ("hand-overs", "host.hand-overs", 2), ("batches of mappings", "host.mapping-batches", 2),
        ("system calls in them", "host.mapping-calls", 2), ("containers", "host.containers", 3), ("bursts", "work.kernel-burst", 2), ("interpreted instructions", "guest.instructions", 0),
        ("shadow fills", "work.shadow-fill", 2), ("scans", "work.scan", 2),
    ];

    /// <summary>Runs all and prints the table.</summary>
    /// <exception cref="BenchException">A guest did not run to its end.</exception>
    public void Run()
    {
        string calls = programs.Compile("calls"), tiny = programs.Compile("tiny", "-nostdlib");
        ReportTable table = new([$"operation, {machine.Name}", "ns", .. Columns.Select(column => column.Title)]);
        (_, Dictionary<string, double> nothing) = Measure(calls, tiny, Operations[0].Name, 0);
        foreach ((string name, int count) in Operations)
        {
            (double nanoseconds, Dictionary<string, double> counters) = Measure(calls, tiny, name, count);
            table.Add([name, ReportTable.Number(nanoseconds, 0), .. Columns.Select(column => ReportTable.Number((Of(counters, column.Counter) - Of(nothing, column.Counter)) / count, column.Digits))]);
        }

        table.Write();

        static double Of(Dictionary<string, double> counters, string name) => counters.GetValueOrDefault(name);
    }

    private (double Nanoseconds, Dictionary<string, double> Counters) Measure(string calls, string tiny, string name, int count)
    {
        string initrd = Path.Combine(programs.Folder, "profile.gz"), stats = Path.Combine(programs.Folder, "profile.json");
        InitialRamDisk.Write(initrd, [calls, tiny], [string.Create(CultureInfo.InvariantCulture, $"/{InitialRamDisk.Programs}/calls 1 1 /{InitialRamDisk.Programs}/tiny {name} {count}")]);
        ProgramOutput output = (machine with { Arguments = [.. machine.Arguments.SkipLast(1), "--stats", stats, machine.Arguments[^1]] }).Run(initrd);
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(stats));
        Dictionary<string, double> counters = document.RootElement.GetProperty("counters").EnumerateObject().Where(counter => counter.Value.ValueKind == JsonValueKind.Number)
            .ToDictionary(counter => counter.Name, counter => counter.Value.GetDouble(), StringComparer.Ordinal);
        return (output.Results[0].Nanoseconds, counters);
    }
}
