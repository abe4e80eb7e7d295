using System.Diagnostics;

namespace Plexus.Storage.Tests;

/// <summary>This assembly as another process.</summary>
internal static class OtherProcess
{
    public static Process Start(params string[] arguments) => Start(Environment(arguments));

    /// <summary>Starts it below a program that prepares something, such as <c>unshare</c>.</summary>
    public static Process StartShell(string script, params string[] arguments)
    {
        ProcessStartInfo inner = Environment(arguments);
        ProcessStartInfo start = new("/bin/sh") { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardInput = true, RedirectStandardError = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(script);
        start.ArgumentList.Add("sh");
        start.ArgumentList.Add(inner.FileName);
        foreach (string argument in inner.ArgumentList)
            start.ArgumentList.Add(argument);
        return Start(start);
    }

    private static Process Start(ProcessStartInfo start) => Process.Start(start) ?? throw new InvalidOperationException("no process");

    private static ProcessStartInfo Environment(string[] arguments)
    {
        string? own = System.Environment.ProcessPath;
        string dotnet = own is not null && string.Equals(Path.GetFileNameWithoutExtension(own), "dotnet", StringComparison.Ordinal)
            ? own
            : System.Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
        ProcessStartInfo start = new(dotnet) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardInput = true, RedirectStandardError = true };
        start.ArgumentList.Add("exec");
        start.ArgumentList.Add(typeof(OtherProcess).Assembly.Location);
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        return start;
    }
}
