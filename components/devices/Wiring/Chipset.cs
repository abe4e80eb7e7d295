using Plexus.Messaging.Shared;

namespace Plexus.Devices;

/// <summary>What the devices of one machine share: wires, nothing else. Made by the composition, before the devices.</summary>
public sealed class Chipset
{
    /// <summary>Makes the wires around the given platform lines.</summary>
    public Chipset(PlatformLines lines)
    {
        Lines = lines;
        Timers = new TimerBank(lines);
    }

    /// <summary>The wires to CPU and monitor.</summary>
    public PlatformLines Lines { get; }

    /// <summary>The interrupt request lines.</summary>
    public InterruptLines Interrupts { get; } = new();

    /// <summary>The deadlines.</summary>
    public TimerBank Timers { get; }

    /// <summary>Guest RAM in bytes, for the configuration memory.</summary>
    public ulong MemoryBytes { get; init; } = 16 << 20;
}
