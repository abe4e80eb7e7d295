namespace Plexus.Handlers.Placement;

/// <summary>The landing rule for displacement bytes: chosen ones must be opcodes that always trap at CPL 3.</summary>
public static class Displacement
{
    /// <summary>A mask with all four bytes chosen.</summary>
    public const int AllBytes = 0xF;

    private const int NoByte = 256;

    /// <summary>INS/OUTS, INT3, IN/OUT imm8, IN/OUT DX, HLT, CLI, STI: ascending.</summary>
    private static readonly byte[] Trapping =
        [0x6C, 0x6D, 0x6E, 0x6F, 0xCC, 0xE4, 0xE5, 0xE6, 0xE7, 0xEC, 0xED, 0xEE, 0xEF, 0xF4, 0xFA, 0xFB];

    /// <summary>For a byte, the lowest trapping byte that is not below it; 256 for none.</summary>
    private static readonly int[] NextTrapping = BuildNext();

    /// <summary>Whether a byte as the first of an instruction always traps at CPL 3 with IOPL 0.</summary>
    public static bool IsTrapping(byte value) => NextTrapping[value] == value;

    /// <summary>Whether a displacement obeys a mask.</summary>
    /// <param name="displacement">The rel32.</param>
    /// <param name="trapMask">Bit i set: byte i (0 = lowest) must trap.</param>
    public static bool Obeys(uint displacement, int trapMask)
    {
        for (int i = 0; i < 4; i++)
        {
            if ((trapMask & (1 << i)) != 0 && !IsTrapping((byte)(displacement >> (8 * i))))
                return false;
        }

        return true;
    }

    /// <summary>How far it is from a displacement up to the next one that obeys a mask, modulo 2^32; 0 when it obeys itself.</summary>
    public static uint DistanceToNext(uint displacement, int trapMask)
    {
        if ((trapMask & AllBytes) == 0)
            return 0;
        return TryNext(displacement, trapMask, out uint next) || TryNext(0, trapMask, out next)
            ? next - displacement
            : throw new InvalidOperationException("Every mask has displacements that obey it.");
    }

    /// <summary>The lowest obeying displacement that is not below the given one.</summary>
    private static bool TryNext(uint displacement, int trapMask, out uint next)
    {
        for (int i = 3; i >= 0; i--)
        {
            if ((trapMask & (1 << i)) == 0)
                continue;
            int value = (byte)(displacement >> (8 * i));
            int trapping = NextTrapping[value];
            if (trapping == value)
                continue;
            if (trapping != NoByte)
            {
                next = WithLowest(displacement, i, trapping, trapMask);
                return true;
            }

            return TryRaiseAbove(displacement, i, trapMask, out next);
        }

        next = displacement;
        return true;
    }

    /// <summary>Raises the lowest byte above <paramref name="position"/> that can be raised.</summary>
    private static bool TryRaiseAbove(uint displacement, int position, int trapMask, out uint next)
    {
        for (int i = position + 1; i < 4; i++)
        {
            int value = (byte)(displacement >> (8 * i));
            int raised = value + 1;
            if (raised != NoByte && (trapMask & (1 << i)) != 0)
                raised = NextTrapping[raised];
            if (raised == NoByte)
                continue;
            next = WithLowest(displacement, i, raised, trapMask);
            return true;
        }

        next = 0;
        return false;
    }

    /// <summary>Replaces byte <paramref name="position"/> and gives the bytes below it their lowest obeying values.</summary>
    private static uint WithLowest(uint displacement, int position, int value, int trapMask)
    {
        uint result = position == 3 ? 0 : displacement >> (8 * (position + 1)) << (8 * (position + 1));
        result |= (uint)value << (8 * position);
        for (int i = 0; i < position; i++)
        {
            if ((trapMask & (1 << i)) != 0)
                result |= (uint)Trapping[0] << (8 * i);
        }

        return result;
    }

    private static int[] BuildNext()
    {
        int[] next = new int[256];
        int following = NoByte;
        for (int value = 255; value >= 0; value--)
        {
            if (Array.IndexOf(Trapping, (byte)value) >= 0)
                following = value;
            next[value] = following;
        }

        return next;
    }
}
