using Iced.Intel;
using static Iced.Intel.Register;

namespace Plexus.Handlers;

/// <summary>Carries innocuous guest instructions into a stub: as they are, or re-encoded where they depend on EIP.</summary>
internal static class Relocator
{
    /// <summary>Why an instruction cannot be carried, or null.</summary>
    internal static string? Objection(in Instruction instruction)
    {
        if (IsFpu(instruction))
            return "an FPU instruction keeps its place (FIP)";
        bool possible = instruction.FlowControl switch
        {
            FlowControl.Next or FlowControl.Return or FlowControl.IndirectBranch or FlowControl.Exception => true,
            FlowControl.UnconditionalBranch => instruction.Op0Kind == OpKind.NearBranch32,
            FlowControl.ConditionalBranch => instruction.Op0Kind == OpKind.NearBranch32,
            FlowControl.Call => instruction.Op0Kind == OpKind.NearBranch32,
            FlowControl.IndirectCall => instruction.Code == Code.Call_rm32,
            _ => false,
        };
        return possible ? null : "it cannot be relocated";
    }

    /// <summary>Whether ring 0 has to emulate this innocuous instruction: <c>call esp</c> would need ESP after its own push.</summary>
    internal static bool IsDeferred(in Instruction instruction) =>
        instruction.Code == Code.Call_rm32 && instruction.Op0Kind == OpKind.Register && instruction.Op0Register == ESP;

    /// <summary>Whether control can go on behind the instruction's copy in the stub.</summary>
    internal static bool FallsThrough(in Instruction instruction) =>
        instruction.FlowControl is FlowControl.Next or FlowControl.ConditionalBranch;

    /// <summary>EIP of a direct branch's target, or null.</summary>
    internal static uint? Target(in Instruction instruction) =>
        instruction.FlowControl is FlowControl.UnconditionalBranch or FlowControl.ConditionalBranch or FlowControl.Call
        && instruction.Op0Kind == OpKind.NearBranch32
            ? instruction.NearBranch32
            : null;

    /// <summary>Writes the instruction's copy.</summary>
    /// <param name="code">The stub.</param>
    /// <param name="instruction">The instruction.</param>
    /// <param name="bytes">Its bytes.</param>
    /// <param name="target">Label of the branch target when it lies in the stub, otherwise null.</param>
    internal static void Write(StubCode code, in Instruction instruction, ReadOnlyMemory<byte> bytes, int? target)
    {
        switch (instruction.FlowControl)
        {
            case FlowControl.UnconditionalBranch:
                Branch(code, Code.Jmp_rel32_32, instruction.NearBranch32, target, 1);
                break;
            case FlowControl.ConditionalBranch when instruction.IsJccShortOrNear:
                Branch(code, instruction.Code.ToNearBranch(), instruction.NearBranch32, target, 1);
                break;
            case FlowControl.ConditionalBranch:
                WriteLoop(code, instruction, target);
                break;
            case FlowControl.Call:
                PushReturn(code, instruction);
                Branch(code, Code.Jmp_rel32_32, instruction.NearBranch32, target, 0);
                break;
            case FlowControl.IndirectCall when instruction.Op0Kind == OpKind.Register:
                PushReturn(code, instruction);
                code.Emit(Instruction.Create(Code.Jmp_rm32, instruction.Op0Register));
                break;
            case FlowControl.IndirectCall:
                WriteMemoryCall(code, instruction);
                break;
            default:
                code.CommitVerbatim(bytes);
                break;
        }
    }

    /// <summary>LOOP, LOOPE, LOOPNE, JECXZ and their CX forms reach 128 bytes only: short around, near to the target.</summary>
    private static void WriteLoop(StubCode code, in Instruction instruction, int? target)
    {
        int taken = code.NewLabel();
        int next = code.NewLabel();
        code.Branch(instruction.Code, taken, weight: 1);
        code.Branch(Code.Jmp_rel8_32, next);
        code.Mark(taken);
        Branch(code, Code.Jmp_rel32_32, instruction.NearBranch32, target, 0);
        code.Mark(next);
    }

    /// <summary>The target is read before the push, as the CPU does: it may fault, lie relative to ESP, or lie where the push goes.</summary>
    private static void WriteMemoryCall(StubCode code, in Instruction instruction)
    {
        Instruction load = instruction;
        load.Code = Code.Mov_r32_rm32;
        load.Op0Kind = OpKind.Register;
        load.Op0Register = ECX;
        load.Op1Kind = OpKind.Memory;
        code.Save(ECX);
        code.Use(ECX, load);
        code.Emit(Instruction.Create(Code.Mov_rm32_r32, code.Temporary, ECX));
        code.Restore(ECX);
        PushReturn(code, instruction);
        code.Emit(Instruction.Create(Code.Jmp_rm32, code.Temporary));
    }

    private static void PushReturn(StubCode code, in Instruction instruction) =>
        code.Commit(Instruction.Create(Code.Pushd_imm32, instruction.NextIP32));

    private static void Branch(StubCode code, Code branch, uint eip, int? label, int weight)
    {
        if (label is { } inside)
            code.Branch(branch, inside, weight);
        else if (weight != 0)
            code.Commit(Instruction.CreateBranch(branch, eip));
        else
            code.Emit(Instruction.CreateBranch(branch, eip));
    }

    private static bool IsFpu(in Instruction instruction)
    {
        foreach (CpuidFeature feature in instruction.CpuidFeatures)
        {
            if (feature is CpuidFeature.FPU or CpuidFeature.FPU287 or CpuidFeature.FPU387 or CpuidFeature.MMX)
                return true;
        }

        return false;
    }
}
