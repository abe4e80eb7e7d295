using System.Runtime.CompilerServices;
using Plexus.Cpu.Fpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <content>The x87 unit's interface to the processor: when an instruction may begin, the register stack, and how exceptions become pending (SDM vol. 1, chapter 8).</content>
internal sealed unsafe partial class X86Processor
{
    private const ushort StatusErrors = 0x3F;

    /// <summary>ES and B, which is a copy of it since the 387.</summary>
    private const ushort StatusSummary = 0x8080;

    private const ushort StatusConditions = Comparison.C0 | Comparison.C1 | Comparison.C2 | Comparison.C3;

    /// <summary>Control word after FNINIT: all exceptions masked, 64 bits, to nearest (SDM vol. 1, 8.1.5).</summary>
    private const ushort ControlAfterInit = 0x37F;

    /// <summary>Control word after RESET# (SDM vol. 3, table 9-1).</summary>
    private const ushort ControlAfterReset = 0x40;

    /// <summary>Bits of the control word that exist; bit 6 is wired to 1.</summary>
    private const ushort ControlDefined = 0x1F7F;

    private const ushort ControlOnes = 0x40;

    /// <summary>Runs a waiting instruction that is not a control instruction: FIP, FCS, FOP and, with a memory operand, FDP and FDS become its own.</summary>
    private static DecodedOp* RunFpu(X86Processor cpu, DecodedOp* op)
    {
        VcpuBlock* v = cpu.V;
        if ((cpu.UnitCr0 & (Cr0Em | Cr0Ts)) != 0 || (v->Fpu.Status & StatusSummary) != 0)
        {
            if (!cpu.MayBeginFpu())
                return cpu.LeaveBefore(op);
        }

        op->System(cpu, op);
        if (cpu.FaultPending)
            return cpu.LeaveBefore(op);
        v->Fpu.Ip = cpu.PageEip + op->Offset;
        v->Fpu.Cs = cpu.Segment(SegmentIndex.Cs).Selector;
        v->Fpu.Opcode = (ushort)op->Imm2;
        if (op->HasMemory)
        {
            v->Fpu.Dp = Address(op);
            v->Fpu.Ds = cpu.Segment((SegmentIndex)op->Segment).Selector;
        }

        return cpu.Requests == Request.None ? op + 2 : cpu.LeaveAfter(op);
    }

    /// <summary>Runs a waiting control instruction: the pointers stay.</summary>
    private static DecodedOp* RunFpuControl(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.MayBeginFpu())
            return cpu.LeaveBefore(op);
        return cpu.FinishFpuControl(op);
    }

    /// <summary>Runs a control instruction that does not wait for exceptions: FNINIT, FNCLEX, FNSTCW, FNSTSW, FNSTENV, FNSAVE.</summary>
    private static DecodedOp* RunFpuNoWait(X86Processor cpu, DecodedOp* op)
    {
        if ((cpu.UnitCr0 & (Cr0Em | Cr0Ts)) != 0)
        {
            cpu.Fault(VectorNm);
            return cpu.LeaveBefore(op);
        }

        return cpu.FinishFpuControl(op);
    }

    /// <summary>WAIT: #NM only with both MP and TS set (SDM vol. 3, 2.5); then a pending exception is taken.</summary>
    private static DecodedOp* RunFpuWait(X86Processor cpu, DecodedOp* op)
    {
        if ((cpu.UnitCr0 & (Cr0Mp | Cr0Ts)) == (Cr0Mp | Cr0Ts))
            cpu.Fault(VectorNm);
        else if (cpu.MayIgnoreError())
            return op + 2;
        return cpu.LeaveBefore(op);
    }

    private DecodedOp* FinishFpuControl(DecodedOp* op)
    {
        op->System(this, op);
        if (FaultPending)
            return LeaveBefore(op);
        return Requests == Request.None ? op + 2 : LeaveAfter(op);
    }

    /// <summary>#NM, then what a pending exception of an earlier instruction asks for.</summary>
    private bool MayBeginFpu()
    {
        if ((UnitCr0 & (Cr0Em | Cr0Ts)) != 0)
            return Fault(VectorNm);
        return MayIgnoreError();
    }

    /// <summary>
    /// A pending exception: #MF with CR0.NE set. Otherwise FERR# is asserted and, unless IGNNE# lets the instruction pass, the processor waits for an
    /// interrupt before it (SDM vol. 1, 8.7; appendix D): as if halted, with EIP still on the instruction.
    /// </summary>
    private bool MayIgnoreError()
    {
        if ((V->Fpu.Status & StatusSummary) == 0)
            return true;
        if ((UnitCr0 & Cr0Ne) != 0)
            return Fault(VectorMf);
        UpdateFerr();
        if (Lines.IgnoreNumericError)
            return true;
        V->Halted = 1;
        Requests |= Request.Halt | Request.Wait;
        return false;
    }

    /// <summary>FERR# is asserted while ES is set and CR0.NE is clear.</summary>
    private void UpdateFerr() => MoveFerr((V->Fpu.Status & StatusSummary) != 0 && (UnitCr0 & Cr0Ne) == 0);

    /// <summary>FERR#: the run is left, so that the bus sees it move.</summary>
    private void MoveFerr(bool level)
    {
        if (Lines.NumericError == level)
            return;
        Lines.NumericError = level;
        Requests |= Request.BusUsed;
    }

    // ---- exceptions ------------------------------------------------------------------------------------------------

    /// <summary>Takes the flags of an operation into the status word, and C1.</summary>
    /// <returns>False when an unmasked exception forbids the result: operands and stack must stay as they are.</returns>
    private bool CommitFpu(ref FpuContext context)
    {
        ref FpuState fpu = ref V->Fpu;
        fpu.Status = (ushort)((fpu.Status & ~Comparison.C1) | (context.RoundedUp ? Comparison.C1 : 0));
        return context.Flags == FpuFlags.None || RaiseFpu(context.Flags);
    }

    /// <summary>Sets exception flags, and ES when one of them is not masked.</summary>
    /// <returns>False when the result must not be stored.</returns>
    private bool RaiseFpu(FpuFlags flags)
    {
        ref FpuState fpu = ref V->Fpu;

        // What is detected first ends the operation, if it is not masked; and of the early ones only the first shows (SDM vol. 1, 4.9.2).
        if ((flags & (FpuFlags.Invalid | FpuFlags.ZeroDivide)) != 0)
            flags &= ~FpuFlags.Denormal;
        FpuFlags unmasked = flags & (FpuFlags)(~fpu.Control & StatusErrors);
        bool before = (unmasked & FpuFlags.BeforeOperation) != 0;
        if (before)
        {
            flags &= FpuFlags.BeforeOperation | FpuFlags.StackFault;
            if ((flags & FpuFlags.StackFault) == 0)
                fpu.Status &= unchecked((ushort)~Comparison.C1);
        }

        fpu.Status |= (ushort)flags;
        if (unmasked != 0)
            SetSummary();
        return !before;
    }

    private void SetSummary()
    {
        V->Fpu.Status |= StatusSummary;
        UpdateFerr();
    }

    /// <summary>To call after flags or masks were written: ES and B follow them, and FERR# follows ES.</summary>
    private void UpdateSummary()
    {
        if ((V->Fpu.Status & ~V->Fpu.Control & StatusErrors) != 0)
        {
            SetSummary();
            return;
        }

        V->Fpu.Status &= unchecked((ushort)~StatusSummary);
        UpdateFerr();
    }

    /// <summary>A stack underflow: an operand is empty.</summary>
    /// <returns>True when the masked response is to be made.</returns>
    private bool StackUnderflow()
    {
        V->Fpu.Status &= unchecked((ushort)~Comparison.C1);
        return RaiseFpu(FpuFlags.Invalid | FpuFlags.StackFault);
    }

    /// <summary>A stack overflow: the register to push into is not empty.</summary>
    /// <returns>True when the masked response is to be made.</returns>
    private bool StackOverflow()
    {
        V->Fpu.Status |= Comparison.C1;
        return RaiseFpu(FpuFlags.Invalid | FpuFlags.StackFault);
    }

    // ---- the register stack ----------------------------------------------------------------------------------------

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool IsEmpty(int index) => (V->Fpu.Valid & (1 << ((V->Fpu.Top + index) & 7))) == 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Extended GetSt(int index)
    {
        int register = (V->Fpu.Top + index) & 7;
        return new Extended(V->Fpu.Significands[register], V->Fpu.SignExponents[register]);
    }

    /// <summary>Writes a register, which is then not empty.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void SetSt(int index, in Extended value)
    {
        int register = (V->Fpu.Top + index) & 7;
        V->Fpu.Significands[register] = value.Significand;
        V->Fpu.SignExponents[register] = value.SignExponent;
        V->Fpu.Valid |= (ushort)(1 << register);
    }

    private void SetTop(int top) => V->Fpu.Status = (ushort)((V->Fpu.Status & ~0x3800) | ((top & 7) << 11));

    private void PopSt()
    {
        int top = V->Fpu.Top;
        V->Fpu.Valid &= (ushort)~(1 << top);
        SetTop(top + 1);
    }

    /// <summary>Decrements TOP and writes ST(0); the caller has looked whether the register is empty.</summary>
    private void PushSt(in Extended value)
    {
        SetTop(V->Fpu.Top - 1);
        SetSt(0, value);
    }

    /// <summary>Pushes, with the response to an overflow of the stack.</summary>
    private void PushChecked(in Extended value)
    {
        if (IsEmpty(-1))
            PushSt(value);
        else if (StackOverflow())
            PushSt(Extended.Indefinite);
    }

    private void SetConditions(ushort conditions) => V->Fpu.Status = (ushort)((V->Fpu.Status & ~StatusConditions) | conditions);

    private void ClearC1() => V->Fpu.Status &= unchecked((ushort)~Comparison.C1);

    private FpuContext NewContext() => new(V->Fpu.Control);

    /// <summary>State after power-on and RESET#: control word 40h, all registers +0 and valid (SDM vol. 3, table 9-1).</summary>
    private void ResetFpu()
    {
        V->Fpu = default;
        if (!Model.HasFpu)
            return;
        V->Fpu.Control = ControlAfterReset;
        V->Fpu.Valid = 0xFF;
        RestoreFerr();
    }

    /// <summary>Brings FERR# to where the state has it.</summary>
    private void RestoreFerr() =>
        Lines.NumericError = (V->Fpu.Status & StatusSummary) != 0 && (UnitCr0 & Cr0Ne) == 0;
}
