namespace Plexus.Cpu.Processor;

/// <summary>The processor that the guest sees.</summary>
internal sealed class CpuModel
{
    private const uint FeatureFpu = 1;

    /// <summary>DE, PSE, TSC, MSR, CX8, PGE, CMOV.</summary>
    private const uint BaseFeatures = (1u << 2) | (1u << 3) | (1u << 4) | (1u << 5) | (1u << 8) | (1u << 13) | (1u << 15);

    private CpuModel(string name, bool hasFpu)
    {
        Name = name;
        HasFpu = hasFpu;
    }

    /// <summary>A Pentium Pro without a local APIC.</summary>
    public static CpuModel PentiumPro { get; } = new("pentium-pro", hasFpu: true);

    /// <summary>The same without a floating-point unit.</summary>
    public static CpuModel PentiumProNoFpu { get; } = new("pentium-pro-nofpu", hasFpu: false);

    /// <summary>All models.</summary>
    public static IReadOnlyList<CpuModel> All { get; } = [PentiumProNoFpu, PentiumPro];

    /// <summary>What manifests and the command line call it.</summary>
    public string Name { get; }

    /// <summary>The x87 unit is there.</summary>
    public bool HasFpu { get; }

    /// <summary>CPUID leaf 1 EAX: family 6, model 1, stepping 9.</summary>
    public uint Signature => 0x619;

    /// <summary>CPUID leaf 1 EDX: DE, PSE, TSC, MSR, CX8, PGE, CMOV, and FPU where there is one.</summary>
    public uint Features => HasFpu ? BaseFeatures | FeatureFpu : BaseFeatures;

    /// <summary>Bits of CR4 that may be set: TSD, DE, PSE, PGE, PCE.</summary>
    public uint Cr4Allowed => (1u << 2) | (1u << 3) | (1u << 4) | (1u << 7) | (1u << 8);

    /// <summary>EFLAGS bits that POPF and IRET can change at all: everything but VIF, VIP (no VME) and the reserved ones.</summary>
    public uint EflagsWritable => 0x00257FD5;

    /// <summary>Highest basic CPUID leaf. A higher one, and every extended one, answers as this one does.</summary>
    public uint MaximumLeaf => 2;

    /// <summary>The CPUID instruction (SDM vol. 2, CPUID).</summary>
    public (uint Eax, uint Ebx, uint Ecx, uint Edx) Cpuid(uint leaf) => leaf switch
    {
        // "GenuineIntel"
        0 => (MaximumLeaf, 0x756E6547, 0x6C65746E, 0x49656E69),
        1 => (Signature, 0, 0, Features),

        // Cache and TLB descriptors of the Pentium Pro: 4 KiB and 4 MiB TLBs, 8 KiB first-level caches, 256 KiB second level.
        _ => (0x03020101, 0, 0, 0x06040A42),
    };
}
