using System.Diagnostics;
using System.Text.RegularExpressions;
using Xunit;

namespace Plexus.Tools.Tests.Gdb;

/// <summary>The real GDB debugs a guest. Fails where gdb is not installed.</summary>
public sealed partial class GdbTests : IDisposable
{
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("plexus-gdb-");

    public static TheoryData<string> Engines => ["emulated", "ring3"];

    public void Dispose() => directory.Delete(recursive: true);

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task Kernel_in_C_is_debugged_by_lines_and_variables(string engine)
    {
        string elf = await GdbProcess.Compile(directory.FullName);
        string output = await GdbProcess.Debug(
            directory.FullName,
            elf,
            Pipe("--gdb", "stdio", "-S", "--engine", engine, "--kernel", elf),
            "info registers eip",
            "break add",
            "continue",
            "backtrace",
            "info args",
            "print counter",
            "next",
            "print sum",
            "finish",
            "watch counter",
            "continue",
            "continue",
            "delete",
            "rwatch ratio",
            "continue",
            "delete",
            "print ratio",
            "print/x $cs",
            "print $cr0",
            "print $cs_limit",
            "x/1i $eip",
            "stepi",
            "set var counter = 21",
            "tbreak finish",
            "continue",
            "print code",
            "print/x *(int *)0x100000",
            "monitor info registers",
            "print ratio",
            "continue");
        Says(output, @"0x[0-9a-f]+ in start \(\)");
        Says(output, @"Breakpoint 1, add \(a=0, b=0\) at .*kernel\.c:\d+");
        Says(output, @"#1 +0x[0-9a-f]+ in kernel \(\) at .*kernel\.c:\d+");
        Says(output, @"a = 0\s+b = 0");
        Says(output, @"\$1 = 0\b");
        Says(output, @"\$2 = 0\b");
        Says(output, @"Value returned is \$3 = 0");
        Says(output, @"Breakpoint 1, add \(a=0, b=1\)");
        Says(output, @"Hardware watchpoint 2: counter\s+Old value = 0\s+New value = 1");
        Says(output, @"Hardware read watchpoint 3: ratio\s+Value = 1\.5");
        Says(output, @"\$4 = 1\.5");
        Says(output, @"\$5 = 0x10\b");
        Says(output, @"\$6 = \[ PE .*ET ");
        Says(output, @"\$7 = 4294967295");
        Says(output, @"=> 0x[0-9a-f]+ <kernel\+\d+>:\s+\w+");
        Says(output, @"Temporary breakpoint 4, finish \(code=21\)");
        Says(output, @"\$9 = 0x464c457f");
        Says(output, @"EFLAGS +[0-9A-F]{8}\s+CPL +0");
        Says(output, @"\$10 = 3\b");
        Says(output, @"exited with code 053");
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task Debugger_attaches_over_a_port_changes_a_variable_and_leaves(string engine)
    {
        string elf = await GdbProcess.Compile(directory.FullName, "-DWAIT=1");
        using Process plexus = ToolProcess.Start(ToolProcess.Plexus("run", "--gdb", "tcp::0", "--engine", engine, "--kernel", elf));
        string first = await plexus.StandardError.ReadLineAsync() ?? "";
        Match port = Port().Match(first);
        Assert.True(port.Success, first);
        Task<string> messages = plexus.StandardError.ReadToEndAsync();
        string attach = $"target remote 127.0.0.1:{port.Groups[1].Value}";

        // Wherever it was stopped, it gets into its loop.
        string output = await GdbProcess.Debug(directory.FullName, elf, attach, "watch rounds", "continue", "info symbol $eip", "print wait", "print rounds > 0", "break add", "detach");
        Says(output, @"kernel( \+ \d+)? in section \.text");
        Says(output, @"\$1 = 1\b");
        Says(output, @"\$2 = 1\b");

        output = await GdbProcess.Debug(directory.FullName, elf, attach, "set var wait = 0", "detach");
        Says(output, "detached");
        await plexus.WaitForExitAsync();
        Assert.Contains("the debugger is detached", await messages, StringComparison.Ordinal);
        Assert.Equal((10 << 1) | 1, plexus.ExitCode);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task Demo_kernel_passes_its_checks_under_the_debugger(string engine)
    {
        string elf = Path.Combine(directory.FullName, "demo.elf");
        using (Process writer = ToolProcess.Start(ToolProcess.Plexus("demo-kernel", "--out", elf)))
            await writer.WaitForExitAsync();
        string output = await GdbProcess.Debug(
            directory.FullName,
            elf,
            Pipe("--gdb", "stdio", "-S", "--engine", engine),
            "hbreak main",
            "continue",
            "stepi",
            "stepi",
            "x/3i $eip",
            "print/x $esp",
            "monitor info mem",
            "hbreak vector_36",
            "continue",
            "info registers",
            "delete",
            "continue");
        Says(output, @"Breakpoint 1, 0xc0[0-9a-f]+ in main \(\)");
        Says(output, @"=> 0xc0[0-9a-f]+ <main\+\d+>:\s+call");
        Says(output, "c0000000-c0400000 00400000 -rwx");
        Says(output, @"Breakpoint 2, 0xc0[0-9a-f]+ in vector_36 \(\)");
        Says(output, @"eip +0xc0[0-9a-f]+ +0xc0[0-9a-f]+ <vector_36>");
        Says(output, @"gdt_limit +0x97");
        Says(output, "all 258 checks passed");
        Says(output, "exited normally");
    }

    private static void Says(string output, string pattern) => Assert.True(Regex.IsMatch(output, pattern, RegexOptions.CultureInvariant), $"{pattern} is not in:\n{output}");

    private static string Pipe(params string[] arguments) => $"target remote | {string.Join(' ', ToolProcess.Plexus(["run", .. arguments]))}";

    [GeneratedRegex(@"at tcp:127\.0\.0\.1:(\d+)")]
    private static partial Regex Port();
}
