using Iced.Intel;
using static Iced.Intel.Register;

namespace Plexus.Handlers.Families;

/// <summary>POPFD (SDM vol. 2), as far as <see cref="FlagsImage"/> lets it.</summary>
internal sealed class PopFlagsHandler : IHandler
{
    /// <inheritdoc/>
    public bool Handles(in Instruction instruction) => instruction.Code == Code.Popfd;

    /// <inheritdoc/>
    public void Write(StubCode code, in Instruction instruction, uint recordId)
    {
        MemoryOperand image = new(ESP, None, 1, 0, 0, false, None);

        // The whole image is read first: where this does not fault, POPFD does not either.
        code.Save(EAX);
        code.Save(ECX);
        code.Use(EAX, Instruction.Create(Code.Mov_r32_rm32, EAX, image));
        FlagsImage.WriteCheck(code);
        code.RestoreAll();

        code.Commit(Instruction.Create(Code.Popfd));
        FlagsImage.WriteInterruptFlag(code, recordId);
    }
}
