using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <summary>Debug registers (SDM vol. 3, chapter 17).</summary>
internal sealed unsafe partial class X86Processor
{
    private const uint DebugControlGeneralDetect = 1u << 13;

    /// <summary>DR6: BD, a debug register was accessed while DR7.GD was set.</summary>
    private const uint DebugStatusAccess = 1u << 13;

    /// <summary>DR6: BS, single step.</summary>
    internal const uint DebugStatusStep = 1u << 14;

    /// <summary>Bits of DR6 that read as one.</summary>
    private const uint DebugStatusOnes = 0xFFFF_0FF0;

    /// <summary>Bits of DR6 that can be written: B0-B3, BD, BS, BT.</summary>
    private const uint DebugStatusWritable = 0x0000_E00F;

    /// <summary>Bit 10 of DR7 reads as one.</summary>
    private const uint DebugControlOnes = 0x0000_0400;

    /// <summary>Bits of DR7 that can be written: all but 10-12 and 14-15.</summary>
    private const uint DebugControlWritable = 0xFFFF_23FF;

    private static void MovFromDebug(X86Processor cpu, DecodedOp* op)
    {
        if (cpu.DebugRegister(op->Reg1, out int index))
            *(uint*)op->Dst = cpu.V->Dr[index];
    }

    private static void MovToDebug(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.DebugRegister(op->Reg0, out int index))
            return;
        uint value = *(uint*)op->Src;
        cpu.V->Dr[index] = index switch
        {
            6 => (value & DebugStatusWritable) | DebugStatusOnes,
            7 => (value & DebugControlWritable) | DebugControlOnes,
            _ => value,
        };
        cpu.ModeChanged();
    }

    /// <summary>The register that is meant (DR4 and DR5 are DR6 and DR7 unless CR4.DE is set), after all checks.</summary>
    private bool DebugRegister(int number, out int index)
    {
        index = number;
        if (number > 7)
            return Fault(VectorUd);
        if (number is 4 or 5)
        {
            if ((V->Cr4 & Cr4De) != 0 && !Physical)
                return Fault(VectorUd);
            index = number + 2;
        }

        if (!RequireRing0())
            return false;
        return (V->Dr[7] & DebugControlGeneralDetect) == 0 || DebugFault(DebugStatusAccess);
    }

    /// <summary>Enabled breakpoints of the given kind that cover any of <paramref name="length"/> bytes at <paramref name="address"/>.</summary>
    /// <param name="address">Linear address, or port number.</param>
    /// <param name="length">Bytes accessed.</param>
    /// <param name="kinds">Bit k set: breakpoints with R/W field k match (0 execute, 1 write, 2 I/O, 3 read or write).</param>
    /// <returns>B0-B3 of DR6.</returns>
    internal uint MatchBreakpoints(uint address, uint length, uint kinds)
    {
        uint control = V->Dr[7];
        uint matched = 0;
        for (int i = 0; i < 4; i++)
        {
            if (((control >> (2 * i)) & 3) == 0)
                continue;
            uint field = control >> (16 + (4 * i));
            if ((kinds & (1u << (int)(field & 3))) == 0)
                continue;

            // Length encodings 0, 1, 3: 1, 2, 4 bytes, the address aligned to it; 2 is undefined here and taken as 1 byte.
            uint size = ((field >> 2) & 3) switch { 1 => 2u, 3 => 4u, _ => 1u };
            uint start = V->Dr[i] & ~(size - 1);
            if (address - start < size || start - address < length)
                matched |= 1u << i;
        }

        return matched;
    }

    /// <summary>I/O breakpoints (CR4.DE, R/W field 2): a trap after the instruction.</summary>
    private void CheckPortBreakpoint(ushort port, int width)
    {
        if ((V->Dr[7] & 0xFF) == 0 || (V->Cr4 & Cr4De) == 0)
            return;
        uint matched = MatchBreakpoints(port, (uint)width, 1u << 2);
        if (matched == 0)
            return;
        PendingDr6 |= matched;
        V->PendingDebug = 1;
    }
}
