using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using Plexus.System.Tests.Runs;
using Xunit;

namespace Plexus.System.Tests.Adversaries;

/// <summary>Runs adversaries, and compares what they saw with what they see on the engine <c>emulated</c>.</summary>
internal static class AdversaryRun
{
    private const string Manifest = """
        {
          "name": "adversary", "memory": "8M", "engine": "ring3", "strategy": "auto",
          "cpu": { "model": "pentium2", "nanosecondsPerInstruction": 10 },
          "components": [
            { "name": "monitor", "type": "monitor", "placement": "inline" },
            { "name": "cpu", "type": "cpu", "placement": "inline" },
            { "name": "prescan", "type": "prescan", "placement": "inline" },
            { "name": "patcher", "type": "patcher", "placement": "inline" },
            { "name": "handlers", "type": "handlers", "placement": "inline" },
            { "name": "bus", "type": "bus", "placement": "inline" },
            { "name": "telemetry", "type": "telemetry", "placement": "dedicated" }
          ],
          "devices": [
            { "name": "pic", "type": "i8259-pair" },
            { "name": "pit", "type": "i8254", "irq": 0 },
            { "name": "port80", "type": "port80" },
            { "name": "debugexit", "type": "debug-exit", "base": "0xF4" },
            { "name": "debugcon", "type": "debugcon", "base": "0xE9", "console": "debug" }
          ],
          "consoles": { "debug": "stdout" }
        }
        """;

    /// <summary>What each image does under <c>emulated</c>: the same for every configuration it is compared with.</summary>
    private static readonly ConcurrentDictionary<string, Lazy<PlexusRun>> References = new(StringComparer.Ordinal);

    /// <summary>Every strategy, every branch mode.</summary>
    public static IEnumerable<(string Strategy, string Branches)> Configurations =>
        DemoRuns.Strategies.Select(strategy => (strategy, "native")).Concat([("auto", "computed"), ("auto", "all"), ("call-table", "all")]);

    /// <summary>Fails unless the adversary sees the same on <c>ring3</c> as on <c>emulated</c>; says which outcome was the first to differ.</summary>
    public static void AssertSame(Adversary adversary, string strategy, string branches)
    {
        string[] ring3 = ["--engine", "ring3", "--strategy", strategy, "--branches", branches];
        List<string> steps = [];
        using Files files = new(adversary, detailed: false, steps);
        PlexusRun wanted = files.Reference();
        PlexusRun run = files.Run(ring3);
        Assert.True(wanted.ExitCode == Adversary.Exit && wanted.ConsoleText.Count(x => x == '\n') == steps.Count, $"the reference ended with {wanted.ExitCode}: {wanted.Messages}\n{wanted.ConsoleText}");
        if (run.ExitCode != wanted.ExitCode || run.ConsoleText != wanted.ConsoleText)
            Assert.Fail(Difference(adversary, wanted, run, steps, ring3));
    }

    /// <summary>Runs an adversary on <c>ring3</c>.</summary>
    public static PlexusRun Run(Adversary adversary, string strategy, string branches)
    {
        using Files files = new(adversary, detailed: false, []);
        return files.Run("--engine", "ring3", "--strategy", strategy, "--branches", branches);
    }

    /// <summary>Runs an adversary on <c>native</c>, where instructions are not counted.</summary>
    public static PlexusRun RunNative(Adversary adversary)
    {
        using Files files = new(adversary, detailed: false, []);
        return files.RunUnlimited("--engine", "native");
    }

    private static string Difference(Adversary adversary, PlexusRun wanted, PlexusRun run, List<string> steps, string[] ring3)
    {
        using Files files = new(adversary, detailed: true, []);
        string[] a = files.Run("--engine", "emulated").ConsoleText.Split('\n');
        string[] b = files.Run(ring3).ConsoleText.Split('\n');
        int line = 0;
        int step = 0;
        int inStep = 0;
        while (line < Math.Min(a.Length, b.Length) && a[line] == b[line])
        {
            inStep++;
            if (a[line].Split(' ').Length == 4)
            {
                step = int.Parse(a[line].AsSpan(0, 8), NumberStyles.HexNumber, CultureInfo.InvariantCulture) + 1;
                inStep = 0;
            }

            line++;
        }

        return $"""
            exit codes {wanted.ExitCode} and {run.ExitCode}; first difference at outcome {inStep} of '{steps.ElementAtOrDefault(step)}'
                          gs       fs       es       ds       ebx      edx      ecx      eax      vector   error    eip      cs       eflags   (esp      ss)      (cr2)
            emulated: {a.ElementAtOrDefault(line)}
            ring3:    {b.ElementAtOrDefault(line)}
            {run.Messages}
            """;
    }

    /// <summary>An adversary's image and the machine it runs on.</summary>
    private sealed class Files : IDisposable
    {
        private readonly string image = Path.Combine(Path.GetTempPath(), $"plexus-adversary-{Guid.NewGuid():N}");
        private readonly string machine;

        public Files(Adversary adversary, bool detailed, List<string> steps)
        {
            machine = $"{image}.json";
            File.WriteAllBytes(image, AdversaryKernel.Build(adversary, detailed, steps));
            File.WriteAllText(machine, Manifest);
        }

        public PlexusRun Reference() =>
            References.GetOrAdd(Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(image))), _ => new Lazy<PlexusRun>(() => Run("--engine", "emulated"))).Value;

        public PlexusRun Run(params string[] options) => RunUnlimited(["--limit-instructions", "20000000", .. options]);

        public PlexusRun RunUnlimited(params string[] options) => PlexusRun.Invoke(["run", "--machine", machine, "--kernel", image, .. options]);

        public void Dispose()
        {
            File.Delete(image);
            File.Delete(machine);
        }
    }
}
