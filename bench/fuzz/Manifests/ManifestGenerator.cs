using System.Text;
using System.Text.Json;
using Plexus.Fuzz.Harness;

namespace Plexus.Fuzz.Manifests;

/// <summary>Manifests that are nearly right.</summary>
internal sealed class ManifestGenerator
{
    /// <summary>Scalars that other members take, and those that no member takes.</summary>
    private static readonly string[] Values =
    [
        "null", "true", "false", "0", "-0", "1", "-1", "3", "15", "16", "255", "65535", "2147483647", "2147483648", "4294967295", "4294967296", "9223372036854775808", "18446744073709551616",
        "1.0", "4.0", "4e0", "1e1", "1.5", "1e308", "1e309", "-1e400", "1e99999", "0.1e-400", "123456789012345678901234567890", "79228162514264337593543950336",
        "\"\"", "\"a\"", "\"\\n\"", "\"\\u0000\"", "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\u2028\"", "\"\\u0085x\"", "\"\\u001b[2J\"", "\"é😀\"", "\"2024-01-01T00:00:00Z\"", "\"#/definitions/name\"",
        "\"64M\"", "\"1M\"", "\"1024K\"", "\"1048577K\"", "\"2047M\"", "\"1G\"", "\"2G\"", "\"0\"", "\"1\"", "\"00000000000000000000000000000000000064M\"", "\"99999999999999999999G\"", "\"64M\\n\"", "\"64M\\r\"", "\"64m\"", "\" 64M\"", "\"٦٤M\"",
        "\"emulated\"", "\"ring3\"", "\"auto\"", "\"jump-stub\"", "\"int3-monitor\"", "\"pentium-pro-nofpu\"", "\"pentium-pro\"", "\"inline\"", "\"dedicated\"", "\"Inline\"", "\"stdout\"", "\"none\"", "\"serial\"",
        "\"monitor\"", "\"cpu\"", "\"prescan\"", "\"patcher\"", "\"handlers\"", "\"bus\"", "\"telemetry\"", "\"cpu\\n\"", "\"host\"",
        "\"i8259-pair\"", "\"i8254\"", "\"i8042\"", "\"mc146818\"", "\"ns16550a\"", "\"port80\"", "\"port92\"", "\"debug-exit\"", "\"shutdown-port\"", "\"reset-control\"",
        "\"0x0\"", "\"0x20\"", "\"0x3F8\"", "\"0x2F8\"", "\"0x8900\"", "\"0xFFF9\"", "\"0xFFFF\"", "\"0x10000\"", "\"0xFFFFFFFF\"", "\"0x3F8\\n\"", "\"0x\"", "\"0X3F8\"", "\"0x000003F8\"", "\"1016\"",
        "[]", "{}", "[[]]", "[null]", "{\"a\":1}", "{\"$ref\":\"#\"}", "{\"$id\":\"1\",\"$values\":[]}",
    ];

    private static readonly string[] Keys =
    [
        "\"name\"", "\"type\"", "\"placement\"", "\"base\"", "\"irq\"", "\"console\"", "\"memory\"", "\"engine\"", "\"strategy\"", "\"cpu\"", "\"model\"", "\"nanosecondsPerInstruction\"",
        "\"components\"", "\"devices\"", "\"consoles\"", "\"$schema\"", "\"$ref\"", "\"$type\"", "\"$id\"", "\"Name\"", "\"MEMORY\"", "\"source\"", "\"\"", "\"a.b\"", "\"a/b\"", "\"#\"", "\"[0]\"",
        "\"n\\u0061me\"", "\"\\n\"", "\"x\\r\\ny\"", "\"\\ud800\"", "\"\\u2029\"", "\"serial\"", "\"serial\\n\"",
    ];

    /// <summary>What breaks a text that was JSON.</summary>
    private static readonly string[] Breakers = ["{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "//", "/**/", "NaN", "Infinity", "undefined", "'", "\0", "\u001f", "\ufeff", "1e", "-", "+1", "01", ".5", "tru"];

    /// <summary>Values by the key of their member: right, or wrong in a way that the schema lets pass.</summary>
    private static readonly (string Key, string[] Values)[] Likely =
    [
        ("\"memory\"", ["\"1M\"", "\"8192K\"", "\"1025K\"", "\"0\"", "\"2048M\"", "\"2G\"", "\"99999999999999999999G\"", "\"18446744073709551615K\""]),
        ("\"type\"", ["\"abacus\"", "\"cpu\"", "\"bus\"", "\"telemetry\"", "\"port80\"", "\"reset-control\""]),
        ("\"name\"", ["\"monitor\"", "\"bus\"", "\"uart0\"", "\"a\"", "\"host\""]),
        ("\"base\"", ["\"0x10000\"", "\"0xFFFFFFFF\"", "\"0x70\"", "\"0xFFFC\"", "\"0x2F8\""]),
        ("\"irq\"", ["2", "9", "15", "16", "-1", "1.0", "1e1"]),
        ("\"nanosecondsPerInstruction\"", ["1", "1000000", "1000001", "0", "5.0", "5.5"]),
        ("\"placement\"", ["\"dedicated\""]),
        ("\"components\"", ["[]"]),
        ("\"devices\"", ["[]"]),
        ("\"consoles\"", ["{}", "{\"serial\":\"none\",\"\":\"stdout\"}"]),
        ("\"console\"", ["\"none\"", "\"\\n\""]),
    ];

    private readonly JsonTree seed;

    public ManifestGenerator(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        seed = JsonTree.Parse(document.RootElement);
    }

    /// <summary>A manifest file's bytes.</summary>
    public byte[] Generate(Random random)
    {
        if (random.Next(40) == 0)
            return Mutator.Bytes(random, random.Next(80));
        JsonTree root = seed.Clone();
        if (random.Next(8) == 0)
        {
            // Nothing that a schema sees: the machine itself does not fit together, or does.
            Wiring(random, root);
            StringBuilder whole = new();
            root.Write(whole, random);
            return Encode(random, whole.ToString());
        }

        for (int times = Times(random); times > 0; times--)
            Mutate(random, root);
        StringBuilder text = new();
        root.Write(text, random);
        if (random.Next(12) == 0)
            text.Insert(random.Next(text.Length + 1), Breakers[random.Next(Breakers.Length)]);
        if (random.Next(60) == 0)
            Nest(random, text);
        return Encode(random, text.ToString());
    }

    private static void Wiring(Random random, JsonTree root)
    {
        if (random.Next(3) == 0)
        {
            List<JsonTree> components = root.Members!.First(m => m.Key == "\"components\"").Value.Elements!;
            components.RemoveAt(random.Next(components.Count));
        }

        for (int times = random.Next(3); times > 0; times--)
            Device(random, root);
    }

    private static int Times(Random random) => random.Next(8) switch { 0 => 0, < 5 => 1, 5 => 2, 6 => 3, _ => random.Next(4, 12) };

    private static void Mutate(Random random, JsonTree root)
    {
        List<JsonTree> all = [.. root.All()];
        JsonTree at = all[random.Next(all.Count)];
        switch (random.Next(12))
        {
            case 0 when at.Members is { Count: > 0 } members:
                members.RemoveAt(random.Next(members.Count));
                break;
            case 1 when at.Members is { } members:
                members.Insert(random.Next(members.Count + 1), (Keys[random.Next(Keys.Length)], JsonTree.Of(Values[random.Next(Values.Length)])));
                break;
            case 2 when at.Members is { Count: > 0 } members:
                (string key, JsonTree value) = members[random.Next(members.Count)];
                members.Insert(random.Next(members.Count + 1), (key, random.Next(2) == 0 ? value.Clone() : JsonTree.Of(Values[random.Next(Values.Length)])));
                break;
            case 3 when at.Members is { Count: > 0 } members:
                int renamed = random.Next(members.Count);
                members[renamed] = (Keys[random.Next(Keys.Length)], members[renamed].Value);
                break;
            case 4 when at.Elements is { Count: > 0 } elements:
                elements.RemoveAt(random.Next(elements.Count));
                break;
            case 5 when at.Elements is { Count: > 0 } elements:
                elements.Insert(random.Next(elements.Count + 1), elements[random.Next(elements.Count)].Clone());
                break;
            case 6:
                at.Become(all[random.Next(all.Count)].Clone());
                break;
            case 7:
                Device(random, root);
                break;
            case 8:
                Plausible(random, all);
                break;
            default:
                List<JsonTree> scalars = [.. all.Where(t => t.Members is null && t.Elements is null)];
                JsonTree scalar = random.Next(6) == 0 || scalars.Count == 0 ? at : scalars[random.Next(scalars.Count)];
                scalar.Become(JsonTree.Of(Values[random.Next(Values.Length)]));
                break;
        }
    }

    /// <summary>A value of the right kind in a place of its own.</summary>
    private static void Plausible(Random random, List<JsonTree> all)
    {
        (string key, string[] values) = Likely[random.Next(Likely.Length)];
        List<JsonTree> places = [.. all.SelectMany(t => t.Members ?? []).Where(m => m.Key == key).Select(m => m.Value)];
        if (places.Count != 0)
            places[random.Next(places.Count)].Become(JsonTree.Of(values[random.Next(values.Length)]));
    }

    /// <summary>One more device, wired at random: what the schema takes and the machine may not.</summary>
    private static void Device(Random random, JsonTree root)
    {
        List<JsonTree> lists = [.. (root.Members ?? []).Where(m => m.Key is "\"devices\"" && m.Value.Elements is not null).Select(m => m.Value)];
        if (lists.Count == 0)
            return;
        string[] types = ["ns16550a", "port80", "debug-exit", "shutdown-port", "i8259-pair", "i8254", "mc146818", "i8042", "port92", "reset-control"];
        string text = $$"""{"name":"extra{{random.Next(3)}}","type":"{{types[random.Next(types.Length)]}}" """;
        if (random.Next(3) != 0)
            text += $$""","base":"0x{{random.Next(4) switch { 0 => random.Next(0xFFF8, 0x10000), 1 => random.Next(0x100), _ => random.Next(0x10000) }:X}}" """;
        if (random.Next(3) == 0)
            text += $$""","irq":{{random.Next(16)}} """;
        if (random.Next(5) == 0)
            text += ",\"console\":\"serial\"";
        if (random.Next(8) == 0)
            text += ",\"placement\":\"dedicated\"";
        lists[0].Elements!.Add(JsonTree.Of(text + "}"));
    }

    /// <summary>Deeper than anybody nests: as a value, or instead of the whole.</summary>
    private static void Nest(Random random, StringBuilder text)
    {
        int depth = random.Next(3) switch { 0 => random.Next(55, 75), 1 => random.Next(120, 140), _ => random.Next(20_000) };
        bool isArray = random.Next(2) == 0;
        StringBuilder nest = new();
        nest.Insert(0, isArray ? "[" : "{\"a\":", depth).Append('1');
        if (random.Next(4) != 0)
            nest.Insert(nest.Length, isArray ? "]" : "}", depth);
        if (random.Next(3) == 0)
            text.Clear().Append(nest);
        else
            text.Insert(1, "\"description\":" + nest + ",");
    }

    private static byte[] Encode(Random random, string text)
    {
        switch (random.Next(40))
        {
            case 0:
                return [0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(text)];
            case 1:
                return [0xFF, 0xFE, .. Encoding.Unicode.GetBytes(text)];
            case 2:
                return [0xFE, 0xFF, .. Encoding.BigEndianUnicode.GetBytes(text)];
            case 3:
                return [0xEF, 0xBB, 0xBF, 0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(text)];
            case 4:
                byte[] invalid = Encoding.UTF8.GetBytes(text);
                if (invalid.Length != 0)
                    invalid[random.Next(invalid.Length)] = (byte)random.Next(0x80, 0x100);
                return invalid;
            case 5:
                byte[] bytes = Encoding.UTF8.GetBytes(text);
                return Mutator.Mutate(random, bytes, bytes, random.Next(1, 4));
            case 6:
                byte[] whole = Encoding.UTF8.GetBytes(text);
                return whole[..random.Next(whole.Length + 1)];
            default:
                return Encoding.UTF8.GetBytes(text);
        }
    }
}
