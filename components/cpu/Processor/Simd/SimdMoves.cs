using System.Runtime.Intrinsics;

namespace Plexus.Cpu.Processor;

/// <summary>Moves between MMX, XMM and general registers and memory. A store to memory that is not temporal is a store: there is no cache to go round.</summary>
internal sealed unsafe partial class X86Processor
{
    // ---- MMX -------------------------------------------------------------------------------------------------------

    private static void MovdToMmx(X86Processor cpu, DecodedOp* op)
    {
        if (cpu.LoadGeneral32(op, out uint value))
            cpu.SetMmx(op->Reg0, value);
    }

    private static void MovdFromMmx(X86Processor cpu, DecodedOp* op) => cpu.StoreGeneral32(op, (uint)cpu.GetMmx(op->Reg1));

    private static void MovqToMmx(X86Processor cpu, DecodedOp* op)
    {
        if (cpu.LoadMmxSource(op, out ulong value))
            cpu.SetMmx(op->Reg0, value);
    }

    private static void MovqFromMmx(X86Processor cpu, DecodedOp* op)
    {
        ulong value = cpu.GetMmx(op->Reg1);
        if (op->HasMemory)
            cpu.StoreFpu64(op, value);
        else
            cpu.SetMmx(op->Reg0, value);
    }

    private static void Maskmovq(X86Processor cpu, DecodedOp* op)
    {
        ulong data = cpu.GetMmx(op->Reg0);
        cpu.StoreMasked(op, (byte*)&data, Vector128.CreateScalar(cpu.GetMmx(op->Reg1)).AsByte().ExtractMostSignificantBits());
    }

    // ---- whole XMM registers ---------------------------------------------------------------------------------------

    private static void MovAligned(X86Processor cpu, DecodedOp* op)
    {
        if (cpu.LoadXmmSource(op, out Vector128<byte> value))
            cpu.SetXmm(op->Reg0, value);
    }

    private static void MovUnaligned(X86Processor cpu, DecodedOp* op)
    {
        if (!op->HasMemory)
            cpu.SetXmm(op->Reg0, cpu.GetXmm(op->Reg1));
        else if (cpu.Load128(op, isAligned: false, out Vector128<byte> value))
            cpu.SetXmm(op->Reg0, value);
    }

    private static void StoreAligned(X86Processor cpu, DecodedOp* op)
    {
        Vector128<byte> value = cpu.GetXmm(op->Reg1);
        if (op->HasMemory)
            cpu.Store128(op, isAligned: true, value);
        else
            cpu.SetXmm(op->Reg0, value);
    }

    private static void StoreUnaligned(X86Processor cpu, DecodedOp* op)
    {
        Vector128<byte> value = cpu.GetXmm(op->Reg1);
        if (op->HasMemory)
            cpu.Store128(op, isAligned: false, value);
        else
            cpu.SetXmm(op->Reg0, value);
    }

    // ---- parts of XMM registers ------------------------------------------------------------------------------------

    /// <summary>MOVSS: from memory the rest of the register is cleared, from a register it stays.</summary>
    private static void MovssLoad(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.LoadXmm32Source(op, out uint value))
            return;
        ulong* register = cpu.Xmm(op->Reg0);
        if (op->HasMemory)
            register[0] = register[1] = 0;
        *(uint*)register = value;
    }

    private static void MovssStore(X86Processor cpu, DecodedOp* op)
    {
        uint value = (uint)*cpu.Xmm(op->Reg1);
        if (op->HasMemory)
            cpu.Store32(op->Seg, Address(op), value);
        else
            *(uint*)cpu.Xmm(op->Reg0) = value;
    }

    /// <summary>MOVSD: from memory the rest of the register is cleared, from a register it stays.</summary>
    private static void MovsdLoad(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.LoadXmm64Source(op, out ulong value))
            return;
        ulong* register = cpu.Xmm(op->Reg0);
        register[0] = value;
        if (op->HasMemory)
            register[1] = 0;
    }

    private static void MovsdStore(X86Processor cpu, DecodedOp* op)
    {
        ulong value = *cpu.Xmm(op->Reg1);
        if (op->HasMemory)
            cpu.StoreFpu64(op, value);
        else
            *cpu.Xmm(op->Reg0) = value;
    }

    /// <summary>MOVQ xmm, xmm/m64: the high quadword is cleared.</summary>
    private static void MovqLoad(X86Processor cpu, DecodedOp* op)
    {
        if (cpu.LoadXmm64Source(op, out ulong value))
            cpu.SetXmm(op->Reg0, Vector128.CreateScalar(value).AsByte());
    }

    private static void MovqStore(X86Processor cpu, DecodedOp* op)
    {
        ulong value = *cpu.Xmm(op->Reg1);
        if (op->HasMemory)
            cpu.StoreFpu64(op, value);
        else
            cpu.SetXmm(op->Reg0, Vector128.CreateScalar(value).AsByte());
    }

    /// <summary>MOVLPS, MOVLPD from memory: the high quadword stays.</summary>
    private static void MovlpLoad(X86Processor cpu, DecodedOp* op)
    {
        if (cpu.LoadFpu64(op, out ulong value))
            cpu.Xmm(op->Reg0)[0] = value;
    }

    private static void MovlpStore(X86Processor cpu, DecodedOp* op) => cpu.StoreFpu64(op, cpu.Xmm(op->Reg1)[0]);

    /// <summary>MOVHPS, MOVHPD from memory: the low quadword stays.</summary>
    private static void MovhpLoad(X86Processor cpu, DecodedOp* op)
    {
        if (cpu.LoadFpu64(op, out ulong value))
            cpu.Xmm(op->Reg0)[1] = value;
    }

    private static void MovhpStore(X86Processor cpu, DecodedOp* op) => cpu.StoreFpu64(op, cpu.Xmm(op->Reg1)[1]);

    private static void Movhlps(X86Processor cpu, DecodedOp* op) => cpu.Xmm(op->Reg0)[0] = cpu.Xmm(op->Reg1)[1];

    private static void Movlhps(X86Processor cpu, DecodedOp* op) => cpu.Xmm(op->Reg0)[1] = cpu.Xmm(op->Reg1)[0];

    private static void MovdToXmm(X86Processor cpu, DecodedOp* op)
    {
        if (cpu.LoadGeneral32(op, out uint value))
            cpu.SetXmm(op->Reg0, Vector128.CreateScalar(value).AsByte());
    }

    private static void MovdFromXmm(X86Processor cpu, DecodedOp* op) => cpu.StoreGeneral32(op, (uint)*cpu.Xmm(op->Reg1));

    private static void Movq2dq(X86Processor cpu, DecodedOp* op) =>
        cpu.SetXmm(op->Reg0, Vector128.CreateScalar(cpu.GetMmx(op->Reg1)).AsByte());

    private static void Movdq2q(X86Processor cpu, DecodedOp* op) => cpu.SetMmx(op->Reg0, *cpu.Xmm(op->Reg1));

    private static void Maskmovdqu(X86Processor cpu, DecodedOp* op) =>
        cpu.StoreMasked(op, (byte*)cpu.Xmm(op->Reg0), cpu.GetXmm(op->Reg1).ExtractMostSignificantBits());

    // ---- no registers of their own ---------------------------------------------------------------------------------

    private static void Movnti(X86Processor cpu, DecodedOp* op) => cpu.Store32(op->Seg, Address(op), *(uint*)op->Src);

    /// <summary>SFENCE, LFENCE, MFENCE: accesses are in program order anyway.</summary>
    private static void Fence(X86Processor cpu, DecodedOp* op)
    {
    }

    /// <summary>CLFLUSH: checked like a load of one byte (SDM vol. 2); there is no cache.</summary>
    private static void Clflush(X86Processor cpu, DecodedOp* op)
    {
        if (cpu.CheckSegment(op->Seg, Address(op), 1, write: false))
            cpu.Probe(Address(op) + op->Seg->Base, 1, Messaging.Contracts.Cpu.PageAccess.Read, cpu.UserPrivilege);
    }

    /// <summary>LDMXCSR: a one where the model has no bit is #GP(0).</summary>
    private static void Ldmxcsr(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.Load32(op->Seg, Address(op), out uint value))
            return;
        if ((value & ~cpu.Model.MxcsrMask) != 0)
            cpu.Fault(VectorGp, 0);
        else
            cpu.V->Sse.Mxcsr = value;
    }

    private static void Stmxcsr(X86Processor cpu, DecodedOp* op) => cpu.Store32(op->Seg, Address(op), cpu.V->Sse.Mxcsr);

    private void StoreGeneral32(DecodedOp* op, uint value)
    {
        if (op->HasMemory)
            Store32(op->Seg, Address(op), value);
        else
            *(uint*)op->Dst = value;
    }

    /// <summary>Stores the selected bytes, all or none. Bytes that are not selected are not looked at.</summary>
    private void StoreMasked(DecodedOp* op, byte* data, uint selected)
    {
        uint offset = Address(op);
        for (uint rest = selected; rest != 0; rest &= rest - 1)
        {
            uint at = (offset + (uint)System.Numerics.BitOperations.TrailingZeroCount(rest)) & op->Seg->Mask;
            if (!CheckSegment(op->Seg, at, 1, write: true) || !Probe(at + op->Seg->Base, 1, Messaging.Contracts.Cpu.PageAccess.Write, UserPrivilege))
                return;
        }

        for (uint rest = selected; rest != 0; rest &= rest - 1)
        {
            int i = System.Numerics.BitOperations.TrailingZeroCount(rest);
            if (!Store8(op->Seg, (offset + (uint)i) & op->Seg->Mask, data[i]))
                return;
        }
    }
}
