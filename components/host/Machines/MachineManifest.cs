using System.Reflection;
using System.Text.Json.Serialization;

namespace Plexus.Host.Machines;

/// <summary>A whole machine: memory, CPU, components and their placement, devices and their wiring, consoles. Read from JSON (see <c>machines/machine.schema.json</c>) or made in code.</summary>
public sealed record MachineManifest
{
    /// <summary>What the machine is called.</summary>
    public required string Name { get; init; }

    /// <summary>One line for people.</summary>
    public string? Description { get; init; }

    /// <summary>Guest RAM, for example <c>64M</c>.</summary>
    public required string Memory { get; init; }

    /// <summary>The engine when the command line says nothing.</summary>
    public string Engine { get; init; } = "ring3";

    /// <summary>The strategy when the command line says nothing.</summary>
    public string Strategy { get; init; } = "auto";

    /// <summary>Which near branches are virtualised when the command line says nothing.</summary>
    public string Branches { get; init; } = "native";

    /// <summary>Exception vectors whose gate in the monitor's IDT leads into ring 3 while the guest's kernel runs, besides those the strategy asks for.</summary>
    public IReadOnlyList<byte> Ring3Gates { get; init; } = [];

    /// <summary>The CPU.</summary>
    public required CpuManifest Cpu { get; init; }

    /// <summary>The firmware image: a path, or a name that is looked for; null for a machine that starts kernels by itself.</summary>
    public string? Firmware { get; init; }

    /// <summary>The components that are not devices.</summary>
    public required IReadOnlyList<ComponentManifest> Components { get; init; }

    /// <summary>The devices behind the bus.</summary>
    public required IReadOnlyList<DeviceManifest> Devices { get; init; }

    /// <summary>Where each console's bytes go: <c>stdout</c> or <c>none</c>.</summary>
    public IReadOnlyDictionary<string, string> Consoles { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Where it was read from, for messages.</summary>
    [JsonIgnore]
    public string Source { get; init; } = "machine";

    /// <summary>The manifest that is used when none is named: <c>machines/isapc.json</c>.</summary>
    public static MachineManifest Default => ManifestReader.Parse(EmbeddedText("isapc.json"), "isapc");

    /// <summary>Machines that are built in, by name.</summary>
    public static IReadOnlyList<string> BuiltIn { get; } = ["isapc", "pc"];

    /// <summary>Reads and validates a manifest: a built-in one by its name, otherwise a file.</summary>
    /// <exception cref="InputException">Missing, unreadable, not JSON, or not a valid manifest: one line with file, JSON path and remedy.</exception>
    public static MachineManifest Load(string path)
    {
        if (BuiltIn.Contains(path))
            return ManifestReader.Parse(EmbeddedText($"{path}.json"), path);
        try
        {
            return ManifestReader.Parse(File.ReadAllText(path), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new InputException($"--machine {path}: cannot be read ({e.Message.ReplaceLineEndings(" ")}); name a manifest such as machines/isapc.json, or one of {string.Join(", ", BuiltIn)}");
        }
    }

    /// <summary>A file of <c>machines/</c> that is built into this assembly.</summary>
    internal static string EmbeddedText(string file)
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"machines/{file}")
            ?? throw new InvalidOperationException($"The resource machines/{file} is missing from this build.");
        using StreamReader reader = new(stream);
        return reader.ReadToEnd();
    }
}
