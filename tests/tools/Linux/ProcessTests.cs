using System.Text.RegularExpressions;
using Xunit;

namespace Plexus.Tools.Tests.Linux;

/// <summary>
/// A process that does to the processor what processes, their debuggers and the kernel's own probes do (<c>guest/process.c</c>): system calls by both instructions, LDT and
/// sixteen-bit code, signals, single steps, watchpoints, copies on write, code that changes, units that are shared, kprobes and the function tracer.
/// </summary>
public sealed partial class ProcessTests
{
    /// <summary>What the manual and Linux say it must print. LAR and CR0 show the processor's own bits; QEMU prints the same but for segment limits and accessed bits, which it does not keep.</summary>
    private static readonly string[] Expected =
    [
        "BEGIN", "sysenter 00000001", "int80 00000001", "calls 00004e20", "signal 00000001", "thread area 00000000", "gs:-8 7157a11e", "modify_ldt 00000000", "fs:4088 7157a11e",
        "beyond 00000001", "lar 0040f300", "lsl 00000fff", "verr verw 00000101", "lar cs 00c0fb00", "verw cs 00000000", "16 bits 00001234", "int3 00000302", "steps 00000114",
        "cli 010d0000", "hlt 010d0000", "in 010d0000", "mov cr0 010d0000", "ud2 01060000", "lidt 010d0000", "int 20h 010d0102", "wrmsr 010d0000", "flags kept 00000000",
        "if iopl 00000200", "iopl 00000000", "in with iopl 00000000", "smsw 00000033", "str 00000080", "sldt 00000001", "gdt limit 000000ff", "idt limit 000007ff", "div 00000100",
        "copies 0007ea00", "protected 00000200", "maps 000136f0", "code 0005bbc6",
    ];

    /// <summary>The debugger's and the kernel's part.</summary>
    private static readonly string[] ExpectedAtTheEnd =
    [
        "stepped 000005e0", "dr0 00000000", "dr7 00000000", "watch 0000000a", "status 00000900", "tracefs 00000000", "kprobe 00000018", "kretprobe 00000016", "unprobe 00000007",
        "filter 00000006", "tracer 00000009", "no tracer 00000004", "END",
    ];

    [Fact]
    public async Task Process_and_kernel_do_to_the_processor_what_they_like()
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("plexus-process-");
        try
        {
            string image = await BuildImage(directory.FullName);
            Task<string>[] runs = [Console(image, "--engine", "emulated"), Console(image, "--engine", "ring3")];
            string emulated = await runs[0];
            string[] lines = emulated.ReplaceLineEndings("\n").Split('\n');
            Assert.Equal(Expected, lines.SkipWhile(line => line != "BEGIN").Take(Expected.Length));
            Assert.Equal(ExpectedAtTheEnd, lines.SkipWhile(line => !line.StartsWith("stepped", StringComparison.Ordinal)).Where(line => line.Length != 0 && line[0] is not (' ' or '[')));
            Assert.Contains(lines, line => ProbeHits().IsMatch(line));
            Assert.Matches("unit 3ffa5", emulated);
            Assert.Equal(WithoutTimes(emulated), WithoutTimes(await runs[1]));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static async Task<string> Console(string image, params string[] engine)
    {
        (int code, string console, string messages) = await GuestProcess.Run(
            [.. engine, "-m", "128M", "--no-reboot", "--kernel", GuestProcess.Guest("linux-686", "vmlinuz"), "--initrd", image, "--append", DebianUserTests.Lean + " quiet"]);
        Assert.True(code == 0, $"exit code {code}\n{console}\n{messages}");
        return console;
    }

    /// <summary>An initial RAM disk with the program as all of it.</summary>
    private static async Task<string> BuildImage(string directory)
    {
        string root = Directory.CreateDirectory(Path.Combine(directory, "root")).FullName;
        string source = Path.Combine(AppContext.BaseDirectory, "Linux", "guest", "process.c");
        await Succeed(
            ["gcc", "-m32", "-O1", "-ffreestanding", "-fno-pic", "-no-pie", "-fno-stack-protector", "-fno-asynchronous-unwind-tables", "-fcf-protection=none", "-mno-sse", "-mno-mmx", "-nostdlib",
                "-static", "-Wall", "-Wextra", "-Werror", "-Wl,--build-id=none", "-o", Path.Combine(root, "init"), source], directory);
        string image = Path.Combine(directory, "init.gz");
        await Succeed(["sh", "-c", "mkdir dev && mknod dev/console c 5 1 && find . | LC_ALL=C sort | cpio --quiet -o -H newc | gzip -9n >../init.gz"], root);
        return image;
    }

    private static async Task Succeed(string[] command, string directory)
    {
        (int code, string output, string messages) = await ToolProcess.Run(command, directory);
        Assert.True(code == 0, $"{string.Join(' ', command)}: {output}{messages}");
    }

    private static string WithoutTimes(string console) => Times().Replace(console, "[]");

    [GeneratedRegex(@"\[ *[0-9]+\.[0-9]+\]")]
    private static partial Regex Times();

    [GeneratedRegex("^ +here +30[0-9] +0")]
    private static partial Regex ProbeHits();
}
