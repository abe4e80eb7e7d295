using System.Globalization;

namespace Plexus.Guest.Bench;

/// <summary>Fixed work on the host's kernel, in a guest on the host's processor, and in a guest that is translated.</summary>
/// <param name="programs">Where the programs come from.</param>
/// <param name="machines">The machines.</param>
/// <param name="quick">Few repetitions.</param>
internal sealed class ComputeBench(GuestPrograms programs, IReadOnlyList<GuestMachine> machines, bool quick)
{
    private const string HostName = "host";
    private const double LargestHostRatio = 1.05, SmallestTcgRatio = 5;

    private static readonly string[] Work = ["integer", "x87", "sse2", "stream", "chase", "branch"];

    /// <summary>Runs all and prints the table.</summary>
    /// <returns>False when a contender was missing.</returns>
    /// <exception cref="BenchException">A guest did not run to its end, a checksum differs, or a clock is wrong.</exception>
    public bool Run()
    {
        string[] files = [.. Work.Select(name => name == "sse2" ? programs.Compile(name, "-msse2", "-mfpmath=sse") : programs.Compile(name))];
        Dictionary<string, ProgramOutput> outputs = new(StringComparer.Ordinal) { [HostName] = OnHost(files) };
        foreach (GuestMachine machine in machines)
        {
            string initrd = Path.Combine(programs.Folder, "compute.gz");
            bool isSlow = machine.Name == GuestMachine.QemuName;
            int repetitions = isSlow ? (quick ? 1 : 2) : Repetitions;
            InitialRamDisk.Write(initrd, files, files.Select(file => $"/{InitialRamDisk.Programs}/{Path.GetFileName(file)} {repetitions}"));
            for (int round = 0; round < (isSlow ? 1 : Rounds); round++)
            {
                ProgramOutput output = machine.Run(initrd);
                GuestClock.Check(machine.Name, output);
                if (!outputs.TryAdd(machine.Name, output))
                    outputs[machine.Name].Add(output);

                // Before and behind each guest: what else the host does then and now meets both.
                outputs[HostName].Add(OnHost(files));
            }
        }

        Report(outputs);
        return machines.Count == 2;
    }

    private int Repetitions => quick ? 3 : 6;

    private int Rounds => quick ? 1 : 3;

    private ProgramOutput OnHost(IReadOnlyList<string> files)
    {
        Console.Error.WriteLine($"guest-bench: {HostName} …");
        ProgramOutput all = GuestPrograms.Run(files[0], Count());
        foreach (string file in files.Skip(1))
            all.Add(GuestPrograms.Run(file, Count()));
        return all;

        string Count() => Repetitions.ToString(CultureInfo.InvariantCulture);
    }

    private static void Report(Dictionary<string, ProgramOutput> outputs)
    {
        List<string> columns = ["program", .. outputs.Keys.Select(name => $"{name}, ms")];
        bool hasPlexus = outputs.ContainsKey(GuestMachine.PlexusName), hasQemu = outputs.ContainsKey(GuestMachine.QemuName);
        if (hasPlexus)
            columns.Add($"native ÷ host (target: at most {LargestHostRatio.ToString(CultureInfo.InvariantCulture)})");
        if (hasPlexus && hasQemu)
            columns.Add("TCG ÷ native");
        ReportTable table = new(columns);
        List<double> toHost = [], toTcg = [];
        foreach (string name in Work)
        {
            Dictionary<string, double> best = outputs.ToDictionary(output => output.Key, output => Best(output.Value, name, output.Key), StringComparer.Ordinal);
            string[] sums = [.. outputs.Values.SelectMany(output => output.Results).Where(result => result.Name == name).Select(result => result.Checksum).Distinct()];
            if (sums.Length != 1)
                throw new BenchException($"{name} gives different checksums: {string.Join(", ", outputs.Select(o => $"{o.Key} {string.Join('/', o.Value.Results.Where(r => r.Name == name).Select(r => r.Checksum).Distinct())}"))}");
            List<string> row = [name, .. best.Values.Select(value => ReportTable.Number(value / 1e6, 1))];
            if (hasPlexus)
                row.Add(ReportTable.Number(Added(toHost, best[GuestMachine.PlexusName] / best[HostName]), 3));
            if (hasPlexus && hasQemu)
                row.Add(ReportTable.Number(Added(toTcg, best[GuestMachine.QemuName] / best[GuestMachine.PlexusName]), 1));
            table.Add(row);
        }

        table.Write();
        if (hasPlexus)
            Console.WriteLine($"native ÷ host: geometric mean {ReportTable.Number(GeometricMean(toHost), 3)}, at most {ReportTable.Number(toHost.Max(), 3)}");
        if (hasPlexus && hasQemu)
            Console.WriteLine($"TCG ÷ native: geometric mean {ReportTable.Number(GeometricMean(toTcg), 1)} (target: at least {SmallestTcgRatio.ToString(CultureInfo.InvariantCulture)})");
    }

    /// <summary>The least of the repetitions: what other work of the host's took is not the program's.</summary>
    private static double Best(ProgramOutput output, string name, string machine)
    {
        double[] times = [.. output.Results.Where(result => result.Name == name).Select(result => result.Nanoseconds)];
        return times.Length != 0 ? times.Min() : throw new BenchException($"{machine}: {name} told no result");
    }

    private static double Added(List<double> to, double value)
    {
        to.Add(value);
        return value;
    }

    private static double GeometricMean(List<double> values) => Math.Exp(values.Average(Math.Log));
}
