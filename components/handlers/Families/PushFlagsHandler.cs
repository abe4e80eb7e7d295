using Iced.Intel;
using Plexus.Messaging.Shared;
using static Iced.Intel.Register;

namespace Plexus.Handlers.Families;

/// <summary>
/// PUSHFD (SDM vol. 2). The CPU's own PUSHFD takes the fault, if any, and decides the stack slot; IF and IOPL of the image, physical ones, are then
/// put right in a word that can no longer fault.
/// </summary>
internal sealed class PushFlagsHandler : IHandler
{
    /// <inheritdoc/>
    public bool Handles(in Instruction instruction) => instruction.Code == Code.Pushfd;

    /// <inheritdoc/>
    public void Write(StubCode code, in Instruction instruction, uint recordId)
    {
        MemoryOperand image = new(ESP, None, 1, 0, 0, false, None);
        code.Commit(Instruction.Create(Code.Pushfd));
        code.Save(EAX);
        code.Save(ECX);
        code.Load(EAX, VirtualCpuPage.InterruptFlag);
        code.Load(ECX, VirtualCpuPage.FlagsBias);
        code.Use(EAX, Instruction.Create(Code.Lea_r32_m, EAX, new MemoryOperand(EAX, ECX, 1, 0, 0, false, None)));
        code.Use(ECX, Instruction.Create(Code.Mov_r32_rm32, ECX, image));
        code.Use(EAX, Instruction.Create(Code.Lea_r32_m, EAX, new MemoryOperand(EAX, ECX, 1, 0, 0, false, None)));
        code.Emit(Instruction.Create(Code.Mov_rm32_r32, image, EAX));
        code.Record(recordId);
    }
}
