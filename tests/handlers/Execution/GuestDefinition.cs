using Iced.Intel;
using Plexus.Messaging.Shared;

namespace Plexus.Handlers.Tests.Execution;

/// <summary>What a ring-0 kernel sees of an instruction, written down from its definition (SDM vol. 2), without stubs.</summary>
internal sealed class GuestDefinition
{
    internal const uint InterruptFlag = 0x200;

    /// <summary>Set by POPFD at CPL 0 with the IOPL unchanged.</summary>
    private const uint PopfdMask = StubProcessor.ArithmeticFlags | 0x7200 | 0x40000 | 0x200000;

    internal uint[] Gpr { get; init; } = new uint[8];

    /// <summary>The guest's EFLAGS, IF and IOPL included.</summary>
    internal uint Eflags { get; set; }

    /// <summary>Guest bytes that were stored.</summary>
    internal Dictionary<uint, byte> Written { get; init; } = [];

    internal ushort[] Selectors { get; init; } = new ushort[8];

    internal (uint Limit, uint Base) Gdt { get; init; }

    internal (uint Limit, uint Base) Idt { get; init; }

    internal uint Cr0 { get; init; }

    internal uint[] Cpuid { get; init; } = new uint[32];

    internal byte[] Ports { get; init; } = new byte[256];

    internal void Execute(in Instruction instruction)
    {
        switch (instruction.Mnemonic)
        {
            case Mnemonic.Cli:
                Eflags &= ~InterruptFlag;
                break;
            case Mnemonic.Sti:
                Eflags |= InterruptFlag;
                break;
            case Mnemonic.Pushfd:
                Push(Eflags & 0x00FC_FFFF, 4);
                break;
            case Mnemonic.Popfd:
                Eflags = (Read(Gpr[4]) & PopfdMask) | 0x2;
                Gpr[4] += 4;
                break;
            case Mnemonic.Push:
                Push(Selectors[instruction.Op0Register - Register.ES], instruction.StackPointerIncrement == -2 ? 2 : 4);
                break;
            case Mnemonic.Mov:
                StoreWord(instruction, Selectors[instruction.Op1Register - Register.ES]);
                break;
            case Mnemonic.Sldt:
                StoreWord(instruction, Selectors[(int)SegmentIndex.Ldtr]);
                break;
            case Mnemonic.Str:
                StoreWord(instruction, Selectors[(int)SegmentIndex.Tr]);
                break;
            case Mnemonic.Smsw:
                StoreWord(instruction, Cr0);
                break;
            case Mnemonic.Sgdt or Mnemonic.Sidt:
                (uint limit, uint tableBase) = instruction.Mnemonic == Mnemonic.Sgdt ? Gdt : Idt;
                Write(Effective(instruction), limit, 2);
                Write(Effective(instruction) + 2, tableBase, 4);
                break;
            case Mnemonic.Cpuid:
                uint leaf = Gpr[0];
                (Gpr[0], Gpr[3], Gpr[1], Gpr[2]) = (Cpuid[leaf * 4], Cpuid[(leaf * 4) + 1], Cpuid[(leaf * 4) + 2], Cpuid[(leaf * 4) + 3]);
                break;
            case Mnemonic.In:
                Gpr[0] = (Gpr[0] & ~0xFFu) | Ports[Port(instruction)];
                break;
            case Mnemonic.Out:
                Ports[Port(instruction)] = (byte)Gpr[0];
                break;
            default:
                throw new InvalidOperationException($"{instruction.Mnemonic} has no definition here.");
        }
    }

    private int Port(in Instruction instruction) =>
        instruction.Op0Kind == OpKind.Immediate8 || instruction.Op1Kind == OpKind.Immediate8 ? instruction.Immediate8 : (int)(Gpr[2] & 0xFFFF);

    private void StoreWord(in Instruction instruction, uint value)
    {
        if (instruction.Op0Kind != OpKind.Register)
        {
            Write(Effective(instruction), value, 2);
            return;
        }

        int register = instruction.Op0Register.GetFullRegister32() - Register.EAX;
        Gpr[register] = instruction.Op0Register.IsGPR32() ? value : (Gpr[register] & 0xFFFF_0000) | (value & 0xFFFF);
    }

    private uint Effective(in Instruction instruction)
    {
        uint address = instruction.MemoryDisplacement32;
        if (instruction.MemoryBase != Register.None)
            address += Gpr[instruction.MemoryBase - Register.EAX];
        if (instruction.MemoryIndex != Register.None)
            address += Gpr[instruction.MemoryIndex - Register.EAX] * (uint)instruction.MemoryIndexScale;
        return address;
    }

    private uint Read(uint linear)
    {
        uint value = 0;
        for (int i = 0; i < 4; i++)
            value |= (uint)Written.GetValueOrDefault(linear + (uint)i, StubProcessor.Initial(linear + (uint)i)) << (8 * i);
        return value;
    }

    private void Push(uint value, int size)
    {
        Gpr[4] -= (uint)size;
        Write(Gpr[4], value, size);
    }

    private void Write(uint linear, uint value, int size)
    {
        for (int i = 0; i < size; i++)
            Written[linear + (uint)i] = (byte)(value >> (8 * i));
    }
}
