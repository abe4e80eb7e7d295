using Plexus.Host.CommandLine;
using Plexus.Host.Firmware;
using Plexus.Host.Machines;
using Plexus.Host.Tests.Firmware;
using Xunit;

namespace Plexus.Tools.Tests.Pc;

/// <summary>The definition block of the PC, taken apart and put together again by Intel's ACPI compiler.</summary>
public sealed class AcpiCompilerTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("plexus-acpi").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public async Task Definition_block_is_understood_and_compiles_again_without_errors()
    {
        (byte[] memory, _) = new FirmwareReader(FirmwareSettings.Of(MachineManifest.Load("pc"), 64 << 20, BootOrder.Usual)).LoadTables();
        int at = memory.AsSpan().IndexOf("DSDT"u8);
        File.WriteAllBytes(Path.Combine(directory, "dsdt.aml"), memory[at..(at + BitConverter.ToInt32(memory, at + 4))]);
        await Iasl("-d", "dsdt.aml");
        string source = File.ReadAllText(Path.Combine(directory, "dsdt.dsl"));
        Assert.Contains("_PRT", source, StringComparison.Ordinal);
        Assert.Contains("PNP0501", source, StringComparison.Ordinal);
        Assert.Contains(" 0 Errors", await Iasl("-p", "again", "dsdt.dsl"), StringComparison.Ordinal);
    }

    private async Task<string> Iasl(params string[] arguments)
    {
        (int code, string output, string messages) = await ToolProcess.Run(["iasl", .. arguments], directory, "acpica-tools");
        Assert.True(code == 0, $"{output}\n{messages}");
        return output;
    }
}
