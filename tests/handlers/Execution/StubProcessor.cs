using System.Buffers.Binary;
using Iced.Intel;
using Plexus.Messaging.Shared;

namespace Plexus.Handlers.Tests.Execution;

/// <summary>
/// A small processor of its own for handler code: CPL 3, IF = 1 and IOPL = 0 physically, flat segments. It knows the instructions that handlers are made of
/// and nothing else. Guest pages are absent until mapped, then read-only until mapped for writing; the virtual CPU pages are always there, the guard page never.
/// </summary>
internal sealed class StubProcessor
{
    internal const uint ArithmeticFlags = 0x8D5 | 0x400;
    private const uint WritableByPopf = ArithmeticFlags | 0x4000 | 0x40000 | 0x200000;

    private readonly Dictionary<uint, byte> written = [];
    private readonly Dictionary<uint, bool> writable = [];
    private readonly byte[] state = new byte[VirtualCpuPage.Pages * 4096];
    private readonly uint virtualCpu;

    internal StubProcessor(uint virtualCpuLinear) => virtualCpu = virtualCpuLinear;

    /// <summary>EAX … EDI.</summary>
    internal uint[] Gpr { get; } = new uint[8];

    /// <summary>Physical EFLAGS: bit 1 and IF always set.</summary>
    internal uint Eflags { get; set; } = 0x202;

    internal uint Eip { get; set; }

    /// <summary>Guest bytes that were stored.</summary>
    internal IReadOnlyDictionary<uint, byte> Written => written;

    /// <summary>The virtual CPU pages.</summary>
    internal Span<byte> State => state;

    /// <summary>Where the last fault was, and whether it was a write.</summary>
    internal (uint Linear, bool IsWrite) Fault { get; private set; }

    /// <summary>What a guest byte holds that was never stored: any function of the address will do.</summary>
    internal static byte Initial(uint linear) => (byte)((linear * 0x9E37_79B1u) >> 23);

    internal uint ReadState(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(state.AsSpan(offset));

    internal void WriteState(int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(state.AsSpan(offset), value);

    /// <summary>Maps a guest page.</summary>
    internal void Map(uint linear, bool isWritable) => writable[linear >> 12] = isWritable;

    /// <summary>Stores guest bytes as a loader would.</summary>
    internal void Poke(uint linear, uint value)
    {
        for (int i = 0; i < 4; i++)
            written[linear + (uint)i] = (byte)(value >> (8 * i));
    }

    internal uint Peek(uint linear)
    {
        uint value = 0;
        for (int i = 0; i < 4; i++)
            value |= (uint)written.GetValueOrDefault(linear + (uint)i, Initial(linear + (uint)i)) << (8 * i);
        return value;
    }

    /// <summary>Executes one instruction.</summary>
    /// <returns>False when it faulted, see <see cref="Fault"/>: nothing changed.</returns>
    internal bool Step(Instruction instruction)
    {
        uint next = instruction.NextIP32;
        switch (instruction.Mnemonic)
        {
            case Mnemonic.Nop:
                break;
            case Mnemonic.Mov or Mnemonic.Movzx:
                if (!TryRead(instruction, 1, out uint moved) || !TryWrite(instruction, 0, moved))
                    return false;
                break;
            case Mnemonic.Lea:
                SetRegister(instruction.Op0Register, Effective(instruction));
                break;
            case Mnemonic.Not:
                SetRegister(instruction.Op0Register, ~Register32(instruction.Op0Register));
                break;
            case Mnemonic.Jecxz:
                next = Gpr[1] == 0 ? instruction.NearBranch32 : next;
                break;
            case Mnemonic.Jmp:
                next = instruction.NearBranch32;
                break;
            case Mnemonic.Push:
                if (!TryRead(instruction, 0, out uint pushed) || !TryPush(pushed, instruction.StackPointerIncrement == -2 ? 2 : 4))
                    return false;
                break;
            case Mnemonic.Pushfd:
                if (!TryPush(Eflags & 0x00FC_FFFF, 4))
                    return false;
                break;
            case Mnemonic.Popfd:
                if (!TryLoad(Gpr[4], 4, out uint image))
                    return false;
                Eflags = (image & WritableByPopf) | 0x202;
                Gpr[4] += 4;
                break;
            default:
                throw new InvalidOperationException($"Handler code has a {instruction.Mnemonic}.");
        }

        Eip = next;
        return true;
    }

    private static int SizeOf(in Instruction instruction, int operand) => instruction.GetOpKind(operand) == OpKind.Register
        ? instruction.GetOpRegister(operand).GetSize()
        : instruction.MemorySize.GetSize();

    private bool TryRead(in Instruction instruction, int operand, out uint value)
    {
        switch (instruction.GetOpKind(operand))
        {
            case OpKind.Register:
                value = Register32(instruction.GetOpRegister(operand));
                return true;
            case OpKind.Memory:
                return TryLoad(Effective(instruction), SizeOf(instruction, operand), out value);
            default:
                value = (uint)instruction.GetImmediate(operand);
                return true;
        }
    }

    private bool TryWrite(in Instruction instruction, int operand, uint value)
    {
        if (instruction.GetOpKind(operand) != OpKind.Register)
            return TryStore(Effective(instruction), SizeOf(instruction, operand), value);
        SetRegister(instruction.GetOpRegister(operand), value);
        return true;
    }

    private bool TryPush(uint value, int size)
    {
        if (!TryStore(Gpr[4] - (uint)size, size, value))
            return false;
        Gpr[4] -= (uint)size;
        return true;
    }

    private uint Effective(in Instruction instruction)
    {
        uint address = instruction.MemoryDisplacement32;
        if (instruction.MemoryBase != Register.None)
            address += Register32(instruction.MemoryBase);
        if (instruction.MemoryIndex != Register.None)
            address += Register32(instruction.MemoryIndex) * (uint)instruction.MemoryIndexScale;
        return address;
    }

    private uint Register32(Register register)
    {
        uint full = Gpr[register.GetFullRegister32() - Register.EAX];
        return register switch
        {
            >= Register.AH and <= Register.BH => (full >> 8) & 0xFF,
            >= Register.AL and <= Register.BL => full & 0xFF,
            >= Register.AX and <= Register.DI => full & 0xFFFF,
            _ => full,
        };
    }

    private void SetRegister(Register register, uint value)
    {
        ref uint full = ref Gpr[register.GetFullRegister32() - Register.EAX];
        full = register switch
        {
            >= Register.AH and <= Register.BH => (full & ~0xFF00u) | ((value & 0xFF) << 8),
            >= Register.AL and <= Register.BL => (full & ~0xFFu) | (value & 0xFF),
            >= Register.AX and <= Register.DI => (full & ~0xFFFFu) | (value & 0xFFFF),
            >= Register.EAX and <= Register.EDI => value,
            _ => throw new InvalidOperationException($"Handler code writes {register}."),
        };
    }

    private bool TryLoad(uint linear, int size, out uint value)
    {
        value = 0;
        for (int i = 0; i < size; i++)
        {
            uint at = linear + (uint)i;
            uint offset = at - virtualCpu;
            if (offset < state.Length)
                value |= (uint)state[offset] << (8 * i);
            else if (offset >> 12 != VirtualCpuPage.Pages && writable.ContainsKey(at >> 12))
                value |= (uint)written.GetValueOrDefault(at, Initial(at)) << (8 * i);
            else
                return Faulted(at, isWrite: false);
        }

        return true;
    }

    private bool TryStore(uint linear, int size, uint value)
    {
        for (int i = 0; i < size; i++)
        {
            uint at = linear + (uint)i;
            if (at - virtualCpu >= state.Length && ((at - virtualCpu) >> 12 == VirtualCpuPage.Pages || !writable.GetValueOrDefault(at >> 12)))
                return Faulted(at, isWrite: true);
        }

        for (int i = 0; i < size; i++)
        {
            uint at = linear + (uint)i;
            if (at - virtualCpu < state.Length)
                state[at - virtualCpu] = (byte)(value >> (8 * i));
            else
                written[at] = (byte)(value >> (8 * i));
        }

        return true;
    }

    private bool Faulted(uint linear, bool isWrite)
    {
        Fault = (linear, isWrite);
        return false;
    }
}
