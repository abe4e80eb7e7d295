using System.Runtime.CompilerServices;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <content>PUSH, POP, PUSHA, POPA, ENTER, LEAVE.</content>
internal sealed unsafe partial class X86Processor
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool PushFast32(uint value)
    {
        uint pointer = V->Gpr[4] - 4;
        if (!Store32(Segments + 2, pointer & StackMask, value))
            return false;
        SetStackPointer(pointer);
        return true;
    }

    private static DecodedOp* PushReg32(X86Processor cpu, DecodedOp* op) =>
        cpu.PushFast32(*(uint*)op->Dst) ? op + 1 : cpu.LeaveBefore(op);

    private static DecodedOp* PushImm32(X86Processor cpu, DecodedOp* op) =>
        cpu.PushFast32(op->Imm) ? op + 1 : cpu.LeaveBefore(op);

    private static DecodedOp* PushMem32(X86Processor cpu, DecodedOp* op) =>
        cpu.Load32(op->Seg, Address(op), out uint value) && cpu.PushFast32(value) ? op + 1 : cpu.LeaveBefore(op);

    private static DecodedOp* PopReg32(X86Processor cpu, DecodedOp* op)
    {
        uint pointer = cpu.V->Gpr[4];
        if (!cpu.Load32(cpu.Segments + 2, pointer & cpu.StackMask, out uint value))
            return cpu.LeaveBefore(op);

        // POP ESP: the increment comes first, the value wins.
        cpu.SetStackPointer(pointer + 4);
        *(uint*)op->Dst = value;
        return op + 1;
    }

    private static DecodedOp* PushReg16(X86Processor cpu, DecodedOp* op) =>
        cpu.Push16(*(ushort*)op->Dst) ? op + 1 : cpu.LeaveBefore(op);

    private static DecodedOp* PushImm16(X86Processor cpu, DecodedOp* op) =>
        cpu.Push16(op->Imm) ? op + 1 : cpu.LeaveBefore(op);

    private static DecodedOp* PushMem16(X86Processor cpu, DecodedOp* op) =>
        cpu.Load16(op->Seg, Address(op), out uint value) && cpu.Push16(value) ? op + 1 : cpu.LeaveBefore(op);

    private static DecodedOp* PopReg16(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.Pop16(out uint value))
            return cpu.LeaveBefore(op);
        *(ushort*)op->Dst = (ushort)value;
        return op + 1;
    }

    /// <remarks>An ESP-based address uses the incremented ESP (SDM vol. 2, POP).</remarks>
    private static DecodedOp* PopMem<TW>(X86Processor cpu, DecodedOp* op)
        where TW : struct, IWidth
    {
        uint pointer = cpu.V->Gpr[4];
        if (!TW.Load(cpu, cpu.Segments + 2, pointer & cpu.StackMask, out uint value))
            return cpu.LeaveBefore(op);
        cpu.SetStackPointer(pointer + (uint)TW.Bytes);
        if (TW.Store(cpu, op->Seg, Address(op), value))
            return op + 1;
        cpu.V->Gpr[4] = pointer;
        return cpu.LeaveBefore(op);
    }

    private static DecodedOp* Leave32(X86Processor cpu, DecodedOp* op)
    {
        uint frame = cpu.V->Gpr[5];
        if (!cpu.Load32(cpu.Segments + 2, frame & cpu.StackMask, out uint value))
            return cpu.LeaveBefore(op);
        cpu.SetStackPointer(frame + 4);
        cpu.V->Gpr[5] = value;
        return op + 1;
    }

    private static DecodedOp* Leave16(X86Processor cpu, DecodedOp* op)
    {
        uint frame = cpu.V->Gpr[5];
        if (!cpu.Load16(cpu.Segments + 2, frame & cpu.StackMask, out uint value))
            return cpu.LeaveBefore(op);
        cpu.SetStackPointer(frame + 2);
        cpu.Reg16(5) = (ushort)value;
        return op + 1;
    }

    private static void Pusha(X86Processor cpu, DecodedOp* op)
    {
        uint width = op->Is32 ? 4u : 2u;
        uint pointer = cpu.V->Gpr[4];
        if (!cpu.ProbeStack(pointer, width, 1, 8))
            return;
        for (uint i = 0; i < 8; i++)
        {
            uint at = (pointer - (width * (i + 1))) & cpu.StackMask;
            if (!(width == 4 ? cpu.Store32(SegmentIndex.Ss, at, cpu.V->Gpr[i]) : cpu.Store16(SegmentIndex.Ss, at, cpu.V->Gpr[i])))
                return;
        }

        cpu.SetStackPointer(pointer - (width * 8));
    }

    /// <summary>Checks that pushes below a stack pointer would succeed, from the <paramref name="first"/> (1 is the next) to the <paramref name="last"/>.</summary>
    private bool ProbeStack(uint pointer, uint width, uint first, uint last)
    {
        for (uint i = first; i <= last; i++)
        {
            if (!ProbeStore(SegmentIndex.Ss, (pointer - (width * i)) & StackMask, width))
                return false;
        }

        return true;
    }

    private static void Popa(X86Processor cpu, DecodedOp* op)
    {
        uint width = op->Is32 ? 4u : 2u;
        uint pointer = cpu.V->Gpr[4];
        uint* values = stackalloc uint[8];
        for (uint i = 0; i < 8; i++)
        {
            uint at = (pointer + (width * i)) & cpu.StackMask;
            if (!(width == 4 ? cpu.Load32(SegmentIndex.Ss, at, out values[7 - i]) : cpu.Load16(SegmentIndex.Ss, at, out values[7 - i])))
                return;
        }

        for (int i = 0; i < 8; i++)
        {
            if (i == 4)
                continue;
            if (width == 4)
                cpu.V->Gpr[i] = values[i];
            else
                cpu.Reg16(i) = (ushort)values[i];
        }

        cpu.SetStackPointer(pointer + (width * 8));
    }

    /// <summary>ENTER (SDM vol. 2): the whole frame is checked first, the final stack pointer as well.</summary>
    private static void Enter(X86Processor cpu, DecodedOp* op)
    {
        uint width = op->Is32 ? 4u : 2u;
        uint level = op->Imm2 & 31;
        uint pointer = cpu.V->Gpr[4];
        uint framePointer = cpu.V->Gpr[5];
        uint* pushed = stackalloc uint[33];
        pushed[1] = framePointer;
        if (!cpu.ProbeStack(pointer, width, 1, 1))
            return;
        for (uint i = 1; i < level; i++)
        {
            uint at = (framePointer - (width * i)) & cpu.StackMask;
            if (!(width == 4 ? cpu.Load32(SegmentIndex.Ss, at, out uint outer) : cpu.Load16(SegmentIndex.Ss, at, out outer)) || !cpu.ProbeStack(pointer, width, i + 1, i + 1))
                return;
            pushed[i + 1] = cpu.OverlayPushed(outer, at, pointer, width, pushed, i);
        }

        uint pushes = 1 + level;
        uint frame = pointer - width;
        uint final = pointer - (width * pushes) - (op->Imm & 0xFFFF);
        if (!cpu.ProbeStack(pointer, width, pushes, pushes) || !cpu.ProbeStore(SegmentIndex.Ss, final & cpu.StackMask, width))
            return;
        for (uint i = 1; i <= Math.Max(1, level); i++)
            cpu.StoreStack(pointer, width, i, pushed[i]);
        if (level > 0)
        {
            uint image = cpu.StackMask == uint.MaxValue ? frame : (pointer & 0xFFFF0000) | (frame & 0xFFFF);
            cpu.StoreStack(pointer, width, level + 1, image);
        }

        if (width == 4)
            cpu.V->Gpr[5] = cpu.StackMask == uint.MaxValue ? frame : (framePointer & 0xFFFF0000) | (frame & 0xFFFF);
        else
            cpu.Reg16(5) = (ushort)frame;
        cpu.SetStackPointer(final);
    }

    /// <summary>
    /// What ENTER finds when it reads an outer frame pointer: it pushes each before it reads the next, and the display may overlap what it pushes.
    /// Here everything is read and checked before anything is written.
    /// </summary>
    /// <param name="value">What memory holds.</param>
    /// <param name="at">Where.</param>
    /// <param name="pointer">The stack pointer before.</param>
    /// <param name="width">2 or 4 bytes.</param>
    /// <param name="pushed">The words pushed so far, from index 1.</param>
    /// <param name="count">How many.</param>
    private uint OverlayPushed(uint value, uint at, uint pointer, uint width, uint* pushed, uint count)
    {
        ulong mask = width == 4 ? uint.MaxValue : 0xFFFFu;
        for (uint i = 1; i <= count; i++)
        {
            int distance = (int)(((pointer - (width * i)) & StackMask) - at);
            if (Math.Abs((long)distance) >= width)
                continue;
            int shift = Math.Abs(distance) * 8;
            ulong covered = distance >= 0 ? mask << shift : mask >> shift;
            ulong bytes = distance >= 0 ? (pushed[i] & mask) << shift : (pushed[i] & mask) >> shift;
            value = (uint)(((value & ~covered) | bytes) & mask);
        }

        return value;
    }

    private void StoreStack(uint pointer, uint width, uint index, uint value)
    {
        uint at = (pointer - (width * index)) & StackMask;
        if (width == 4)
            Store32(SegmentIndex.Ss, at, value);
        else
            Store16(SegmentIndex.Ss, at, value);
    }
}
