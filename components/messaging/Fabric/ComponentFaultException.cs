namespace Plexus.Messaging;

/// <summary>A host failure that a component answered with: never a guest fault. Stops the machine with a clear report.</summary>
/// <param name="component">The component that failed.</param>
/// <param name="code">A short stable code; see <see cref="FaultCodes"/>.</param>
/// <param name="detail">What happened, in one line.</param>
/// <param name="inner">The exception that the component threw, when it did so in this process.</param>
public sealed class ComponentFaultException(string component, string code, string detail, Exception? inner = null)
    : Exception(OneLine.Of($"{component}: {code}: {detail}"), inner)
{
    /// <summary>The component that failed.</summary>
    public string Component { get; } = component;

    /// <summary>A short stable code.</summary>
    public string Code { get; } = code;

    /// <summary>What happened, in one line.</summary>
    public string Detail { get; } = OneLine.Of(detail);
}
