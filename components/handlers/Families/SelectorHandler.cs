using Iced.Intel;
using Plexus.Messaging.Shared;
using static Iced.Intel.Register;

namespace Plexus.Handlers.Families;

/// <summary>
/// Instructions that store a word of virtual state in a register or in memory: MOV r/m,Sreg, SLDT, STR, SMSW (SDM vol. 2). A 32-bit register gets
/// the selector zero-extended, as since the Pentium Pro, and from SMSW all of CR0.
/// </summary>
internal sealed class SelectorHandler : IHandler
{
    /// <inheritdoc/>
    public bool Handles(in Instruction instruction)
    {
        switch (instruction.Code)
        {
            case Code.Mov_rm16_Sreg or Code.Mov_r32m16_Sreg
                or Code.Sldt_rm16 or Code.Sldt_r32m16
                or Code.Str_rm16 or Code.Str_r32m16
                or Code.Smsw_rm16 or Code.Smsw_r32m16:
                return instruction.Op0Kind == OpKind.Register || GuestOperand.IsUsable(instruction);
            default:
                return false;
        }
    }

    /// <inheritdoc/>
    public void Write(StubCode code, in Instruction instruction, uint recordId)
    {
        MemoryOperand value = code.Field(FieldOf(instruction));
        if (instruction.Op0Kind == OpKind.Register)
        {
            Register target = instruction.Op0Register;
            code.Commit(Instruction.Create(target.IsGPR32() ? Code.Mov_r32_rm32 : Code.Mov_r16_rm16, target, value));
        }
        else
        {
            WriteMemory(code, instruction, value);
        }

        code.Record(recordId);
    }

    private static int FieldOf(in Instruction instruction) => instruction.Mnemonic switch
    {
        Mnemonic.Sldt => VirtualCpuPage.Selectors + (4 * (int)SegmentIndex.Ldtr),
        Mnemonic.Str => VirtualCpuPage.Selectors + (4 * (int)SegmentIndex.Tr),
        Mnemonic.Smsw => VirtualCpuPage.Cr0,
        _ => VirtualCpuPage.Selectors + (4 * (instruction.Op1Register - ES)),
    };

    /// <summary>The word is read and written back first: that takes every fault the store can take, and changes nothing.</summary>
    private static void WriteMemory(StubCode code, in Instruction instruction, MemoryOperand value)
    {
        Register scratch = GuestOperand.FreeOf(instruction);
        Register word = GuestOperand.Word(scratch);
        MemoryOperand memory = GuestOperand.At(instruction, 0);
        code.Save(scratch);
        code.Use(scratch, Instruction.Create(Code.Mov_r16_rm16, word, memory));
        code.Emit(Instruction.Create(Code.Mov_rm16_r16, memory, word));
        code.RestoreAll();
        code.CommitHere();
        code.Use(scratch, Instruction.Create(Code.Mov_r32_rm32, scratch, value));
        code.Emit(Instruction.Create(Code.Mov_rm16_r16, memory, word));
    }
}
