using System.Runtime.Intrinsics.X86;
using System.Text;

namespace Plexus.Cpu;

/// <summary>Whose habits flags follow that the manual leaves undefined. Guests must not care; a comparison with a host's processor, whose PUSHF shows them, does.</summary>
public enum UndefinedFlags
{
    /// <summary>The P6 family and what followed it.</summary>
    P6 = 0,

    /// <summary>AMD's family 17h and what followed it: shifts set AF, double ones have OF of the last step, multiplications leave SF, ZF, AF and PF alone, divisions set AF and clear SF, ZF and PF, BSF and BSR change ZF only.</summary>
    Zen = 1,
}

/// <summary>What the host's processor makes of undefined flags.</summary>
public static class HostFlags
{
    private const int FirstZenFamily = 0x17;

    /// <summary>By the host's CPUID.</summary>
    public static UndefinedFlags Habits { get; } = Read();

    private static UndefinedFlags Read()
    {
        if (!X86Base.IsSupported)
            return UndefinedFlags.P6;
        (_, int ebx, int ecx, int edx) = X86Base.CpuId(0, 0);
        string vendor = string.Concat(((int[])[ebx, edx, ecx]).Select(part => Encoding.ASCII.GetString(BitConverter.GetBytes(part))));
        int signature = X86Base.CpuId(1, 0).Eax;
        int family = ((signature >> 8) & 15) + ((signature >> 20) & 255);
        return vendor is "AuthenticAMD" or "HygonGenuine" && family >= FirstZenFamily ? UndefinedFlags.Zen : UndefinedFlags.P6;
    }
}
