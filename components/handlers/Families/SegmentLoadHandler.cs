using Iced.Intel;
using Plexus.Messaging.Shared;
using static Iced.Intel.Register;

namespace Plexus.Handlers.Families;

/// <summary>
/// MOV and POP to DS, ES, FS and GS (SDM vol. 2) when they change nothing, see <see cref="SegmentCheck"/>; others defer, since ring 0 alone makes the descriptors that
/// the physical processor loads. Not SS, whose load has a shadow.
/// </summary>
internal sealed class SegmentLoadHandler : IHandler
{
    /// <inheritdoc/>
    public bool Handles(in Instruction instruction) => instruction.Code switch
    {
        Code.Popd_DS or Code.Popd_ES or Code.Popd_FS or Code.Popd_GS => true,
        Code.Mov_Sreg_rm16 or Code.Mov_Sreg_r32m16 =>
            instruction.Op0Register is DS or ES or FS or GS && (instruction.Op1Kind == OpKind.Register || GuestOperand.IsUsable(instruction)),
        _ => false,
    };

    /// <inheritdoc/>
    public void Write(StubCode code, in Instruction instruction, uint recordId)
    {
        bool isPop = instruction.Mnemonic == Mnemonic.Pop;
        SegmentCheck.SaveScratch(code);
        if (isPop)
        {
            // The whole dword is read: where this does not fault, POP does not either.
            code.Use(ECX, Instruction.Create(Code.Mov_r32_rm32, ECX, new MemoryOperand(ESP, None, 1, 0, 0, false, None)));
            code.Use(ECX, Instruction.Create(Code.Movzx_r32_rm16, ECX, CX));
        }
        else if (instruction.Op1Kind == OpKind.Register)
        {
            Register source = instruction.Op1Register;
            code.Use(ECX, Instruction.Create(Code.Movzx_r32_rm16, ECX, source.IsGPR32() ? GuestOperand.Word(source) : source));
        }
        else
        {
            code.Use(ECX, Instruction.Create(Code.Movzx_r32_rm16, ECX, GuestOperand.At(instruction, 0)));
        }

        SegmentCheck.Write(code, (SegmentIndex)(instruction.Op0Register - ES));
        code.RestoreAll();
        if (isPop)
            code.Commit(Instruction.Create(Code.Lea_r32_m, ESP, new MemoryOperand(ESP, None, 1, 4, 1, false, None)));
        else
            code.CommitHere();
        code.Record(recordId);
    }
}
