using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Plexus.Cpu.Simd;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <content>MMX, SSE and SSE2: when an instruction may begin, its registers, and how SIMD floating-point exceptions are raised (SDM vol. 1, chapters 9 to 11).</content>
internal sealed unsafe partial class X86Processor
{
    private const uint Cr4Osfxsr = 1u << 9;
    private const uint Cr4Osxmmexcpt = 1u << 10;

    /// <summary>MXCSR after power-on and RESET#: all exceptions masked, to nearest (SDM vol. 1, 10.2.3).</summary>
    private const uint MxcsrAfterReset = 0x1F80;

    /// <summary>Sign and exponent of a register that an MMX instruction has written (SDM vol. 3, table 12-2).</summary>
    private const ushort MmxSignExponent = 0xFFFF;

    /// <summary>Runs an instruction with MMX registers: afterwards TOP is 0 and every register is tagged valid (SDM vol. 3, 12.2).</summary>
    private static DecodedOp* RunMmx(X86Processor cpu, DecodedOp* op)
    {
        VcpuBlock* v = cpu.V;
        if ((cpu.UnitCr0 & (Cr0Em | Cr0Ts)) != 0 || (v->Fpu.Status & StatusSummary) != 0)
        {
            if (!cpu.MayBeginMmx())
                return cpu.LeaveBefore(op);
        }

        op->System(cpu, op);
        if (cpu.FaultPending)
            return cpu.LeaveBefore(op);
        cpu.EnterMmx(0xFF);
        return cpu.Requests == Request.None ? op + 2 : cpu.LeaveAfter(op);
    }

    /// <summary>EMMS: all registers are tagged empty.</summary>
    private static DecodedOp* RunEmms(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.MayBeginMmx())
            return cpu.LeaveBefore(op);
        cpu.EnterMmx(0);
        return cpu.Requests == Request.None ? op + 2 : cpu.LeaveAfter(op);
    }

    /// <summary>Runs an instruction with XMM registers or MXCSR.</summary>
    private static DecodedOp* RunSse(X86Processor cpu, DecodedOp* op)
    {
        VcpuBlock* v = cpu.V;
        if (((cpu.UnitCr0 & (Cr0Em | Cr0Ts)) != 0 || (cpu.UnitCr4 & Cr4Osfxsr) == 0) && !cpu.MayBeginSse())
            return cpu.LeaveBefore(op);
        op->System(cpu, op);
        return cpu.FaultPending ? cpu.LeaveBefore(op) : op + 2;
    }

    /// <summary>Runs an instruction between MMX and XMM registers: the conditions and effects of both.</summary>
    private static DecodedOp* RunSseMmx(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.MayBeginSse() || !cpu.MayIgnoreError())
            return cpu.LeaveBefore(op);
        op->System(cpu, op);
        if (cpu.FaultPending)
        {
            // The manual leaves it open, processors agree: a conversion that raises an exception has gone over to MMX already, as its flags are in MXCSR already.
            if (!cpu.repeatAlone && cpu.FaultVector is (VectorXm or VectorUd))
                cpu.EnterMmx(0xFF);
            return cpu.LeaveBefore(op);
        }

        cpu.EnterMmx(0xFF);
        return cpu.Requests == Request.None ? op + 2 : cpu.LeaveAfter(op);
    }

    /// <summary>Runs FXSAVE or FXRSTOR: #NM with EM or TS (SDM vol. 2, FXSAVE); a pending exception is left pending.</summary>
    private static DecodedOp* RunExtendedState(X86Processor cpu, DecodedOp* op)
    {
        if ((cpu.UnitCr0 & (Cr0Em | Cr0Ts)) != 0)
        {
            cpu.Fault(VectorNm);
            return cpu.LeaveBefore(op);
        }

        return cpu.FinishFpuControl(op);
    }

    /// <summary>#UD with EM, #NM with TS, then a pending x87 exception (SDM vol. 3, 12.6).</summary>
    private bool MayBeginMmx()
    {
        if ((UnitCr0 & Cr0Em) != 0)
            return Fault(VectorUd);
        return (UnitCr0 & Cr0Ts) != 0 ? Fault(VectorNm) : MayIgnoreError();
    }

    /// <summary>#UD with EM or without OSFXSR, #NM with TS (SDM vol. 3, 13.1.3).</summary>
    private bool MayBeginSse()
    {
        if ((UnitCr0 & Cr0Em) != 0 || (UnitCr4 & Cr4Osfxsr) == 0)
            return Fault(VectorUd);
        return (UnitCr0 & Cr0Ts) == 0 || Fault(VectorNm);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void EnterMmx(ushort valid)
    {
        V->Fpu.Status &= unchecked((ushort)~0x3800);
        V->Fpu.Valid = valid;
    }

    // ---- registers -------------------------------------------------------------------------------------------------

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong GetMmx(int register) => V->Fpu.Significands[register];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void SetMmx(int register, ulong value)
    {
        V->Fpu.Significands[register] = value;
        V->Fpu.SignExponents[register] = MmxSignExponent;
    }

    /// <summary>Storage of an XMM register: two quadwords.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong* Xmm(int register) => V->Sse.Registers + (register * 2);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector128<byte> GetXmm(int register) => Vector128.Load((byte*)Xmm(register));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void SetXmm(int register, Vector128<byte> value) => value.Store((byte*)Xmm(register));

    /// <summary>State after power-on and RESET#.</summary>
    private void ResetSse()
    {
        V->Sse = default;
        if (Model.Has(CpuFeatures.Sse))
            V->Sse.Mxcsr = MxcsrAfterReset;
    }

    // ---- exceptions ------------------------------------------------------------------------------------------------

    private SimdContext NewSimdContext() => new(V->Sse.Mxcsr);

    /// <summary>
    /// Takes the exceptions of all elements into MXCSR. An unmasked one is #XM with OSXMMEXCPT, otherwise #UD; the flags are set all the same (SDM vol. 1, 11.5.3).
    /// </summary>
    /// <returns>False when the result must not be stored.</returns>
    private bool CommitSimd(in SimdContext context)
    {
        SimdFlags flags = context.Raised;
        V->Sse.Mxcsr |= (uint)flags;
        if ((flags & context.Unmasked) == 0)
            return true;
        return Fault((UnitCr4 & Cr4Osxmmexcpt) != 0 ? VectorXm : VectorUd);
    }
}
