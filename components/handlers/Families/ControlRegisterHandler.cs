using Iced.Intel;
using Plexus.Messaging.Shared;
using static Iced.Intel.Register;

namespace Plexus.Handlers.Families;

/// <summary>
/// MOV from CR0, CR2, CR3 and CR4, and CLTS where TS is clear already (SDM vol. 2). CLTS that clears it defers: then other instructions are innocuous than before.
/// </summary>
internal sealed class ControlRegisterHandler : IHandler
{
    /// <inheritdoc/>
    public bool Handles(in Instruction instruction) =>
        instruction.Code == Code.Clts || (instruction.Code == Code.Mov_r32_cr && instruction.Op1Register is CR0 or CR2 or CR3 or CR4);

    /// <inheritdoc/>
    public void Write(StubCode code, in Instruction instruction, uint recordId)
    {
        if (instruction.Code == Code.Clts)
        {
            code.Save(ECX);
            code.Load(ECX, VirtualCpuPage.TaskSwitched);
            code.DeferUnlessZero();
            code.RestoreAll();
            code.CommitHere();
        }
        else
        {
            code.Commit(Instruction.Create(Code.Mov_r32_rm32, instruction.Op0Register, code.Field(FieldOf(instruction.Op1Register))));
        }

        code.Record(recordId);
    }

    private static int FieldOf(Register register) => register switch
    {
        CR0 => VirtualCpuPage.Cr0,
        CR2 => VirtualCpuPage.Cr2,
        CR3 => VirtualCpuPage.Cr3,
        _ => VirtualCpuPage.Cr4,
    };
}
