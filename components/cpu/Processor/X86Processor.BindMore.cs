using Iced.Intel;

namespace Plexus.Cpu.Processor;

/// <content>Binding of the families that need more than an operand shape.</content>
internal sealed unsafe partial class X86Processor
{
    private static void BindExtend(in Instruction instruction, DecodedOp* op, OperandShape shape, int size)
    {
        bool signed = instruction.Mnemonic == Mnemonic.Movsx;
        int from = SizeOf(instruction, 1);
        if (size == 2)
        {
            if (from == 1)
                BindExtend<W16, W8>(op, shape, signed);
            else
                BindExtend<W16, W16>(op, shape, signed);
        }
        else if (from == 1)
        {
            BindExtend<W32, W8>(op, shape, signed);
        }
        else
        {
            BindExtend<W32, W16>(op, shape, signed);
        }
    }

    private static void BindXchg(DecodedOp* op, OperandShape shape, int size)
    {
        if (shape == OperandShape.RegReg)
            op->Run = size == 1 ? &XchgRegReg<W8> : size == 2 ? &XchgRegReg<W16> : &XchgRegReg<W32>;
        else
            op->Run = size == 1 ? &XchgMemReg<W8> : size == 2 ? &XchgMemReg<W16> : &XchgMemReg<W32>;
    }

    private static void BindImul(DecodedOp* op, bool isMemory, int size, bool three)
    {
        if (three)
        {
            if (isMemory)
                op->Run = size == 2 ? &Imul3<W16, InMemory> : &Imul3<W32, InMemory>;
            else
                op->Run = size == 2 ? &Imul3<W16, InRegister> : &Imul3<W32, InRegister>;
        }
        else if (isMemory)
        {
            op->Run = size == 2 ? &Imul2<W16, InMemory> : &Imul2<W32, InMemory>;
        }
        else
        {
            op->Run = size == 2 ? &Imul2<W16, InRegister> : &Imul2<W32, InRegister>;
        }
    }

    private static void BindPush(in Instruction instruction, DecodedOp* op)
    {
        bool is16 = instruction.StackPointerIncrement == -2;
        if (instruction.Op0Kind == OpKind.Register)
            op->Run = is16 ? &PushReg16 : &PushReg32;
        else if (instruction.Op0Kind == OpKind.Memory)
            op->Run = is16 ? &PushMem16 : &PushMem32;
        else
            op->Run = is16 ? &PushImm16 : &PushImm32;
    }

    private static bool BindConditional(in Instruction instruction, DecodedOp* op, OperandShape shape, int size)
    {
        Code code = instruction.Code;
        if (code.IsJccShortOrNear())
        {
            op->Imm = (uint)(op->Offset + op->Length) + RelativeOf(instruction);
            bool is32 = instruction.Op0Kind == OpKind.NearBranch32;
            switch (instruction.ConditionCode)
            {
                case ConditionCode.o:
                    BindJcc<IfO>(op, is32);
                    break;
                case ConditionCode.no:
                    BindJcc<IfNot<IfO>>(op, is32);
                    break;
                case ConditionCode.b:
                    BindJcc<IfB>(op, is32);
                    break;
                case ConditionCode.ae:
                    BindJcc<IfNot<IfB>>(op, is32);
                    break;
                case ConditionCode.e:
                    BindJcc<IfE>(op, is32);
                    break;
                case ConditionCode.ne:
                    BindJcc<IfNot<IfE>>(op, is32);
                    break;
                case ConditionCode.be:
                    BindJcc<IfBe>(op, is32);
                    break;
                case ConditionCode.a:
                    BindJcc<IfNot<IfBe>>(op, is32);
                    break;
                case ConditionCode.s:
                    BindJcc<IfS>(op, is32);
                    break;
                case ConditionCode.ns:
                    BindJcc<IfNot<IfS>>(op, is32);
                    break;
                case ConditionCode.p:
                    BindJcc<IfP>(op, is32);
                    break;
                case ConditionCode.np:
                    BindJcc<IfNot<IfP>>(op, is32);
                    break;
                case ConditionCode.l:
                    BindJcc<IfL>(op, is32);
                    break;
                case ConditionCode.ge:
                    BindJcc<IfNot<IfL>>(op, is32);
                    break;
                case ConditionCode.le:
                    BindJcc<IfLe>(op, is32);
                    break;
                default:
                    BindJcc<IfNot<IfLe>>(op, is32);
                    break;
            }

            return true;
        }

        bool isSet = code is >= Code.Seto_rm8 and <= Code.Setg_rm8;
        if (!isSet && code is not (>= Code.Cmovo_r16_rm16 and <= Code.Cmovg_r64_rm64))
            return false;
        switch (instruction.ConditionCode)
        {
            case ConditionCode.o:
                BindValue<IfO>(op, shape, size, isSet);
                break;
            case ConditionCode.no:
                BindValue<IfNot<IfO>>(op, shape, size, isSet);
                break;
            case ConditionCode.b:
                BindValue<IfB>(op, shape, size, isSet);
                break;
            case ConditionCode.ae:
                BindValue<IfNot<IfB>>(op, shape, size, isSet);
                break;
            case ConditionCode.e:
                BindValue<IfE>(op, shape, size, isSet);
                break;
            case ConditionCode.ne:
                BindValue<IfNot<IfE>>(op, shape, size, isSet);
                break;
            case ConditionCode.be:
                BindValue<IfBe>(op, shape, size, isSet);
                break;
            case ConditionCode.a:
                BindValue<IfNot<IfBe>>(op, shape, size, isSet);
                break;
            case ConditionCode.s:
                BindValue<IfS>(op, shape, size, isSet);
                break;
            case ConditionCode.ns:
                BindValue<IfNot<IfS>>(op, shape, size, isSet);
                break;
            case ConditionCode.p:
                BindValue<IfP>(op, shape, size, isSet);
                break;
            case ConditionCode.np:
                BindValue<IfNot<IfP>>(op, shape, size, isSet);
                break;
            case ConditionCode.l:
                BindValue<IfL>(op, shape, size, isSet);
                break;
            case ConditionCode.ge:
                BindValue<IfNot<IfL>>(op, shape, size, isSet);
                break;
            case ConditionCode.le:
                BindValue<IfLe>(op, shape, size, isSet);
                break;
            default:
                BindValue<IfNot<IfLe>>(op, shape, size, isSet);
                break;
        }

        return true;
    }

    private static void BindValue<TC>(DecodedOp* op, OperandShape shape, int size, bool isSet)
        where TC : struct, ICondition
    {
        if (isSet)
            BindSet<TC>(op, shape);
        else
            BindCmov<TC>(op, shape, size);
    }

    /// <summary>Displacement of a near branch: it was decoded at IP 0.</summary>
    private static uint RelativeOf(in Instruction instruction) =>
        (instruction.Op0Kind == OpKind.NearBranch16 ? (uint)(short)instruction.NearBranch16 : instruction.NearBranch32) - (uint)instruction.Length;

    private static bool BindStringOperation(in Instruction instruction, DecodedOp* op)
    {
        if (!instruction.IsStringInstruction)
            return false;
        int size = instruction.MemorySize.GetSize();
        op->Imm = instruction.HasRepnePrefix ? RepeatWhileNotEqual : instruction.HasRepPrefix ? RepeatWhileEqual : RepeatNone;
        switch (instruction.Mnemonic)
        {
            case Mnemonic.Movsb or Mnemonic.Movsw or Mnemonic.Movsd:
                BindString<Movs>(op, size);
                return true;
            case Mnemonic.Cmpsb or Mnemonic.Cmpsw or Mnemonic.Cmpsd:
                BindString<Cmps>(op, size);
                return true;
            case Mnemonic.Lodsb or Mnemonic.Lodsw or Mnemonic.Lodsd:
                BindString<Lods>(op, size);
                return true;
            case Mnemonic.Stosb or Mnemonic.Stosw or Mnemonic.Stosd:
                BindString<Stos>(op, size);
                return true;
            case Mnemonic.Scasb or Mnemonic.Scasw or Mnemonic.Scasd:
                BindString<Scas>(op, size);
                return true;
            default:
                return false;
        }
    }

    private BindResult BindBranch(in Instruction instruction, DecodedOp* op, bool isMemory, int next)
    {
        Code code = instruction.Code;
        bool near32 = instruction.OpCount > 0 && instruction.Op0Kind == OpKind.NearBranch32;
        if (instruction.OpCount > 0 && instruction.Op0Kind is OpKind.NearBranch16 or OpKind.NearBranch32)
            op->Imm = (uint)next + RelativeOf(instruction);
        switch (code)
        {
            case Code.Jmp_rel8_16 or Code.Jmp_rel16 or Code.Jmp_rel8_32 or Code.Jmp_rel32_32:
                op->Run = near32 ? &Jump : &Jump16;
                return BindResult.OneLast;
            case Code.Call_rel16 or Code.Call_rel32_32:
                op->Run = near32 ? &CallDirect : &CallDirect16;
                return BindResult.OneLast;
            case Code.Jmp_rm16 when isMemory:
                op->Run = &JumpMem<W16>;
                return BindResult.OneLast;
            case Code.Jmp_rm32 when isMemory:
                op->Run = &JumpMem<W32>;
                return BindResult.OneLast;
            case Code.Jmp_rm16:
                op->Run = &JumpReg<W16>;
                return BindResult.OneLast;
            case Code.Jmp_rm32:
                op->Run = &JumpReg<W32>;
                return BindResult.OneLast;
            case Code.Call_rm16 when isMemory:
                op->Run = &CallMem<W16>;
                return BindResult.OneLast;
            case Code.Call_rm32 when isMemory:
                op->Run = &CallMem<W32>;
                return BindResult.OneLast;
            case Code.Call_rm16:
                op->Run = &CallReg<W16>;
                return BindResult.OneLast;
            case Code.Call_rm32:
                op->Run = &CallReg<W32>;
                return BindResult.OneLast;
            case Code.Retnw:
                op->Run = &Ret16;
                op->Imm = 0;
                return BindResult.OneLast;
            case Code.Retnw_imm16:
                op->Run = &Ret16;
                return BindResult.OneLast;
            case Code.Retnd:
                op->Run = &Ret32;
                op->Imm = 0;
                return BindResult.OneLast;
            case Code.Retnd_imm16:
                op->Run = &Ret32;
                return BindResult.OneLast;
            case Code.Jecxz_rel8_32:
                op->Run = &Jecxz32;
                return BindResult.One;
            case Code.Loop_rel8_32_ECX:
                op->Run = &Loop32;
                return BindResult.One;
            default:
                if (instruction.Mnemonic is Mnemonic.Jcxz or Mnemonic.Jecxz or Mnemonic.Loop or Mnemonic.Loope or Mnemonic.Loopne)
                    return BindLoop(instruction, op);

                // The model has it, but nothing here does: UD0, UD1, UD2 and what CPUs without it reject.
                op->Run = &Undefined;
                return BindResult.OneLast;
        }
    }

    private static BindResult BindLoop(in Instruction instruction, DecodedOp* op)
    {
        OpExtension* extension = op->Extension;
        extension->System = &LoopFamily;
        extension->Reg0 = extension->Reg1 = 255;
        bool wideCounter = instruction.Code is Code.Jecxz_rel8_16 or Code.Jecxz_rel8_32
            or Code.Loop_rel8_16_ECX or Code.Loop_rel8_32_ECX or Code.Loope_rel8_16_ECX or Code.Loope_rel8_32_ECX or Code.Loopne_rel8_16_ECX or Code.Loopne_rel8_32_ECX;
        extension->Flags = (wideCounter ? OpFlags.Address32 : OpFlags.None) | (instruction.Op0Kind == OpKind.NearBranch32 ? OpFlags.Operand32 : OpFlags.None);
        op->Run = &RunSystem;
        return BindResult.TwoLast;
    }
}
