namespace Plexus.Messaging;

/// <summary>One edge of the Call graph: a component holds an endpoint to another.</summary>
/// <param name="From">The component that Calls or Posts.</param>
/// <param name="To">The component that answers.</param>
public readonly record struct CallEdge(string From, string To);
