using Iced.Intel;
using Plexus.Messaging.Shared;
using static Iced.Intel.Register;

namespace Plexus.Handlers.Families;

/// <summary>RDTSC at guest CPL 0, where CR4.TSD does not matter (SDM vol. 2): the CPU's own, and what the guest's counter is ahead by, where that is a multiple of 2^32.</summary>
internal sealed class TimeStampHandler : IHandler
{
    /// <inheritdoc/>
    public bool Handles(in Instruction instruction) => instruction.Code == Code.Rdtsc;

    /// <inheritdoc/>
    public void Write(StubCode code, in Instruction instruction, uint recordId)
    {
        code.Save(ECX);
        code.Load(ECX, VirtualCpuPage.TimeStampBlocked);
        code.DeferUnlessZero();
        code.RestoreAll();

        code.Commit(Instruction.Create(Code.Rdtsc));
        code.Save(ECX);
        code.Load(ECX, VirtualCpuPage.TimeStampBias);
        code.Emit(Instruction.Create(Code.Lea_r32_m, EDX, new MemoryOperand(EDX, ECX, 1, 0, 0, false, None)));
        code.Forget(EAX);
        code.Forget(EDX);
        code.Record(recordId);
    }
}
