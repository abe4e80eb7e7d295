using Iced.Intel;
using Plexus.Messaging.Shared;
using static Iced.Intel.Register;

namespace Plexus.Handlers.Families;

/// <summary>CLI and STI on the virtual IF (SDM vol. 2, CLI, STI). Stubs serve guest CPL 0, which is never above IOPL: no check is needed here.</summary>
internal sealed class InterruptFlagHandler : IHandler
{
    /// <inheritdoc/>
    public bool Handles(in Instruction instruction) => instruction.Code is Code.Cli or Code.Sti;

    /// <inheritdoc/>
    public void Write(StubCode code, in Instruction instruction, uint recordId)
    {
        if (instruction.Code == Code.Cli)
            code.Commit(Instruction.Create(Code.Mov_rm32_imm32, code.Field(VirtualCpuPage.InterruptFlag), 0));
        else
            WriteSti(code);
        code.Record(recordId);
    }

    private static void WriteSti(StubCode code)
    {
        // A STI in the shadow of another one: the previous IF still decides about the shadow of this very boundary until STI takes effect.
        bool keepsPrevious = code.InStiShadow;
        MemoryOperand previous = keepsPrevious ? code.Temporary : code.Field(VirtualCpuPage.PreviousInterruptFlag);
        code.Save(ECX);
        code.Load(ECX, VirtualCpuPage.Pending);
        code.DeferUnlessZero();
        code.Load(ECX, VirtualCpuPage.InterruptFlag);
        code.Emit(Instruction.Create(Code.Mov_rm32_r32, previous, ECX));
        code.RestoreAll();
        code.Commit(Instruction.Create(Code.Mov_rm32_imm32, code.Field(VirtualCpuPage.InterruptFlag), 0x200));
        if (!keepsPrevious)
            return;
        code.Use(ECX, Instruction.Create(Code.Mov_r32_rm32, ECX, code.Temporary));
        code.Emit(Instruction.Create(Code.Mov_rm32_r32, code.Field(VirtualCpuPage.PreviousInterruptFlag), ECX));
    }
}
