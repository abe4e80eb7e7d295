using Iced.Intel;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <summary>Kinds of the operands that handlers are specialised by.</summary>
internal enum OperandShape
{
    None,
    Reg,
    Mem,
    Imm,
    RegReg,
    RegImm,
    RegMem,
    MemReg,
    MemImm,
}

/// <content>Chooses the handler of a decoded instruction and fills in its operands.</content>
internal sealed unsafe partial class X86Processor
{
    private static readonly HandlerTable Handlers = CreateHandlers();

    /// <summary>A constant 0 that absent address registers point to.</summary>
    private readonly uint* zero;

    private static HandlerTable CreateHandlers()
    {
        HandlerTable table = new();
        RegisterSystem(table);
        table.Straight([Code.Pushaw, Code.Pushad], &Pusha);
        table.Straight([Code.Popaw, Code.Popad], &Popa);
        table.Straight([Code.Enterw_imm16_imm8, Code.Enterd_imm16_imm8], &Enter);
        table.Straight([Code.Bound_r16_m1616, Code.Bound_r32_m3232], &Bound);
        table.Straight(Code.Cmpxchg8b_m64, &Cmpxchg8b);
        return table;
    }

    private static bool IsBaseOnly(DecodedOp* op) => op->Seg != null && op->Seg->Mask == uint.MaxValue && (op->ScaleAndWeight & 0x80) != 0;

    private BindResult Bind(in Instruction instruction, DecodedOp* op, byte* bytes)
    {
        Code code = instruction.Code;
        int at = op->Offset + op->Length;
        bool isMemory = FillOperands(instruction, op);
        if (Model.HasFpu && Coprocessor[(int)code])
            return BindFpu(instruction, op, isMemory, bytes);
        if (SimdHandlers[code] != null)
            return BindSimd(instruction, op, isMemory);
        if (Handlers[code] != null)
            return BindRegistered(instruction, op, Handlers, isMemory);
        OperandShape shape = ShapeOf(instruction);
        int size = SizeOf(instruction, 0);
        BindResult result = BindResult.One;
        if (isMemory && instruction.MemoryIndex == Register.None && op->Seg->Mask == uint.MaxValue)
            op->ScaleAndWeight = 0x80;
        if (instruction.Mnemonic is Mnemonic.Shl or Mnemonic.Sal or Mnemonic.Shr or Mnemonic.Sar or Mnemonic.Rol or Mnemonic.Ror or Mnemonic.Rcl or Mnemonic.Rcr or Mnemonic.Shld or Mnemonic.Shrd)
            op->Imm = instruction.GetOpKind(instruction.OpCount - 1) == OpKind.Register ? CountInCl : op->Imm & 31;
        switch (instruction.Mnemonic)
        {
            case Mnemonic.Add:
                BindAlu<Add>(op, shape, size);
                break;
            case Mnemonic.Or:
                BindAlu<Or>(op, shape, size);
                break;
            case Mnemonic.Adc:
                BindAlu<Adc>(op, shape, size);
                break;
            case Mnemonic.Sbb:
                BindAlu<Sbb>(op, shape, size);
                break;
            case Mnemonic.And:
                BindAlu<And>(op, shape, size);
                break;
            case Mnemonic.Sub:
                BindAlu<Sub>(op, shape, size);
                break;
            case Mnemonic.Xor:
                BindAlu<Xor>(op, shape, size);
                break;
            case Mnemonic.Cmp:
                BindAlu<Cmp>(op, shape, size);
                break;
            case Mnemonic.Test:
                BindAlu<Test>(op, shape, size);
                break;
            case Mnemonic.Inc:
                BindUnary<Inc>(op, shape, size);
                break;
            case Mnemonic.Dec:
                BindUnary<Dec>(op, shape, size);
                break;
            case Mnemonic.Neg:
                BindUnary<Neg>(op, shape, size);
                break;
            case Mnemonic.Not:
                // The only one of them without flags.
                BindUnary<Not>(op, shape, size);
                break;
            case Mnemonic.Mov when instruction.Op0Register.IsGPR() || instruction.Op0Kind == OpKind.Memory:
                if (size == 1)
                    BindMov<W8>(op, shape);
                else if (size == 2)
                    BindMov<W16>(op, shape);
                else
                    BindMov<W32>(op, shape);
                break;
            case Mnemonic.Movzx:
            case Mnemonic.Movsx:
                BindExtend(instruction, op, shape, size);
                break;
            case Mnemonic.Lea:
                if (!isMemory)
                    goto default;
                if (size == 2)
                    op->Run = &Lea<W16, AnyAddress>;
                else
                    op->Run = IsBaseOnly(op) ? &Lea<W32, BaseAddress> : &Lea<W32, AnyAddress>;
                break;
            case Mnemonic.Xchg:
                BindXchg(op, shape, size);
                break;
            case Mnemonic.Bswap:
                op->Run = size == 4 ? &Bswap : &Bswap16;
                break;
            case Mnemonic.Shl or Mnemonic.Sal:
                BindShift<Shl>(op, shape, size);
                break;
            case Mnemonic.Shr:
                BindShift<Shr>(op, shape, size);
                break;
            case Mnemonic.Sar:
                BindShift<Sar>(op, shape, size);
                break;
            case Mnemonic.Rol:
                BindShift<Rol>(op, shape, size);
                break;
            case Mnemonic.Ror:
                BindShift<Ror>(op, shape, size);
                break;
            case Mnemonic.Rcl:
                BindShift<Rcl>(op, shape, size);
                break;
            case Mnemonic.Rcr:
                BindShift<Rcr>(op, shape, size);
                break;
            case Mnemonic.Shld:
                BindDouble<Shl>(op, isMemory, size);
                break;
            case Mnemonic.Shrd:
                BindDouble<Shr>(op, isMemory, size);
                break;
            case Mnemonic.Imul when instruction.OpCount == 2:
                BindImul(op, isMemory, size, three: false);
                break;
            case Mnemonic.Imul when instruction.OpCount == 3:
                BindImul(op, isMemory, size, three: true);
                break;
            case Mnemonic.Mul or Mnemonic.Imul or Mnemonic.Div or Mnemonic.Idiv:
                if (isMemory)
                    BindMulDiv<InMemory>(op, instruction.Mnemonic, size);
                else
                    BindMulDiv<InRegister>(op, instruction.Mnemonic, size);
                break;
            case Mnemonic.Bt:
                BindBit<TestBit>(op, isMemory, size);
                break;
            case Mnemonic.Bts:
                BindBit<SetBit>(op, isMemory, size);
                break;
            case Mnemonic.Btr:
                BindBit<ResetBit>(op, isMemory, size);
                break;
            case Mnemonic.Btc:
                BindBit<ComplementBit>(op, isMemory, size);
                break;
            case Mnemonic.Bsf:
                BindScan<SetBit>(op, isMemory, size);
                break;
            case Mnemonic.Bsr:
                BindScan<ResetBit>(op, isMemory, size);
                break;
            case Mnemonic.Cmpxchg:
                if (isMemory)
                    op->Run = size == 1 ? &CmpxchgMem<W8> : size == 2 ? &CmpxchgMem<W16> : &CmpxchgMem<W32>;
                else
                    op->Run = size == 1 ? &CmpxchgReg<W8> : size == 2 ? &CmpxchgReg<W16> : &CmpxchgReg<W32>;
                break;
            case Mnemonic.Xadd:
                if (isMemory)
                    op->Run = size == 1 ? &XaddMem<W8> : size == 2 ? &XaddMem<W16> : &XaddMem<W32>;
                else
                    op->Run = size == 1 ? &XaddReg<W8> : size == 2 ? &XaddReg<W16> : &XaddReg<W32>;
                break;
            case Mnemonic.Push when instruction.Op0Kind != OpKind.Register || instruction.Op0Register.IsGPR():
                BindPush(instruction, op);
                break;
            case Mnemonic.Pop when instruction.Op0Kind != OpKind.Register || instruction.Op0Register.IsGPR():
                if (isMemory)
                    op->Run = size == 2 ? &PopMem<W16> : &PopMem<W32>;
                else
                    op->Run = size == 2 ? &PopReg16 : &PopReg32;
                break;
            case Mnemonic.Leave:
                op->Run = code == Code.Leavew ? &Leave16 : &Leave32;
                break;
            case Mnemonic.Nop or Mnemonic.Reservednop or Mnemonic.Wait:
                if (instruction.Mnemonic == Mnemonic.Wait)
                    goto default;
                op->Run = &Nop;
                break;
            case Mnemonic.Cbw:
                op->Run = &Cbw;
                break;
            case Mnemonic.Cwde:
                op->Run = &Cwde;
                break;
            case Mnemonic.Cwd:
                op->Run = &Cwd;
                break;
            case Mnemonic.Cdq:
                op->Run = &Cdq;
                break;
            case Mnemonic.Xlatb:
                op->Run = &Xlat;
                break;
            case Mnemonic.Daa:
                op->Run = &Daa;
                break;
            case Mnemonic.Das:
                op->Run = &Das;
                break;
            case Mnemonic.Aaa:
                op->Run = &Aaa;
                break;
            case Mnemonic.Aas:
                op->Run = &Aas;
                break;
            case Mnemonic.Aam:
                op->Run = &Aam;
                break;
            case Mnemonic.Aad:
                op->Run = &Aad;
                break;
            case Mnemonic.Lahf:
                op->Run = &Lahf;
                break;
            case Mnemonic.Sahf:
                op->Run = &Sahf;
                break;
            case Mnemonic.Clc:
                op->Run = &Clc;
                break;
            case Mnemonic.Stc:
                op->Run = &Stc;
                break;
            case Mnemonic.Cmc:
                op->Run = &Cmc;
                break;
            case Mnemonic.Cld:
                op->Run = &Cld;
                break;
            case Mnemonic.Std:
                op->Run = &Std;
                break;
            case Mnemonic.Salc:
                op->Run = &Salc;
                break;
            default:
                if (BindConditional(instruction, op, shape, size))
                    break;
                if (BindStringOperation(instruction, op))
                    break;
                result = BindBranch(instruction, op, isMemory, at);
                break;
        }

        op->ScaleAndWeight = ScaleOf(instruction, isMemory);
        return result;
    }

    private static byte ScaleOf(in Instruction instruction, bool isMemory) =>
        isMemory ? (byte)System.Numerics.BitOperations.Log2((uint)instruction.MemoryIndexScale) : (byte)0;

    private BindResult BindRegistered(in Instruction instruction, DecodedOp* op, HandlerTable table, bool isMemory)
    {
        bool isStraight = table.IsStraight(instruction.Code);
        OpExtension* extension = op->Extension;
        extension->System = table[instruction.Code];
        extension->Size = (byte)SizeOf(instruction, 0);
        extension->Reg0 = NumberOf(instruction.OpCount > 0 && instruction.Op0Kind == OpKind.Register ? instruction.Op0Register : Register.None);
        extension->Reg1 = NumberOf(instruction.OpCount > 1 && instruction.Op1Kind == OpKind.Register ? instruction.Op1Register : Register.None);
        OpFlags flags = OpFlags.None;
        if (instruction.HasRepPrefix)
            flags |= OpFlags.Rep;
        if (instruction.HasRepnePrefix)
            flags |= OpFlags.Repne;
        if (instruction.HasLockPrefix)
            flags |= OpFlags.Lock;
        if (isMemory)
            flags |= OpFlags.Memory;
        if (instruction.SegmentPrefix != Register.None)
            flags |= OpFlags.SegmentOverride;
        OpCodeInfo info = instruction.Code.ToOpCode();
        bool code32 = instruction.CodeSize == CodeSize.Code32;
        if (info.OperandSize == 32 || (info.OperandSize == 0 && code32))
            flags |= OpFlags.Operand32;
        if (IsAddressSize32(instruction, info, code32))
            flags |= OpFlags.Address32;
        extension->Flags = flags;
        if (instruction.Mnemonic is Mnemonic.Outsb or Mnemonic.Outsw or Mnemonic.Outsd)
            op->Seg = Segments + ((flags & OpFlags.Address32) != 0 ? 0 : 8) + (int)SegmentOf(instruction.MemorySegment);
        switch (instruction.OpCount > 0 ? instruction.Op0Kind : OpKind.Register)
        {
            case OpKind.FarBranch16:
                op->Imm = instruction.FarBranch16;
                extension->Imm2 = instruction.FarBranchSelector;
                break;
            case OpKind.FarBranch32:
                op->Imm = instruction.FarBranch32;
                extension->Imm2 = instruction.FarBranchSelector;
                break;
        }

        if (instruction.Mnemonic == Mnemonic.Enter)
            extension->Imm2 = instruction.Immediate8_2nd;
        op->ScaleAndWeight = ScaleOf(instruction, isMemory);
        op->Run = isStraight ? &RunStraight : &RunSystem;
        return isStraight ? BindResult.Two : BindResult.TwoLast;
    }

    private static bool IsAddressSize32(in Instruction instruction, OpCodeInfo info, bool code32)
    {
        if (info.AddressSize != 0)
            return info.AddressSize == 32;
        for (int i = 0; i < instruction.OpCount; i++)
        {
            switch (instruction.GetOpKind(i))
            {
                case OpKind.MemorySegSI or OpKind.MemoryESDI or OpKind.MemorySegDI:
                    return false;
                case OpKind.MemorySegESI or OpKind.MemoryESEDI or OpKind.MemorySegEDI:
                    return true;
                case OpKind.Memory:
                    return !UsesAddress16(instruction);
            }
        }

        return code32;
    }

    private static bool UsesAddress16(in Instruction instruction) =>
        instruction.MemoryBase.IsGPR16() || instruction.MemoryIndex.IsGPR16()
        || (instruction.MemoryBase == Register.None && instruction.MemoryIndex == Register.None && instruction.MemoryDisplSize == 2);

    /// <summary>Registers, memory operand and immediate, as far as they are the same for every handler.</summary>
    /// <returns>True when there is a memory operand with an address of its own.</returns>
    private bool FillOperands(in Instruction instruction, DecodedOp* op)
    {
        bool isMemory = false;
        for (int i = 0; i < instruction.OpCount; i++)
        {
            OpKind kind = instruction.GetOpKind(i);
            if (kind == OpKind.Register)
            {
                byte* storage = StorageOf(instruction.GetOpRegister(i));
                if (i == 0)
                    op->Dst = storage;
                else if (i == 1)
                    op->Src = storage;
            }
            else if (kind == OpKind.Memory)
            {
                isMemory = true;
                bool is16 = UsesAddress16(instruction);
                op->Seg = Segments + (is16 ? 8 : 0) + (int)SegmentOf(instruction.MemorySegment);
                op->Base = AddressRegister(instruction.MemoryBase);
                op->Index = AddressRegister(instruction.MemoryIndex);
                op->Disp = instruction.MemoryDisplacement32;
            }
            else if (kind is OpKind.MemorySegSI or OpKind.MemorySegESI)
            {
                op->Seg = Segments + (kind == OpKind.MemorySegSI ? 8 : 0) + (int)SegmentOf(instruction.MemorySegment);
            }
            else if ((kind is OpKind.MemoryESDI or OpKind.MemoryESEDI) && op->Seg == null)
            {
                op->Seg = Segments + (kind == OpKind.MemoryESDI ? 8 : 0);
            }
        }

        for (int i = 0; i < instruction.OpCount; i++)
        {
            OpKind kind = instruction.GetOpKind(i);
            if (kind is >= OpKind.Immediate8 and <= OpKind.Immediate8to32)
            {
                op->Imm = (uint)instruction.GetImmediate(i);
                break;
            }
        }

        return isMemory;
    }

    private uint* AddressRegister(Register register) =>
        register == Register.None ? zero : V->Gpr + (register.GetFullRegister32() - Register.EAX);

    private byte* StorageOf(Register register)
    {
        if (register.IsGPR32())
            return (byte*)(V->Gpr + (register - Register.EAX));
        if (register.IsGPR16())
            return (byte*)(V->Gpr + (register - Register.AX));
        if (register is >= Register.AL and <= Register.BL)
            return (byte*)(V->Gpr + (register - Register.AL));
        if (register is >= Register.AH and <= Register.BH)
            return (byte*)(V->Gpr + (register - Register.AH)) + 1;
        return null;
    }

    private static SegmentIndex SegmentOf(Register register) => register switch
    {
        Register.ES => SegmentIndex.Es,
        Register.CS => SegmentIndex.Cs,
        Register.SS => SegmentIndex.Ss,
        Register.FS => SegmentIndex.Fs,
        Register.GS => SegmentIndex.Gs,
        _ => SegmentIndex.Ds,
    };

    private static byte NumberOf(Register register) => register == Register.None ? (byte)255 : (byte)register.GetNumber();

    private static int SizeOf(in Instruction instruction, int operand)
    {
        if (instruction.OpCount <= operand)
            return 0;
        return instruction.GetOpKind(operand) switch
        {
            OpKind.Register => instruction.GetOpRegister(operand).GetSize(),
            OpKind.Memory or (>= OpKind.MemorySegSI and <= OpKind.MemoryESRDI) => instruction.MemorySize.GetSize(),
            _ => 0,
        };
    }

    private static OperandShape ShapeOf(in Instruction instruction)
    {
        if (instruction.OpCount == 0)
            return OperandShape.None;
        OpKind first = instruction.Op0Kind;
        if (instruction.OpCount == 1)
            return first == OpKind.Register ? OperandShape.Reg : first == OpKind.Memory ? OperandShape.Mem : OperandShape.Imm;
        OpKind second = instruction.Op1Kind;
        if (first == OpKind.Register)
            return second == OpKind.Register ? OperandShape.RegReg : second == OpKind.Memory ? OperandShape.RegMem : OperandShape.RegImm;
        return second == OpKind.Register ? OperandShape.MemReg : OperandShape.MemImm;
    }
}
