using System.Runtime.Intrinsics.X86;
using System.Text;

namespace Plexus.Cpu;

/// <summary>What a guest sees of the host's processor when its code runs there: the interpreter does likewise for such a guest.</summary>
/// <param name="Flags">What undefined flags follow.</param>
/// <param name="MxcsrMask">The MXCSR_MASK that FXSAVE writes, with MXCSR and the XMM registers, whatever the model has; 0 when nothing runs on the host's processor.</param>
public readonly record struct HostHabits(UndefinedFlags Flags, uint MxcsrMask = 0)
{
    private const int FirstZenFamily = 0x17, MisalignedSse = 1 << 7;
    private const uint Sse2Mask = 0xFFFF, MisalignedMask = 1 << 17;

    /// <summary>By the host's CPUID.</summary>
    public static HostHabits Present { get; } = Read();

    private static HostHabits Read()
    {
        if (!X86Base.IsSupported)
            return default;
        (_, int ebx, int ecx, int edx) = X86Base.CpuId(0, 0);
        string vendor = string.Concat(((int[])[ebx, edx, ecx]).Select(part => Encoding.ASCII.GetString(BitConverter.GetBytes(part))));
        int signature = X86Base.CpuId(1, 0).Eax;
        int family = ((signature >> 8) & 15) + ((signature >> 20) & 255);
        bool isAmd = vendor is "AuthenticAMD" or "HygonGenuine";

        // AMD APM vol. 2, 11.5.10: MXCSR has the bit MM where CPUID says so (8000_0001h, ECX bit 7).
        bool hasMisaligned = isAmd && (X86Base.CpuId(unchecked((int)0x8000_0001), 0).Ecx & MisalignedSse) != 0;
        return new HostHabits(isAmd && family >= FirstZenFamily ? UndefinedFlags.Zen : UndefinedFlags.P6, Sse2Mask | (hasMisaligned ? MisalignedMask : 0));
    }
}
