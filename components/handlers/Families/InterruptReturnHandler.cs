using Iced.Intel;
using Plexus.Messaging.Shared;
using static Iced.Intel.Register;

namespace Plexus.Handlers.Families;

/// <summary>
/// IRETD to the ring it came from (SDM vol. 2, IRET): CS stays, EFLAGS as by POPFD, and control goes on at the frame's EIP, where a byte never scanned is a trap.
/// It defers when the ring or CS changes, to v86 mode, with RF, VIF or VIP in the image, with NT set, when NMIs were blocked, and when an interrupt waits for IF = 1.
/// </summary>
/// <remarks>Only where computed branches are not virtualised: nobody asks here whether the target is verified.</remarks>
internal sealed class InterruptReturnHandler : IHandler
{
    private const int FrameCs = 4, FrameFlags = 8;

    /// <inheritdoc/>
    public bool Handles(in Instruction instruction) => instruction.Code == Code.Iretd;

    /// <inheritdoc/>
    public bool FallsThrough(in Instruction instruction) => false;

    /// <inheritdoc/>
    public void Write(StubCode code, in Instruction instruction, uint recordId)
    {
        MemoryOperand target = code.Slot(EBP);
        SegmentCheck.SaveScratch(code);
        code.Load(ECX, VirtualCpuPage.ReturnBlocked);
        code.DeferUnlessZero();

        // The whole frame is read before anything changes: where this does not fault, IRET does not either.
        code.Use(ECX, Instruction.Create(Code.Mov_r32_rm32, ECX, Frame(FrameCs)));
        code.Use(ECX, Instruction.Create(Code.Movzx_r32_rm16, ECX, CX));
        SegmentCheck.WriteReturn(code);
        code.Use(EAX, Instruction.Create(Code.Mov_r32_rm32, EAX, Frame(FrameFlags)));
        code.Use(ECX, Instruction.Create(Code.Movzx_r32_rm8, ECX, Frame(FrameFlags + 2)));
        code.Use(ECX, Instruction.Create(Code.Movzx_r32_rm8, ECX, code.Field(VirtualCpuPage.ReturnAllowed, ECX, 1)));
        code.DeferIfZero();
        FlagsImage.WriteCheck(code);
        code.Use(ECX, Instruction.Create(Code.Mov_r32_rm32, ECX, Frame(0)));
        code.Emit(Instruction.Create(Code.Mov_rm32_r32, target, ECX));
        code.RestoreAll();

        code.Commit(Instruction.Create(Code.Lea_r32_m, ESP, new MemoryOperand(ESP, None, 1, FrameFlags, 1, false, None)));
        code.Emit(Instruction.Create(Code.Popfd));
        FlagsImage.WriteInterruptFlag(code, recordId);
        code.Emit(Instruction.Create(Code.Jmp_rm32, target));
    }

    private static MemoryOperand Frame(int offset) => new(ESP, None, 1, offset, offset == 0 ? 0 : 1, false, None);
}
