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
        CoprocessorError = Interrupts.Connect(CoprocessorIrq);
    }

    /// <summary>The AT's interrupt request of the coprocessor.</summary>
    public const int CoprocessorIrq = 13;

    /// <summary>IRQ 13: follows FERR#, until the coprocessor port lowers it.</summary>
    public InterruptLine CoprocessorError { get; }

    /// <summary>Takes the level of FERR#, which the CPU announces by a timer deadline of 0.</summary>
    public void SampleCoprocessor()
    {
        CoprocessorError.Set(Lines.NumericError);
        Timers.Refresh();
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
