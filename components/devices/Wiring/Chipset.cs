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
        PciInterrupts = new PciInterrupts(Interrupts);
        Processor = new ProcessorInterrupts(lines);
        LowMemory = new LowMemory(this);
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

    /// <summary>What leads from the interrupt controllers to the processor.</summary>
    public ProcessorInterrupts Processor { get; }

    /// <summary>The version register of the processor's local APIC; 0 for a processor without one. Unless told otherwise that of a Pentium II: version 11h, five LVT entries.</summary>
    public uint LocalApicVersion { get; init; } = 0x0004_0011;

    /// <summary>The DMA request lines.</summary>
    public DmaLines Dma { get; } = new();

    /// <summary>The deadlines.</summary>
    public TimerBank Timers { get; }

    /// <summary>The PCI interrupt pins.</summary>
    public PciInterrupts PciInterrupts { get; }

    /// <summary>Guest memory, for bus masters and devices that put memory into the address space; null in a machine without.</summary>
    public GuestMemory? Memory { get; init; }

    /// <summary>The firmware image: a whole number of 64 KiB, its last byte at FFFFFFFFh; empty for none.</summary>
    public ReadOnlyMemory<byte> Firmware { get; init; }

    /// <summary>What the machine tells its firmware; null for a machine with nothing to tell.</summary>
    public FirmwareConfiguration? Configuration { get; init; }

    /// <summary>Bytes of configuration memory, by address, that setup would have left other than for a machine without drives.</summary>
    public IReadOnlyDictionary<int, byte> ConfigurationMemory { get; init; } = new Dictionary<int, byte>();

    /// <summary>What the battery of the real-time clock kept of an earlier run, <see cref="Mc146818.Size"/> bytes; empty for a machine that was never configured.</summary>
    public ReadOnlyMemory<byte> BatteryMemory { get; init; }

    /// <summary>A host bridge controls what is seen from C0000h to FFFFFh.</summary>
    public bool HasShadowControl { get; init; }

    /// <summary>Memory below 1 MiB: what the bridge shows there instead of RAM.</summary>
    public LowMemory LowMemory { get; }

    /// <summary>Raised whenever the regions of a device changed: the bus looks at them again.</summary>
    public int DecodingVersion { get; private set; }

    /// <summary>A device's regions changed.</summary>
    public void DecodingChanged() => DecodingVersion++;

    /// <summary>Guest RAM in bytes, for the configuration memory.</summary>
    public ulong MemoryBytes { get; init; } = 16 << 20;
}
