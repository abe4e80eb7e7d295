using Iced.Intel;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <summary>CPUID, RDTSC, RDPMC, RDMSR, WRMSR, SYSENTER, SYSEXIT, and what is left of the coprocessor interface.</summary>
internal sealed unsafe partial class X86Processor
{
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
            (cpu.V->Gpr[0], cpu.V->Gpr[3], cpu.V->Gpr[1], cpu.V->Gpr[2]) = cpu.Cpuid(leaf);
    }

    /// <summary>What CPUID answers now.</summary>
    internal (uint Eax, uint Ebx, uint Ecx, uint Edx) Cpuid(uint leaf) => Model.Cpuid(leaf, (V->ApicBase & ApicGlobalEnable) != 0);

    /// <summary>A host processor, unlike the guest's in every leaf: an unpatched CPUID shows at once.</summary>
    private void PhysicalCpuid(uint leaf)
    {
        V->Gpr[0] = leaf == 0 ? 0x0Du : 0x000A_0F00u | (leaf & 0xF);
        V->Gpr[3] = 0x7473_6F48; // "Host"
        V->Gpr[1] = 0x7265_6D6D; // "mmer"
        V->Gpr[2] = 0xFFFF_FFFF;
    }

    /// <summary>Cycles: one for each period of guest time, so that the counter runs on while the guest is halted.</summary>
    private ulong TimeStamp => Cycles + V->TscOffset;

    /// <summary>Counts the host's cycles, where the guest runs on its processor; null where guest time does.</summary>
    internal Func<ulong>? HostCycles { get; init; }

    private ulong Cycles
    {
        get
        {
            if (HostCycles is null)
                return V->Now / Math.Max(1u, V->NanosecondsPerInstruction);

            // A journal may have been asked, and have something that comes next.
            Requests |= Request.BusUsed;
            return HostCycles();
        }
    }

    /// <summary>At RESET# the counter begins at zero; where the guest runs on the host's processor it is the host's counter, which RDTSC reads without a word.</summary>
    private void ResetTimeStamp() => V->TscOffset = HostCycles is null ? 0 - Cycles : 0;

    private static void Rdtsc(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.Physical && (cpu.V->Cr4 & Cr4Tsd) != 0 && cpu.Cpl != 0)
        {
            cpu.Fault(VectorGp, 0);
            return;
        }

        cpu.SetEdxEax(!cpu.Physical ? cpu.TimeStamp : cpu.HostCycles is null ? cpu.Cycles + MonitorTables.TimeStampOffset : cpu.Cycles);
    }

    private static void Rdpmc(X86Processor cpu, DecodedOp* op)
    {
        uint counter = cpu.V->Gpr[1];
        if (cpu.Physical || (cpu.Cpl != 0 && (cpu.V->Cr4 & Cr4Pce) == 0) || counter > 1)
            cpu.Fault(VectorGp, 0);
        else
            cpu.SetEdxEax(cpu.registers[SlotCounter + (int)counter]);
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

    /// <summary>SYSENTER: flat ring-0 CS and SS, interrupts off, out of virtual-8086 mode too (SDM vol. 2). #UD on a model that does not report SEP.</summary>
    private static void Sysenter(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.Model.Has(CpuFeatures.Sep))
        {
            cpu.Fault(VectorUd);
            return;
        }

        if ((cpu.V->Cr0 & Cr0Pe) == 0 || cpu.Physical || (cpu.V->SysenterCs & 0xFFFC) == 0)
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
        if (!cpu.Model.Has(CpuFeatures.Sep))
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
