namespace Plexus.Messaging;

/// <summary>A host failure that a component answered with: never a guest fault. Stops the machine with a clear report.</summary>
/// <param name="component">The component that failed.</param>
/// <param name="code">A short stable code, for example <c>no-handler</c>, <c>malformed</c>, <c>exception</c>.</param>
/// <param name="detail">What happened, in one line.</param>
public sealed class ComponentFaultException(string component, string code, string detail)
    : Exception($"{component}: {code}: {detail}")
{
    /// <summary>The component that failed.</summary>
    public string Component { get; } = component;

    /// <summary>A short stable code.</summary>
    public string Code { get; } = code;

    /// <summary>What happened, in one line.</summary>
    public string Detail { get; } = detail;
}
