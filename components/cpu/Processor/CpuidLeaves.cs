using System.Buffers.Binary;

namespace Plexus.Cpu.Processor;

/// <summary>What CPUID answers, by model (SDM vol. 2, CPUID). A leaf above the highest basic one answers as that one does, unless it is an extended leaf that the model has.</summary>
internal static class CpuidLeaves
{
    private const uint Extended = 0x8000_0000;

    /// <summary>80000000h to 80000004h: the highest, extended features, brand string.</summary>
    private const uint LastExtended = 0x8000_0004;

    /// <summary>Brand index of the Pentium M, and its brand string, 48 bytes with a zero at the end; names are padded in front.</summary>
    private const uint PentiumMBrand = 0x16;

    /// <summary>CLFLUSH works on 64 bytes: bits 8-15 of EBX, in units of 8.</summary>
    private const uint ClflushLine = 8 << 8;

    private static ReadOnlySpan<byte> BrandString => "        Intel(R) Pentium(R) M processor 2.00GHz\0"u8;

    /// <summary>One leaf of a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="leaf">EAX.</param>
    /// <param name="apic">Tell of the local APIC.</param>
    public static (uint Eax, uint Ebx, uint Ecx, uint Edx) Of(CpuModel model, uint leaf, bool apic)
    {
        if (leaf is >= Extended and <= LastExtended && HasExtended(model))
            return OfExtended(model, leaf);
        return Math.Min(leaf, model.MaximumLeaf) switch
        {
            // "GenuineIntel"
            0 => (model.MaximumLeaf, 0x756E6547, 0x6C65746E, 0x49656E69),
            1 => (model.Signature, (model.Has(CpuFeatures.Nx) ? PentiumMBrand : 0) | (model.Has(CpuFeatures.Clfsh) ? ClflushLine : 0), 0, (uint)(apic ? model.Features : model.Features & ~CpuFeatures.Apic)),
            _ => Caches(model),
        };
    }

    /// <summary>A Pentium M is the first that has extended leaves.</summary>
    private static bool HasExtended(CpuModel model) => model.Has(CpuFeatures.Nx);

    private static (uint Eax, uint Ebx, uint Ecx, uint Edx) OfExtended(CpuModel model, uint leaf)
    {
        if (leaf == Extended)
            return (LastExtended, 0, 0, 0);
        if (leaf == Extended + 1)
            return (0, 0, 0, (uint)((ulong)model.Features >> 32));
        ReadOnlySpan<byte> part = BrandString[((int)(leaf - Extended - 2) * 16)..];
        return (Word(part, 0), Word(part, 1), Word(part, 2), Word(part, 3));
    }

    private static uint Word(ReadOnlySpan<byte> bytes, int index) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[(index * 4)..]);

    /// <summary>Leaf 2, cache and TLB descriptors, by the model number of the signature.</summary>
    private static (uint Eax, uint Ebx, uint Ecx, uint Edx) Caches(CpuModel model) => ((model.Signature >> 4) & 0xF) switch
    {
        // Pentium Pro: 4 KiB and 4 MiB TLBs, 8 KiB first-level caches, 256 KiB second level.
        1 => (0x03020101, 0, 0, 0x06040A42),

        // Pentium M: TLBs of 128 entries, 32 KiB first-level caches, 2 MiB second level, prefetching by 64 bytes.
        0xD => (0x02B3B001, 0x000000F0, 0, 0x2C04307D),

        // Pentium II and III: the TLBs of the Pentium Pro, 16 KiB first-level caches, 512 KiB second level.
        _ => (0x03020101, 0, 0, 0x0C040843),
    };
}
