using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <summary>Virtual-8086 mode, its enhancements (CR4.VME) and protected-mode virtual interrupts (CR4.PVI): SDM vol. 3, chapter 20.</summary>
internal sealed unsafe partial class X86Processor
{
    private const uint Cr4Vme = 1u << 0;
    private const uint Cr4Pvi = 1u << 1;

    /// <summary>A segment of a virtual-8086 program: present, DPL 3, read/write, accessed.</summary>
    private const ushort VirtualAccess = RealModeAccess | (3 << 5);

    /// <summary>Highest offset in a segment of a virtual-8086 program.</summary>
    private const uint VirtualLimit = 0xFFFF;

    /// <summary>Bytes of the software interrupt redirection bitmap, which ends where the I/O permission bitmap begins (SDM vol. 3, 20.3.3).</summary>
    private const uint RedirectionBytes = 32;

    /// <summary>IOPL is below 3 in virtual-8086 mode: what depends on it faults, or with VME its 16-bit forms work on VIF.</summary>
    private bool IsVirtualized => IsVirtual8086 && Iopl != 3;

    /// <summary>VIF stands for IF: CPL 3 with VME (virtual-8086 mode) or PVI (protected mode).</summary>
    private bool HasVirtualInterrupts => !Physical && Cpl == 3 && (V->Cr4 & (IsVirtual8086 ? Cr4Vme : Cr4Pvi)) != 0;

    /// <summary>VIF and VIP are both set before an instruction: #GP(0), so that the monitor can deliver what is pending (SDM vol. 3, 20.3.2).</summary>
    private bool IsVirtualInterruptDue => (V->Eflags & (FlagVif | FlagVip)) == (FlagVif | FlagVip) && HasVirtualInterrupts;

    /// <summary>The flag that CLI and STI work on: IF where IOPL allows it, VIF where virtual interrupts are on; otherwise #GP(0) is pending.</summary>
    private bool InterruptFlag(out uint flag)
    {
        flag = FlagIf;
        if (Cpl <= Iopl || ((V->Cr0 & Cr0Pe) == 0 && !Physical))
            return true;
        flag = FlagVif;
        return HasVirtualInterrupts || Fault(VectorGp, 0);
    }

    /// <summary>PUSHF, POPF and IRET in virtual-8086 mode: with IOPL below 3 only the 16-bit forms, and those only with VME.</summary>
    private bool CheckVirtualFlagAccess(uint size) =>
        !IsVirtualized || (size == 2 && (V->Cr4 & Cr4Vme) != 0) || Fault(VectorGp, 0);

    /// <summary>What a virtual-8086 program with VME sees of its flags: VIF in place of IF, and an IOPL of 3.</summary>
    private static uint VirtualImage(uint flags) => (flags & ~FlagIf) | FlagIopl | ((flags & FlagVif) != 0 ? FlagIf : 0);

    /// <summary>Flags popped with VME and IOPL below 3 may not set TF, nor IF while an interrupt is pending (SDM vol. 3, table 20-2 and vol. 2, POPF).</summary>
    private bool CheckVirtualImage(uint image) =>
        ((image & FlagTf) == 0 && ((image & FlagIf) == 0 || (V->Eflags & FlagVip) == 0)) || Fault(VectorGp, 0);

    /// <summary>FLAGS from a stack image with VME and IOPL below 3: IF goes to VIF; IF and IOPL stay.</summary>
    private void CommitVirtualImage(uint image)
    {
        const uint Changed = FlagsArithmetic | FlagTf | FlagDf | FlagNt;
        uint flags = GetEflags();
        uint kept = flags & ~(Changed | FlagVif);
        ReplaceEflags(flags, kept | (image & Changed) | ((image & FlagIf) != 0 ? FlagVif : 0));
    }

    /// <summary>POPF (16-bit) with VME and IOPL below 3.</summary>
    private void PopVirtualFlags()
    {
        StackCursor stack = CurrentStack();
        if (!Pop(ref stack, 2, out uint image) || !CheckVirtualImage(image))
            return;
        CommitStackPointer(in stack);
        CommitVirtualImage(image);
    }

    /// <summary>IRET within virtual-8086 mode.</summary>
    private bool ReturnInVirtual8086(uint size)
    {
        if (!CheckVirtualFlagAccess(size))
            return false;
        bool isVirtualized = IsVirtualized;
        StackCursor stack = CurrentStack();
        if (!Pop(ref stack, size, out uint offset) || !Pop(ref stack, size, out uint selector) || !Pop(ref stack, size, out uint image))
            return false;
        if (!CheckCodeOffset(in Segment(SegmentIndex.Cs), offset) || (isVirtualized && !CheckVirtualImage(image)))
            return false;
        CommitStackPointer(in stack);
        LoadSegmentReal(SegmentIndex.Cs, (ushort)selector);
        if (isVirtualized)
            CommitVirtualImage(image);
        else
            CommitReturnFlags(image, size, 3);
        NmiBlocked = false;
        NextEip = offset;
        return true;
    }

    /// <summary>IRETD from ring 0 to a virtual-8086 program: ESP, SS, ES, DS, FS and GS lie above EFLAGS (SDM vol. 2, IRET).</summary>
    private bool ReturnToVirtual8086(ref StackCursor stack, uint offset, ushort selector, uint image)
    {
        uint* values = stackalloc uint[6];
        for (int i = 0; i < 6; i++)
        {
            if (!Pop(ref stack, 4, out values[i]))
                return false;
        }

        if (offset > VirtualLimit)
            return Fault(VectorGp, 0);
        SetPrivilege(3);
        SetEflags(image & (Model.EflagsWritable | FlagVm));
        V->Gpr[4] = values[0];
        SetVirtualSegment(SegmentIndex.Cs, selector);
        SetVirtualSegment(SegmentIndex.Ss, (ushort)values[1]);
        SetVirtualSegment(SegmentIndex.Es, (ushort)values[2]);
        SetVirtualSegment(SegmentIndex.Ds, (ushort)values[3]);
        SetVirtualSegment(SegmentIndex.Fs, (ushort)values[4]);
        SetVirtualSegment(SegmentIndex.Gs, (ushort)values[5]);
        ModeChanged();
        NmiBlocked = false;
        NextEip = offset;
        return true;
    }

    /// <summary>A segment as virtual-8086 mode makes it of any selector. <see cref="ModeChanged"/> is the caller's.</summary>
    private void SetVirtualSegment(SegmentIndex index, ushort selector) => Segment(index) = new SegmentRegister
    {
        Selector = selector,
        Attributes = VirtualAccess,
        Base = (uint)selector << 4,
        Limit = VirtualLimit,
        Usable = 1,
    };

    /// <summary>INT n in virtual-8086 mode: to the program's own handler where VME and the redirection bitmap say so; otherwise by IOPL (SDM vol. 3, table 20-2).</summary>
    private void InterruptInVirtual8086(byte vector)
    {
        if ((V->Cr4 & Cr4Vme) != 0)
        {
            if (!ReadRedirection(vector, out bool toProgram))
                return;
            if (toProgram)
            {
                InterruptProgram(vector);
                return;
            }
        }

        if (Iopl == 3)
            DeliverInterrupt(vector, InterruptKind.Software, false, 0);
        else
            Fault(VectorGp, 0);
    }

    /// <summary>Reads the bit of a vector in the redirection bitmap of the TSS; clear means the program's own handler.</summary>
    private bool ReadRedirection(byte vector, out bool toProgram)
    {
        toProgram = false;
        ref SegmentRegister tr = ref Segment(SegmentIndex.Tr);
        if (tr.Usable == 0 || (tr.Attributes & 0x0D) != 0x09 || tr.Limit < TssIoMapBase + 1)
            return Fault(VectorGp, 0);
        if (!ReadSystem16(tr.Base + TssIoMapBase, out uint map))
            return false;
        uint at = map - RedirectionBytes + (vector / 8u);
        if (at > tr.Limit)
            return Fault(VectorGp, 0);
        if (!ReadSystem8(tr.Base + at, out uint bits))
            return false;
        toProgram = (bits & (1u << (vector & 7))) == 0;
        return true;
    }

    /// <summary>A redirected INT n: as an 8086 does it, through the vector table at linear address 0 (SDM vol. 3, 20.3.3, methods 5 and 6).</summary>
    private void InterruptProgram(byte vector)
    {
        uint flags = GetEflags();
        StackCursor stack = CurrentStack();
        if (!CheckRoom(in stack, 2, 3, 0))
            return;
        if (!ReadSystem16(vector * 4u, out uint offset) || !ReadSystem16((vector * 4u) + 2, out uint selector))
            return;
        uint image = IsVirtualized ? VirtualImage(flags) : flags;
        if (!Push(ref stack, 2, image) || !Push(ref stack, 2, Segment(SegmentIndex.Cs).Selector) || !Push(ref stack, 2, NextEip))
            return;
        CommitStackPointer(in stack);
        SetEflags(flags & ~(FlagTf | FlagRf | (IsVirtualized ? FlagVif : FlagIf)));
        LoadSegmentReal(SegmentIndex.Cs, (ushort)selector);
        NextEip = offset;
    }
}
