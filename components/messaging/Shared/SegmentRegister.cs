using System.Runtime.InteropServices;

namespace Plexus.Messaging.Shared;

/// <summary>A segment register with its hidden part (SDM vol. 3, 3.4.3).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SegmentRegister
{
    /// <summary>The visible selector.</summary>
    public ushort Selector;

    /// <summary>Descriptor bits 40-55: access byte in bits 0-7 (type 0-3, S 4, DPL 5-6, P 7), flags in bits 12-15 (AVL 12, L 13, D/B 14, G 15). 0 with <see cref="Usable"/> 0 for a null selector.</summary>
    public ushort Attributes;

    /// <summary>Base linear address.</summary>
    public uint Base;

    /// <summary>Limit in bytes, granularity applied (last valid offset; for expand-down: first valid offset minus one).</summary>
    public uint Limit;

    /// <summary>1 when loaded with something that may be used; 0 after a null selector.</summary>
    public uint Usable;

    /// <summary>The register after a load of a null selector: it may not be used. What a later load in real mode keeps, stays.</summary>
    /// <param name="selector">0 to 3.</param>
    public readonly SegmentRegister WithNull(ushort selector) => this with { Selector = selector, Attributes = 0, Usable = 0 };
}
