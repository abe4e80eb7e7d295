namespace Plexus.Cpu.Processor;

/// <content>
/// Lazy arithmetic flags: the last result is kept in a form from which each flag is one or two operations away, with no dependence on which operation made it.
/// </content>
internal sealed unsafe partial class X86Processor
{
    /// <summary>ZF is set when this is 0.</summary>
    internal uint LazyZero = 1;

    /// <summary>SF is bit 31; PF is the parity of the low byte.</summary>
    internal uint LazySign = 1;

    /// <summary>Carries: bit 31 is CF, bit 30 the carry into the sign bit (OF = bit 31 xor bit 30), bit 3 is AF.</summary>
    internal uint LazyCarry;

    /// <summary>AF after a shift, where <see cref="LazyCarry"/> has it.</summary>
    internal uint ShiftAuxiliary;

    private bool isZen;

    /// <summary>MXCSR_MASK of the host's processor when guest code runs there, else 0.</summary>
    private uint hostMxcsrMask;

    /// <summary>Says what the guest sees of the host's processor.</summary>
    internal void Follow(in HostHabits habits)
    {
        isZen = habits.Flags == UndefinedFlags.Zen;
        hostMxcsrMask = habits.MxcsrMask;
        ShiftAuxiliary = isZen ? 8u : 0;
    }

    /// <summary>EFLAGS as the processor in force sees them (on the physical processor: IF 1, IOPL 0, TF 0, RF 0, VM 0).</summary>
    public uint GetEflags()
    {
        MaterializeFlags();
        uint flags = V->Eflags;
        return Physical ? (flags & ~(FlagIopl | FlagVm | FlagTf | FlagRf)) | FlagIf : flags;
    }

    /// <summary>Replaces EFLAGS (all bits; the caller has applied privilege rules). On the physical processor IF, IOPL, VM, TF and RF of the block are left alone. Call <see cref="ModeChanged"/> if VM, TF or RF change.</summary>
    public void SetEflags(uint value)
    {
        const uint Virtual = FlagIf | FlagIopl | FlagVm | FlagTf | FlagRf;
        if (Physical)
            value = (value & ~Virtual) | (V->Eflags & Virtual);
        V->Eflags = value | 2;
        LoadLazy(value);
    }

    /// <summary>Brings the arithmetic flags in <c>V->Eflags</c> up to date.</summary>
    public void MaterializeFlags()
    {
        uint carry = LazyCarry;
        uint flags = V->Eflags & ~(FlagCf | FlagPf | FlagAf | FlagZf | FlagSf | FlagOf);
        flags |= carry >> 31;
        flags |= ((carry ^ (carry << 1)) >> 31) << 11;
        flags |= (carry & 8) << 1;
        flags |= (LazySign >> 31) << 7;
        if (LazyZero == 0)
            flags |= FlagZf;
        if ((System.Numerics.BitOperations.PopCount(LazySign & 0xFF) & 1) == 0)
            flags |= FlagPf;
        V->Eflags = flags | 2;
    }

    /// <summary>Sets the lazy state from an EFLAGS image.</summary>
    internal void LoadLazy(uint flags)
    {
        uint cf = flags & 1;
        uint of = (flags >> 11) & 1;
        LazyZero = (flags & FlagZf) != 0 ? 0u : 1u;
        LazySign = ((flags & FlagSf) << 24) | ((flags & FlagPf) != 0 ? 0u : 1u);
        LazyCarry = (cf << 31) | ((cf ^ of) << 30) | ((flags & FlagAf) >> 1);
    }

    /// <summary>CF.</summary>
    internal bool CarryFlag => (int)LazyCarry < 0;

    /// <summary>Sets or clears ZF alone.</summary>
    public void SetZf(bool value)
    {
        MaterializeFlags();
        LoadLazy(value ? V->Eflags | FlagZf : V->Eflags & ~FlagZf);
    }
}
