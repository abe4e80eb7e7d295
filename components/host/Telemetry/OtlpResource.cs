namespace Plexus.Host.Telemetry;

/// <summary>What all spans and metrics say of where they come from, besides the component: <c>service.namespace</c> and attributes of the user's choice.</summary>
public sealed record OtlpResource
{
    /// <summary>Nothing of the user's choice.</summary>
    public static OtlpResource Default { get; } = new();

    /// <summary>Groups the components of one machine.</summary>
    public string Namespace { get; init; } = PlexusTags.Namespace;

    /// <summary>Further attributes.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Attributes { get; init; } = [];

    /// <summary>Writes a <c>Resource</c> message's content.</summary>
    internal void Write(AttributeWriter target, string service)
    {
        target.Text(1, PlexusTags.ServiceName, service); // Resource.attributes
        target.Text(1, PlexusTags.ServiceNamespace, Namespace);
        foreach ((string name, string value) in Attributes)
            target.Text(1, name, value);
    }
}
