using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Plexus.Bench;

namespace Plexus.Guest.Bench;

/// <summary>The programs that guests run, compiled for a 32-bit processor; those that compute run on the host as well.</summary>
internal sealed class GuestPrograms
{
    private const string Compiler = "gcc";
    private const string Common = "measure.c";

    /// <summary>Environment variable that tells programs how fast the time-stamp counter is.</summary>
    public const string TimeStampVariable = "TSC_KHZ";

    /// <summary>Its value.</summary>
    public static string Kilohertz => TimeStampScale.Kilohertz.ToString(CultureInfo.InvariantCulture);

    /// <summary>Without a math library's errno a square root is one instruction.</summary>
    private static readonly string[] Options = ["-m32", "-static", "-std=gnu11", "-O2", "-fno-math-errno", "-Wall", "-Wextra", "-Werror"];

    private readonly string sources = Path.Combine(HostTools.Root(), "bench", "guest", "programs");
    private readonly string binaries = Path.Combine(HostTools.Root(), "artifacts", "guest-bench");

    /// <summary>Where they are, and where else to put what is made on the way.</summary>
    public string Folder => binaries;

    /// <summary>Compiles a program and returns its file.</summary>
    /// <param name="name">The name of its source.</param>
    /// <param name="further">Options besides the common ones.</param>
    /// <exception cref="BenchException">There is no compiler, or none for 32-bit programs.</exception>
    public string Compile(string name, params ReadOnlySpan<string> further)
    {
        Directory.CreateDirectory(binaries);
        string program = Path.Combine(binaries, name);
        bool isAlone = further.Contains("-nostdlib");
        ProcessStartInfo start = new(Compiler) { RedirectStandardError = true, UseShellExecute = false };
        foreach (string word in (string[])[.. Options, .. further, .. isAlone ? (string[])[] : [Path.Combine(sources, Common)], Path.Combine(sources, $"{name}.c"), "-o", program])
            start.ArgumentList.Add(word);
        try
        {
            using Process compiler = Process.Start(start) ?? throw new BenchException($"{Compiler} did not start; install it: apt-get install gcc gcc-multilib");
            string errors = compiler.StandardError.ReadToEnd();
            compiler.WaitForExit();
            if (compiler.ExitCode != 0)
                throw new BenchException($"{Compiler} makes no 32-bit program of {name}.c; apt-get install gcc-multilib ({FirstLine(errors)})");
        }
        catch (Win32Exception e)
        {
            throw new BenchException($"{Compiler} is missing; apt-get install gcc gcc-multilib", e);
        }

        return program;
    }

    /// <summary>Runs a program on the host and returns what it said.</summary>
    public static ProgramOutput Run(string program, params IEnumerable<string> arguments)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardOutput = true, UseShellExecute = false };
        start.Environment[TimeStampVariable] = Kilohertz;
        using Process process = Process.Start(start) ?? throw new BenchException($"{program} did not start");
        ProgramOutput output = ProgramOutput.Read(process.StandardOutput, null);
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new BenchException($"{Path.GetFileName(program)} ended with exit code {process.ExitCode} on the host ({output.Failure})");
        return output;
    }

    private static string FirstLine(string text) => text.Split('\n').FirstOrDefault(line => line.Contains("error", StringComparison.Ordinal) || line.Contains("cannot", StringComparison.Ordinal)) ?? text.Split('\n')[0];
}
