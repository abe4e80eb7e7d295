using Iced.Intel;
using static Iced.Intel.Register;

namespace Plexus.Handlers.Families;

/// <summary>
/// BSF and BSR behind a REP prefix, which means nothing to the guest's models but makes TZCNT and LZCNT of them on newer processors (SDM vol. 2, TZCNT): the
/// instruction without its prefix.
/// </summary>
internal sealed class BitScanHandler : IHandler
{
    /// <inheritdoc/>
    public bool Handles(in Instruction instruction) =>
        Plain(instruction.Code) != Code.INVALID && (instruction.Op1Kind == OpKind.Register || GuestOperand.IsUsable(instruction));

    /// <inheritdoc/>
    public void Write(StubCode code, in Instruction instruction, uint recordId)
    {
        Instruction plain = instruction;
        plain.Code = Plain(instruction.Code);
        plain.HasRepPrefix = false;
        code.Commit(plain);
        code.Forget(instruction.Op0Register.GetFullRegister32());
        code.Record(recordId);
    }

    private static Code Plain(Code code) => code switch
    {
        Code.Tzcnt_r16_rm16 => Code.Bsf_r16_rm16,
        Code.Tzcnt_r32_rm32 => Code.Bsf_r32_rm32,
        Code.Lzcnt_r16_rm16 => Code.Bsr_r16_rm16,
        Code.Lzcnt_r32_rm32 => Code.Bsr_r32_rm32,
        _ => Code.INVALID,
    };
}
