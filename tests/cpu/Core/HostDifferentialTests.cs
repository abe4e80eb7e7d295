using Iced.Intel;

namespace Plexus.Cpu.Tests.Core;

/// <summary>Random operands through every register and memory form of the integer instructions, against the processor that runs the tests.</summary>
public sealed class HostDifferentialTests
{
    private const uint Arithmetic = 0x8D5;
    /// <summary>The whole result is undefined.</summary>
    private const uint Nothing = uint.MaxValue;

    private const uint Cf = 1, Pf = 4, Af = 16, Zf = 64, Sf = 128, Of = 2048;

    private static readonly Register[] Registers8 = [Register.AL, Register.CL, Register.DL, Register.BL, Register.AH, Register.CH, Register.DH, Register.BH];
    private static readonly Register[] Registers16 = [Register.AX, Register.CX, Register.DX, Register.BX, Register.BP, Register.SI, Register.DI];
    private static readonly Register[] Registers32 = [Register.EAX, Register.ECX, Register.EDX, Register.EBX, Register.EBP, Register.ESI, Register.EDI];
    private static readonly uint[] Corners = [0, 1, 2, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x0F, 0x10];

    [SkippableOnOtherHosts]
    public void Integer_instructions_agree_with_the_host()
    {
        Random random = new(20261123);
        using HostProcessor host = new(CoreMachine.Data);
        using CoreMachine machine = new();
        List<string> failures = [];
        int executed = 0;
        uint[] before = new uint[9];
        uint[] after = new uint[9];
        byte[] memoryBefore = new byte[64];
        foreach (Code code in Candidates())
        {
            for (int round = 0; round < 120; round++)
            {
                if (!TryBuild(code, random, out Instruction instruction))
                    break;
                if (instruction.MemoryBase != Register.None && instruction.OpCount > 1 && instruction.Op1Kind == OpKind.Register && (instruction.Op1Register is Register.ESI or Register.EDI or Register.SI or Register.DI))
                    continue;
                byte[] bytes = Encode(instruction);
                for (int i = 0; i < 8; i++)
                    before[i] = Value(random);
                before[8] = 0x202 | ((uint)random.Next() & Arithmetic);
                random.NextBytes(memoryBefore);
                Prepare(code, instruction, random, before);
                before.CopyTo(after, 0);
                memoryBefore.CopyTo(host.Data);
                host.Execute(bytes, after);
                machine.LoadBytes(bytes);
                machine.Write(CoreMachine.Data, memoryBefore);
                for (int i = 0; i < 8; i++)
                {
                    if (i != 4)
                        machine.Reg(i) = before[i];
                }

                machine.State.Eflags = before[8] & ~0x200u;
                machine.State.Eip = CoreMachine.CodeAddress;
                Messaging.Contracts.Cpu.Emulated result = machine.Step();
                executed++;
                uint defined = DefinedFlags(code, instruction, before);
                if (defined == Nothing)
                    continue;
                bool same = result.Kind == Messaging.Contracts.Cpu.EmulateKind.Next
                    && ((machine.State.Eflags ^ after[8]) & defined) == 0
                    && host.Data[..64].SequenceEqual(machine.Memory.Ram.Slice((int)CoreMachine.Data, 64));
                for (int i = 0; i < 8; i++)
                    same &= i == 4 || machine.Reg(i) == after[i];
                if (!same && !failures.Exists(f => f.StartsWith(code.ToString(), StringComparison.Ordinal)))
                    failures.Add(Describe(code, instruction, bytes, before, after, machine, result, defined));
            }
        }

        Assert.True(failures.Count == 0, $"{failures.Count} codes differ:\n" + string.Join('\n', failures));
        Assert.True(executed > 20_000, $"only {executed} executed");
    }

    private static string Describe(Code code, in Instruction instruction, byte[] bytes, uint[] before, uint[] after, CoreMachine machine, Messaging.Contracts.Cpu.Emulated result, uint defined)
    {
        string text = $"{code} [{instruction}] {Convert.ToHexString(bytes)} {result.Kind} {result.Vector} flags in {before[8]:X} host {after[8] & defined:X} guest {machine.State.Eflags & defined:X}";
        for (int i = 0; i < 8; i++)
        {
            if (i != 4)
                text += $" r{i}:{before[i]:X}->{after[i]:X}/{machine.Reg(i):X}";
        }

        return text;
    }

    private static uint Value(Random random) => random.Next(3) == 0 ? Corners[random.Next(Corners.Length)] : (uint)random.NextInt64(1L << 32);

    private static byte[] Encode(in Instruction instruction)
    {
        using MemoryStream stream = new();
        Encoder encoder = Encoder.Create(32, new StreamCodeWriter(stream));
        encoder.Encode(instruction, CoreMachine.CodeAddress);
        return stream.ToArray();
    }

    private static IEnumerable<Code> Candidates()
    {
        HashSet<Mnemonic> mnemonics =
        [
            Mnemonic.Add, Mnemonic.Or, Mnemonic.Adc, Mnemonic.Sbb, Mnemonic.And, Mnemonic.Sub, Mnemonic.Xor, Mnemonic.Cmp, Mnemonic.Test, Mnemonic.Neg, Mnemonic.Not, Mnemonic.Inc, Mnemonic.Dec,
            Mnemonic.Mov, Mnemonic.Movzx, Mnemonic.Movsx, Mnemonic.Xchg, Mnemonic.Bswap, Mnemonic.Shl, Mnemonic.Shr, Mnemonic.Sar, Mnemonic.Rol, Mnemonic.Ror, Mnemonic.Rcl, Mnemonic.Rcr, Mnemonic.Shld, Mnemonic.Shrd,
            Mnemonic.Mul, Mnemonic.Imul, Mnemonic.Bt, Mnemonic.Bts, Mnemonic.Btr, Mnemonic.Btc, Mnemonic.Bsf, Mnemonic.Bsr, Mnemonic.Cmpxchg, Mnemonic.Xadd, Mnemonic.Cmpxchg8b,
            Mnemonic.Cbw, Mnemonic.Cwde, Mnemonic.Cwd, Mnemonic.Cdq, Mnemonic.Clc, Mnemonic.Stc, Mnemonic.Cmc, Mnemonic.Sahf, Mnemonic.Lahf, Mnemonic.Lea, Mnemonic.Nop,
            Mnemonic.Seto, Mnemonic.Setno, Mnemonic.Setb, Mnemonic.Setae, Mnemonic.Sete, Mnemonic.Setne, Mnemonic.Setbe, Mnemonic.Seta, Mnemonic.Sets, Mnemonic.Setns, Mnemonic.Setp, Mnemonic.Setnp, Mnemonic.Setl, Mnemonic.Setge, Mnemonic.Setle, Mnemonic.Setg,
            Mnemonic.Cmovo, Mnemonic.Cmovno, Mnemonic.Cmovb, Mnemonic.Cmovae, Mnemonic.Cmove, Mnemonic.Cmovne, Mnemonic.Cmovbe, Mnemonic.Cmova, Mnemonic.Cmovs, Mnemonic.Cmovns, Mnemonic.Cmovp, Mnemonic.Cmovnp, Mnemonic.Cmovl, Mnemonic.Cmovge, Mnemonic.Cmovle, Mnemonic.Cmovg,
        ];
        foreach (Code code in Enum.GetValues<Code>())
        {
            OpCodeInfo info = code.ToOpCode();
            if (!mnemonics.Contains(code.Mnemonic()) || !info.Mode32 || !info.Mode64 || info.Encoding != EncodingKind.Legacy)
                continue;
            if (code is Code.Bswap_r16 or Code.Cmpxchg486_rm8_r8 or Code.Cmpxchg486_rm16_r16 or Code.Cmpxchg486_rm32_r32)
                continue;
            yield return code;
        }
    }

    /// <summary>Fills in random operands.</summary>
    private static bool TryBuild(Code code, Random random, out Instruction instruction)
    {
        instruction = new Instruction { Code = code };
        OpCodeInfo info = code.ToOpCode();
        bool memory = random.Next(2) == 0;
        for (int i = 0; i < info.OpCount; i++)
        {
            OpCodeOperandKind kind = info.GetOpKind(i);
            switch (kind)
            {
                case OpCodeOperandKind.r8_or_mem or OpCodeOperandKind.r16_or_mem or OpCodeOperandKind.r32_or_mem or OpCodeOperandKind.mem:
                    if (memory || kind == OpCodeOperandKind.mem)
                    {
                        instruction.SetOpKind(i, OpKind.Memory);
                        instruction.MemoryBase = Register.ESI;
                        instruction.MemoryIndex = random.Next(2) == 0 ? Register.None : Register.EDI;
                        instruction.MemoryIndexScale = instruction.MemoryIndex == Register.None ? 1 : 1 << random.Next(4);
                        instruction.MemoryDisplSize = 1;
                        instruction.MemoryDisplacement64 = (ulong)random.Next(0, 16);
                    }
                    else
                    {
                        instruction.SetOpRegister(i, Pick(random, kind == OpCodeOperandKind.r8_or_mem ? Registers8 : kind == OpCodeOperandKind.r16_or_mem ? Registers16 : Registers32));
                    }

                    break;
                case OpCodeOperandKind.r8_reg or OpCodeOperandKind.r8_opcode:
                    instruction.SetOpRegister(i, Pick(random, Registers8));
                    break;
                case OpCodeOperandKind.r16_reg or OpCodeOperandKind.r16_opcode or OpCodeOperandKind.r16_rm or OpCodeOperandKind.r16_reg_mem:
                    instruction.SetOpRegister(i, Pick(random, Registers16));
                    break;
                case OpCodeOperandKind.r32_reg or OpCodeOperandKind.r32_opcode or OpCodeOperandKind.r32_rm or OpCodeOperandKind.r32_reg_mem:
                    instruction.SetOpRegister(i, Pick(random, Registers32));
                    break;
                case OpCodeOperandKind.al:
                    instruction.SetOpRegister(i, Register.AL);
                    break;
                case OpCodeOperandKind.cl:
                    instruction.SetOpRegister(i, Register.CL);
                    break;
                case OpCodeOperandKind.ax:
                    instruction.SetOpRegister(i, Register.AX);
                    break;
                case OpCodeOperandKind.eax:
                    instruction.SetOpRegister(i, Register.EAX);
                    break;
                case OpCodeOperandKind.imm8 or OpCodeOperandKind.imm8_const_1:
                    instruction.SetOpKind(i, OpKind.Immediate8);
                    instruction.Immediate8 = kind == OpCodeOperandKind.imm8 ? (byte)random.Next(256) : (byte)1;
                    break;
                case OpCodeOperandKind.imm8sex16:
                    instruction.SetOpKind(i, OpKind.Immediate8to16);
                    instruction.Immediate8to16 = (sbyte)random.Next(256);
                    break;
                case OpCodeOperandKind.imm8sex32:
                    instruction.SetOpKind(i, OpKind.Immediate8to32);
                    instruction.Immediate8to32 = (sbyte)random.Next(256);
                    break;
                case OpCodeOperandKind.imm16:
                    instruction.SetOpKind(i, OpKind.Immediate16);
                    instruction.Immediate16 = (ushort)random.Next(65536);
                    break;
                case OpCodeOperandKind.imm32:
                    instruction.SetOpKind(i, OpKind.Immediate32);
                    instruction.Immediate32 = Value(random);
                    break;
                default:
                    return false;
            }
        }

        return true;
    }

    /// <summary>Addresses into the data page; bit strings that stay in the page.</summary>
    private static void Prepare(Code code, in Instruction instruction, Random random, uint[] registers)
    {
        Mnemonic mnemonic = code.Mnemonic();
        bool usesMemory = instruction.MemoryBase != Register.None;
        if ((mnemonic is Mnemonic.Bt or Mnemonic.Bts or Mnemonic.Btr or Mnemonic.Btc) && usesMemory && instruction.Op1Kind == OpKind.Register)
        {
            int number = instruction.Op1Register.GetFullRegister32() - Register.EAX;
            registers[number] &= 0x7F;
        }

        if (usesMemory)
        {
            registers[6] = CoreMachine.Data;
            if (instruction.MemoryIndex != Register.None)
                registers[7] = (uint)random.Next(0, 4);
        }
    }

    private static uint DefinedFlags(Code code, in Instruction instruction, uint[] before)
    {
        switch (code.Mnemonic())
        {
            case Mnemonic.And or Mnemonic.Or or Mnemonic.Xor or Mnemonic.Test:
                return Arithmetic & ~Af;
            case Mnemonic.Mul or Mnemonic.Imul:
                return Cf | Of;
            case Mnemonic.Bsf or Mnemonic.Bsr:
                return Zf;
            case Mnemonic.Bt or Mnemonic.Bts or Mnemonic.Btr or Mnemonic.Btc:
                return Cf | Zf;
            case Mnemonic.Shl or Mnemonic.Shr or Mnemonic.Sar or Mnemonic.Shld or Mnemonic.Shrd:
                {
                    int last = instruction.OpCount - 1;
                    int count = (instruction.GetOpKind(last) == OpKind.Register ? (int)before[1] : instruction.Immediate8) & 31;
                    int bits = code.ToString() switch
                    {
                        string name when name.Contains("rm8", StringComparison.Ordinal) => 8,
                        string name when name.Contains("rm16", StringComparison.Ordinal) => 16,
                        _ => 32,
                    };
                    if (count == 0)
                        return Arithmetic;
                    if (count > bits || (count == bits && code.Mnemonic() is Mnemonic.Shl or Mnemonic.Shr))
                        return code.Mnemonic() is Mnemonic.Shld or Mnemonic.Shrd ? Nothing : Arithmetic & ~(Af | Of | Cf);
                    return count == 1 ? Arithmetic & ~Af : Arithmetic & ~(Af | Of);
                }

            case Mnemonic.Rol or Mnemonic.Ror or Mnemonic.Rcl or Mnemonic.Rcr:
                {
                    int last = instruction.OpCount - 1;
                    int count = (instruction.GetOpKind(last) == OpKind.Register ? (int)before[1] : instruction.Immediate8) & 31;
                    return count == 1 ? Arithmetic : Arithmetic & ~Of;
                }

            default:
                return Arithmetic;
        }
    }

    private static Register Pick(Random random, Register[] from) => from[random.Next(from.Length)];
}

/// <summary>Runs only where the tests' own processor can execute the instructions (Linux on x86-64).</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SkippableOnOtherHostsAttribute : FactAttribute
{
    public SkippableOnOtherHostsAttribute()
    {
        if (!HostProcessor.IsAvailable)
            Skip = "needs Linux on x86-64";
    }
}
