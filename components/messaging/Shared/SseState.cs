using System.Runtime.InteropServices;

namespace Plexus.Messaging.Shared;

/// <summary>The registers that came with SSE (SDM vol. 1, chapter 10): XMM0-XMM7 and MXCSR.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct SseState
{
    /// <summary>XMM0-XMM7: two quadwords each, the low one first.</summary>
    public fixed ulong Registers[16];

    /// <summary>MXCSR: exception flags (bits 0-5), DAZ (6), exception masks (7-12), RC (13-14), FTZ (15).</summary>
    public uint Mxcsr;

    /// <summary>An XMM register.</summary>
    /// <param name="register">0 to 7.</param>
    /// <returns>Bits 63-0 and bits 127-64.</returns>
    public readonly (ulong Low, ulong High) GetRegister(int register)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)register, 7u);
        return (Registers[register * 2], Registers[(register * 2) + 1]);
    }

    /// <summary>Sets an XMM register.</summary>
    /// <param name="register">0 to 7.</param>
    /// <param name="low">Bits 63-0.</param>
    /// <param name="high">Bits 127-64.</param>
    public void SetRegister(int register, ulong low, ulong high)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)register, 7u);
        Registers[register * 2] = low;
        Registers[(register * 2) + 1] = high;
    }
}
