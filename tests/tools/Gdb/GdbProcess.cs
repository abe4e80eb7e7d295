using System.Diagnostics;
using Xunit;

namespace Plexus.Tools.Tests.Gdb;

/// <summary>The real GDB in batch mode, and a guest with debug information.</summary>
internal static class GdbProcess
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <summary>How <c>plexus run</c> is started from these tests.</summary>
    internal static string[] Plexus(params string[] arguments) => ["dotnet", Path.Combine(AppContext.BaseDirectory, "plexus.dll"), "run", .. arguments];

    /// <summary>Compiles <c>kernel.c</c>.</summary>
    /// <param name="directory">Where the ELF file goes.</param>
    /// <param name="more">Further options of the compiler.</param>
    internal static async Task<string> Compile(string directory, params string[] more)
    {
        string elf = Path.Combine(directory, "kernel.elf");
        string source = Path.Combine(AppContext.BaseDirectory, "Gdb", "kernel.c");
        (int code, _, string messages) = await Run(
            ["gcc", "-m32", "-g", "-O0", "-ffreestanding", "-fno-pic", "-no-pie", "-fno-stack-protector", "-fno-asynchronous-unwind-tables", "-fcf-protection=none", "-mno-sse", "-nostdlib", "-static", .. more,
                "-Wl,-Ttext-segment=0x100000,-e,start,--build-id=none,-z,noexecstack", "-o", elf, source]);
        Assert.True(code == 0, messages);
        return elf;
    }

    /// <summary>Runs GDB over a script.</summary>
    /// <returns>What it printed.</returns>
    internal static async Task<string> Debug(string directory, string elf, params string[] script)
    {
        string path = Path.Combine(directory, "script.gdb");
        await File.WriteAllLinesAsync(path, ["set pagination off", "set confirm off", "set width 0", "set remotetimeout 60", .. script]);
        (int code, string output, string messages) = await Run(["gdb", "-nx", "-batch", "-x", path, elf]);
        Assert.True(code == 0, $"gdb ended with {code}:\n{output}\n{messages}");
        return output + messages;
    }

    /// <summary>Starts a program whose output is read by the test.</summary>
    internal static Process Start(string[] command)
    {
        ProcessStartInfo start = new(command[0]) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (string argument in command.Skip(1))
            start.ArgumentList.Add(argument);
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new InvalidOperationException($"{command[0]} is missing: install it (apt-get install {command[0]})", e);
        }
    }

    private static async Task<(int Code, string Output, string Messages)> Run(string[] command)
    {
        using Process process = Start(command);
        process.StandardInput.Close();
        using CancellationTokenSource patience = new(Patience);
        Task<string> output = process.StandardOutput.ReadToEndAsync(patience.Token);
        Task<string> messages = process.StandardError.ReadToEndAsync(patience.Token);
        try
        {
            await process.WaitForExitAsync(patience.Token);
            return (process.ExitCode, await output, await messages);
        }
        catch (OperationCanceledException e)
        {
            process.Kill(entireProcessTree: true);
            throw new InvalidOperationException($"{string.Join(' ', command)} did not end in {Patience}", e);
        }
    }
}
