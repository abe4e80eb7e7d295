namespace Plexus.Host.Telemetry;

/// <summary>Writes <c>KeyValue</c> fields (opentelemetry/proto/common/v1) into a message.</summary>
/// <param name="target">The message's writer.</param>
internal sealed class AttributeWriter(ProtobufWriter target)
{
    private readonly ProtobufWriter value = new();
    private readonly ProtobufWriter pair = new();

    /// <summary>A string.</summary>
    public void Text(int field, string name, string text)
    {
        value.Clear();
        value.StringField(1, text); // AnyValue.string_value
        Pair(field, name);
    }

    /// <summary>A whole number.</summary>
    public void Number(int field, string name, ulong number)
    {
        value.Clear();
        value.VarintField(3, number); // AnyValue.int_value
        Pair(field, name);
    }

    private void Pair(int field, string name)
    {
        pair.Clear();
        pair.StringField(1, name); // KeyValue.key
        pair.BytesField(2, value.Written); // KeyValue.value
        target.BytesField(field, pair.Written);
    }
}
