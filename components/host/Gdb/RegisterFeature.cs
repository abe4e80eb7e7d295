namespace Plexus.Host.Gdb;

/// <summary>Registers that belong together, by the name of a feature of the target description.</summary>
/// <param name="Name">The feature's name.</param>
/// <param name="Registers">Its registers, in the order of their numbers.</param>
internal sealed record RegisterFeature(string Name, IReadOnlyList<GuestRegister> Registers);
