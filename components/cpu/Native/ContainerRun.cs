namespace Plexus.Cpu.Native;

/// <summary>How a hand-over to a container ended.</summary>
/// <param name="Completed">Slots that ran to their end, counted from the first one asked for.</param>
/// <param name="Failure">Null when all did. Otherwise the container is gone, and this is why: the slot after the completed ones was running.</param>
public readonly record struct ContainerRun(int Completed, string? Failure);
