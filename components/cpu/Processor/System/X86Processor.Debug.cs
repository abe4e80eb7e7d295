using Iced.Intel;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <summary>Debug registers (SDM vol. 3, chapter 17).</summary>
internal sealed unsafe partial class X86Processor
{
    private const uint DebugControlGeneralDetect = 1u << 13;

    /// <summary>DEBUGCTLMSR: record branches; single-step on branches only; trace messages on the bus, which nobody sees.</summary>
    private const uint DebugControlLbr = 1, DebugControlBtf = 2, DebugControlTr = 1u << 6;

    /// <summary>DR6: BD, a debug register was accessed while DR7.GD was set.</summary>
    private const uint DebugStatusAccess = 1u << 13;

    /// <summary>Bits of DR6 that read as one.</summary>
    private const uint DebugStatusOnes = 0xFFFF_0FF0;

    /// <summary>Bits of DR6 that can be written: B0-B3, BD, BS, BT.</summary>
    private const uint DebugStatusWritable = 0x0000_E00F;

    /// <summary>Bit 10 of DR7 reads as one.</summary>
    private const uint DebugControlOnes = 0x0000_0400;

    /// <summary>Bits of DR7 that can be written: all but 10-12 and 14-15.</summary>
    private const uint DebugControlWritable = 0xFFFF_23FF;

    /// <summary>A debug trap waits and may be taken: not right after a load of SS (SDM vol. 3, 6.8.3).</summary>
    private bool IsDebugTrapDue => V->PendingDebug != 0 && (V->Shadow & ShadowStack) == 0;

    /// <summary>Whether an instruction that ran alone took a branch. A conditional branch to the next instruction counts as not taken.</summary>
    private bool HasBranched(Code instruction, uint eip, uint length) => instruction.FlowControl() switch
    {
        FlowControl.Next or FlowControl.Exception => false,
        FlowControl.ConditionalBranch => V->Eip != eip + length,
        FlowControl.Interrupt => instruction != Code.Into || V->Eip != eip + length,
        _ => true,
    };

    /// <summary>The last-branch registers of the P6 family: offsets in the code segment; an interrupt or exception copies the last branch before it.</summary>
    private void RecordBranch(uint from, uint to, bool isInterrupt)
    {
        if ((V->DebugControl & DebugControlLbr) == 0)
            return;
        if (isInterrupt)
        {
            registers[SlotLastBranch + 2] = registers[SlotLastBranch];
            registers[SlotLastBranch + 3] = registers[SlotLastBranch + 1];
        }

        registers[SlotLastBranch] = from;
        registers[SlotLastBranch + 1] = to;
    }

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

    /// <summary>I/O breakpoints (CR4.DE, R/W field 2): a trap after the instruction.</summary>
    private void CheckPortBreakpoint(ushort port, int width)
    {
        if ((V->Dr[7] & 0xFF) == 0 || (V->Cr4 & Cr4De) == 0)
            return;
        for (int i = 0; i < 4; i++)
        {
            uint control = V->Dr[7] >> (16 + (4 * i));
            if (((V->Dr[7] >> (2 * i)) & 3) == 0 || (control & 3) != 2)
                continue;

            // Length encodings 0, 1, 3: 1, 2, 4 ports, the first one aligned to it.
            uint size = ((control >> 2) & 3) switch { 0 => 1u, 1 => 2u, _ => 4u };
            uint start = V->Dr[i] & ~(size - 1);
            if (port >= start + size || start >= port + (uint)width)
                continue;
            PendingDr6 |= 1u << i;
            V->PendingDebug = 1;
        }
    }
}
