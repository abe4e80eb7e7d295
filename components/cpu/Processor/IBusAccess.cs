namespace Plexus.Cpu.Processor;

/// <summary>The way out of the processor: port I/O, memory-mapped I/O and INTA. Implemented with Calls to the bus.</summary>
internal interface IBusAccess
{
    /// <summary>IN of 1, 2 or 4 bytes at guest time <paramref name="now"/> (ns).</summary>
    uint PortRead(ushort port, int width, ulong now);

    /// <summary>OUT.</summary>
    void PortWrite(ushort port, int width, uint value, ulong now);

    /// <summary>Up to <paramref name="count"/> times IN from one port; empty when it must be read singly.</summary>
    ReadOnlyMemory<byte> PortReadBlock(ushort port, int width, int count, ulong now);

    /// <summary>Repeated OUT to one port.</summary>
    /// <returns>Accesses done; the others must be done singly.</returns>
    int PortWriteBlock(ushort port, int width, ReadOnlyMemory<byte> data, ulong now);

    /// <summary>Read of a physical address outside RAM.</summary>
    uint MmioRead(uint address, int width, ulong now);

    /// <summary>Write of a physical address outside RAM.</summary>
    void MmioWrite(uint address, int width, uint value, ulong now);

    /// <summary>INTA: the vector.</summary>
    byte Acknowledge(ulong now);
}
