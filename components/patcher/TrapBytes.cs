using System.Runtime.CompilerServices;

namespace Plexus.Patcher;

/// <summary>
/// The bytes that, executed as the first byte of an instruction at CPL 3 with IOPL 0 and no I/O bitmap, always trap:
/// INS and OUTS (6C-6F), INT3 (CC), IN and OUT with an immediate (E4-E7) and with DX (EC-EF), HLT (F4), CLI (FA), STI (FB).
/// Not INTO (CE), which depends on OF; not INT n (CD), which has a gate of its own; not INT1 (F1).
/// </summary>
internal static class TrapBytes
{
    private static readonly bool[] Traps = Build();

    /// <summary>INT3.</summary>
    public const byte Int3 = 0xCC;

    /// <summary>HLT: a trap for which nothing is ever pushed onto the guest's stack, since #GP enters ring 0.</summary>
    public const byte Hlt = 0xF4;

    /// <summary>True when the byte traps.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Contains(byte value) => Traps[value];

    private static bool[] Build()
    {
        bool[] traps = new bool[256];
        foreach ((int first, int last) in new[] { (0x6C, 0x6F), (0xCC, 0xCC), (0xE4, 0xE7), (0xEC, 0xEF), (0xF4, 0xF4), (0xFA, 0xFB) })
        {
            for (int value = first; value <= last; value++)
                traps[value] = true;
        }

        return traps;
    }
}
