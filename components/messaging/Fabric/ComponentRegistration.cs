namespace Plexus.Messaging;

/// <summary>A component and where it is to run.</summary>
/// <param name="Component">The component.</param>
/// <param name="Placement">Where its handlers run.</param>
/// <param name="Capacity">Messages its inbox holds.</param>
public sealed record ComponentRegistration(IComponent Component, Placement Placement, int Capacity);
