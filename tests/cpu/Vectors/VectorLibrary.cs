using System.Text.Json;

namespace Plexus.Cpu.Tests.Vectors;

/// <summary>Where the captured 80286 cases lie, and what is known of each form.</summary>
public static class VectorLibrary
{
    /// <summary>Environment variable naming the folder that holds <c>80286/</c>.</summary>
    public const string PathVariable = "PLEXUS_VECTORS";

    /// <summary>Set to 1: absence of the cases is a failure, not a skip.</summary>
    public const string RequireVariable = "PLEXUS_REQUIRE_VECTORS";

    /// <summary>The folder with the <c>.MOO.gz</c> files, or null.</summary>
    public static string? Folder { get; } = Find();

    /// <summary>Why the tests cannot run, or null when they can.</summary>
    public static string? SkipReason =>
        Folder is not null || Environment.GetEnvironmentVariable(RequireVariable) == "1"
            ? null
            : $"the captured 80286 cases are neither at ../shared/vectors beside the repository nor at ${PathVariable}";

    /// <summary>Forms, by file name: <c>00</c>, <c>80.3</c>, …</summary>
    public static IEnumerable<string> Forms() =>
        Folder is null
            ? []
            : Directory.EnumerateFiles(Folder, "*.MOO.gz").Select(f => Path.GetFileName(f)[..^".MOO.gz".Length]).Order(StringComparer.Ordinal);

    /// <summary>The cases of a form.</summary>
    public static List<MooCase> Cases(string form) => MooFile.Read(Path.Combine(Folder!, form + ".MOO.gz"));

    /// <summary>Flags that are defined after a form, by form.</summary>
    public static Dictionary<string, ushort> FlagMasks()
    {
        var masks = new Dictionary<string, ushort>(StringComparer.Ordinal);
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder!, "metadata.json")));
        foreach (JsonProperty opcode in document.RootElement.GetProperty("opcodes").EnumerateObject())
        {
            masks[opcode.Name] = Mask(opcode.Value);
            if (!opcode.Value.TryGetProperty("reg", out JsonElement registers))
                continue;
            foreach (JsonProperty register in registers.EnumerateObject())
                masks[$"{opcode.Name}.{register.Name}"] = Mask(register.Value);
        }

        return masks;
    }

    private static ushort Mask(JsonElement form) => form.TryGetProperty("flags-mask", out JsonElement mask) ? mask.GetUInt16() : (ushort)0xFFFF;

    private static string? Find()
    {
        string? named = Environment.GetEnvironmentVariable(PathVariable);
        if (named is not null)
            return Folder80286(named);
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "Monorepo.sln")))
                return Folder80286(Path.Combine(at.FullName, "..", "shared", "vectors"));
        }

        return null;
    }

    private static string? Folder80286(string root)
    {
        string folder = Path.Combine(root, "80286");
        return File.Exists(Path.Combine(folder, "metadata.json")) ? Path.GetFullPath(folder) : null;
    }
}
