using Iced.Intel;
using Plexus.Messaging.Shared;
using static Iced.Intel.Register;

namespace Plexus.Handlers.Families;

/// <summary>
/// MOV and POP to DS, ES, FS and GS, and VERW (SDM vol. 2), of selectors whose descriptors the physical processor has too, see <see cref="SegmentCheck"/>; it loads,
/// or looks at, its own. Others defer: ring 0 alone makes these descriptors. Not SS, whose load has a shadow.
/// </summary>
internal sealed class SegmentLoadHandler : IHandler
{
    /// <inheritdoc/>
    public bool Handles(in Instruction instruction) => instruction.Code switch
    {
        Code.Popd_DS or Code.Popd_ES or Code.Popd_FS or Code.Popd_GS => true,
        Code.Mov_Sreg_rm16 or Code.Mov_Sreg_r32m16 =>
            instruction.Op0Register is DS or ES or FS or GS && (instruction.Op1Kind == OpKind.Register || GuestOperand.IsUsable(instruction)),
        Code.Verw_rm16 or Code.Verw_r32m16 => instruction.Op0Kind == OpKind.Register || GuestOperand.IsUsable(instruction),
        _ => false,
    };

    /// <inheritdoc/>
    public void Write(StubCode code, in Instruction instruction, uint recordId)
    {
        bool isPop = instruction.Mnemonic == Mnemonic.Pop;
        bool isCheck = instruction.Mnemonic == Mnemonic.Verw;
        SegmentCheck.SaveScratch(code);
        if (isPop)
        {
            // The whole dword is read: where this does not fault, POP does not either.
            code.Use(ECX, Instruction.Create(Code.Mov_r32_rm32, ECX, new MemoryOperand(ESP, None, 1, 0, 0, false, None)));
            code.Use(ECX, Instruction.Create(Code.Movzx_r32_rm16, ECX, CX));
        }
        else
        {
            ReadSelector(code, instruction, isCheck ? 0 : 1);
        }

        SegmentCheck.Write(code);
        code.RestoreAll();
        if (isCheck)
        {
            code.Commit(Instruction.Create(Code.Verw_rm16, SegmentCheck.Physical(code)));
            code.Record(recordId);
            return;
        }

        Register segment = instruction.Op0Register;
        code.Commit(Instruction.Create(Code.Mov_Sreg_rm16, segment, SegmentCheck.Physical(code)));
        if (isPop)
            code.MoveStack(4);
        code.Load(ECX, VirtualCpuPage.LoadSelector);
        code.Emit(Instruction.Create(Code.Mov_rm32_r32, code.Field(VirtualCpuPage.Selectors + (4 * (segment - ES))), ECX));
        code.Load(ECX, VirtualCpuPage.LoadSlot);
        code.Emit(Instruction.Create(Code.Mov_rm8_r8, code.Field(VirtualCpuPage.SegmentLoaded + (segment - ES)), CL));
        code.Record(recordId);
    }

    private static void ReadSelector(StubCode code, in Instruction instruction, int operand)
    {
        if (instruction.GetOpKind(operand) == OpKind.Register)
        {
            Register source = instruction.GetOpRegister(operand);
            code.Use(ECX, Instruction.Create(Code.Movzx_r32_rm16, ECX, source.IsGPR32() ? GuestOperand.Word(source) : source));
            return;
        }

        code.Use(ECX, Instruction.Create(Code.Movzx_r32_rm16, ECX, GuestOperand.At(instruction, 0)));
    }
}
