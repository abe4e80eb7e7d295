using Iced.Intel;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <summary>CPUID, RDTSC, RDPMC, RDMSR, WRMSR, SYSENTER, and what is left of the coprocessor interface.</summary>
internal sealed unsafe partial class X86Processor
{
    private const uint MsrTimeStampCounter = 0x10;
    private const uint MsrPlatformId = 0x17;
    private const uint MsrPowerOn = 0x2A;
    private const uint MsrUpdateTrigger = 0x79;
    private const uint MsrUpdateSignature = 0x8B;
    private const uint MsrCounter0 = 0xC1;
    private const uint MsrCounter1 = 0xC2;
    private const uint MsrSysenterCs = 0x174;
    private const uint MsrSysenterEsp = 0x175;
    private const uint MsrSysenterEip = 0x176;
    private const uint MsrEventSelect0 = 0x186;
    private const uint MsrEventSelect1 = 0x187;

    /// <summary>On the physical processor the time-stamp counter is the host's, which a guest must not see: far away from any virtual one.</summary>
    private const ulong PhysicalTimeStamp = 1ul << 52;

    /// <summary>PerfEvtSel0-1 and PerfCtr0-1: kept as written; nothing is counted.</summary>
    private readonly ulong[] performance = new ulong[4];

    private ulong updateSignature;
    private ulong powerOnConfiguration;

    private static void RegisterModelSpecific(HandlerTable table)
    {
        table.Straight(Code.Cpuid, &CpuidInstruction);
        table.On(Code.Rdtsc, &Rdtsc);
        table.On(Code.Rdpmc, &Rdpmc);
        table.On(Code.Rdmsr, &Rdmsr);
        table.On(Code.Wrmsr, &Wrmsr);
        table.On(Code.Sysenter, &Sysenter);
        table.On(Code.Sysexitd, &Sysexit);
        table.On(Code.Wait, &Wait);
        foreach (Code code in Enum.GetValues<Code>())
        {
            if (IsEscape(code))
                table.On(code, &Escape);
        }
    }

    /// <summary>Opcodes D8h-DFh.</summary>
    internal static bool IsEscape(Code code)
    {
        OpCodeInfo info = code.ToOpCode();
        return info.IsInstruction && info.Encoding == EncodingKind.Legacy && info.Table == OpCodeTableKind.Normal
            && (info.OpCode is (>= 0xD8 and <= 0xDF) or (>= 0xD8C0 and <= 0xDFFF));
    }

    /// <summary>An escape opcode with no coprocessor there: #NM with CR0.EM or CR0.TS set; otherwise nothing answers, and nothing changes.
    /// The processor computes the operand's address and checks it before it offers the instruction to the coprocessor.</summary>
    private static void Escape(X86Processor cpu, DecodedOp* op)
    {
        if ((cpu.V->Cr0 & (Cr0Em | Cr0Ts)) != 0)
            cpu.Fault(VectorNm);
        else if (op->HasMemory && op->Size != 0)
            cpu.ProbeLoad((SegmentIndex)op->Segment, Address(op), op->Size);
    }

    private static void Wait(X86Processor cpu, DecodedOp* op)
    {
        if ((cpu.V->Cr0 & (Cr0Mp | Cr0Ts)) == (Cr0Mp | Cr0Ts))
            cpu.Fault(VectorNm);
    }

    private static void CpuidInstruction(X86Processor cpu, DecodedOp* op)
    {
        uint leaf = cpu.V->Gpr[0];
        if (cpu.Physical)
            cpu.PhysicalCpuid(leaf);
        else
            cpu.Cpuid(leaf);
    }

    private void Cpuid(uint leaf)
    {
        (V->Gpr[0], V->Gpr[3], V->Gpr[1], V->Gpr[2]) = Model.Cpuid(leaf);
    }

    /// <summary>A host processor, unlike the guest's in every leaf: an unpatched CPUID shows at once.</summary>
    private void PhysicalCpuid(uint leaf)
    {
        V->Gpr[0] = leaf == 0 ? 0x0Du : 0x000A_0F00u | (leaf & 0xF);
        V->Gpr[3] = 0x7473_6F48; // "Host"
        V->Gpr[1] = 0x7265_6D6D; // "mmer"
        V->Gpr[2] = 0xFFFF_FFFF;
    }

    /// <summary>Cycles: one for each period of guest time, so that the counter runs on while the guest is halted.</summary>
    private ulong TimeStamp => (V->Now / Math.Max(1u, V->NanosecondsPerInstruction)) + V->TscOffset;

    private static void Rdtsc(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.Physical && (cpu.V->Cr4 & Cr4Tsd) != 0 && cpu.Cpl != 0)
        {
            cpu.Fault(VectorGp, 0);
            return;
        }

        cpu.SetEdxEax(cpu.Physical ? cpu.TimeStamp + PhysicalTimeStamp : cpu.TimeStamp);
    }

    private static void Rdpmc(X86Processor cpu, DecodedOp* op)
    {
        uint counter = cpu.V->Gpr[1];
        if (cpu.Physical || (cpu.Cpl != 0 && (cpu.V->Cr4 & Cr4Pce) == 0) || counter > 1)
            cpu.Fault(VectorGp, 0);
        else
            cpu.SetEdxEax(cpu.performance[2 + counter]);
    }

    private static void Rdmsr(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.RequireRing0())
            return;
        if (cpu.TryReadMsr(cpu.V->Gpr[1], out ulong value))
            cpu.SetEdxEax(value);
        else
            cpu.Fault(VectorGp, 0);
    }

    private static void Wrmsr(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.RequireRing0())
            return;
        ulong value = ((ulong)cpu.V->Gpr[2] << 32) | cpu.V->Gpr[0];
        if (!cpu.TryWriteMsr(cpu.V->Gpr[1], value))
            cpu.Fault(VectorGp, 0);
    }

    private void SetEdxEax(ulong value)
    {
        V->Gpr[0] = (uint)value;
        V->Gpr[2] = (uint)(value >> 32);
    }

    private bool HasSysenter => Model.Has(CpuFeatures.Sep);

    private bool TryReadMsr(uint index, out ulong value)
    {
        value = 0;
        switch (index)
        {
            case MsrTimeStampCounter:
                value = TimeStamp;
                return true;
            case MsrPlatformId:
                return true;
            case MsrPowerOn:
                value = powerOnConfiguration;
                return true;
            case MsrUpdateSignature:
                value = updateSignature;
                return true;
            case MsrCounter0 or MsrCounter1:
                value = performance[2 + (index - MsrCounter0)];
                return true;
            case MsrEventSelect0 or MsrEventSelect1:
                value = performance[index - MsrEventSelect0];
                return true;
            case MsrSysenterCs when HasSysenter:
                value = V->SysenterCs;
                return true;
            case MsrSysenterEsp when HasSysenter:
                value = V->SysenterEsp;
                return true;
            case MsrSysenterEip when HasSysenter:
                value = V->SysenterEip;
                return true;
            default:
                return false;
        }
    }

    private bool TryWriteMsr(uint index, ulong value)
    {
        switch (index)
        {
            case MsrTimeStampCounter:
                // WRMSR writes the low half and clears the high one (SDM vol. 3, 17.17, P6 family).
                V->TscOffset += (uint)value - TimeStamp;
                return true;
            case MsrPowerOn:
                powerOnConfiguration = value;
                return true;
            case MsrUpdateTrigger:
                // No microcode to update: the signature stays what it was.
                return true;
            case MsrUpdateSignature:
                updateSignature = value;
                return true;
            case MsrCounter0 or MsrCounter1:
                // 40 bits, sign-extended from 32 (SDM vol. 3, P6 performance counters).
                performance[2 + (index - MsrCounter0)] = (ulong)(int)value & 0xFF_FFFF_FFFF;
                return true;
            case MsrEventSelect0 or MsrEventSelect1:
                performance[index - MsrEventSelect0] = (uint)value;
                return true;
            case MsrSysenterCs when HasSysenter:
                V->SysenterCs = (uint)value;
                return true;
            case MsrSysenterEsp when HasSysenter:
                V->SysenterEsp = (uint)value;
                return true;
            case MsrSysenterEip when HasSysenter:
                V->SysenterEip = (uint)value;
                return true;
            default:
                return false;
        }
    }

    /// <summary>SYSENTER: flat ring-0 CS and SS, interrupts off (SDM vol. 2). #UD on a model that does not report SEP.</summary>
    private static void Sysenter(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.HasSysenter)
        {
            cpu.Fault(VectorUd);
            return;
        }

        if (!cpu.ProtectedMode || cpu.Physical || (cpu.V->SysenterCs & 0xFFFC) == 0)
        {
            cpu.Fault(VectorGp, 0);
            return;
        }

        ushort selector = (ushort)(cpu.V->SysenterCs & 0xFFFC);
        cpu.SetEflags(cpu.GetEflags() & ~(FlagIf | FlagVm | FlagRf));
        cpu.SetFlat(SegmentIndex.Cs, selector, 0x9B);
        cpu.SetFlat(SegmentIndex.Ss, (ushort)(selector + 8), 0x93);
        cpu.SetPrivilege(0);
        cpu.V->Gpr[4] = cpu.V->SysenterEsp;
        cpu.NextEip = cpu.V->SysenterEip;
        cpu.ModeChanged();
    }

    /// <summary>SYSEXIT: flat ring-3 CS and SS, ESP from ECX, EIP from EDX.</summary>
    private static void Sysexit(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.HasSysenter)
        {
            cpu.Fault(VectorUd);
            return;
        }

        if (!cpu.ProtectedMode || cpu.Cpl != 0 || (cpu.V->SysenterCs & 0xFFFC) == 0)
        {
            cpu.Fault(VectorGp, 0);
            return;
        }

        ushort selector = (ushort)((cpu.V->SysenterCs & 0xFFFC) + 16);
        cpu.SetFlat(SegmentIndex.Cs, (ushort)(selector | 3), 0xFB);
        cpu.SetFlat(SegmentIndex.Ss, (ushort)((selector + 8) | 3), 0xF3);
        cpu.SetPrivilege(3);
        cpu.V->Gpr[4] = cpu.V->Gpr[1];
        cpu.NextEip = cpu.V->Gpr[2];
        cpu.ModeChanged();
    }

    private void SetFlat(SegmentIndex index, ushort selector, ushort access) => Segment(index) = new SegmentRegister
    {
        Selector = selector,
        Attributes = (ushort)(0xC000 | access),
        Base = 0,
        Limit = 0xFFFF_FFFF,
        Usable = 1,
    };
}
