using Iced.Intel;
using Plexus.Handlers.Families;
using Plexus.Messaging.Contracts.Handlers;
using Plexus.Messaging.Shared;
using static Iced.Intel.Register;

namespace Plexus.Handlers;

/// <summary>
/// The handler that a planted CALL leads to. It takes the return address off the guest's stack, emulates the instruction as a stub does, and leaves by RET
/// to what was overwritten. One handler serves every site with the same instruction, and asks the branch table by the return address who called;
/// an instruction with a memory operand gets a handler of its own, which knows.
/// </summary>
/// <remarks>
/// RET finds its target in the dword below the guest's ESP. Where the instruction moves ESP down, that dword is written once before the commit point,
/// which takes every fault; otherwise the CALL itself has written it.
/// </remarks>
internal sealed class CallHandler(Instruction instruction, IHandler handler, StubInstruction source, uint virtualCpuLinear)
{
    private const int ReturnAddress = 4;

    /// <summary>Whether one handler serves every site with the same bytes.</summary>
    internal bool IsShared => !HasMemory() && (handler is not BranchHandler || instruction.FlowControl is FlowControl.Return or FlowControl.IndirectBranch);

    /// <summary>Names a shared handler: the instruction's bytes.</summary>
    internal string Form => Convert.ToHexString(source.Bytes.Span);

    /// <summary>Whether ring 0 does all the work.</summary>
    internal bool IsDeferral => handler is PortDeferral;

    /// <summary>Writes a handler for every site of the form.</summary>
    internal StubCode WriteShared()
    {
        StubCode code = new(virtualCpuLinear) { IsShared = true };
        code.Begin(0, afterSti: false);
        code.Locate(StubOrigin.CallFrame, ReturnAddress);
        code.IsReaching = true;
        if (IsDeferral)
        {
            code.Defer();
            return code;
        }

        int miss = code.NewLabel();
        int found = code.NewLabel();
        BranchTableLookup.SaveScratch(code);
        code.Use(EDX, Instruction.Create(Code.Mov_r32_rm32, EDX, StubCode.OwnStack(0)));
        BranchTableLookup.Write(code, BranchTableLookup.Table, miss);
        code.Branch(Code.Jmp_rel8_32, found);
        code.Mark(miss);
        code.Defer();
        code.Mark(found);
        code.Emit(Instruction.Create(Code.Mov_rm32_r32, code.Field(VirtualCpuPage.ReturnKey), EDX));
        code.Use(ECX, Instruction.Create(Code.Mov_r32_rm32, ECX, StubCode.Entry(EAX, VirtualCpuPage.EntryRecord)));
        code.Emit(Instruction.Create(Code.Mov_rm32_r32, code.Field(VirtualCpuPage.RecordId), ECX));
        code.Use(ECX, Instruction.Create(Code.Mov_r32_rm32, ECX, StubCode.Entry(EAX, VirtualCpuPage.EntryContinuation)));
        code.Emit(Instruction.Create(Code.Mov_rm32_r32, code.Field(VirtualCpuPage.Continuation), ECX));
        if (Delta < 0)
            code.Emit(Instruction.Create(Code.Mov_rm32_r32, StubCode.OwnStack(Delta), ECX));
        code.Locate(StubOrigin.CallSlot, ReturnAddress);
        code.RestoreAll();
        code.ForgetAll();
        code.MoveStack(ReturnAddress);
        code.Locate(StubOrigin.CallSlot, 0);
        code.IsReaching = false;
        handler.Write(code, instruction, source.RecordId);
        if (!FallsThrough)
            return code;
        code.Save(ECX);
        code.Load(ECX, VirtualCpuPage.Continuation);
        code.Emit(Instruction.Create(Code.Mov_rm32_r32, StubCode.OwnStack(ReturnSlot), ECX));
        code.RestoreAll();
        Leave(code);
        return code;
    }

    /// <summary>Writes a handler for this site alone.</summary>
    /// <param name="continuation">EIP to go on at.</param>
    internal StubCode WriteForSite(uint continuation)
    {
        StubCode code = new(virtualCpuLinear);
        code.Begin(source.Eip, afterSti: false);
        code.Locate(StubOrigin.Static, ReturnAddress);
        code.IsReaching = true;
        if (Delta < 0)
            code.Emit(Instruction.Create(Code.Mov_rm32_imm32, StubCode.OwnStack(Delta), continuation));
        code.MoveStack(ReturnAddress);
        code.Locate(StubOrigin.Static, 0);
        code.IsReaching = false;
        handler.Write(code, instruction, source.RecordId);
        if (!FallsThrough)
            return code;
        code.Emit(Instruction.Create(Code.Mov_rm32_imm32, StubCode.OwnStack(ReturnSlot), continuation));
        Leave(code);
        return code;
    }

    /// <summary>Writes the few bytes at a place that obeys the landing rule, from where a shared handler is reached.</summary>
    internal StubCode WriteThunk(uint target)
    {
        StubCode code = new(virtualCpuLinear);
        code.Begin(source.Eip, afterSti: false);
        code.Locate(StubOrigin.Static, ReturnAddress);
        code.IsReaching = true;
        code.JumpTo(target);
        return code;
    }

    /// <summary>Whether the instruction writes ESP outright: then there is no stack to return by.</summary>
    internal static bool ReplacesStack(in Instruction instruction) =>
        instruction.OpCount > 0 && instruction.Op0Kind == OpKind.Register && instruction.Op0Register is ESP or SP && instruction.FlowControl == FlowControl.Next;

    /// <summary>Whether control goes on behind the instruction: most branches leave for good.</summary>
    private bool FallsThrough => handler.FallsThrough(instruction);

    /// <summary>By how much the guest instruction moves ESP before the handler returns.</summary>
    private int Delta => FallsThrough ? instruction.StackPointerIncrement : 0;

    /// <summary>Where RET finds its target, from the guest's ESP after the instruction: below it, in a dword known to be writable.</summary>
    private int ReturnSlot => Delta <= 0 ? -ReturnAddress : -ReturnAddress - Delta;

    private void Leave(StubCode code)
    {
        code.MoveStack(ReturnSlot);
        code.Emit(Delta <= 0 ? Instruction.Create(Code.Retnd) : Instruction.Create(Code.Retnd_imm16, Delta));
    }

    private bool HasMemory()
    {
        for (int i = 0; i < instruction.OpCount; i++)
        {
            if (instruction.GetOpKind(i) == OpKind.Memory)
                return true;
        }

        return false;
    }
}
