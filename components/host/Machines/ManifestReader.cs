using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using NJsonSchema;
using NJsonSchema.Validation;

namespace Plexus.Host.Machines;

/// <summary>Turns JSON into a manifest: first the schema, then what a schema cannot say. Every error is one line with file, JSON path and remedy.</summary>
internal static class ManifestReader
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        NumberHandling = JsonNumberHandling.Strict,
    };

    /// <summary>Read once: making a schema takes far longer than applying it.</summary>
    private static readonly Lazy<JsonSchema> Schema =
        new(() => JsonSchema.FromJsonAsync(MachineManifest.EmbeddedText("machine.schema.json")).GetAwaiter().GetResult());

    /// <summary>Reads and validates.</summary>
    /// <param name="text">JSON.</param>
    /// <param name="source">File name, for messages.</param>
    /// <exception cref="InputException">Not a valid manifest.</exception>
    public static MachineManifest Parse(string text, string source)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text, new JsonDocumentOptions { AllowDuplicateProperties = false });
            CheckScalars(document.RootElement, "$", source);
            CheckSchema(text, source);
            MachineManifest manifest = document.Deserialize<MachineManifest>(Options)! with { Source = source };
            CheckMeaning(manifest);
            return manifest;
        }
        catch (JsonException e) when (e.Path is { Length: > 0 } path)
        {
            throw new InputException($"{source}:{(e.LineNumber ?? 0) + 1}: {path}: not valid ({FirstSentence(e.Message)}); correct it there");
        }
        catch (JsonException e)
        {
            throw new InputException($"{source}:{(e.LineNumber ?? 0) + 1}: not JSON ({FirstSentence(e.Message)}); correct it there");
        }
        catch (InvalidOperationException e)
        {
            // An escape of half a surrogate pair in a name: found when the names are compared.
            throw new InputException($"{source}:1: not JSON ({FirstSentence(e.Message)}); correct it there");
        }
    }

    /// <summary>What the schema cannot say: names are unique, and consoles are routed.</summary>
    public static void CheckMeaning(MachineManifest manifest)
    {
        HashSet<string> names = new(StringComparer.Ordinal);
        for (int i = 0; i < manifest.Components.Count; i++)
        {
            if (!names.Add(manifest.Components[i].Name))
                throw Wrong(manifest, $"$.components[{i}].name", $"\"{manifest.Components[i].Name}\" is already taken; give each component its own name");
        }

        for (int i = 0; i < manifest.Devices.Count; i++)
        {
            DeviceManifest device = manifest.Devices[i];
            if (!names.Add(device.Name))
                throw Wrong(manifest, $"$.devices[{i}].name", $"\"{device.Name}\" is already taken; give each component and device its own name");
            if (device.Base is not null && Convert.ToUInt32(device.Base, 16) > ushort.MaxValue)
                throw Wrong(manifest, $"$.devices[{i}].base", $"{device.Base} is not a port; ports end at 0xFFFF");
            if (device.Console is not null && !manifest.Consoles.ContainsKey(device.Console))
                throw Wrong(manifest, $"$.devices[{i}].console", $"\"{device.Console}\" is not a console; add it to $.consoles");
        }

        CommandLine.MemorySize.Parse(manifest.Memory, $"{manifest.Source}: $.memory");
    }

    /// <summary>An error at a place of a manifest.</summary>
    public static InputException Wrong(MachineManifest manifest, string path, string problem) => new($"{manifest.Source}: {path}: {problem}");

    /// <summary>What is JSON by its grammar but no value: numbers that the validator cannot compare, and strings that hold half a surrogate pair.</summary>
    private static void CheckScalars(JsonElement element, string path, string source)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (JsonProperty property in element.EnumerateObject())
                    CheckScalars(property.Value, $"{path}.{property.Name}", source);
                break;
            case JsonValueKind.Array:
                int index = 0;
                foreach (JsonElement item in element.EnumerateArray())
                    CheckScalars(item, string.Create(CultureInfo.InvariantCulture, $"{path}[{index++}]"), source);
                break;
            case JsonValueKind.Number when !element.TryGetInt64(out _) && !(element.TryGetDecimal(out _) && element.GetRawText().AsSpan().ContainsAny('.', 'e', 'E')):
                throw new InputException($"{source}: {path}: not a number that a manifest can hold; write a smaller one");
            case JsonValueKind.String:
                try
                {
                    element.GetString();
                }
                catch (InvalidOperationException)
                {
                    throw new InputException($"{source}: {path}: not text (an escape of half a surrogate pair); correct it there");
                }

                break;
        }
    }

    private static void CheckSchema(string text, string source)
    {
        ValidationError? error = Schema.Value.Validate(text).FirstOrDefault();
        if (error is null)
            return;
        while (error is ChildSchemaValidationError parent && parent.Errors.Values.SelectMany(list => list).FirstOrDefault() is { } child)
            error = child;
        string inner = (error.Path ?? "").TrimStart('#', '/').Replace('/', '.');
        string path = inner.Length == 0 ? "$" : inner[0] == '[' ? "$" + inner : "$." + inner;
        string place = error.HasLineInfo ? string.Create(CultureInfo.InvariantCulture, $"{source}:{error.LineNumber}") : source;
        throw new InputException($"{place}: {path}: {Explain(error)}");
    }

    private static string Explain(ValidationError error)
    {
        JsonSchema at = error.Schema;
        string meaning = at.ActualSchema.Description ?? at.Description ?? "see machines/machine.schema.json";
        return error.Kind switch
        {
            ValidationErrorKind.PropertyRequired => $"is missing; add it: {PropertyMeaning(at, error.Property)}",
            ValidationErrorKind.NoAdditionalPropertiesAllowed => $"unknown property; known here are {string.Join(", ", at.ActualSchema.ActualProperties.Keys)}",
            ValidationErrorKind.NotInEnumeration => $"not one of {string.Join(", ", at.ActualSchema.Enumeration)}; choose one",
            _ => $"not valid ({error.Kind}); expected: {meaning}",
        };
    }

    private static string PropertyMeaning(JsonSchema schema, string? property) =>
        property is not null && schema.ActualSchema.ActualProperties.TryGetValue(property, out JsonSchemaProperty? found)
            ? found.Description ?? found.ActualSchema.Description ?? property
            : property ?? "";

    private static string FirstSentence(string message)
    {
        int end = message.IndexOf(". ", StringComparison.Ordinal);
        return (end < 0 ? message : message[..end]).TrimEnd('.').ReplaceLineEndings(" ");
    }
}
