using Iced.Intel;
using Plexus.Messaging.Shared;
using static Iced.Intel.Register;

namespace Plexus.Handlers.Families;

/// <summary>
/// CPUID of the basic leaves the virtual CPU page holds; others defer. Comparing without flags: with n leaves, EAX &lt; n exactly when EAX &lt; 65536 and
/// EAX − n is negative, and a sign is a top byte that is not 0. NOT, which gives −n − 1, changes no flag (SDM vol. 2, NOT).
/// </summary>
internal sealed class CpuidHandler : IHandler
{
    /// <inheritdoc/>
    public bool Handles(in Instruction instruction) => instruction.Code == Code.Cpuid;

    /// <inheritdoc/>
    public void Write(StubCode code, in Instruction instruction, uint recordId)
    {
        int low = VirtualCpuPage.Scratch + (4 * (ESP - EAX));
        code.Save(ECX);
        code.Emit(Instruction.Create(Code.Mov_rm32_r32, code.Field(low), EAX));
        code.Use(ECX, Instruction.Create(Code.Movzx_r32_rm16, ECX, code.Field(low + 2)));
        code.DeferUnlessZero();
        code.Load(ECX, VirtualCpuPage.CpuidLeaves);
        code.Use(ECX, Instruction.Create(Code.Not_rm32, ECX));
        code.Use(ECX, Instruction.Create(Code.Lea_r32_m, ECX, new MemoryOperand(EAX, ECX, 1, 1, 1, false, None)));
        code.Emit(Instruction.Create(Code.Mov_rm32_r32, code.Field(low), ECX));
        code.Use(ECX, Instruction.Create(Code.Movzx_r32_rm8, ECX, code.Field(low + 3)));
        code.DeferIfZero();
        code.RestoreAll();

        // All four registers are results, and the table cannot fault: from here on it is rolled forward. ECX = 8 * leaf, scaled by 2 below.
        code.Commit(Instruction.Create(Code.Lea_r32_m, ECX, new MemoryOperand(None, EAX, 8, 0, 4, false, None)));
        code.Emit(Instruction.Create(Code.Mov_r32_rm32, EAX, code.Field(VirtualCpuPage.Cpuid, ECX, 2)));
        code.Emit(Instruction.Create(Code.Mov_r32_rm32, EBX, code.Field(VirtualCpuPage.Cpuid + 4, ECX, 2)));
        code.Emit(Instruction.Create(Code.Mov_r32_rm32, EDX, code.Field(VirtualCpuPage.Cpuid + 12, ECX, 2)));
        code.Emit(Instruction.Create(Code.Mov_r32_rm32, ECX, code.Field(VirtualCpuPage.Cpuid + 8, ECX, 2)));
        code.Forget(ECX);
        code.Record(recordId);
    }
}
