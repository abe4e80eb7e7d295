using Iced.Intel;
using Plexus.Messaging.Shared;

namespace Plexus.Handlers.Families;

/// <summary>
/// SGDT and SIDT with 32-bit operands: limit word, then base dword (SDM vol. 2). All six bytes are read and written back first, so that both
/// stores of the new value, which come after the commit point, cannot fault.
/// </summary>
internal sealed class DescriptorTableHandler : IHandler
{
    /// <inheritdoc/>
    public bool Handles(in Instruction instruction) =>
        instruction.Code is Code.Sgdt_m1632 or Code.Sidt_m1632 && GuestOperand.IsUsable(instruction);

    /// <inheritdoc/>
    public void Write(StubCode code, in Instruction instruction, uint recordId)
    {
        bool isGdt = instruction.Code == Code.Sgdt_m1632;
        Register scratch = GuestOperand.FreeOf(instruction);
        Register word = GuestOperand.Word(scratch);
        MemoryOperand limit = GuestOperand.At(instruction, 0);
        MemoryOperand tableBase = GuestOperand.At(instruction, 2);
        code.Save(scratch);
        code.Use(scratch, Instruction.Create(Code.Mov_r16_rm16, word, limit));
        code.Emit(Instruction.Create(Code.Mov_rm16_r16, limit, word));
        code.Use(scratch, Instruction.Create(Code.Mov_r32_rm32, scratch, tableBase));
        code.Emit(Instruction.Create(Code.Mov_rm32_r32, tableBase, scratch));
        code.RestoreAll();
        code.CommitHere();
        code.Load(scratch, isGdt ? VirtualCpuPage.GdtLimit : VirtualCpuPage.IdtLimit);
        code.Emit(Instruction.Create(Code.Mov_rm16_r16, limit, word));
        code.Load(scratch, isGdt ? VirtualCpuPage.GdtBase : VirtualCpuPage.IdtBase);
        code.Emit(Instruction.Create(Code.Mov_rm32_r32, tableBase, scratch));
        code.Record(recordId);
    }
}
