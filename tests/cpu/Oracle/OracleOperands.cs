using Iced.Intel;

namespace Plexus.Cpu.Tests.Oracle;

/// <summary>Random operands for an opcode.</summary>
internal sealed class OracleOperands(Random random, bool longMode)
{
    private static readonly Register[] Scratch = [Register.EAX, Register.ECX, Register.EDX];
    private static readonly Register[] Pointers = [Register.EBX, Register.ESI, Register.EDI];
    private static readonly Register[] Index16 = [Register.None, Register.SI, Register.DI];

    /// <summary>Fills in operands.</summary>
    /// <returns>False for an opcode with operands that cannot be compared.</returns>
    public bool TryBuild(Code code, out Instruction instruction)
    {
        instruction = new Instruction { Code = code };
        OpCodeInfo info = code.ToOpCode();
        bool memory = random.Next(2) == 0;
        for (int i = 0; i < info.OpCount; i++)
        {
            if (!TrySet(info.GetOpKind(i), i, memory, ref instruction))
                return false;
        }

        return true;
    }

    private bool TrySet(OpCodeOperandKind kind, int operand, bool memory, ref Instruction instruction)
    {
        switch (kind)
        {
            case OpCodeOperandKind.r8_or_mem or OpCodeOperandKind.r16_or_mem or OpCodeOperandKind.r32_or_mem or OpCodeOperandKind.mm_or_mem or OpCodeOperandKind.xmm_or_mem:
                if (memory)
                    SetMemory(operand, ref instruction);
                else
                    instruction.SetOpRegister(operand, RegisterOf(kind));
                return true;
            case OpCodeOperandKind.mem:
                SetMemory(operand, ref instruction);
                return true;
            case OpCodeOperandKind.mem_offs:
                if (longMode)
                    return false;
                instruction.SetOpKind(operand, OpKind.Memory);
                instruction.MemoryDisplSize = 4;
                instruction.MemoryDisplacement64 = Absolute();
                return true;
            case OpCodeOperandKind.seg_rBX_al:
                instruction.SetOpKind(operand, OpKind.Memory);
                instruction.MemoryBase = Register.EBX;
                instruction.MemoryIndex = Register.AL;
                return true;
            case OpCodeOperandKind.al:
                instruction.SetOpRegister(operand, Register.AL);
                return true;
            case OpCodeOperandKind.cl:
                instruction.SetOpRegister(operand, Register.CL);
                return true;
            case OpCodeOperandKind.ax:
                instruction.SetOpRegister(operand, Register.AX);
                return true;
            case OpCodeOperandKind.eax:
                instruction.SetOpRegister(operand, Register.EAX);
                return true;
            default:
                if (TrySetImmediate(kind, operand, ref instruction))
                    return true;
                Register register = RegisterOf(kind);
                if (register != Register.None)
                    instruction.SetOpRegister(operand, register);
                return register != Register.None;
        }
    }

    private bool TrySetImmediate(OpCodeOperandKind kind, int operand, ref Instruction instruction)
    {
        switch (kind)
        {
            case OpCodeOperandKind.imm8:
                instruction.SetOpKind(operand, instruction.OpKindIsSecondImmediate(operand) ? OpKind.Immediate8_2nd : OpKind.Immediate8);
                if (instruction.GetOpKind(operand) == OpKind.Immediate8_2nd)
                    instruction.Immediate8_2nd = (byte)random.Next(4);
                else
                    instruction.Immediate8 = (byte)random.Next(random.Next(2) == 0 ? 256 : 36);
                return true;
            case OpCodeOperandKind.imm8_const_1:
                instruction.SetOpKind(operand, OpKind.Immediate8);
                instruction.Immediate8 = 1;
                return true;
            case OpCodeOperandKind.imm8sex16:
                instruction.SetOpKind(operand, OpKind.Immediate8to16);
                instruction.Immediate8to16 = (sbyte)random.Next(256);
                return true;
            case OpCodeOperandKind.imm8sex32:
                instruction.SetOpKind(operand, OpKind.Immediate8to32);
                instruction.Immediate8to32 = (sbyte)random.Next(256);
                return true;
            case OpCodeOperandKind.imm16:
                instruction.SetOpKind(operand, OpKind.Immediate16);
                instruction.Immediate16 = instruction.Mnemonic is Mnemonic.Enter or Mnemonic.Ret ? (ushort)random.Next(64) : (ushort)OracleValues.Any(random);
                return true;
            case OpCodeOperandKind.imm32:
                instruction.SetOpKind(operand, OpKind.Immediate32);
                instruction.Immediate32 = OracleValues.Any(random);
                return true;
            default:
                return false;
        }
    }

    /// <summary>A register of the kind; the ones with addresses in them seldom.</summary>
    private Register RegisterOf(OpCodeOperandKind kind)
    {
        Register full = random.Next(6) switch { 0 => Register.EAX + random.Next(8), 1 => Pointers[random.Next(3)], _ => Scratch[random.Next(3)] };
        int number = full - Register.EAX;
        return kind switch
        {
            OpCodeOperandKind.r8_or_mem or OpCodeOperandKind.r8_reg or OpCodeOperandKind.r8_opcode => Register.AL + (random.Next(8) == 0 ? random.Next(8) : (random.Next(3) + (random.Next(2) * 4))),
            OpCodeOperandKind.r16_or_mem or OpCodeOperandKind.r16_reg or OpCodeOperandKind.r16_opcode or OpCodeOperandKind.r16_rm or OpCodeOperandKind.r16_reg_mem => Register.AX + number,
            OpCodeOperandKind.r32_or_mem or OpCodeOperandKind.r32_reg or OpCodeOperandKind.r32_opcode or OpCodeOperandKind.r32_rm or OpCodeOperandKind.r32_reg_mem => full,
            OpCodeOperandKind.mm_reg or OpCodeOperandKind.mm_or_mem or OpCodeOperandKind.mm_rm => Register.MM0 + random.Next(8),
            OpCodeOperandKind.xmm_reg or OpCodeOperandKind.xmm_or_mem or OpCodeOperandKind.xmm_rm => Register.XMM0 + random.Next(8),
            _ => Register.None,
        };
    }

    /// <summary>The slot that the case is for.</summary>
    public int Slot { get; set; }

    private uint Absolute() => OracleLayout.Data(Slot) + (uint)random.Next(0x3000);

    /// <summary>Fills in a string instruction, repeated or not.</summary>
    public bool TryBuildString(Code code, out Instruction instruction)
    {
        instruction = new Instruction { Code = code };
        OpCodeInfo info = code.ToOpCode();
        for (int i = 0; i < info.OpCount; i++)
        {
            switch (info.GetOpKind(i))
            {
                case OpCodeOperandKind.seg_rSI:
                    instruction.SetOpKind(i, OpKind.MemorySegESI);
                    break;
                case OpCodeOperandKind.es_rDI:
                    instruction.SetOpKind(i, OpKind.MemoryESEDI);
                    break;
                case OpCodeOperandKind.al:
                    instruction.SetOpRegister(i, Register.AL);
                    break;
                case OpCodeOperandKind.ax:
                    instruction.SetOpRegister(i, Register.AX);
                    break;
                case OpCodeOperandKind.eax:
                    instruction.SetOpRegister(i, Register.EAX);
                    break;
                default:
                    return false;
            }
        }

        instruction.HasRepPrefix = random.Next(2) == 0;
        instruction.HasRepnePrefix = !instruction.HasRepPrefix && random.Next(2) == 0;
        return true;
    }

    public void SetMemory(int operand, ref Instruction instruction)
    {
        instruction.SetOpKind(operand, OpKind.Memory);
        instruction.MemoryDisplSize = 1;
        instruction.MemoryDisplacement64 = (ulong)(uint)random.Next(-16, 48);
        instruction.MemoryIndexScale = 1;
        switch (random.Next(32))
        {
            case < 20:
                instruction.MemoryBase = Pointers[random.Next(3)];
                break;
            case < 25:
                instruction.MemoryBase = random.Next(2) == 0 ? Register.ESP : Register.EBP;
                break;
            case < 27:
                instruction.MemoryBase = Pointers[random.Next(3)];
                instruction.MemoryIndex = Scratch[random.Next(3)];
                instruction.MemoryIndexScale = 1 << random.Next(4);
                break;
            case < 28:
                instruction.MemoryBase = Scratch[random.Next(3)];
                break;
            case < 29:
                instruction.MemoryBase = Pointers[random.Next(3)];
                instruction.MemoryDisplSize = 4;
                instruction.MemoryDisplacement64 = (uint)random.Next(-0x2000, 0x2000);
                break;
            case < 30:
                // Without a base: an index alone and 32 bits of displacement.
                instruction.MemoryIndex = Register.EAX + random.Next(4);
                instruction.MemoryIndexScale = 1 << random.Next(1, 4);
                instruction.MemoryDisplSize = 4;
                instruction.MemoryDisplacement64 = Absolute();
                break;
            case < 31 when !longMode:
                instruction.MemoryBase = random.Next(2) == 0 ? Register.BX : Register.BP;
                instruction.MemoryIndex = Index16[random.Next(3)];
                instruction.MemoryDisplSize = 2;
                instruction.MemoryDisplacement64 = (ushort)random.Next(65536);
                break;
            default:
                instruction.MemoryBase = Pointers[random.Next(3)];
                instruction.MemoryDisplSize = 0;
                instruction.MemoryDisplacement64 = 0;
                break;
        }

        if (random.Next(24) == 0)
            instruction.SegmentPrefix = random.Next(4) switch { 0 => Register.ES, 1 => Register.SS, 2 => Register.FS, _ => Register.GS };
    }
}

/// <summary>What Iced leaves to its users.</summary>
internal static class InstructionExtensions
{
    /// <summary>ENTER has two immediates; the second has fields of its own.</summary>
    public static bool OpKindIsSecondImmediate(this in Instruction instruction, int operand) => instruction.Mnemonic == Mnemonic.Enter && operand == 1;
}
