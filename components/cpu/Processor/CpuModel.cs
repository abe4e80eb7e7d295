using Iced.Intel;

namespace Plexus.Cpu.Processor;

/// <summary>The processor that the guest sees.</summary>
internal sealed class CpuModel
{
    private const CpuFeatures OfPentium =
        CpuFeatures.Fpu | CpuFeatures.Vme | CpuFeatures.De | CpuFeatures.Pse | CpuFeatures.Tsc | CpuFeatures.Msr | CpuFeatures.Mce | CpuFeatures.Cx8 | CpuFeatures.Apic;

    private const CpuFeatures OfPentiumPro =
        OfPentium | CpuFeatures.Pae | CpuFeatures.Mtrr | CpuFeatures.Pge | CpuFeatures.Mca | CpuFeatures.Cmov;

    private const CpuFeatures OfPentium2 =
        OfPentiumPro | CpuFeatures.Sep | CpuFeatures.Pat | CpuFeatures.Pse36 | CpuFeatures.Mmx | CpuFeatures.Fxsr;

    private const CpuFeatures OfPentium3 = OfPentium2 | CpuFeatures.Sse;

    private const CpuFeatures OfPentiumM = OfPentium3 | CpuFeatures.Clfsh | CpuFeatures.Sse2 | CpuFeatures.Nx;

    /// <summary>All models, oldest first.</summary>
    private static readonly CpuModel[] Models =
    [
        // Family 4, model 8: a 486 DX4, the last of its kind, which knows CPUID.
        new("486", 0x480, CpuFeatures.Fpu | CpuFeatures.Vme),
        new("pentium", 0x52C, OfPentium),
        new("pentium-mmx", 0x543, OfPentium | CpuFeatures.Mmx),
        new("pentium-pro-nofpu", 0x619, OfPentiumPro & ~CpuFeatures.Fpu),
        new("pentium-pro", 0x619, OfPentiumPro),
        new("pentium2", 0x652, OfPentium2),
        new("pentium3", 0x673, OfPentium3),
        new("pentium-m", 0x6D8, OfPentiumM),
    ];

    private readonly bool[] instructions;

    private CpuModel(string name, uint signature, CpuFeatures features)
    {
        Name = name;
        Signature = signature;
        Features = features;
        instructions = [.. Enum.GetValues<Code>().Select(Knows)];
    }

    /// <summary>All models.</summary>
    public static IReadOnlyList<CpuModel> All => Models;

    /// <summary>What manifests and the command line call it.</summary>
    public string Name { get; }

    /// <summary>CPUID leaf 1 EAX: family, model and stepping.</summary>
    public uint Signature { get; }

    /// <summary>What it has.</summary>
    public CpuFeatures Features { get; }

    /// <summary>The x87 unit is there.</summary>
    public bool HasFpu => Has(CpuFeatures.Fpu);

    /// <summary>4, 5 or 6.</summary>
    public uint Family => (Signature >> 8) & 0xF;

    /// <summary>Bits of CR4 that may be set.</summary>
    public uint Cr4Allowed =>
        Cr4If(CpuFeatures.Vme, 3) | Cr4If(CpuFeatures.Tsc, 1u << 2) | Cr4If(CpuFeatures.De, 1u << 3) | Cr4If(CpuFeatures.Pse, 1u << 4)
        | Cr4If(CpuFeatures.Pae, 1u << 5) | Cr4If(CpuFeatures.Mce, 1u << 6) | Cr4If(CpuFeatures.Pge, 1u << 7)
        | (HasPerformanceCounters ? 1u << 8 : 0) | Cr4If(CpuFeatures.Fxsr, 1u << 9) | Cr4If(CpuFeatures.Sse, 1u << 10);

    /// <summary>Bits of MXCSR that may be set. DAZ came after the Pentium III.</summary>
    public uint MxcsrMask => Has(CpuFeatures.Sse2) ? 0xFFFFu : 0xFFBF;

    /// <summary>The mask as FXSAVE tells it; 0 stands for FFBFh (SDM vol. 1, 11.6.6).</summary>
    public uint MxcsrMaskInImage => Has(CpuFeatures.Sse2) ? MxcsrMask : 0;

    /// <summary>EFLAGS bits that POPF and IRET can change at all: everything but the reserved ones; VIF and VIP with VME.</summary>
    public uint EflagsWritable => 0x00257FD5 | (Has(CpuFeatures.Vme) ? 0x0018_0000u : 0);

    /// <summary>RDPMC and CR4.PCE.</summary>
    public bool HasPerformanceCounters => Family == 6;

    /// <summary>IA32_APIC_BASE; the Pentium's local APIC is enabled by a pin and lies where it lies.</summary>
    public bool HasApicBase => Family == 6;

    /// <summary>
    /// Version register of the local APIC (SDM vol. 3, 10.4.8): version, and the number of LVT entries less one in bits 16-23; 0 for none. The entries are the family's.
    /// The version is 14h in all of them, the first without a 3-wire bus: there, I/O APIC and processor may both have ID 0, as the firmware's tables say.
    /// </summary>
    public uint ApicVersion => !Has(CpuFeatures.Apic) ? 0u : 0x14u | (Family == 5 ? 3u : Has(CpuFeatures.Sse2) ? 5u : 4u) << 16;

    /// <summary>Highest basic CPUID leaf.</summary>
    public uint MaximumLeaf => Family == 6 ? 2u : 1u;

    /// <summary>Whether it has all of these.</summary>
    public bool Has(CpuFeatures features) => (Features & features) == features;

    /// <summary>Whether it knows an instruction; what it does not know is an undefined opcode. Escape opcodes are the coprocessor's to know.</summary>
    public bool HasInstruction(Code code) => instructions[(int)code];

    /// <summary>The CPUID instruction (SDM vol. 2, CPUID).</summary>
    /// <param name="leaf">EAX.</param>
    /// <param name="apic">The local APIC is there and enabled.</param>
    public (uint Eax, uint Ebx, uint Ecx, uint Edx) Cpuid(uint leaf, bool apic) => CpuidLeaves.Of(this, leaf, apic);

    private uint Cr4If(CpuFeatures feature, uint bit) => Has(feature) ? bit : 0;

    private bool Knows(Code code) =>
        code is not (Code.Reservednop_rm16_r16_0F0D or Code.Reservednop_rm32_r32_0F0D)
        && (X86Processor.IsEscape(code) || Array.TrueForAll(code.CpuidFeatures(), Knows));

    private bool Knows(CpuidFeature feature) => feature switch
    {
        CpuidFeature.INTEL8086 or CpuidFeature.INTEL186 or CpuidFeature.INTEL286 or CpuidFeature.INTEL386 or CpuidFeature.INTEL486 or CpuidFeature.CPUID => true,
        CpuidFeature.CX8 => Has(CpuFeatures.Cx8),
        CpuidFeature.CMOV => Has(CpuFeatures.Cmov),
        CpuidFeature.TSC => Has(CpuFeatures.Tsc),
        CpuidFeature.MSR => Has(CpuFeatures.Msr),
        CpuidFeature.SEP => Has(CpuFeatures.Sep),
        CpuidFeature.MMX => Has(CpuFeatures.Mmx),
        CpuidFeature.FXSR => Has(CpuFeatures.Fxsr),
        CpuidFeature.SSE => Has(CpuFeatures.Sse),
        CpuidFeature.SSE2 => Has(CpuFeatures.Sse2),
        CpuidFeature.CLFSH => Has(CpuFeatures.Clfsh),
        CpuidFeature.RDPMC => HasPerformanceCounters,

        // The long NOP, and the reserved ones around it, came with the Pentium Pro.
        CpuidFeature.MULTIBYTENOP => Family == 6,
        _ => false,
    };
}
