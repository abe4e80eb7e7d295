using Iced.Intel;
using Plexus.Messaging.Shared;

namespace Plexus.Handlers.Families;

/// <summary>
/// INVLPG (SDM vol. 2). The shadow follows the guest's tables at every write, so nothing stale is there to be forgotten; but the virtual processor's own translations
/// go before ring 0 uses them again.
/// </summary>
internal sealed class TranslationHandler : IHandler
{
    /// <inheritdoc/>
    public bool Handles(in Instruction instruction) => instruction.Code == Code.Invlpg_m;

    /// <inheritdoc/>
    public void Write(StubCode code, in Instruction instruction, uint recordId)
    {
        code.Commit(Instruction.Create(Code.Mov_rm32_imm32, code.Field(VirtualCpuPage.TranslationsStale), 1));
        code.Record(recordId);
    }
}
