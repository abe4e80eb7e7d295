using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <summary>Descriptor tables and segment-register loads (SDM vol. 3, chapters 3 and 5).</summary>
internal sealed unsafe partial class X86Processor
{
    private const uint DescriptorAccessed = 0x0000_0100;
    private const uint DescriptorBusy = 0x0000_0200;

    /// <summary>A segment loaded with its descriptor's DPL 0, present, read/write data, accessed: what a load in real mode makes of it.</summary>
    private const ushort RealModeAccess = 0x93;

    /// <summary>EXT (SDM vol. 3, 6.13): 1 while an event from outside the program is delivered; part of every selector error code.</summary>
    private uint externalEvent;

    private bool IsVirtual8086 => (V->Eflags & FlagVm) != 0;

    /// <summary>A fault whose error code names a selector.</summary>
    private bool SelectorFault(byte vector, uint selector) => Fault(vector, (selector & 0xFFFC) | externalEvent);

    /// <summary>Reads the descriptor that a selector names.</summary>
    /// <param name="selector">Not null (the caller has its own rule for that).</param>
    /// <param name="vector">What to raise, with the selector, when the table does not reach so far.</param>
    /// <param name="descriptor">The descriptor.</param>
    /// <returns>False: a fault is pending.</returns>
    private bool ReadDescriptor(ushort selector, byte vector, out Descriptor descriptor)
    {
        descriptor = default;
        if (Physical)
            return Tables!.TrySlot(selector, out descriptor.Low, out descriptor.High) || SelectorFault(vector, selector);
        if (!TryFindDescriptor(selector, out uint address))
            return SelectorFault(vector, selector);
        descriptor.Address = address;
        return ReadSystem32(address, out descriptor.Low) && ReadSystem32(address + 4, out descriptor.High);
    }

    private bool TryFindDescriptor(ushort selector, out uint address)
    {
        uint tableBase = V->GdtBase;
        uint limit = V->GdtLimit;
        address = 0;
        if (Physical)
            return false;
        if ((selector & 4) != 0)
        {
            ref SegmentRegister ldtr = ref Segment(SegmentIndex.Ldtr);
            if (ldtr.Usable == 0)
                return false;
            tableBase = ldtr.Base;
            limit = ldtr.Limit;
        }

        if ((uint)(selector | 7) > limit)
            return false;
        address = tableBase + (selector & 0xFFF8u);
        return true;
    }

    /// <summary>Sets the accessed bit in memory when it is clear, as every load of a code or data descriptor does.</summary>
    private bool MarkAccessed(ref Descriptor descriptor)
    {
        if ((descriptor.High & DescriptorAccessed) != 0)
            return true;
        descriptor.High |= DescriptorAccessed;
        return WriteSystem8(descriptor.Address + 5, (descriptor.High >> 8) & 0xFF);
    }

    /// <summary>Loads ES, SS, DS, FS or GS with every check of MOV to segment register (SDM vol. 2, MOV).</summary>
    /// <returns>False: a fault is pending and the register is as before.</returns>
    public bool LoadSegment(SegmentIndex index, ushort selector)
    {
        if (!ProtectedMode)
        {
            LoadSegmentReal(index, selector);
            return true;
        }

        if (!CheckSegmentLoad(index, selector, out SegmentRegister loaded))
            return false;
        CommitSegment(index, in loaded);
        return true;
    }

    /// <summary>All of a protected-mode segment load but the commit.</summary>
    private bool CheckSegmentLoad(SegmentIndex index, ushort selector, out SegmentRegister loaded)
    {
        loaded = default;
        if (index == SegmentIndex.Ss)
        {
            if ((selector & 0xFFFC) == 0)
                return Fault(VectorGp, externalEvent);
            return CheckStackSegment(selector, Cpl, VectorGp, out loaded);
        }

        if ((selector & 0xFFFC) == 0)
        {
            loaded = Segment(index).WithNull(selector);
            return true;
        }

        if (!ReadDescriptor(selector, VectorGp, out Descriptor descriptor))
            return false;
        if (!descriptor.IsReadable)
            return SelectorFault(VectorGp, selector);
        uint rpl = selector & 3u;
        if (!descriptor.IsConforming && (rpl > descriptor.Dpl || Cpl > descriptor.Dpl))
            return SelectorFault(VectorGp, selector);
        if (!descriptor.IsPresent)
            return SelectorFault(VectorNp, selector);
        if (!MarkAccessed(ref descriptor))
            return false;
        loaded = descriptor.ToRegister(selector);
        return true;
    }

    /// <summary>Checks a stack segment for privilege <paramref name="privilege"/>: RPL and DPL equal to it, writable data, present.</summary>
    /// <param name="selector">Not null.</param>
    /// <param name="privilege">The CPL that will use it.</param>
    /// <param name="vector">#GP for loads and returns, #TS when the selector comes from a TSS.</param>
    /// <param name="loaded">The register to commit.</param>
    private bool CheckStackSegment(ushort selector, uint privilege, byte vector, out SegmentRegister loaded)
    {
        loaded = default;
        if (!ReadDescriptor(selector, vector, out Descriptor descriptor))
            return false;
        if ((selector & 3u) != privilege || !descriptor.IsWritableData || descriptor.Dpl != privilege)
            return SelectorFault(vector, selector);
        if (!descriptor.IsPresent)
            return SelectorFault(VectorSs, selector);
        if (!MarkAccessed(ref descriptor))
            return false;
        loaded = descriptor.ToRegister(selector);
        return true;
    }

    /// <summary>A load in real mode: base = selector × 16; limit and size stay what they were, so a limit set in protected mode survives.</summary>
    private void LoadSegmentReal(SegmentIndex index, ushort selector)
    {
        SegmentRegister register = Segment(index);
        register.Selector = selector;
        register.Base = (uint)selector << 4;
        if (IsVirtual8086)
        {
            register.Attributes = VirtualAccess;
            register.Limit = VirtualLimit;
        }
        else
        {
            register.Attributes = (ushort)((register.Attributes & 0xF000) | RealModeAccess);
        }

        register.Usable = 1;
        CommitSegment(index, in register);
    }

    private void CommitSegment(SegmentIndex index, in SegmentRegister register)
    {
        Segment(index) = register;
        if (index is SegmentIndex.Cs or SegmentIndex.Ss)
            ModeChanged();
        else
            SegmentChanged(index);
    }

    /// <summary>Checks that a code segment can be entered at <paramref name="offset"/>.</summary>
    private bool CheckCodeOffset(in SegmentRegister code, uint offset) =>
        offset <= code.Limit || Fault(VectorGp, externalEvent);
}
