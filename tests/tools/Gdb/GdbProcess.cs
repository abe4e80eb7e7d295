using Xunit;

namespace Plexus.Tools.Tests.Gdb;

/// <summary>The real GDB in batch mode, and a guest with debug information.</summary>
internal static class GdbProcess
{
    /// <summary>Compiles <c>kernel.c</c>.</summary>
    /// <param name="directory">Where the ELF file goes.</param>
    /// <param name="more">Further options of the compiler.</param>
    internal static async Task<string> Compile(string directory, params string[] more)
    {
        string elf = Path.Combine(directory, "kernel.elf");
        string source = Path.Combine(AppContext.BaseDirectory, "Gdb", "kernel.c");
        (int code, _, string messages) = await ToolProcess.Run(
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
        (int code, string output, string messages) = await ToolProcess.Run(["gdb", "-nx", "-batch", "-x", path, elf]);
        Assert.True(code == 0, $"gdb ended with {code}:\n{output}\n{messages}");
        return output + messages;
    }
}
