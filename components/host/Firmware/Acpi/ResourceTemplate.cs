using System.Buffers.Binary;

namespace Plexus.Host.Firmware.Acpi;

/// <summary>A list of resource descriptors (ACPI 2.0, 6.4).</summary>
internal sealed class ResourceTemplate
{
    private readonly List<byte> bytes = [];

    /// <summary>The descriptors with their end tag; its checksum of 0 is one that nobody checks.</summary>
    public byte[] ToArray() => [.. bytes, 0x79, 0];

    /// <summary>IO (Decode16, first, first, 1, count)</summary>
    public ResourceTemplate Ports(int first, int count)
    {
        bytes.AddRange([0x47, 1, (byte)first, (byte)(first >> 8), (byte)first, (byte)(first >> 8), 1, (byte)count]);
        return this;
    }

    /// <summary>IRQNoFlags () {irq}: edges, active high.</summary>
    public ResourceTemplate Irq(int irq)
    {
        bytes.AddRange([0x22, (byte)(1 << irq), (byte)((1 << irq) >> 8)]);
        return this;
    }

    /// <summary>DMA (Compatibility, NotBusMaster, Transfer8) {channel}</summary>
    public ResourceTemplate Dma(int channel, bool isBusMaster = false)
    {
        bytes.AddRange([0x2A, (byte)(1 << channel), (byte)(isBusMaster ? 5 : 0)]);
        return this;
    }

    /// <summary>Interrupt (ResourceConsumer, Level, ActiveHigh, Shared) {…}: the number of the first is at offset 5.</summary>
    public ResourceTemplate SharedLevels(params uint[] interrupts)
    {
        bytes.AddRange([0x89, 0, 0, 0x09, (byte)interrupts.Length]);
        foreach (uint interrupt in interrupts)
            Number(interrupt, 4);
        SetLength(bytes.Count - 5 - (4 * interrupts.Length), 2 + (4 * interrupts.Length));
        return this;
    }

    /// <summary>WordBusNumber (ResourceProducer, …)</summary>
    public ResourceTemplate Buses(uint first, uint last) => Space(0x88, 2, 2, 0, first, last);

    /// <summary>WordIO (ResourceProducer, …, EntireRange)</summary>
    public ResourceTemplate PortWindow(uint first, uint last) => Space(0x88, 2, 1, 3, first, last);

    /// <summary>DWordMemory (ResourceProducer, …, ReadWrite)</summary>
    /// <param name="first">First address.</param>
    /// <param name="last">Last address.</param>
    /// <param name="isCacheable">Cacheable, as video memory below 1 MiB is declared.</param>
    public ResourceTemplate MemoryWindow(uint first, uint last, bool isCacheable = false) => Space(0x87, 4, 0, (byte)(isCacheable ? 3 : 1), first, last);

    /// <summary>An address space descriptor with fixed ends.</summary>
    private ResourceTemplate Space(byte tag, int width, byte type, byte flags, uint first, uint last)
    {
        int start = bytes.Count;
        bytes.AddRange([tag, 0, 0, type, 0x0C, flags]);
        foreach (uint value in (ReadOnlySpan<uint>)[0, first, last, 0, last - first + 1])
            Number(value, width);
        SetLength(start, bytes.Count - start - 3);
        return this;
    }

    private void SetLength(int start, int length)
    {
        bytes[start + 1] = (byte)length;
        bytes[start + 2] = (byte)(length >> 8);
    }

    private void Number(uint value, int width)
    {
        byte[] number = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(number, value);
        bytes.AddRange(number[..width]);
    }
}
