using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <summary>The eight bytes of a segment descriptor or gate (SDM vol. 3, 3.4.5, 3.5 and 6.11), with the address they came from.</summary>
internal struct Descriptor
{
    /// <summary>Bytes 0-3.</summary>
    public uint Low;

    /// <summary>Bytes 4-7.</summary>
    public uint High;

    /// <summary>Linear address of byte 0.</summary>
    public uint Address;

    /// <summary>Type field, bits 40-43.</summary>
    public readonly uint Type => (High >> 8) & 0xF;

    /// <summary>S: code or data, not system.</summary>
    public readonly bool IsSegment => (High & 0x1000) != 0;

    /// <summary>DPL.</summary>
    public readonly uint Dpl => (High >> 13) & 3;

    /// <summary>P.</summary>
    public readonly bool IsPresent => (High & 0x8000) != 0;

    /// <summary>Code segment.</summary>
    public readonly bool IsCode => (High & 0x1800) == 0x1800;

    /// <summary>Data segment.</summary>
    public readonly bool IsData => (High & 0x1800) == 0x1000;

    /// <summary>Conforming code segment.</summary>
    public readonly bool IsConforming => (High & 0x1C00) == 0x1C00;

    /// <summary>Data segment that may be written.</summary>
    public readonly bool IsWritableData => (High & 0x1A00) == 0x1200;

    /// <summary>Data, or code that may be read.</summary>
    public readonly bool IsReadable => IsSegment && ((High & 0x0800) == 0 || (High & 0x0200) != 0);

    /// <summary>Base address.</summary>
    public readonly uint Base => (Low >> 16) | ((High & 0xFF) << 16) | (High & 0xFF00_0000);

    /// <summary>Limit in bytes, granularity applied.</summary>
    public readonly uint Limit
    {
        get
        {
            uint limit = (Low & 0xFFFF) | (High & 0x000F_0000);
            return (High & 0x0080_0000) != 0 ? (limit << 12) | 0xFFF : limit;
        }
    }

    /// <summary>Selector in a call, interrupt, trap or task gate.</summary>
    public readonly ushort GateSelector => (ushort)(Low >> 16);

    /// <summary>Whether a gate is one of the 32-bit kind.</summary>
    public readonly bool IsGate32 => (High & 0x0800) != 0;

    /// <summary>Entry point in a gate: 16 bits of a 16-bit gate, else 32.</summary>
    public readonly uint GateOffset => IsGate32 ? (Low & 0xFFFF) | (High & 0xFFFF_0000) : Low & 0xFFFF;

    /// <summary>Parameters that a call gate copies, in units of its width.</summary>
    public readonly uint GateParameters => High & 0x1F;

    /// <summary>The segment register that results from loading this descriptor with <paramref name="selector"/>.</summary>
    public readonly SegmentRegister ToRegister(ushort selector) => new()
    {
        Selector = selector,
        Attributes = (ushort)((High >> 8) & 0xF0FF),
        Base = Base,
        Limit = Limit,
        Usable = 1,
    };
}
