using Iced.Intel;
using Plexus.Messaging.Shared;
using static Iced.Intel.Register;

namespace Plexus.Handlers.Families;

/// <summary>
/// INVLPG (SDM vol. 2). While the shadow follows the guest's tables at every write nothing stale is there to be forgotten; but the virtual processor's own translations
/// go before ring 0 uses them again. While a table is open, ring 0 compares it with the shadow.
/// </summary>
internal sealed class TranslationHandler : IHandler
{
    /// <inheritdoc/>
    public bool Handles(in Instruction instruction) => instruction.Code == Code.Invlpg_m;

    /// <inheritdoc/>
    public void Write(StubCode code, in Instruction instruction, uint recordId)
    {
        code.Save(ECX);
        code.Load(ECX, VirtualCpuPage.TablesOpen);
        code.DeferUnlessZero();
        code.RestoreAll();
        code.Commit(Instruction.Create(Code.Mov_rm32_imm32, code.Field(VirtualCpuPage.TranslationsStale), 1));
        code.Record(recordId);
    }
}
