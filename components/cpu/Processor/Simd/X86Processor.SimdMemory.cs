using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Plexus.Messaging.Contracts.Cpu;

namespace Plexus.Cpu.Processor;

/// <content>Memory operands of MMX and SSE: checked whole before the first byte is touched.</content>
internal sealed unsafe partial class X86Processor
{
    /// <summary>The source of an instruction with MMX registers: a register, or 8 bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool LoadMmxSource(DecodedOp* op, out ulong value)
    {
        if (op->HasMemory)
            return LoadFpu64(op, out value);
        value = GetMmx(op->Reg1);
        return true;
    }

    /// <summary>The source of an instruction with XMM registers: a register, or 16 bytes, aligned.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool LoadXmmSource(DecodedOp* op, out Vector128<byte> value)
    {
        if (op->HasMemory)
            return Load128(op, isAligned: true, out value);
        value = GetXmm(op->Reg1);
        return true;
    }

    /// <summary>The source of a scalar instruction, or of one that reads half a register: a register's low quadword, or 8 bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool LoadXmm64Source(DecodedOp* op, out ulong value)
    {
        if (op->HasMemory)
            return LoadFpu64(op, out value);
        value = *Xmm(op->Reg1);
        return true;
    }

    /// <summary>The source of a scalar instruction: a register's low doubleword, or 4 bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool LoadXmm32Source(DecodedOp* op, out uint value)
    {
        if (op->HasMemory)
            return Load32(op->Seg, Address(op), out value);
        value = (uint)*Xmm(op->Reg1);
        return true;
    }

    /// <summary>A general register or 4 bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool LoadGeneral32(DecodedOp* op, out uint value)
    {
        if (op->HasMemory)
            return Load32(op->Seg, Address(op), out value);
        value = *(uint*)op->Src;
        return true;
    }

    /// <summary>Reads 16 bytes.</summary>
    /// <param name="op">The instruction.</param>
    /// <param name="isAligned">An address that is not a multiple of 16 is #GP(0), whether or not alignment is checked (SDM vol. 1, 10.4.1.1).</param>
    /// <param name="value">What was read.</param>
    private bool Load128(DecodedOp* op, bool isAligned, out Vector128<byte> value)
    {
        uint offset = Address(op);
        SegmentCache* segment = op->Seg;
        uint linear = offset + segment->Base;
        TlbEntry* entry = (TlbEntry*)((byte*)tlbRead + ((linear >> 8) & Tlb.OffsetMask));
        if (IsWithin128(offset, segment->ReadEnd) && entry->Tag == ((linear + 15) & 0xFFFFF000) && !(isAligned && (linear & 15) != 0))
        {
            value = Vector128.Load((byte*)(entry->Target + (nint)linear));
            return true;
        }

        value = default;
        if (!Probe128(op, isAligned, write: false))
            return false;
        uint* parts = stackalloc uint[4];
        for (uint i = 0; i < 4; i++)
        {
            if (!Load32(segment, offset + (i * 4), out parts[i]))
                return false;
        }

        value = Vector128.Load((byte*)parts);
        return true;
    }

    /// <summary>Writes 16 bytes, all or none.</summary>
    private bool Store128(DecodedOp* op, bool isAligned, Vector128<byte> value)
    {
        uint offset = Address(op);
        SegmentCache* segment = op->Seg;
        uint linear = offset + segment->Base;
        TlbEntry* entry = (TlbEntry*)((byte*)tlbWrite + ((linear >> 8) & Tlb.OffsetMask));
        if (IsWithin128(offset, segment->WriteEnd) && entry->Tag == ((linear + 15) & 0xFFFFF000) && !(isAligned && (linear & 15) != 0))
        {
            value.Store((byte*)(entry->Target + (nint)linear));
            return true;
        }

        if (!Probe128(op, isAligned, write: true))
            return false;
        for (int i = 0; i < 4; i++)
        {
            if (!Store32(segment, offset + ((uint)i * 4), value.AsUInt32().GetElement(i)))
                return false;
        }

        return true;
    }

    private bool Probe128(DecodedOp* op, bool isAligned, bool write) => isAligned ? ProbeAligned(op, 16, write) : ProbeFpu(op, 16, 16, write);

    /// <summary>All checks of an access to the whole memory operand that must lie on a multiple of 16: segment, alignment, then its pages.</summary>
    private bool ProbeAligned(DecodedOp* op, uint length, bool write)
    {
        uint offset = Address(op);
        if (!CheckSegment(op->Seg, offset, length, write))
            return false;
        uint linear = offset + op->Seg->Base;
        if ((linear & 15) != 0)
            return Fault(VectorGp, 0);
        return Probe(linear, length, write ? PageAccess.Write : PageAccess.Read, UserPrivilege);
    }

    /// <summary>Sixteen bytes at an offset lie below the end that four bytes are compared with.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsWithin128(uint offset, uint end) => end > 12 && offset < end - 12;
}
