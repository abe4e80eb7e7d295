using Iced.Intel;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <summary>CLI, STI, PUSHF, POPF, INT n, INT3, INTO, INT1, IRET, HLT: what the interrupt flag and IOPL govern.</summary>
internal sealed unsafe partial class X86Processor
{
    /// <summary>Shadow after STI: no external interrupt before the next instruction is done.</summary>
    internal const uint ShadowSti = 1;

    /// <summary>Shadow after MOV SS or POP SS: no interrupt and no debug trap before the next instruction is done.</summary>
    internal const uint ShadowStack = 2;

    private static void RegisterFlagInstructions(HandlerTable table)
    {
        table.Straight(Code.Cli, &Cli);
        table.On(Code.Sti, &Sti);
        table.Straight([Code.Pushfw, Code.Pushfd], &Pushf);
        table.On([Code.Popfw, Code.Popfd], &Popf);
        table.On(Code.Int_imm8, &IntImmediate);
        table.On(Code.Int3, &Int3);
        table.On(Code.Into, &Into);
        table.On(Code.Int1, &Int1);
        table.On([Code.Iretw, Code.Iretd], &Iret);
        table.On(Code.Hlt, &Hlt);
    }

    private static void Cli(X86Processor cpu, DecodedOp* op)
    {
        if (cpu.InterruptFlag(out uint flag))
            cpu.V->Eflags &= ~flag;
    }

    private static void Sti(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.InterruptFlag(out uint flag))
            return;
        if (flag == FlagVif && (cpu.V->Eflags & FlagVip) != 0)
        {
            cpu.Fault(VectorGp, 0);
            return;
        }

        if ((cpu.V->Eflags & flag) != 0)
            return;
        cpu.V->Eflags |= flag;
        if (flag == FlagVif)
            return;
        cpu.V->Shadow |= ShadowSti;
    }

    private static void Pushf(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.CheckVirtualFlagAccess((Code)op->Code == Code.Pushfd ? 4u : 2u))
            return;
        uint image = cpu.GetEflags() & ~(FlagVm | FlagRf);
        if (cpu.IsVirtualized)
            image = VirtualImage(image);
        if ((Code)op->Code == Code.Pushfd)
            cpu.Push32(image);
        else
            cpu.Push16(image & 0xFFFF);
    }

    private static void Popf(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.CheckVirtualFlagAccess((Code)op->Code == Code.Popfd ? 4u : 2u))
            return;
        if (cpu.IsVirtualized)
        {
            cpu.PopVirtualFlags();
            return;
        }

        uint changed = FlagsArithmetic | FlagTf | FlagDf | FlagNt;
        uint image;
        if ((Code)op->Code == Code.Popfd)
        {
            if (!cpu.Pop32(out image))
                return;
            changed |= FlagAc | FlagId;
        }
        else if (!cpu.Pop16(out image))
        {
            return;
        }

        if (cpu.Cpl <= cpu.Iopl)
            changed |= FlagIf;
        if (cpu.Cpl == 0)
            changed |= FlagIopl;
        uint flags = cpu.GetEflags();
        uint kept = flags & ~changed;

        // POPFD clears RF; VM stays (SDM vol. 2, POPF).
        if ((Code)op->Code == Code.Popfd)
            kept &= ~FlagRf;
        cpu.ReplaceEflags(flags, kept | (image & changed & cpu.Model.EflagsWritable));
    }

    private static void IntImmediate(X86Processor cpu, DecodedOp* op)
    {
        if (cpu.Physical)
            cpu.PhysicalInterrupt((byte)op->Imm);
        else if (cpu.IsVirtual8086)
            cpu.InterruptInVirtual8086((byte)op->Imm);
        else
            cpu.DeliverInterrupt((byte)op->Imm, InterruptKind.Software, false, 0);
    }

    private static void Int3(X86Processor cpu, DecodedOp* op)
    {
        if (cpu.Physical)
        {
            // The monitor's gate 3 has DPL 3: a trap, with EIP behind the instruction.
            cpu.V->Eip = cpu.NextEip;
            cpu.Fault(VectorBp);
        }
        else
        {
            cpu.DeliverInterrupt(VectorBp, InterruptKind.Software, false, 0);
        }
    }

    private static void Into(X86Processor cpu, DecodedOp* op)
    {
        if ((cpu.GetEflags() & FlagOf) != 0)
            cpu.DeliverInterrupt(VectorOf, InterruptKind.Software, false, 0);
    }

    /// <summary>INT1 (ICEBP): a #DB that needs no DPL and leaves DR6 alone (SDM vol. 2, INT n).</summary>
    private static void Int1(X86Processor cpu, DecodedOp* op)
    {
        if (cpu.Physical)
            cpu.Fault(VectorDb);
        else
            cpu.DeliverInterrupt(VectorDb, InterruptKind.PrivilegedSoftware, false, 0);
    }

    private static void Iret(X86Processor cpu, DecodedOp* op)
    {
        if (cpu.Physical)
            cpu.PhysicalReturn(op);
        else
            cpu.InterruptReturn(OperandBits(op));
    }

    private static void Hlt(X86Processor cpu, DecodedOp* op)
    {
        if (cpu.RequireRing0())
            cpu.RequestHalt();
    }
}
