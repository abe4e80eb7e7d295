using System.Runtime.CompilerServices;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <content>Memory operands of the x87 unit: up to 108 bytes, checked whole before the first is touched.</content>
internal sealed unsafe partial class X86Processor
{
    /// <summary>Reads 8 bytes of the memory operand.</summary>
    internal bool LoadFpu64(DecodedOp* op, out ulong value)
    {
        uint offset = Address(op);
        SegmentCache* segment = op->Seg;
        uint linear = offset + segment->Base;
        TlbEntry* entry = (TlbEntry*)((byte*)tlbRead + ((linear >> 8) & Tlb.OffsetMask));
        if (IsWithin(offset, segment->ReadEnd) && entry->Tag == ((linear + 7) & 0xFFFFF000))
        {
            value = *(ulong*)(entry->Target + (nint)linear);
            return true;
        }

        value = 0;
        if (!ProbeFpu(op, 8, 8, write: false) || !Load32(segment, offset, out uint low) || !Load32(segment, offset + 4, out uint high))
            return false;
        value = ((ulong)high << 32) | low;
        return true;
    }

    /// <summary>Reads the 10 bytes of an extended or BCD operand.</summary>
    private bool LoadFpu80(DecodedOp* op, out ulong low, out ushort high)
    {
        low = 0;
        high = 0;
        uint offset = Address(op);
        if (!ProbeFpu(op, 10, 8, write: false)
            || !Load32(op->Seg, offset, out uint first) || !Load32(op->Seg, offset + 4, out uint second) || !Load16(op->Seg, offset + 8, out uint third))
            return false;
        low = ((ulong)second << 32) | first;
        high = (ushort)third;
        return true;
    }

    /// <summary>Writes 8 bytes, all or none.</summary>
    internal bool StoreFpu64(DecodedOp* op, ulong value)
    {
        uint offset = Address(op);
        SegmentCache* segment = op->Seg;
        uint linear = offset + segment->Base;
        TlbEntry* entry = (TlbEntry*)((byte*)tlbWrite + ((linear >> 8) & Tlb.OffsetMask));
        if (IsWithin(offset, segment->WriteEnd) && entry->Tag == ((linear + 7) & 0xFFFFF000))
        {
            *(ulong*)(entry->Target + (nint)linear) = value;
            return true;
        }

        return ProbeFpu(op, 8, 8, write: true) && Store32(segment, offset, (uint)value) && Store32(segment, offset + 4, (uint)(value >> 32));
    }

    /// <summary>Writes 10 bytes, all or none.</summary>
    internal bool StoreFpu80(DecodedOp* op, ulong low, ushort high)
    {
        uint offset = Address(op);
        return ProbeFpu(op, 10, 8, write: true)
            && Store32(op->Seg, offset, (uint)low) && Store32(op->Seg, offset + 4, (uint)(low >> 32)) && Store16(op->Seg, offset + 8, high);
    }

    /// <summary>All checks of an access to the whole memory operand: segment, alignment (SDM vol. 3, table 6-7), then its pages.</summary>
    private bool ProbeFpu(DecodedOp* op, uint length, uint alignment, bool write)
    {
        uint offset = Address(op);
        if (!CheckSegment(op->Seg, offset, length, write))
            return false;
        uint linear = offset + op->Seg->Base;
        if (alignmentChecked && (linear & (alignment - 1)) != 0)
            return Fault(VectorAc, 0);
        return Probe(linear, length, write ? PageAccess.Write : PageAccess.Read, UserPrivilege);
    }

    /// <summary>Eight bytes at an offset lie below the end that four bytes are compared with.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsWithin(uint offset, uint end) => end > 4 && offset < end - 4;
}
