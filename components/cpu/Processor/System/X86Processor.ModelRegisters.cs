namespace Plexus.Cpu.Processor;

/// <summary>The model-specific registers (SDM vol. 4; for the P6 family and the Pentium, vol. 3, appendix B). One that a model does not have raises #GP(0).</summary>
internal sealed unsafe partial class X86Processor
{
    private const uint MsrMachineCheckAddress = 0x00;
    private const uint MsrMachineCheckType = 0x01;
    private const uint MsrTimeStampCounter = 0x10;
    private const uint MsrPentiumEventSelect = 0x11;
    private const uint MsrPentiumCounter1 = 0x13;
    private const uint MsrPlatformId = 0x17;
    private const uint MsrApicBase = 0x1B;
    private const uint MsrPowerOn = 0x2A;
    private const uint MsrUpdateTrigger = 0x79;
    private const uint MsrUpdateSignature = 0x8B;
    private const uint MsrCounter0 = 0xC1;
    private const uint MsrCounter1 = 0xC2;
    private const uint MsrMtrrCapabilities = 0xFE;
    private const uint MsrSysenterCs = 0x174;
    private const uint MsrSysenterEsp = 0x175;
    private const uint MsrSysenterEip = 0x176;
    private const uint MsrMachineCheckCapabilities = 0x179;
    private const uint MsrMachineCheckStatus = 0x17A;
    private const uint MsrMachineCheckControl = 0x17B;
    private const uint MsrEventSelect0 = 0x186;
    private const uint MsrEventSelect1 = 0x187;
    private const uint MsrDebugControl = 0x1D9;
    private const uint MsrLastBranchFrom = 0x1DB;
    private const uint MsrLastExceptionTo = 0x1DE;
    private const uint MsrFastStrings = 0x1E0;
    private const uint MsrMtrrVariable = 0x200;
    private const uint MsrPat = 0x277;
    private const uint MsrMtrrDefault = 0x2FF;
    private const uint MsrBanks = 0x400;
    private const uint MsrExtendedFeatures = 0xC000_0080;

    // Slots of the registers that keep what is written to them.
    private const int SlotEventSelect = 0;
    private const int SlotCounter = 2;
    private const int SlotUpdateSignature = 4;
    private const int SlotPowerOn = 5;
    private const int SlotExtendedFeatures = 6;
    private const int SlotPat = 7;
    private const int SlotMtrrDefault = 8;
    private const int SlotMtrrFixed = 9;
    private const int SlotMtrrVariable = SlotMtrrFixed + FixedRanges;
    private const int SlotMachineCheckStatus = SlotMtrrVariable + (2 * VariableRanges);
    private const int SlotMachineCheckControl = SlotMachineCheckStatus + 1;
    private const int SlotBankControl = SlotMachineCheckControl + 1;
    private const int SlotLastBranch = SlotBankControl + Banks;
    private const int SlotPentium = SlotLastBranch + 4;
    private const int SlotFastStrings = SlotPentium + 3;
    private const int Slots = SlotFastStrings + 1;

    /// <summary>Variable-range MTRRs, fixed-range MTRRs and machine-check banks of the P6 family.</summary>
    private const int VariableRanges = 8, FixedRanges = 11, Banks = 5;

    /// <summary>IA32_MTRRCAP: eight variable ranges, the fixed ones, write combining.</summary>
    private const ulong MtrrCapabilities = VariableRanges | (1 << 8) | (1 << 10);

    /// <summary>IA32_MCG_CAP: five banks, and MCG_CTL is there.</summary>
    private const ulong MachineCheckCapabilities = Banks | (1 << 8);

    /// <summary>IA32_APIC_BASE: global enable, and what can be written: BSP flag, enable, 36 bits of base.</summary>
    private const ulong ApicGlobalEnable = 1ul << 11, ApicBaseDefined = 0xF_FFFF_F900;

    /// <summary>IA32_EFER.NXE.</summary>
    private const uint ExtendedNxe = 1u << 11;

    /// <summary>IA32_PAT at power-on: WB, WT, UC-, UC, twice.</summary>
    private const ulong PatAtReset = 0x0007_0406_0007_0406;

    /// <summary>DEBUGCTLMSR: LBR, BTF, PB0-PB3 and TR.</summary>
    private const ulong DebugControlDefined = 0x7F;

    /// <summary>What the registers hold, by slot.</summary>
    private readonly ulong[] registers = new ulong[Slots];

    /// <summary>Model-specific registers as after RESET#.</summary>
    internal void ResetModelRegisters()
    {
        Array.Clear(registers);
        for (int i = 0; i < 4; i++)
            V->PagePointers[i] = 0;
        V->NoExecute = 0;
        registers[SlotPat] = PatAtReset;

        // Fast strings are on after reset.
        registers[SlotFastStrings] = 4;
    }

    /// <summary>The machine has the local APIC that this model has.</summary>
    private bool HasApic => Model.Has(CpuFeatures.Apic) && Lines.HasLocalApic;

    /// <summary>Writes IA32_APIC_BASE, which the local APIC follows.</summary>
    private void SetApicBase(ulong value)
    {
        V->ApicBase = value;
        Lines.ApicBase = value;
        Requests |= Request.BusUsed;
    }

    private bool TryReadMsr(uint index, out ulong value)
    {
        value = 0;
        switch (index)
        {
            case MsrMachineCheckAddress or MsrMachineCheckType:
                // Nothing ever raises a machine check.
                return Model.Has(CpuFeatures.Mce);
            case MsrTimeStampCounter:
                value = TimeStamp;
                return true;
            case MsrSysenterCs when Model.Has(CpuFeatures.Sep):
                value = V->SysenterCs;
                return true;
            case MsrSysenterEsp when Model.Has(CpuFeatures.Sep):
                value = V->SysenterEsp;
                return true;
            case MsrSysenterEip when Model.Has(CpuFeatures.Sep):
                value = V->SysenterEip;
                return true;
            case MsrPlatformId:
                return Model.Family == 6;
            case MsrApicBase when HasApic && Model.HasApicBase:
                value = V->ApicBase;
                return true;
            case MsrDebugControl when Model.Family == 6:
                value = V->DebugControl;
                return true;
            case MsrMtrrCapabilities:
                value = MtrrCapabilities;
                return Model.Has(CpuFeatures.Mtrr);
            case MsrMachineCheckCapabilities:
                value = MachineCheckCapabilities;
                return Model.Has(CpuFeatures.Mca);
            default:
                if (IsBankRegister(index, out bool keeps) && !keeps)
                    return true;
                int slot = SlotOf(index);
                if (slot < 0)
                    return false;
                value = registers[slot];
                return true;
        }
    }

    private bool TryWriteMsr(uint index, ulong value)
    {
        switch (index)
        {
            case MsrMachineCheckAddress or MsrMachineCheckType:
                return Model.Has(CpuFeatures.Mce);
            case MsrTimeStampCounter:
                // WRMSR writes the low half and clears the high one (SDM vol. 3, 17.17, P6 family).
                V->TscOffset += (uint)value - TimeStamp;
                return true;
            case MsrApicBase when HasApic && Model.HasApicBase:
                if ((value & ~ApicBaseDefined) != 0)
                    return false;
                SetApicBase(value);
                return true;
            case MsrUpdateTrigger:
                // No microcode to update: the signature stays what it was.
                return Model.Family == 6;
            case MsrDebugControl when Model.Family == 6:
                if ((value & ~DebugControlDefined) != 0)
                    return false;
                V->DebugControl = (uint)value;
                ModeChanged();
                return true;
            case MsrSysenterCs when Model.Has(CpuFeatures.Sep):
                V->SysenterCs = (uint)value;
                return true;
            case MsrSysenterEsp when Model.Has(CpuFeatures.Sep):
                V->SysenterEsp = (uint)value;
                return true;
            case MsrSysenterEip when Model.Has(CpuFeatures.Sep):
                V->SysenterEip = (uint)value;
                return true;
            default:
                // Status and address of a bank can only be cleared (SDM vol. 3, 15.3.2).
                if (IsBankRegister(index, out bool keeps) && !keeps)
                    return value == 0;
                int slot = SlotOf(index);
                return slot >= 0 && TryWriteSlot(slot, value);
        }
    }

    /// <summary>Writes a register that keeps its value, unless the value is not allowed.</summary>
    private bool TryWriteSlot(int slot, ulong value)
    {
        switch (slot)
        {
            case SlotCounter or SlotCounter + 1:
                // 40 bits, sign-extended from 32 (SDM vol. 3, P6 performance counters).
                value = (ulong)(int)value & 0xFF_FFFF_FFFF;
                break;
            case SlotEventSelect or SlotEventSelect + 1:
                value = (uint)value;
                break;
            case SlotExtendedFeatures:
                if ((value & ~(ulong)ExtendedNxe) != 0)
                    return false;
                V->NoExecute = (value & ExtendedNxe) != 0 ? 1u : 0;
                FlushTranslations(global: true);
                break;
            case SlotPat when !AreMemoryTypes(value, 1u << 7):
                return false;
            case SlotMtrrDefault when (value & ~0xCFFul) != 0 || !IsMemoryType(value & 0xFF, 0):
                return false;
            case >= SlotMtrrFixed and < SlotMtrrVariable when !AreMemoryTypes(value, 0):
                return false;
            case >= SlotMtrrVariable and < SlotMachineCheckStatus when !IsRange(value, isMask: ((slot - SlotMtrrVariable) & 1) != 0):
                return false;
            case SlotMachineCheckStatus when (value & ~7ul) != 0:
                return false;
        }

        registers[slot] = value;
        return true;
    }

    /// <summary>Where a register that keeps its value is kept; -1 when the model does not have it.</summary>
    private int SlotOf(uint index)
    {
        if (index == MsrExtendedFeatures)
            return Model.Has(CpuFeatures.Nx) ? SlotExtendedFeatures : -1;
        if (Model.Family == 5)
            return index is >= MsrPentiumEventSelect and <= MsrPentiumCounter1 ? SlotPentium + (int)(index - MsrPentiumEventSelect) : -1;
        if (Model.Family != 6)
            return -1;
        return index switch
        {
            MsrPowerOn => SlotPowerOn,
            MsrUpdateSignature => SlotUpdateSignature,
            MsrCounter0 or MsrCounter1 => SlotCounter + (int)(index - MsrCounter0),
            MsrEventSelect0 or MsrEventSelect1 => SlotEventSelect + (int)(index - MsrEventSelect0),
            >= MsrLastBranchFrom and <= MsrLastExceptionTo => SlotLastBranch + (int)(index - MsrLastBranchFrom),
            MsrFastStrings => SlotFastStrings,
            MsrPat => Model.Has(CpuFeatures.Pat) ? SlotPat : -1,
            MsrMachineCheckStatus => Model.Has(CpuFeatures.Mca) ? SlotMachineCheckStatus : -1,
            MsrMachineCheckControl => Model.Has(CpuFeatures.Mca) ? SlotMachineCheckControl : -1,
            >= MsrBanks and < MsrBanks + (4 * Banks) when (index & 3) == 0 => Model.Has(CpuFeatures.Mca) ? SlotBankControl + (int)((index - MsrBanks) / 4) : -1,
            _ => Model.Has(CpuFeatures.Mtrr) ? MemoryTypeSlot(index) : -1,
        };
    }

    /// <summary>Slots of the memory type range registers.</summary>
    private static int MemoryTypeSlot(uint index) => index switch
    {
        >= MsrMtrrVariable and < MsrMtrrVariable + (2 * VariableRanges) => SlotMtrrVariable + (int)(index - MsrMtrrVariable),
        0x250 => SlotMtrrFixed,
        0x258 or 0x259 => SlotMtrrFixed + 1 + (int)(index - 0x258),
        >= 0x268 and <= 0x26F => SlotMtrrFixed + 3 + (int)(index - 0x268),
        MsrMtrrDefault => SlotMtrrDefault,
        _ => -1,
    };

    /// <summary>A register of a machine-check bank. MCi_MISC and MC4_ADDR (at 40Eh) are not in the P6 family.</summary>
    /// <param name="index">Register number.</param>
    /// <param name="keeps">It is MCi_CTL, which keeps what is written.</param>
    private bool IsBankRegister(uint index, out bool keeps)
    {
        keeps = (index & 3) == 0;
        return Model.Has(CpuFeatures.Mca) && index is >= MsrBanks and < MsrBanks + (4 * Banks) and not 0x40E && (index & 3) != 3;
    }

    /// <summary>UC, WC, WT, WP, WB, and what <paramref name="more"/> allows (UC- in the PAT).</summary>
    private static bool IsMemoryType(ulong type, uint more) => type < 8 && (((0x73u | more) >> (int)type) & 1) != 0;

    private static bool AreMemoryTypes(ulong value, uint more)
    {
        for (int i = 0; i < 8; i++)
        {
            if (!IsMemoryType((value >> (8 * i)) & 0xFF, more))
                return false;
        }

        return true;
    }

    /// <summary>A base (type and address) or a mask (V and address) of a variable range; all other bits are reserved.</summary>
    private static bool IsRange(ulong value, bool isMask) => isMask
        ? (value & ~(PageAddress | 0x800)) == 0
        : (value & ~(PageAddress | 0xFF)) == 0 && IsMemoryType(value & 0xFF, 0);
}
