using Plexus.Messaging;

namespace Plexus.Host.Machines;

/// <summary>A component of a machine that is not a device.</summary>
/// <param name="Name">Name on the fabric.</param>
/// <param name="Type">Type: built in, or added to the builder.</param>
/// <param name="Placement">Which thread runs it.</param>
public sealed record ComponentManifest(string Name, string Type, Placement Placement = Placement.Inline);
