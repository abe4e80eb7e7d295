using Iced.Intel;
using Plexus.Messaging.Shared;
using static Iced.Intel.Register;

namespace Plexus.Handlers.Families;

/// <summary>
/// What POPFD and IRETD have in common: byte 1 of an EFLAGS image decides by table whether ring 3 may load it at all (TF, NT, IOPL …), and the new virtual IF. An
/// interrupt that waits for IF = 1 defers. The rest of the image is the CPU's own POPFD, which at CPL 3 leaves IF and IOPL alone.
/// </summary>
internal static class FlagsImage
{
    /// <summary>Defers unless the image in EAX may be loaded; keeps the new IF in <see cref="StubCode.Temporary"/>. EAX and ECX are scratch and saved.</summary>
    internal static void WriteCheck(StubCode code)
    {
        int defer = code.NewLabel();
        int go = code.NewLabel();
        code.Use(EAX, Instruction.Create(Code.Movzx_r32_rm8, EAX, AH));
        code.Use(ECX, Instruction.Create(Code.Movzx_r32_rm8, ECX, code.Field(VirtualCpuPage.PopfAllowed, EAX, 1)));
        code.Branch(Code.Jecxz_rel8_32, defer);
        code.Use(ECX, Instruction.Create(Code.Movzx_r32_rm8, ECX, code.Field(VirtualCpuPage.PopfInterrupt, EAX, 1)));
        code.Emit(Instruction.Create(Code.Mov_rm32_r32, code.Temporary, ECX));
        code.Branch(Code.Jecxz_rel8_32, go);
        code.Load(ECX, VirtualCpuPage.Pending);
        code.Branch(Code.Jecxz_rel8_32, go);
        code.Mark(defer);
        code.Defer();
        code.Mark(go);
    }

    /// <summary>After the CPU's own POPFD, which took effect: makes the new IF the virtual one, and writes the trace record.</summary>
    internal static void WriteInterruptFlag(StubCode code, uint recordId)
    {
        code.Use(EAX, Instruction.Create(Code.Mov_r32_rm32, EAX, code.Temporary));
        code.Emit(Instruction.Create(Code.Mov_rm8_r8, code.Field(VirtualCpuPage.InterruptFlag + 1), AL));
        code.Record(recordId);
    }
}
