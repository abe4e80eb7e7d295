using Iced.Intel;
using Plexus.Messaging.Shared;
using static Iced.Intel.Register;

namespace Plexus.Handlers.Families;

/// <summary>
/// POPFD (SDM vol. 2). Byte 1 of the image decides by table: whether ring 3 may do it at all (TF, NT, IOPL …), and the new virtual IF. An interrupt
/// that waits for IF = 1 defers. The rest of the image is the CPU's own POPFD, which at CPL 3 leaves IF and IOPL alone.
/// </summary>
internal sealed class PopFlagsHandler : IHandler
{
    /// <inheritdoc/>
    public bool Handles(in Instruction instruction) => instruction.Code == Code.Popfd;

    /// <inheritdoc/>
    public void Write(StubCode code, in Instruction instruction, uint recordId)
    {
        MemoryOperand image = new(ESP, None, 1, 0, 0, false, None);
        int noInterrupt = code.NewLabel();
        int defer = code.NewLabel();

        // The whole image is read first: where this does not fault, POPFD does not either.
        code.Save(EAX);
        code.Save(ECX);
        code.Use(EAX, Instruction.Create(Code.Mov_r32_rm32, EAX, image));
        code.Use(EAX, Instruction.Create(Code.Movzx_r32_rm8, EAX, AH));
        code.Use(ECX, Instruction.Create(Code.Movzx_r32_rm8, ECX, code.Field(VirtualCpuPage.PopfAllowed, EAX, 1)));
        code.Branch(Code.Jecxz_rel8_32, defer);
        code.Use(ECX, Instruction.Create(Code.Movzx_r32_rm8, ECX, code.Field(VirtualCpuPage.PopfInterrupt, EAX, 1)));
        code.Emit(Instruction.Create(Code.Mov_rm32_r32, code.Temporary, ECX));
        code.Branch(Code.Jecxz_rel8_32, noInterrupt);
        code.Load(ECX, VirtualCpuPage.Pending);
        code.Branch(Code.Jecxz_rel8_32, noInterrupt);
        code.Mark(defer);
        code.Defer();
        code.Mark(noInterrupt);
        code.RestoreAll();

        code.Commit(Instruction.Create(Code.Popfd));
        code.Use(EAX, Instruction.Create(Code.Mov_r32_rm32, EAX, code.Temporary));
        code.Emit(Instruction.Create(Code.Mov_rm8_r8, code.Field(VirtualCpuPage.InterruptFlag + 1), AL));
        code.Record(recordId);
    }
}
