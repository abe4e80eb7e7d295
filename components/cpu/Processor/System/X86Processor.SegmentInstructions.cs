using Iced.Intel;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <summary>Instructions that read and load segment registers, and far transfers as instructions.</summary>
internal sealed unsafe partial class X86Processor
{
    private static void RegisterSegmentInstructions(HandlerTable table)
    {
        table.On([Code.Mov_Sreg_rm16, Code.Mov_Sreg_r32m16], &MovToSegment);
        table.Straight([Code.Mov_rm16_Sreg, Code.Mov_r32m16_Sreg], &MovFromSegment);
        table.Straight(Code.Pushw_ES, &Push16Es);
        table.Straight(Code.Pushw_CS, &Push16Cs);
        table.Straight(Code.Pushw_SS, &Push16Ss);
        table.Straight(Code.Pushw_DS, &Push16Ds);
        table.Straight(Code.Pushw_FS, &Push16Fs);
        table.Straight(Code.Pushw_GS, &Push16Gs);
        table.Straight(Code.Pushd_ES, &Push32Es);
        table.Straight(Code.Pushd_CS, &Push32Cs);
        table.Straight(Code.Pushd_SS, &Push32Ss);
        table.Straight(Code.Pushd_DS, &Push32Ds);
        table.Straight(Code.Pushd_FS, &Push32Fs);
        table.Straight(Code.Pushd_GS, &Push32Gs);
        table.On([Code.Popw_ES, Code.Popd_ES], &PopEs);
        table.On([Code.Popw_SS, Code.Popd_SS], &PopSs);
        table.On([Code.Popw_DS, Code.Popd_DS], &PopDs);
        table.On([Code.Popw_FS, Code.Popd_FS], &PopFs);
        table.On([Code.Popw_GS, Code.Popd_GS], &PopGs);
        table.On([Code.Les_r16_m1616, Code.Les_r32_m1632], &LoadEsPointer);
        table.On([Code.Lds_r16_m1616, Code.Lds_r32_m1632], &LoadDsPointer);
        table.On([Code.Lss_r16_m1616, Code.Lss_r32_m1632], &LoadSsPointer);
        table.On([Code.Lfs_r16_m1616, Code.Lfs_r32_m1632], &LoadFsPointer);
        table.On([Code.Lgs_r16_m1616, Code.Lgs_r32_m1632], &LoadGsPointer);
        table.On([Code.Jmp_ptr1616, Code.Jmp_ptr1632], &JumpFarDirect);
        table.On([Code.Jmp_m1616, Code.Jmp_m1632], &JumpFarIndirect);
        table.On([Code.Call_ptr1616, Code.Call_ptr1632], &CallFarDirect);
        table.On([Code.Call_m1616, Code.Call_m1632], &CallFarIndirect);
        table.On([Code.Retfw, Code.Retfd], &ReturnFar);
        table.On([Code.Retfw_imm16, Code.Retfd_imm16], &ReturnFarImmediate);
    }

    /// <summary>The selector as a program sees it: on the physical processor the deprivileged one, RPL 3.</summary>
    private ushort VisibleSelector(SegmentIndex index) =>
        Physical ? (ushort)(Segment(index).Selector | 3) : Segment(index).Selector;

    private static uint AddressMask(DecodedOp* op) => op->IsAddress32 ? 0xFFFF_FFFF : 0xFFFF;

    /// <summary>Loads a 16-bit r/m operand that is operand 0 or 1.</summary>
    private bool LoadWord(DecodedOp* op, out uint value)
    {
        if (op->HasMemory)
            return Load16((SegmentIndex)op->Segment, Address(op), out value);
        value = *(ushort*)(op->Src != null ? op->Src : op->Dst);
        return true;
    }

    /// <summary>Stores operand 0: a word in memory; in a register a word, or zero-extended with the 32-bit operand size.</summary>
    private void StoreWordOrRegister(DecodedOp* op, uint value)
    {
        if (op->HasMemory)
            Store16((SegmentIndex)op->Segment, Address(op), value & 0xFFFF);
        else if (op->Is32)
            *(uint*)op->Dst = value;
        else
            *(ushort*)op->Dst = (ushort)value;
    }

    private static void MovToSegment(X86Processor cpu, DecodedOp* op)
    {
        var index = (SegmentIndex)op->Reg0;
        if (index == SegmentIndex.Cs || op->Reg0 > (byte)SegmentIndex.Gs)
        {
            cpu.Fault(VectorUd);
            return;
        }

        if (!cpu.LoadWord(op, out uint selector) || !cpu.LoadSegment(index, (ushort)selector))
            return;
        if (index == SegmentIndex.Ss)
            cpu.BeginStackShadow();
    }

    private static void MovFromSegment(X86Processor cpu, DecodedOp* op) =>
        cpu.StoreWordOrRegister(op, cpu.VisibleSelector((SegmentIndex)op->Reg1));

    private static void Push16Es(X86Processor cpu, DecodedOp* op) => cpu.Push16(cpu.VisibleSelector(SegmentIndex.Es));

    private static void Push16Cs(X86Processor cpu, DecodedOp* op) => cpu.Push16(cpu.VisibleSelector(SegmentIndex.Cs));

    private static void Push16Ss(X86Processor cpu, DecodedOp* op) => cpu.Push16(cpu.VisibleSelector(SegmentIndex.Ss));

    private static void Push16Ds(X86Processor cpu, DecodedOp* op) => cpu.Push16(cpu.VisibleSelector(SegmentIndex.Ds));

    private static void Push16Fs(X86Processor cpu, DecodedOp* op) => cpu.Push16(cpu.VisibleSelector(SegmentIndex.Fs));

    private static void Push16Gs(X86Processor cpu, DecodedOp* op) => cpu.Push16(cpu.VisibleSelector(SegmentIndex.Gs));

    private static void Push32Es(X86Processor cpu, DecodedOp* op) => cpu.Push32(cpu.VisibleSelector(SegmentIndex.Es));

    private static void Push32Cs(X86Processor cpu, DecodedOp* op) => cpu.Push32(cpu.VisibleSelector(SegmentIndex.Cs));

    private static void Push32Ss(X86Processor cpu, DecodedOp* op) => cpu.Push32(cpu.VisibleSelector(SegmentIndex.Ss));

    private static void Push32Ds(X86Processor cpu, DecodedOp* op) => cpu.Push32(cpu.VisibleSelector(SegmentIndex.Ds));

    private static void Push32Fs(X86Processor cpu, DecodedOp* op) => cpu.Push32(cpu.VisibleSelector(SegmentIndex.Fs));

    private static void Push32Gs(X86Processor cpu, DecodedOp* op) => cpu.Push32(cpu.VisibleSelector(SegmentIndex.Gs));

    private static void PopEs(X86Processor cpu, DecodedOp* op) => cpu.PopSegment(op, SegmentIndex.Es);

    private static void PopSs(X86Processor cpu, DecodedOp* op) => cpu.PopSegment(op, SegmentIndex.Ss);

    private static void PopDs(X86Processor cpu, DecodedOp* op) => cpu.PopSegment(op, SegmentIndex.Ds);

    private static void PopFs(X86Processor cpu, DecodedOp* op) => cpu.PopSegment(op, SegmentIndex.Fs);

    private static void PopGs(X86Processor cpu, DecodedOp* op) => cpu.PopSegment(op, SegmentIndex.Gs);

    /// <summary>POP Sreg: with the 32-bit operand size the pointer moves by four but a word is read.</summary>
    private void PopSegment(DecodedOp* op, SegmentIndex index)
    {
        StackCursor stack = CurrentStack();
        uint size = IsWide((Code)op->Code) ? 4u : 2u;
        if (!Pop(ref stack, 2, out uint selector))
            return;
        stack.Esp += size - 2;
        if (!LoadSegment(index, (ushort)selector))
            return;

        // The width that moves the pointer is that of the stack popped from, even when the new SS has another.
        CommitStackPointer(in stack);
        if (index == SegmentIndex.Ss)
            BeginStackShadow();
    }

    private static bool IsWide(Code code) => code is Code.Popd_ES or Code.Popd_SS or Code.Popd_DS or Code.Popd_FS or Code.Popd_GS
        or Code.Les_r32_m1632 or Code.Lds_r32_m1632 or Code.Lss_r32_m1632 or Code.Lfs_r32_m1632 or Code.Lgs_r32_m1632
        or Code.Jmp_ptr1632 or Code.Jmp_m1632 or Code.Call_ptr1632 or Code.Call_m1632 or Code.Retfd or Code.Retfd_imm16 or Code.Iretd;

    private static int OperandBits(DecodedOp* op) => IsWide((Code)op->Code) ? 32 : 16;

    private static void LoadEsPointer(X86Processor cpu, DecodedOp* op) => cpu.LoadFarPointer(op, SegmentIndex.Es);

    private static void LoadDsPointer(X86Processor cpu, DecodedOp* op) => cpu.LoadFarPointer(op, SegmentIndex.Ds);

    private static void LoadSsPointer(X86Processor cpu, DecodedOp* op) => cpu.LoadFarPointer(op, SegmentIndex.Ss);

    private static void LoadFsPointer(X86Processor cpu, DecodedOp* op) => cpu.LoadFarPointer(op, SegmentIndex.Fs);

    private static void LoadGsPointer(X86Processor cpu, DecodedOp* op) => cpu.LoadFarPointer(op, SegmentIndex.Gs);

    private void LoadFarPointer(DecodedOp* op, SegmentIndex index)
    {
        if (!ReadFarPointer(op, out ushort selector, out uint offset) || !LoadSegment(index, selector))
            return;
        if (IsWide((Code)op->Code))
            *(uint*)op->Dst = offset;
        else
            *(ushort*)op->Dst = (ushort)offset;
    }

    private bool ReadFarPointer(DecodedOp* op, out ushort selector, out uint offset)
    {
        var segment = (SegmentIndex)op->Segment;
        uint address = Address(op);
        uint size = IsWide((Code)op->Code) ? 4u : 2u;
        selector = 0;
        bool loaded = size == 4 ? Load32(segment, address, out offset) : Load16(segment, address, out offset);
        if (!loaded || !Load16(segment, (address + size) & AddressMask(op), out uint wide))
            return false;
        selector = (ushort)wide;
        return true;
    }

    private static void JumpFarDirect(X86Processor cpu, DecodedOp* op) => cpu.FarJump((ushort)op->Imm2, op->Imm, OperandBits(op));

    private static void CallFarDirect(X86Processor cpu, DecodedOp* op) => cpu.FarCall((ushort)op->Imm2, op->Imm, OperandBits(op));

    private static void JumpFarIndirect(X86Processor cpu, DecodedOp* op)
    {
        if (cpu.ReadFarPointer(op, out ushort selector, out uint offset))
            cpu.FarJump(selector, offset, OperandBits(op));
    }

    private static void CallFarIndirect(X86Processor cpu, DecodedOp* op)
    {
        if (cpu.ReadFarPointer(op, out ushort selector, out uint offset))
            cpu.FarCall(selector, offset, OperandBits(op));
    }

    private static void ReturnFar(X86Processor cpu, DecodedOp* op) => cpu.FarReturn(0, OperandBits(op));

    private static void ReturnFarImmediate(X86Processor cpu, DecodedOp* op) => cpu.FarReturn(op->Imm & 0xFFFF, OperandBits(op));

    /// <summary>After MOV SS or POP SS nothing interrupts before the next instruction is done (SDM vol. 3, 6.8.3), so that SS and ESP change together. A second one in a row does not extend it.</summary>
    private void BeginStackShadow() => V->Shadow |= ShadowStack;
}
