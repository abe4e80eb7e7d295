using System.Runtime.CompilerServices;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <content>Memory as instructions see it: segment checks, then paging at the privilege in force.</content>
internal sealed unsafe partial class X86Processor
{
    private readonly Tlb tlbSupervisor;
    private readonly Tlb tlbUser;

    /// <summary>Arrays of the bank in force.</summary>
    private TlbEntry* tlbRead;
    private TlbEntry* tlbWrite;
    private TlbEntry* tlbExecute;

    /// <summary>Segments for 32-bit addresses (8), then for 16-bit addresses (8).</summary>
    internal readonly SegmentCache* Segments;

    /// <summary>Memory-mapped I/O may be done now: the instruction is executed alone, so its effects are at an exact time and it is not repeated.</summary>
    private bool mmioAllowed;

    /// <summary>The pending fault is not one: the instruction must be repeated alone (it reaches memory-mapped I/O).</summary>
    private bool repeatAlone;

    /// <summary>#AC is in force: every access takes the checked path.</summary>
    private bool alignmentChecked;

    /// <summary>Data breakpoints are armed: every access takes the checked path.</summary>
    private bool dataBreakpoints;

    private byte* rmwFirst;
    private byte* rmwSecond;
    private uint rmwFrame;
    private uint rmwSecondFrame;
    private uint rmwLinear;
    private ulong rmwPhysical;
    private ulong rmwSecondPhysical;

    // ---- hot paths -------------------------------------------------------------------------------------------------

    /// <summary>Offset of the memory operand (base + index * scale + displacement, by address size).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Address(DecodedOp* op) => (*op->Base + (*op->Index << op->ScaleAndWeight) + op->Disp) & op->Seg->Mask;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool Load8(SegmentCache* segment, uint offset, out uint value)
    {
        uint linear = offset + segment->Base;
        TlbEntry* entry = (TlbEntry*)((byte*)tlbRead + ((linear >> 8) & Tlb.OffsetMask));
        if (offset < segment->ReadEnd && entry->Tag == (linear & 0xFFFFF000))
        {
            value = *(byte*)(entry->Target + (nint)linear);
            return true;
        }

        return LoadSlow(segment, offset, 1, out value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool Load16(SegmentCache* segment, uint offset, out uint value)
    {
        uint linear = offset + segment->Base;
        TlbEntry* entry = (TlbEntry*)((byte*)tlbRead + ((linear >> 8) & Tlb.OffsetMask));
        if (offset < segment->ReadEnd && entry->Tag == ((linear + 1) & 0xFFFFF000))
        {
            value = *(ushort*)(entry->Target + (nint)linear);
            return true;
        }

        return LoadSlow(segment, offset, 2, out value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool Load32(SegmentCache* segment, uint offset, out uint value)
    {
        // One comparison covers both the translation and an access that leaves the page.
        uint linear = offset + segment->Base;
        TlbEntry* entry = (TlbEntry*)((byte*)tlbRead + ((linear >> 8) & Tlb.OffsetMask));
        if (offset < segment->ReadEnd && entry->Tag == ((linear + 3) & 0xFFFFF000))
        {
            value = *(uint*)(entry->Target + (nint)linear);
            return true;
        }

        return LoadSlow(segment, offset, 4, out value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool Store8(SegmentCache* segment, uint offset, uint value)
    {
        uint linear = offset + segment->Base;
        TlbEntry* entry = (TlbEntry*)((byte*)tlbWrite + ((linear >> 8) & Tlb.OffsetMask));
        if (offset < segment->WriteEnd && entry->Tag == (linear & 0xFFFFF000))
        {
            *(byte*)(entry->Target + (nint)linear) = (byte)value;
            return true;
        }

        return StoreSlow(segment, offset, 1, value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool Store16(SegmentCache* segment, uint offset, uint value)
    {
        uint linear = offset + segment->Base;
        TlbEntry* entry = (TlbEntry*)((byte*)tlbWrite + ((linear >> 8) & Tlb.OffsetMask));
        if (offset < segment->WriteEnd && entry->Tag == ((linear + 1) & 0xFFFFF000))
        {
            *(ushort*)(entry->Target + (nint)linear) = (ushort)value;
            return true;
        }

        return StoreSlow(segment, offset, 2, value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool Store32(SegmentCache* segment, uint offset, uint value)
    {
        uint linear = offset + segment->Base;
        TlbEntry* entry = (TlbEntry*)((byte*)tlbWrite + ((linear >> 8) & Tlb.OffsetMask));
        if (offset < segment->WriteEnd && entry->Tag == ((linear + 3) & 0xFFFFF000))
        {
            *(uint*)(entry->Target + (nint)linear) = value;
            return true;
        }

        return StoreSlow(segment, offset, 4, value);
    }

    /// <summary>
    /// First half of a read-modify-write of 1, 2 or 4 bytes: all checks of the write are done, so that the second half cannot fail.
    /// </summary>
    /// <returns>False on a fault. <paramref name="host"/> is null when the slow way must be used to store.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool ModifyBegin(SegmentCache* segment, uint offset, int width, out byte* host, out uint value)
    {
        uint linear = offset + segment->Base;
        TlbEntry* entry = (TlbEntry*)((byte*)tlbWrite + ((linear >> 8) & Tlb.OffsetMask));
        if (offset < segment->WriteEnd && entry->Tag == ((linear + (uint)(width - 1)) & 0xFFFFF000))
        {
            host = (byte*)(entry->Target + (nint)linear);
            value = width == 1 ? *host : width == 2 ? *(ushort*)host : *(uint*)host;
            return true;
        }

        host = null;
        return ModifySlow(segment, offset, width, out value);
    }

    /// <summary>Second half of a read-modify-write.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void ModifyEnd(byte* host, int width, uint value)
    {
        if (host == null)
            ModifyCommit(width, value);
        else if (width == 1)
            *host = (byte)value;
        else if (width == 2)
            *(ushort*)host = (ushort)value;
        else
            *(uint*)host = value;
    }

    // ---- by segment ------------------------------------------------------------------------------------------------

    /// <summary>Reads a byte through a segment; #GP/#SS(0) or #PF on failure.</summary>
    public bool Load8(SegmentIndex segment, uint offset, out uint value) => Load8(Segments + (int)segment, offset, out value);

    public bool Load16(SegmentIndex segment, uint offset, out uint value) => Load16(Segments + (int)segment, offset, out value);

    public bool Load32(SegmentIndex segment, uint offset, out uint value) => Load32(Segments + (int)segment, offset, out value);

    public bool Store8(SegmentIndex segment, uint offset, uint value) => Store8(Segments + (int)segment, offset, value);

    public bool Store16(SegmentIndex segment, uint offset, uint value) => Store16(Segments + (int)segment, offset, value);

    public bool Store32(SegmentIndex segment, uint offset, uint value) => Store32(Segments + (int)segment, offset, value);

    /// <summary>Checks that a write of <paramref name="length"/> bytes (1 to 4096) would succeed, as the write itself would.</summary>
    public bool ProbeStore(SegmentIndex segment, uint offset, uint length) =>
        CheckSegment(Segments + (int)segment, offset, length, write: true)
        && Probe(offset + Segments[(int)segment].Base, length, PageAccess.Write, UserPrivilege);

    /// <summary>Checks that a read would succeed.</summary>
    public bool ProbeLoad(SegmentIndex segment, uint offset, uint length) =>
        CheckSegment(Segments + (int)segment, offset, length, write: false)
        && Probe(offset + Segments[(int)segment].Base, length, PageAccess.Read, UserPrivilege);

    /// <summary>Loads the memory operand with 1, 2 or 4 bytes.</summary>
    public bool LoadOperand(DecodedOp* op, int width, out uint value) => width switch
    {
        1 => Load8(op->Seg, Address(op), out value),
        2 => Load16(op->Seg, Address(op), out value),
        _ => Load32(op->Seg, Address(op), out value),
    };

    /// <summary>Stores to the memory operand.</summary>
    public bool StoreOperand(DecodedOp* op, int width, uint value) => width switch
    {
        1 => Store8(op->Seg, Address(op), value),
        2 => Store16(op->Seg, Address(op), value),
        _ => Store32(op->Seg, Address(op), value),
    };

    // ---- by linear address -----------------------------------------------------------------------------------------

    private bool UserPrivilege => Physical || V->Cpl == 3;

    /// <summary>Reads at a linear address with the privilege in force (no segment check).</summary>
    public bool ReadLinear8(uint linear, out uint value) => ReadLinearAs(linear, 1, out value, UserPrivilege);

    public bool ReadLinear16(uint linear, out uint value) => ReadLinearAs(linear, 2, out value, UserPrivilege);

    public bool ReadLinear32(uint linear, out uint value) => ReadLinearAs(linear, 4, out value, UserPrivilege);

    public bool WriteLinear8(uint linear, uint value) => WriteLinearAs(linear, 1, value, UserPrivilege);

    public bool WriteLinear16(uint linear, uint value) => WriteLinearAs(linear, 2, value, UserPrivilege);

    public bool WriteLinear32(uint linear, uint value) => WriteLinearAs(linear, 4, value, UserPrivilege);

    /// <summary>Reads with supervisor privilege whatever the CPL: descriptor tables, TSS.</summary>
    public bool ReadSystem8(uint linear, out uint value) => ReadLinearAs(linear, 1, out value, user: false);

    public bool ReadSystem16(uint linear, out uint value) => ReadLinearAs(linear, 2, out value, user: false);

    public bool ReadSystem32(uint linear, out uint value) => ReadLinearAs(linear, 4, out value, user: false);

    public bool WriteSystem8(uint linear, uint value) => WriteLinearAs(linear, 1, value, user: false);

    public bool WriteSystem16(uint linear, uint value) => WriteLinearAs(linear, 2, value, user: false);

    public bool WriteSystem32(uint linear, uint value) => WriteLinearAs(linear, 4, value, user: false);

    /// <summary>Reads at a linear address with explicit privilege.</summary>
    public bool ReadLinearAs(uint linear, int width, out uint value, bool user)
    {
        Tlb bank = user ? tlbUser : tlbSupervisor;
        TlbEntry* entry = bank.Read + ((linear >> 12) & (Tlb.Entries - 1));
        if (!Physical && entry->Tag == ((linear + (uint)(width - 1)) & 0xFFFFF000))
        {
            value = ReadHost((byte*)(entry->Target + (nint)linear), width);
            return true;
        }

        return ReadSlow(linear, width, user, out value);
    }

    /// <summary>Writes at a linear address with explicit privilege (stack pushes of a privilege change, at the new CPL).</summary>
    public bool WriteLinearAs(uint linear, int width, uint value, bool user)
    {
        Tlb bank = user ? tlbUser : tlbSupervisor;
        TlbEntry* entry = bank.Write + ((linear >> 12) & (Tlb.Entries - 1));
        if (!Physical && entry->Tag == ((linear + (uint)(width - 1)) & 0xFFFFF000))
        {
            WriteHost((byte*)(entry->Target + (nint)linear), width, value);
            return true;
        }

        return WriteSlow(linear, width, user, value);
    }

    /// <summary>Checks that a write at a linear address would succeed with supervisor (<paramref name="user"/> false) or user privilege: for stack switches that are done at the new CPL.</summary>
    public bool ProbeWriteLinear(uint linear, uint length, bool user) => Probe(linear, length, PageAccess.Write, user);

    private bool Probe(uint linear, uint length, PageAccess access, bool user)
    {
        if (Translate(linear, access, user, out _, out _) == null && FaultPending)
            return false;
        uint last = linear + length - 1;
        return ((linear ^ last) & 0xFFFFF000) == 0
            || Translate(last & 0xFFFFF000, access, user, out _, out _) != null
            || !FaultPending;
    }

    // ---- stack -----------------------------------------------------------------------------------------------------

    /// <summary>Pushes with SS.B stack width; on failure ESP is unchanged.</summary>
    public bool Push16(uint value)
    {
        uint pointer = V->Gpr[4] - 2;
        if (!Store16(SegmentIndex.Ss, pointer & StackMask, value))
            return false;
        SetStackPointer(pointer);
        return true;
    }

    public bool Push32(uint value)
    {
        uint pointer = V->Gpr[4] - 4;
        if (!Store32(SegmentIndex.Ss, pointer & StackMask, value))
            return false;
        SetStackPointer(pointer);
        return true;
    }

    /// <summary>Pops with SS.B stack width; on failure ESP is unchanged.</summary>
    public bool Pop16(out uint value)
    {
        if (!Load16(SegmentIndex.Ss, V->Gpr[4] & StackMask, out value))
            return false;
        SetStackPointer(V->Gpr[4] + 2);
        return true;
    }

    public bool Pop32(out uint value)
    {
        if (!Load32(SegmentIndex.Ss, V->Gpr[4] & StackMask, out value))
            return false;
        SetStackPointer(V->Gpr[4] + 4);
        return true;
    }

    /// <summary>FFFFFFFFh or FFFFh by SS.B.</summary>
    public uint StackMask { get; private set; } = uint.MaxValue;

    /// <summary>Writes ESP, or SP alone on a 16-bit stack.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetStackPointer(uint value) => V->Gpr[4] = (V->Gpr[4] & ~StackMask) | (value & StackMask);
}
