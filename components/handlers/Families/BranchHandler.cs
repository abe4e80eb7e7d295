using Iced.Intel;
using Plexus.Messaging.Shared;
using static Iced.Intel.Register;

namespace Plexus.Handlers.Families;

/// <summary>
/// Virtualised near branches: RET, JMP, CALL, Jcc, LOOP and kin with 32-bit operands. The target must be among the verified ones, where a scanned instruction
/// begins; otherwise ring 0 has it scanned. What is taken, and where a conditional branch goes on that is not, is written to the branch trace.
/// </summary>
/// <remarks>The record has to be written before control leaves, so the instruction is committed first, and what it does to memory is proved possible before that.</remarks>
internal sealed class BranchHandler : IHandler
{
    /// <inheritdoc/>
    public bool Handles(in Instruction instruction) => !instruction.HasLockPrefix && instruction.FlowControl switch
    {
        FlowControl.Return => instruction.Code is Code.Retnd or Code.Retnd_imm16,
        FlowControl.IndirectBranch => instruction.Code == Code.Jmp_rm32 && IsUsable(instruction),
        FlowControl.IndirectCall => instruction.Code == Code.Call_rm32 && IsUsable(instruction) && instruction.Op0Register != ESP,
        FlowControl.UnconditionalBranch or FlowControl.ConditionalBranch or FlowControl.Call => instruction.Op0Kind == OpKind.NearBranch32,
        _ => false,
    };

    /// <inheritdoc/>
    public bool FallsThrough(in Instruction instruction) => instruction.FlowControl == FlowControl.ConditionalBranch;

    /// <inheritdoc/>
    public void Write(StubCode code, in Instruction instruction, uint recordId)
    {
        bool changesCount = instruction.Mnemonic is Mnemonic.Loop or Mnemonic.Loope or Mnemonic.Loopne;
        if (instruction.FlowControl == FlowControl.ConditionalBranch && !changesCount)
        {
            WriteConditional(code, instruction, recordId);
            return;
        }

        WriteCheck(code, instruction);
        if (changesCount)
            WriteLoop(code, instruction, recordId);
        else
            WriteTaken(code, instruction, recordId);
    }

    /// <summary>Sees that the target is verified, and leaves it in <see cref="StubCode.Temporary"/>; defers when it is not.</summary>
    private static void WriteCheck(StubCode code, in Instruction instruction)
    {
        int miss = code.NewLabel();
        int found = code.NewLabel();
        BranchTableLookup.SaveScratch(code);
        code.Use(EDX, LoadTarget(instruction));
        BranchTableLookup.Write(code, BranchTableLookup.Targets, miss);
        code.Branch(Code.Jmp_rel8_32, found);
        code.Mark(miss);
        code.Defer();
        code.Mark(found);
        code.Emit(Instruction.Create(Code.Mov_rm32_r32, code.Temporary, EDX));
        if (instruction.FlowControl is FlowControl.Call or FlowControl.IndirectCall)
        {
            // The push cannot fault afterwards.
            MemoryOperand pushed = new(ESP, None, 1, -4, 1, false, None);
            code.Use(ECX, Instruction.Create(Code.Mov_r32_rm32, ECX, pushed));
            code.Emit(Instruction.Create(Code.Mov_rm32_r32, pushed, ECX));
        }

        code.RestoreAll();
    }

    private static bool IsUsable(in Instruction instruction) =>
        instruction.Op0Kind == OpKind.Register || (instruction.MemorySegment != CS && GuestOperand.IsUsable(instruction));

    private static Instruction LoadTarget(in Instruction instruction)
    {
        switch (instruction.FlowControl)
        {
            case FlowControl.Return:
                return Instruction.Create(Code.Mov_r32_rm32, EDX, new MemoryOperand(ESP, None, 1, 0, 0, false, None));
            case FlowControl.IndirectBranch or FlowControl.IndirectCall:
                Instruction load = instruction;
                load.Code = Code.Mov_r32_rm32;
                load.HasRepPrefix = false;
                load.HasRepnePrefix = false;
                load.Op1Kind = instruction.Op0Kind;
                load.Op1Register = instruction.Op0Kind == OpKind.Register ? instruction.Op0Register : None;
                load.Op0Kind = OpKind.Register;
                load.Op0Register = EDX;
                return load;
            default:
                return Instruction.Create(Code.Mov_r32_imm32, EDX, instruction.NearBranch32);
        }
    }

    private static void WriteTaken(StubCode code, in Instruction instruction, uint recordId)
    {
        code.CommitHere();
        code.RecordBranch(recordId, null);
        switch (instruction.FlowControl)
        {
            case FlowControl.Return:
                code.Emit(instruction.Code == Code.Retnd ? Instruction.Create(Code.Retnd) : Instruction.Create(Code.Retnd_imm16, instruction.Immediate16));
                break;
            case FlowControl.IndirectBranch:
                code.Emit(Instruction.Create(Code.Jmp_rm32, code.Temporary));
                break;
            case FlowControl.IndirectCall:
                code.Emit(Instruction.Create(Code.Pushd_imm32, instruction.NextIP32));
                code.Emit(Instruction.Create(Code.Jmp_rm32, code.Temporary));
                break;
            case FlowControl.Call:
                code.Emit(Instruction.Create(Code.Pushd_imm32, instruction.NextIP32));
                GoTo(code, instruction.NearBranch32);
                break;
            default:
                GoTo(code, instruction.NearBranch32);
                break;
        }
    }

    /// <summary>Jcc and JECXZ only decide: where they do not branch, nobody asks about the target, which may never be reached at all.</summary>
    private static void WriteConditional(StubCode code, in Instruction instruction, uint recordId)
    {
        int taken = code.NewLabel();
        int over = code.NewLabel();
        bool inStiShadow = code.InStiShadow;
        code.Branch(instruction.IsJccShortOrNear ? instruction.Code.ToNearBranch() : instruction.Code, taken);
        code.CommitHere();
        code.RecordBranch(recordId, instruction.NextIP32);
        code.Branch(Code.Jmp_rel32_32, over);
        code.Mark(taken);
        code.Uncommit(inStiShadow);
        WriteCheck(code, instruction);
        WriteTaken(code, instruction, recordId);
        code.Mark(over);
    }

    /// <summary>LOOP and kin change ECX where they decide, and so take effect there; the target is checked before.</summary>
    private static void WriteLoop(StubCode code, in Instruction instruction, uint recordId)
    {
        int taken = code.NewLabel();
        int over = code.NewLabel();
        code.Branch(instruction.Code, taken, weight: 1);
        code.Forget(ECX);
        code.RecordBranch(recordId, instruction.NextIP32);
        code.Branch(Code.Jmp_rel32_32, over);
        code.Mark(taken);
        code.Forget(ECX);
        code.RecordBranch(recordId, null);
        GoTo(code, instruction.NearBranch32);
        code.Mark(over);
    }

    private static void GoTo(StubCode code, uint target)
    {
        if (code.InnerTarget is { } inside)
            code.Branch(Code.Jmp_rel32_32, inside);
        else
            code.JumpTo(target);
    }
}
