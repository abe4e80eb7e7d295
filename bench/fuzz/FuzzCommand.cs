using System.Diagnostics;
using System.Globalization;
using System.IO.MemoryMappedFiles;
using Plexus.Fuzz.Codec;
using Plexus.Fuzz.Envelopes;
using Plexus.Fuzz.Harness;
using Plexus.Fuzz.Loaders;
using Plexus.Fuzz.Manifests;

namespace Plexus.Fuzz;

/// <summary>
/// Runs the targets one after the other. The work is done by a process of its own, which notes the number of each input before it runs: when that process dies
/// (a stack overflow cannot be caught) or hangs, the input is still known.
/// </summary>
internal static class FuzzCommand
{
    private const int Sound = 0;
    private const int Found = 1;
    private const int Wrong = 2;
    private const int Hung = 3;

    /// <summary>Among all targets, manifests get this part of the inputs: one takes two JSON readers, a validator and a file, some thirty times as long as an envelope.</summary>
    private const int ManifestShare = 10;

    /// <summary>Little, so that recursion over the input shows.</summary>
    private const int StackBytes = 256 * 1024;

    private static readonly TimeSpan HangAfter = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan TimeToMinimise = TimeSpan.FromSeconds(10);

    private static long lastSeen = -1;
    private static long lastMoved;

    /// <summary>Names of the targets.</summary>
    public static IReadOnlyList<string> Targets { get; } = ["codec", "envelope", "manifest", "loaders"];

    public static int Run(string[] arguments)
    {
        if (FuzzOptions.Parse(arguments) is not { } options)
        {
            Console.Error.WriteLine(FuzzOptions.Usage);
            return Wrong;
        }

        if (options.Replay is not null)
            return Replay(options.Target, options.Replay);
        if (options.Journal is not null)
            return OnSmallStack(() => Work(options));
        if (options.Target != "all")
            return Supervise(options, options.Target);
        int worst = Sound;
        foreach (string target in Targets)
            worst = Math.Max(worst, Supervise(target == "manifest" ? options with { Inputs = Math.Max(options.Inputs / ManifestShare, 1) } : options, target));
        return worst;
    }

    private static IFuzzTarget Make(string target) => target switch
    {
        "codec" => new CodecTarget(),
        "envelope" => new EnvelopeTarget(),
        "manifest" => new ManifestTarget(),
        _ => new LoaderTarget(),
    };

    private static int Replay(string name, string file)
    {
        if (!File.Exists(file))
        {
            Console.Error.WriteLine($"fuzz: {file}: no such file");
            return Wrong;
        }

        using IFuzzTarget target = Make(name);
        try
        {
            Console.WriteLine($"{name}: {new Fuzzer(target, 0).Replay(File.ReadAllBytes(file))}");
            return Sound;
        }
        catch (Exception e)
        {
            Console.Error.WriteLine(e);
            return Found;
        }
    }

    private static int Supervise(FuzzOptions options, string target)
    {
        string journal = Path.GetTempFileName();
        try
        {
            // Through dotnet: the program's own file may not be executable where it was copied to.
            ProcessStartInfo start = new("dotnet") { UseShellExecute = false };
            foreach (string argument in (string[])[typeof(FuzzCommand).Assembly.Location, "--target", target, "--inputs", Text(options.Inputs), "--first", Text(options.First),
                "--seed", Text(options.Seed), "--finds", Text(options.MostFinds), "--out", options.Output, "--journal", journal])
            {
                start.ArgumentList.Add(argument);
            }

            using Process process = Process.Start(start) ?? throw new InvalidOperationException("dotnet did not start.");
            process.WaitForExit();
            if (process.ExitCode is Sound or Found or Wrong)
                return process.ExitCode;
            long number = BitConverter.ToInt64(File.ReadAllBytes(journal));
            using IFuzzTarget made = Make(target);
            byte[] input = new Fuzzer(made, options.Seed).Input(number);
            string what = process.ExitCode == Hung ? "hung" : $"died with exit code {process.ExitCode}";
            Save(options, new Find(target, options.Seed, number, input, new FuzzFailureException($"the process {what}")), input);
            return Found;
        }
        finally
        {
            File.Delete(journal);
        }
    }

    private static int Work(FuzzOptions options)
    {
        using MemoryMappedFile mapped = MemoryMappedFile.CreateFromFile(options.Journal!, FileMode.Open, null, sizeof(long));
        using MemoryMappedViewAccessor journal = mapped.CreateViewAccessor();
        using IFuzzTarget target = Make(options.Target);
        Fuzzer fuzzer = new(target, options.Seed) { Started = number => journal.Write(0, number) };
        long started = Stopwatch.GetTimestamp();
        using Timer watch = new(_ => Watch(fuzzer, options, started), null, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(5));
        FuzzReport report = fuzzer.Run(options.First, options.Inputs, options.MostFinds);
        TimeSpan taken = Stopwatch.GetElapsedTime(started);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{target.Name}: {report.Inputs} inputs, seed {options.Seed}, {taken.TotalSeconds:F1} s, {report.Inputs / taken.TotalSeconds:F0} per second"));
        foreach (string line in report.Histogram())
            Console.WriteLine(line);
        foreach (Find find in report.Finds)
            Save(options, find, fuzzer.Minimise(find, TimeToMinimise));
        if (report.Finds.Count != 0)
            return Found;

        foreach (string missing in report.Missing)
            Console.Error.WriteLine($"fuzz: {target.Name}: never saw \"{missing}\"");
        return Sound;
    }

    private static void Watch(Fuzzer fuzzer, FuzzOptions options, long started)
    {
        long now = fuzzer.Current;
        if (now != lastSeen)
        {
            (lastSeen, lastMoved) = (now, Stopwatch.GetTimestamp());
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"fuzz: {options.Target}: {now - options.First} of {options.Inputs} after {Stopwatch.GetElapsedTime(started).TotalSeconds:F0} s"));
        }
        else if (Stopwatch.GetElapsedTime(lastMoved) > HangAfter)
        {
            Environment.Exit(Hung);
        }
    }

    private static void Save(FuzzOptions options, Find find, byte[] smallest)
    {
        Directory.CreateDirectory(options.Output);
        string file = Path.Combine(options.Output, string.Create(CultureInfo.InvariantCulture, $"{find.Target}-{find.Seed}-{find.Number}.bin"));
        File.WriteAllBytes(file, smallest);
        Console.Error.WriteLine($"fuzz: FOUND: {find.Target}, seed {find.Seed}, input {find.Number} ({find.Input.Length} bytes; {smallest.Length} are enough: {file})");
        Console.Error.WriteLine(find.Exception);
        Console.Error.WriteLine($"fuzz: replay with --replay {file} --target {find.Target}");
    }

    private static int OnSmallStack(Func<int> work)
    {
        int result = Wrong;
        Thread thread = new(() => result = work(), StackBytes);
        thread.Start();
        thread.Join();
        return result;
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
