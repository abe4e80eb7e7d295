using Iced.Intel;
using Plexus.Messaging.Shared;
using static Iced.Intel.Register;

namespace Plexus.Handlers.Families;

/// <summary>IN AL,imm8 and OUT imm8,AL of ports whose value only the guest changes: read from, or latched in, the virtual CPU page. Other ports defer.</summary>
internal sealed class PortHandler : IHandler
{
    /// <inheritdoc/>
    public bool Handles(in Instruction instruction) => instruction.Code is Code.In_AL_imm8 or Code.Out_imm8_AL;

    /// <inheritdoc/>
    public void Write(StubCode code, in Instruction instruction, uint recordId)
    {
        bool isIn = instruction.Code == Code.In_AL_imm8;
        int port = instruction.Immediate8;
        MemoryOperand value = code.Field(VirtualCpuPage.PortValue + port);
        code.Save(ECX);
        code.Use(ECX, Instruction.Create(
            Code.Movzx_r32_rm8,
            ECX,
            code.Field((isIn ? VirtualCpuPage.PortReadable : VirtualCpuPage.PortLatch) + port)));
        code.DeferIfZero();
        code.RestoreAll();
        if (isIn)
        {
            code.Commit(Instruction.Create(Code.Mov_r8_rm8, AL, value));
        }
        else
        {
            code.Commit(Instruction.Create(Code.Mov_rm8_r8, value, AL));
            code.Emit(Instruction.Create(Code.Mov_rm8_imm8, code.Field(VirtualCpuPage.PortWritten + port), 1));
        }

        code.Record(recordId);
    }
}
