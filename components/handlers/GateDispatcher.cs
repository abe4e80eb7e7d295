using Iced.Intel;
using Plexus.Messaging.Contracts.Handlers;
using Plexus.Messaging.Shared;
using static Iced.Intel.Register;

namespace Plexus.Handlers;

/// <summary>
/// Where a ring-3 gate of the monitor's IDT leads. The CPU pushed EFLAGS, CS, EIP and perhaps an error code onto the guest's stack. The dispatcher looks
/// the trapped EIP up in the branch table; a site that ring 3 can emulate has code of its own, to which IRET goes with the guest's flags and stack.
/// Everything else enters ring 0 by <see cref="MonitorTables.EntryVector"/>, with the frame still in place.
/// </summary>
internal static class GateDispatcher
{
    /// <summary>Bytes of EIP, CS and EFLAGS.</summary>
    private const int FrameSize = 12;

    /// <summary>Exceptions that push an error code (SDM vol. 3, table 6-1).</summary>
    private const uint WithErrorCode = (1u << 8) | (1u << 10) | (1u << 11) | (1u << 12) | (1u << 13) | (1u << 17);

    /// <summary>Vectors that may have a ring-3 gate: exceptions that restart or follow the instruction they came at. Not #DB, NMI, #DF, #MC; nor #PF, whose dispatcher would have to be mapped to be reached.</summary>
    private const uint Possible = (1u << 0) | (1u << 3) | (1u << 4) | (1u << 5) | (1u << 6) | (1u << 7) | (1u << 10) | (1u << 11) | (1u << 12) | (1u << 13) | (1u << 16) | (1u << 17) | (1u << 19);

    /// <summary>Whether a vector may have a ring-3 gate.</summary>
    internal static bool IsPossible(byte vector) => vector < 32 && (Possible & (1u << vector)) != 0;

    /// <summary>Writes the dispatcher of a vector.</summary>
    internal static StubCode Write(byte vector, uint virtualCpuLinear)
    {
        int error = (WithErrorCode & (1u << vector)) != 0 ? 4 : 0;
        StubCode code = new(virtualCpuLinear, entersByVector: true) { Slots = VirtualCpuPage.GateScratch };
        code.Begin(vector, afterSti: false);
        code.IsReaching = true;
        code.Locate(StubOrigin.GateFrame, FrameSize + error);
        BranchTableLookup.SaveScratch(code);
        int miss = code.NewLabel();
        int found = code.NewLabel();
        code.Use(EDX, Instruction.Create(Code.Mov_r32_rm32, EDX, StubCode.OwnStack(error)));
        if (vector is not (3 or 4))
        {
            // A fault's EIP is the instruction's own; the table's keys are those of INT3, one byte on.
            code.Use(EDX, Instruction.Create(Code.Lea_r32_m, EDX, new MemoryOperand(EDX, None, 1, 1, 1, false, None)));
        }

        BranchTableLookup.Write(code, BranchTableLookup.Table, miss);

        // The key of a planted CALL may be the same address, where a landing on the last byte of its displacement was an INT3: not ours.
        code.Use(ECX, Instruction.Create(Code.Mov_r32_rm32, ECX, StubCode.Entry(EAX, VirtualCpuPage.EntryIsGate)));
        code.Branch(Code.Jecxz_rel8_32, miss);
        code.Branch(Code.Jmp_rel8_32, found);
        code.Mark(miss);
        code.Defer();
        code.Mark(found);
        code.Emit(Instruction.Create(Code.Mov_rm32_r32, code.Field(VirtualCpuPage.ReturnKey), EDX));
        code.Use(ECX, Instruction.Create(Code.Mov_r32_rm32, ECX, StubCode.Entry(EAX, VirtualCpuPage.EntryContinuation)));
        code.Emit(Instruction.Create(Code.Mov_rm32_r32, StubCode.OwnStack(error), ECX));
        code.Locate(StubOrigin.GateSlot, FrameSize + error);
        code.RestoreAll();
        if (error != 0)
        {
            code.MoveStack(error);
            code.Locate(StubOrigin.GateSlot, FrameSize);
        }

        code.Emit(Instruction.Create(Code.Iretd));
        return code;
    }
}
