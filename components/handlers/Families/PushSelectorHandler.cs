using Iced.Intel;
using Plexus.Messaging.Shared;

namespace Plexus.Handlers.Families;

/// <summary>PUSH Sreg: the virtual selector, zero-extended in the 32-bit form (SDM vol. 2, PUSH).</summary>
internal sealed class PushSelectorHandler : IHandler
{
    /// <inheritdoc/>
    public bool Handles(in Instruction instruction) => IsDword(instruction.Code) || IsWord(instruction.Code);

    /// <inheritdoc/>
    public void Write(StubCode code, in Instruction instruction, uint recordId)
    {
        int segment = instruction.Op0Register - Register.ES;
        code.Commit(Instruction.Create(
            IsDword(instruction.Code) ? Code.Push_rm32 : Code.Push_rm16,
            code.Field(VirtualCpuPage.Selectors + (4 * segment))));
        code.Record(recordId);
    }

    private static bool IsDword(Code code) =>
        code is Code.Pushd_ES or Code.Pushd_CS or Code.Pushd_SS or Code.Pushd_DS or Code.Pushd_FS or Code.Pushd_GS;

    private static bool IsWord(Code code) =>
        code is Code.Pushw_ES or Code.Pushw_CS or Code.Pushw_SS or Code.Pushw_DS or Code.Pushw_FS or Code.Pushw_GS;
}
