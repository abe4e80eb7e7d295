using Iced.Intel;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <summary>IN, OUT, INS, OUTS (SDM vol. 1, chapter 19): IOPL, then the TSS permission bitmap.</summary>
internal sealed unsafe partial class X86Processor
{
    /// <summary>Offset of the I/O map base in a 32-bit TSS (SDM vol. 3, 7.2.1).</summary>
    private const uint TssIoMapBase = 0x66;

    private static void RegisterPortIo(HandlerTable table)
    {
        table.On([Code.In_AL_imm8, Code.In_AX_imm8, Code.In_EAX_imm8], &InImmediate);
        table.On([Code.In_AL_DX, Code.In_AX_DX, Code.In_EAX_DX], &InDx);
        table.On([Code.Out_imm8_AL, Code.Out_imm8_AX, Code.Out_imm8_EAX], &OutImmediate);
        table.On([Code.Out_DX_AL, Code.Out_DX_AX, Code.Out_DX_EAX], &OutDx);
        table.On(Code.Insb_m8_DX, &Insb);
        table.On(Code.Insw_m16_DX, &Insw);
        table.On(Code.Insd_m32_DX, &Insd);
        table.On(Code.Outsb_DX_m8, &Outsb);
        table.On(Code.Outsw_DX_m16, &Outsw);
        table.On(Code.Outsd_DX_m32, &Outsd);
    }

    /// <summary>Whether the program may reach these ports; otherwise #GP(0) is pending (or #PF from reading the bitmap).</summary>
    private bool CheckPort(ushort port, int width)
    {
        if (Physical)
            return Fault(VectorGp, 0);
        if (!IsVirtual8086 && ((V->Cr0 & Cr0Pe) == 0 || Cpl <= Iopl))
            return true;
        ref SegmentRegister tr = ref Segment(SegmentIndex.Tr);
        if (tr.Usable == 0 || (tr.Attributes & 0x0D) != 0x09 || tr.Limit < TssIoMapBase + 1)
            return Fault(VectorGp, 0);
        if (!ReadSystem16(tr.Base + TssIoMapBase, out uint map))
            return false;

        // Two bytes are always read, so that an access of several ports may straddle a byte: the map needs a byte of ones behind it.
        uint at = map + (port / 8u);
        if (at + 1 > tr.Limit)
            return Fault(VectorGp, 0);
        if (!ReadSystem16(tr.Base + at, out uint bits))
            return false;
        uint mask = ((1u << width) - 1) << (port & 7);
        return (bits & mask) == 0 || Fault(VectorGp, 0);
    }

    private static void InImmediate(X86Processor cpu, DecodedOp* op) => cpu.In((byte)op->Imm, PortWidth(op));

    private static void InDx(X86Processor cpu, DecodedOp* op) => cpu.In((ushort)cpu.V->Gpr[2], PortWidth(op));

    private static void OutImmediate(X86Processor cpu, DecodedOp* op) => cpu.Out((byte)op->Imm, PortWidth(op));

    private static void OutDx(X86Processor cpu, DecodedOp* op) => cpu.Out((ushort)cpu.V->Gpr[2], PortWidth(op));

    private static void Insb(X86Processor cpu, DecodedOp* op) => cpu.Ins(op, 1);

    private static void Insw(X86Processor cpu, DecodedOp* op) => cpu.Ins(op, 2);

    private static void Insd(X86Processor cpu, DecodedOp* op) => cpu.Ins(op, 4);

    private static void Outsb(X86Processor cpu, DecodedOp* op) => cpu.Outs(op, 1);

    private static void Outsw(X86Processor cpu, DecodedOp* op) => cpu.Outs(op, 2);

    private static void Outsd(X86Processor cpu, DecodedOp* op) => cpu.Outs(op, 4);

    private static int PortWidth(DecodedOp* op) => (Code)op->Code switch
    {
        Code.In_AL_imm8 or Code.In_AL_DX or Code.Out_imm8_AL or Code.Out_DX_AL => 1,
        Code.In_AX_imm8 or Code.In_AX_DX or Code.Out_imm8_AX or Code.Out_DX_AX => 2,
        _ => 4,
    };

    private void In(ushort port, int width)
    {
        if (!CheckPort(port, width))
            return;
        SetAccumulator(width, PortIn(port, width));
        CheckPortBreakpoint(port, width);
    }

    private void Out(ushort port, int width)
    {
        if (!CheckPort(port, width))
            return;
        PortOut(port, width, width == 4 ? V->Gpr[0] : V->Gpr[0] & ((1u << (8 * width)) - 1));
        CheckPortBreakpoint(port, width);
    }

    private void SetAccumulator(int width, uint value)
    {
        uint mask = width == 4 ? 0xFFFF_FFFF : (1u << (8 * width)) - 1;
        V->Gpr[0] = (V->Gpr[0] & ~mask) | (value & mask);
    }

    /// <summary>One iteration of INS. The port's permission is checked even when the count is zero; the destination is checked before the port is read, since reading may have effects.</summary>
    private void Ins(DecodedOp* op, int width)
    {
        ushort port = (ushort)V->Gpr[2];
        if (!CheckPort(port, width) || !BeginIteration(op, out uint count))
            return;
        uint mask = AddressMask(op);
        uint offset = V->Gpr[7] & mask;
        if (InsBlock(op, port, width, count, mask))
            return;
        if (!ProbeStore(SegmentIndex.Es, offset, (uint)width))
            return;
        uint value = PortIn(port, width);
        bool stored = width switch
        {
            1 => Store8(SegmentIndex.Es, offset, value),
            2 => Store16(SegmentIndex.Es, offset, value),
            _ => Store32(SegmentIndex.Es, offset, value),
        };
        if (!stored)
            return;
        Advance(7, width, mask);
        EndIteration(op, count);
        CheckPortBreakpoint(port, width);
    }

    /// <summary>One iteration of OUTS.</summary>
    private void Outs(DecodedOp* op, int width)
    {
        ushort port = (ushort)V->Gpr[2];
        if (!CheckPort(port, width) || !BeginIteration(op, out uint count))
            return;
        uint mask = AddressMask(op);
        uint offset = V->Gpr[6] & mask;
        var segment = (SegmentIndex)op->Segment;
        if (OutsBlock(op, port, width, count, mask))
            return;
        uint value;
        bool loaded = width switch
        {
            1 => Load8(segment, offset, out value),
            2 => Load16(segment, offset, out value),
            _ => Load32(segment, offset, out value),
        };
        if (!loaded)
            return;
        PortOut(port, width, value);
        Advance(6, width, mask);
        EndIteration(op, count);
        CheckPortBreakpoint(port, width);
    }

    /// <summary>False when a repeated instruction has nothing to do.</summary>
    private bool BeginIteration(DecodedOp* op, out uint count)
    {
        count = V->Gpr[1] & AddressMask(op);
        return (op->Flags & (OpFlags.Rep | OpFlags.Repne)) == 0 || count != 0;
    }

    /// <summary>Counts (E)CX down; while it is not zero the instruction is its own successor, so that interrupts come between iterations.</summary>
    private void EndIteration(DecodedOp* op, uint count)
    {
        if ((op->Flags & (OpFlags.Rep | OpFlags.Repne)) == 0)
            return;
        uint mask = AddressMask(op);
        V->Gpr[1] = (V->Gpr[1] & ~mask) | ((count - 1) & mask);
        if (((count - 1) & mask) == 0)
            return;
        NextEip = V->Eip;
        RepeatPartial = true;
    }

    private void Advance(int register, int width, uint mask)
    {
        uint step = (V->Eflags & FlagDf) != 0 ? (uint)-width : (uint)width;
        V->Gpr[register] = (V->Gpr[register] & ~mask) | ((V->Gpr[register] + step) & mask);
    }
}
