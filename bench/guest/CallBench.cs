using System.Globalization;

namespace Plexus.Guest.Bench;

/// <summary>What a guest's kernel takes for its services, on the host's processor and translated; beside them the host's own kernel, for comparison only.</summary>
/// <param name="programs">Where the programs come from.</param>
/// <param name="machines">The machines.</param>
/// <param name="quick">Short batches.</param>
internal sealed class CallBench(GuestPrograms programs, IReadOnlyList<GuestMachine> machines, bool quick)
{
    private const string HostName = "host";
    private const string NullCall = "null-call";
    private const double LargestRatio = 3, LargestNullCall = 12_000;

    /// <summary>Runs all and prints the table.</summary>
    /// <returns>False when a contender was missing.</returns>
    /// <exception cref="BenchException">A guest did not run to its end, or a clock is wrong.</exception>
    public bool Run()
    {
        string calls = programs.Compile("calls"), tiny = programs.Compile("tiny", "-nostdlib");
        string[] limits = quick ? ["50", "2"] : ["300", "5"];
        Dictionary<string, ProgramOutput> outputs = new(StringComparer.Ordinal);
        foreach (GuestMachine machine in machines)
        {
            string initrd = Path.Combine(programs.Folder, "calls.gz");
            InitialRamDisk.Write(initrd, [calls, tiny], [$"/{InitialRamDisk.Programs}/calls {string.Join(' ', limits)} /{InitialRamDisk.Programs}/tiny"]);
            outputs[machine.Name] = machine.Run(initrd);
            GuestClock.Check(machine.Name, outputs[machine.Name]);
        }

        Console.Error.WriteLine($"guest-bench: {HostName} …");
        outputs[HostName] = GuestPrograms.Run(calls, [.. limits, tiny]);
        Report(outputs);
        return machines.Count == 2;
    }

    private static void Report(Dictionary<string, ProgramOutput> outputs)
    {
        bool hasBoth = outputs.ContainsKey(GuestMachine.PlexusName) && outputs.ContainsKey(GuestMachine.QemuName);
        List<string> columns = ["operation", .. outputs.Keys.Select(name => $"{name}, ns")];
        if (hasBoth)
            columns.AddRange(["native ÷ TCG", "target"]);
        ReportTable table = new(columns);
        foreach (string name in outputs.Values.SelectMany(output => output.Results).Select(result => result.Name).Distinct(StringComparer.Ordinal))
        {
            List<string> row = [name, .. outputs.Values.Select(output => Of(output, name) is { } time ? ReportTable.Number(time, 0) : "-")];
            if (hasBoth)
                row.AddRange(Ratio(Of(outputs[GuestMachine.PlexusName], name), Of(outputs[GuestMachine.QemuName], name), name));
            table.Add(row);
        }

        table.Write();
    }

    private static string[] Ratio(double? native, double? translated, string name)
    {
        bool isNull = name.StartsWith(NullCall, StringComparison.Ordinal);
        string target = isNull ? $"at most {ReportTable.Number(LargestNullCall, 0)} ns" : $"at most {LargestRatio.ToString(CultureInfo.InvariantCulture)}";
        if (native is not { } ours || translated is not { } theirs)
            return ["-", target];
        double ratio = ours / theirs, miss = isNull ? ours / LargestNullCall : ratio / LargestRatio;
        return [ReportTable.Number(ratio, 2), miss <= 1 ? $"{target}: met" : $"{target}: missed by {ReportTable.Number(miss, 1)} ×"];
    }

    private static double? Of(ProgramOutput output, string name) =>
        output.Results.Where(result => result.Name == name).Select(result => (double?)result.Nanoseconds).FirstOrDefault();
}
