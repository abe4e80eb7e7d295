using System.Text.Json.Nodes;
using Plexus.Host.Machines;
using Plexus.Messaging;
using Xunit;

namespace Plexus.Host.Tests;

public sealed class ManifestTests : IDisposable
{
    private readonly string file = Path.Combine(Path.GetTempPath(), $"plexus-manifest-{Guid.NewGuid():N}.json");

    public void Dispose() => File.Delete(file);

    [Fact]
    public void Default_machine_has_every_component_and_the_serial_console()
    {
        MachineManifest manifest = MachineManifest.Default;
        Assert.Equal(["monitor", "cpu", "prescan", "patcher", "handlers", "bus", "telemetry"], manifest.Components.Select(c => c.Name));
        Assert.Equal(Placement.Dedicated, manifest.Components.Single(c => c.Name == "telemetry").Placement);
        DeviceManifest uart = manifest.Devices.Single(d => d.Name == "uart0");
        Assert.Equal((0x3F8, 4, "serial"), ((int)uart.PortOr(0), uart.Irq ?? -1, uart.Console));
        Assert.Equal("stdout", manifest.Consoles["serial"]);
        Assert.Equal(10u, manifest.Cpu.NanosecondsPerInstruction);
    }

    [Fact]
    public void Default_machine_builds()
    {
        using Machine machine = new MachineBuilder(MachineManifest.Default).Route("stdout", () => Stream.Null).Build();
        Assert.Equal(64u << 20, machine.Memory.RamSize);
        Assert.Contains("uart0", machine.Fabric.Components);
    }

    public static TheoryData<string, string, string> Mistakes => new()
    {
        { "$.cpu.model", "\"z80\"", "$.cpu.model: not one of 486, pentium, pentium-mmx, pentium-pro-nofpu, pentium-pro, pentium2, pentium3, pentium-m" },
        { "$.cpu.nanosecondsPerInstruction", "0", "$.cpu.nanosecondsPerInstruction: not valid" },
        { "$.memory", "\"lots\"", "$.memory: not valid" },
        { "$.memory", "\"3G\"", "$.memory 3G: guest memory must be between" },
        { "$.engine", "\"hardware\"", "$.engine: not one of emulated, ring3, native, auto" },
        { "$.components[1].placement", "\"remote\"", "$.components[1].placement: not one of inline, dedicated" },
        { "$.components[1].name", "\"Upper Case\"", "$.components[1].name: not valid" },
        { "$.components[1].type", "\"abacus\"", "$.components[1].type: \"abacus\" is not known; known are bus, cpu" },
        { "$.components[1].name", "\"bus\"", "$.components[5].name: \"bus\" is already taken" },
        { "$.components[5].name", "\"cpu\"", "$.components[5].name: \"cpu\" is already taken" },
        { "$.devices[0].name", "\"cpu\"", "$.devices[0].name: \"cpu\" is already taken" },
        { "$.devices[0].type", "\"toaster\"", "$.devices[0].type: \"toaster\" is not known; known are" },
        { "$.devices[4].base", "1016", "$.devices[4].base: not valid" },
        { "$.devices[4].base", "\"0x10000\"", "$.devices[4].base: 0x10000 is not a port" },
        { "$.devices[4].base", "\"0x20\"", "$.devices[4].base: port range" },
        { "$.devices[4].irq", "16", "$.devices[4].irq: not valid" },
        { "$.devices[4].console", "\"printer\"", "$.devices[4].console: \"printer\" is not a console" },
        { "$.consoles.serial", "\"printer\"", "$.consoles.serial: not one of stdout, none" },
        { "$.devices", "null", "$.devices: not valid" },
        { "$.colour", "\"red\"", "$.colour: unknown property; known here are $schema, name" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void Mistake_gives_one_line_with_file_path_and_remedy(string path, string value, string expected)
    {
        JsonNode root = JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "isapc.json")))!;
        Set(root, path, JsonNode.Parse(value));
        File.WriteAllText(file, root.ToJsonString());
        InputException e = Assert.Throws<InputException>(() => new MachineBuilder(MachineManifest.Load(file)).Route("stdout", () => Stream.Null).Build().Dispose());
        Assert.StartsWith(file, e.Message, StringComparison.Ordinal);
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Theory]
    [InlineData("name")]
    [InlineData("memory")]
    [InlineData("cpu")]
    [InlineData("components")]
    [InlineData("devices")]
    public void Missing_member_is_named_with_its_meaning(string member)
    {
        JsonObject root = JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "isapc.json")))!.AsObject();
        root.Remove(member);
        File.WriteAllText(file, root.ToJsonString());
        InputException e = Assert.Throws<InputException>(() => MachineManifest.Load(file));
        Assert.Contains($"$.{member}: is missing; add it: ", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Component_that_another_one_needs_is_missed_at_the_start()
    {
        MachineManifest manifest = MachineManifest.Default;
        manifest = manifest with { Components = [.. manifest.Components.Where(c => c.Name != "prescan")] };
        InputException e = Assert.Throws<InputException>(() => new MachineBuilder(manifest).Route("stdout", () => Stream.Null).Build());
        Assert.Contains("prescan", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{\"name\": \"a\", \"name\": \"b\"}")]
    [InlineData("[1, 2")]
    public void Text_that_is_not_json_gives_the_line(string text)
    {
        File.WriteAllText(file, text);
        InputException e = Assert.Throws<InputException>(() => MachineManifest.Load(file));
        Assert.StartsWith($"{file}:1: not JSON", e.Message, StringComparison.Ordinal);
    }

    private static void Set(JsonNode root, string path, JsonNode? value)
    {
        JsonNode at = root;
        string[] steps = path[2..].Replace("[", ".[", StringComparison.Ordinal).Split('.');
        foreach (string step in steps[..^1])
            at = step[0] == '[' ? at[int.Parse(step.Trim('[', ']'))]! : at[step]!;
        at[steps[^1]] = value;
    }
}
