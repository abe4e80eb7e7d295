using Plexus.Host.Machines;
using Xunit;

namespace Plexus.Host.Tests.Fuzz;

/// <summary>Manifests that fuzzing found, and the line each must give.</summary>
public sealed class ManifestFindsTests : IDisposable
{
    private const string Valid =
        """{"name":"m","memory":"1M","cpu":{"model":"pentium-pro-nofpu","nanosecondsPerInstruction":10},"components":[{"name":"monitor","type":"monitor"},{"name":"cpu","type":"cpu"},{"name":"prescan","type":"prescan"},{"name":"patcher","type":"patcher"},{"name":"handlers","type":"handlers"},{"name":"bus","type":"bus"},{"name":"telemetry","type":"telemetry"}],"devices":[{"name":"pic","type":"i8259-pair"},{"name":"uart0","type":"ns16550a","base":"0x3F8","irq":4}]}""";

    private readonly string file = Path.Combine(Path.GetTempPath(), $"plexus-manifest-{Guid.NewGuid():N}.json");

    public void Dispose() => File.Delete(file);

    [Fact]
    public void Manifest_that_the_finds_are_made_of_builds() => Build(Valid).Dispose();

    [Theory]
    [InlineData("10}", "9223372036854775808}", "$.cpu.nanosecondsPerInstruction: not a number")]
    [InlineData("10}", "123456789012345678901234567890}", "$.cpu.nanosecondsPerInstruction: not a number")]
    [InlineData("10}", "1e400}", "$.cpu.nanosecondsPerInstruction: not a number")]
    [InlineData("\"irq\":4", "\"irq\":18446744073709551616", "$.devices[1].irq: not a number")]
    [InlineData("\"name\":\"m\"", "\"name\":\"\\ud800\"", "$.name: not text")]
    [InlineData("\"name\":\"m\"", "\"\\ud800\":\"m\"", "not JSON")]
    [InlineData("\"name\":\"m\"", "\"name\":\"m\\n\"", "$.name: not valid")]
    [InlineData("\"0x3F8\"", "\"0x3F8\\n\"", "$.devices[1].base: not valid")]
    [InlineData("\"1M\"", "\"1M\\n\"", "$.memory: not valid")]
    [InlineData("\"name\":\"m\"", "\"name\":\"m\",\"a\\r\\nb\":1", "unknown property")]
    [InlineData("\"irq\":4", "\"console\":\"\\n\\u2028\"", "is not a console")]
    [InlineData("\"0x3F8\"", "\"0xFFFC\"", "$.devices[1].base: port range 0xFFFC-0x10003 of uart0 goes beyond the last port")]
    [InlineData("{\"name\":\"monitor\",\"type\":\"monitor\"},", "", "$.components: monitor: no-component")]
    [InlineData(",{\"name\":\"telemetry\",\"type\":\"telemetry\"}", "", "$.components: telemetry: no-component")]
    [InlineData("10}", "5.5}", "$.cpu.nanosecondsPerInstruction: not valid")]
    public void Manifest_that_was_found_gives_one_line(string part, string replacement, string expected)
    {
        InputException e = Assert.Throws<InputException>(() => Build(Valid.Replace(part, replacement, StringComparison.Ordinal)));

        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
        Assert.StartsWith(file, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(e.Message, c => char.IsControl(c) || c == '\u2028');
    }

    [Fact]
    public void Endless_name_gives_a_line_that_can_be_read()
    {
        InputException e = Assert.Throws<InputException>(() => Build(Valid.Replace("\"m\"", "\"m\",\"" + new string('x', 100_000) + "\":1", StringComparison.Ordinal)));

        Assert.InRange(e.Message.Length, 1, 1000);
    }

    private Machine Build(string json)
    {
        File.WriteAllText(file, json);
        return new MachineBuilder(MachineManifest.Load(file)).Route("stdout", () => Stream.Null).Build();
    }
}
