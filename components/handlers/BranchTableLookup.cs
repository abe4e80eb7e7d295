using Iced.Intel;
using Plexus.Messaging.Shared;
using static Iced.Intel.Register;

namespace Plexus.Handlers;

/// <summary>
/// Code that finds an address in the branch table or among the verified targets. It changes no flag: the low 16 bits choose a chain, and since an entry holds
/// its key negated, adding the address gives 0 in the entry wanted, which JECXZ tests.
/// </summary>
internal static class BranchTableLookup
{
    /// <summary>The branch table, as an offset in the virtual CPU pages.</summary>
    internal const int Table = VirtualCpuPage.TablePage * GuestMemory.FrameSize;

    /// <summary>The table of verified targets, as an offset in the virtual CPU pages.</summary>
    internal const int Targets = VirtualCpuPage.TargetPage * GuestMemory.FrameSize;

    /// <summary>Writes the search for the address in EDX. EAX, ECX and EDX are saved scratch registers.</summary>
    /// <param name="code">The code.</param>
    /// <param name="heads">Which table.</param>
    /// <param name="miss">Where it goes when the table does not hold the address. When it does, control goes on behind, with the entry's address in EAX.</param>
    internal static void Write(StubCode code, int heads, int miss)
    {
        int next = code.NewLabel();
        int found = code.NewLabel();
        code.Use(EAX, Instruction.Create(Code.Movzx_r32_rm16, EAX, DX));
        code.Use(EAX, Instruction.Create(Code.Mov_r32_rm32, EAX, code.Field(heads, EAX, 4)));
        code.Mark(next);
        code.Assume(ECX);
        code.Use(ECX, Instruction.Create(Code.Mov_r32_rm32, ECX, EAX));
        code.Branch(Code.Jecxz_rel8_32, miss);
        code.Use(ECX, Instruction.Create(Code.Mov_r32_rm32, ECX, StubCode.Entry(EAX, VirtualCpuPage.EntryKey)));
        code.Use(ECX, Instruction.Create(Code.Lea_r32_m, ECX, new MemoryOperand(ECX, EDX, 1, 0, 0, false, None)));
        code.Branch(Code.Jecxz_rel8_32, found);
        code.Use(EAX, Instruction.Create(Code.Mov_r32_rm32, EAX, StubCode.Entry(EAX, VirtualCpuPage.EntryNext)));
        code.Branch(Code.Jmp_rel8_32, next);
        code.Mark(found);
    }

    /// <summary>Saves the registers that <see cref="Write"/> needs.</summary>
    internal static void SaveScratch(StubCode code)
    {
        code.Save(EAX);
        code.Save(ECX);
        code.Save(EDX);
    }
}
