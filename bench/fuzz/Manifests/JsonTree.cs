using System.Text;
using System.Text.Json;

namespace Plexus.Fuzz.Manifests;

/// <summary>JSON as a tree that can say what a document model cannot: doubled keys, numbers of any length, escapes that mean nothing.</summary>
internal sealed class JsonTree
{
    /// <summary>Object members; the key is raw, with its quotes.</summary>
    public List<(string Key, JsonTree Value)>? Members { get; private set; }

    /// <summary>Array elements.</summary>
    public List<JsonTree>? Elements { get; private set; }

    /// <summary>Anything else, as it is written.</summary>
    public string Raw { get; set; } = "null";

    /// <summary>A scalar as written.</summary>
    public static JsonTree Of(string raw) => new() { Raw = raw };

    /// <summary>A tree from JSON.</summary>
    public static JsonTree Parse(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => new JsonTree { Members = [.. element.EnumerateObject().Select(p => ($"\"{p.Name}\"", Parse(p.Value)))] },
        JsonValueKind.Array => new JsonTree { Elements = [.. element.EnumerateArray().Select(Parse)] },
        _ => Of(element.GetRawText()),
    };

    /// <summary>A copy that shares nothing.</summary>
    public JsonTree Clone() => new()
    {
        Members = Members?.ConvertAll(m => (m.Key, m.Value.Clone())),
        Elements = Elements?.ConvertAll(e => e.Clone()),
        Raw = Raw,
    };

    /// <summary>Becomes another tree.</summary>
    public void Become(JsonTree other) => (Members, Elements, Raw) = (other.Members, other.Elements, other.Raw);

    /// <summary>This tree and everything below it.</summary>
    public IEnumerable<JsonTree> All()
    {
        yield return this;
        foreach (JsonTree child in (Members?.Select(m => m.Value) ?? []).Concat(Elements ?? []))
        {
            foreach (JsonTree inner in child.All())
                yield return inner;
        }
    }

    /// <summary>Writes it with random white space.</summary>
    public void Write(StringBuilder text, Random random)
    {
        if (Members is not null)
        {
            text.Append('{');
            for (int i = 0; i < Members.Count; i++)
            {
                text.Append(i == 0 ? "" : ",").Append(Space(random)).Append(Members[i].Key).Append(':');
                Members[i].Value.Write(text, random);
            }

            text.Append(Space(random)).Append('}');
        }
        else if (Elements is not null)
        {
            text.Append('[');
            for (int i = 0; i < Elements.Count; i++)
            {
                text.Append(i == 0 ? "" : ",").Append(Space(random));
                Elements[i].Write(text, random);
            }

            text.Append(']');
        }
        else
        {
            text.Append(Raw);
        }
    }

    private static string Space(Random random) => random.Next(8) switch { 0 => "\n", 1 => " ", 2 => "\r\n\t", _ => "" };
}
