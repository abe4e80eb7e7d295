using Iced.Intel;
using Plexus.Cpu.Native;
using Plexus.Cpu.Processor;
using Plexus.Cpu.Tests.Fpu.Differential;

namespace Plexus.Cpu.Tests.Oracle;

/// <summary>Random cases: registers of which some are addresses, and one to thirty instructions.</summary>
internal sealed partial class OracleGenerator
{
    private const byte AddressSize = 0x67, DataSegment = 0x3E;

    private readonly Random random;
    private readonly bool longMode;
    private readonly CpuModel model;
    private readonly OracleOpcodes opcodes;
    private readonly OracleOperands operands;
    private readonly FpuGenerator fpuStates;
    private readonly MemoryStream encoded = new();
    private readonly Encoder encoder;

    /// <summary>The case under construction may leave x87 exceptions unmasked.</summary>
    private bool mayUnmask;

    public OracleGenerator(int seed, ContainerMode mode, string modelName)
    {
        random = new Random(seed);
        longMode = mode == ContainerMode.Long;
        model = CpuModels.Find(modelName);
        opcodes = new OracleOpcodes(model, longMode);
        operands = new OracleOperands(random, longMode);
        fpuStates = new FpuGenerator(seed);
        encoder = Encoder.Create(32, new StreamCodeWriter(encoded));
    }

    public OracleCase Next(int slot)
    {
        operands.Slot = slot;
        uint[] registers = [OracleValues.Any(random), random.Next(3) == 0 ? OracleValues.Any(random) : (uint)random.Next(40), OracleValues.Any(random), Address(slot), StackAddress(slot), StackAddress(slot), Address(slot), Address(slot)];
        byte[] fx = FpuState();
        mayUnmask = (fx[0] & 0x3F) != 0x3F;
        List<OracleItem> items = Sequence(random.Next(8) == 0 ? 1 : random.Next(1, 31));
        int length = items.Sum(item => item.Length) + 1;
        int codeAt = random.Next(16) switch
        {
            0 => OracleLayout.Page - random.Next(1, length + 1),
            1 => OracleLayout.DataStart - random.Next(1, length + 1),
            _ => random.Next(OracleLayout.Page - 1024),
        };
        uint eflags = 0x202 | ((uint)random.Next() & (FlagRules.Arithmetic | (random.Next(8) == 0 ? FlagRules.Df : 0)));
        if (random.Next(64) == 0)
            eflags |= 0x4_0000;
        return new OracleCase { Slot = slot, Image = random.Next(MemoryImages.Count), CodeAt = codeAt, Registers = registers, Eflags = eflags, Fx = fx, Items = items };
    }

    /// <summary>Mostly in the middle; sometimes where pages with different rights meet.</summary>
    private uint Address(int slot)
    {
        uint start = OracleLayout.SlotBase(slot);
        uint address = random.Next(16) switch
        {
            < 10 => start + OracleLayout.DataOffset + 64 + (uint)random.Next(0x1E00),
            < 12 => start + OracleLayout.DataOffset + OracleLayout.Page - (uint)random.Next(64),
            < 14 => start + OracleLayout.ReadOnlyOffset - (uint)random.Next(48),
            14 => start + OracleLayout.EndOffset - (uint)random.Next(40),
            _ => start + OracleLayout.DataOffset + (uint)random.Next(24),
        };
        return random.Next(2) == 0 ? address & ~15u : address;
    }

    private uint StackAddress(int slot)
    {
        uint start = OracleLayout.Stack(slot);
        uint address = random.Next(16) switch
        {
            0 => start + (uint)random.Next(40),
            1 => start + OracleLayout.Page - (uint)random.Next(40),
            _ => start + 0x400 + (uint)random.Next(0x800),
        };
        return random.Next(8) == 0 ? address : address & ~3u;
    }

    private List<OracleItem> Sequence(int count)
    {
        List<OracleItem> items = [];
        uint undefined = 0;
        List<(int At, uint Mask)> joins = [];
        while (items.Count < count)
        {
            OracleItem? item = Item();
            if (item is null)
                continue;

            // What the item looks at is given a value first; a branch may come from where it had none.
            foreach ((int at, uint mask) in joins)
                undefined |= at == items.Count ? mask : 0;
            if ((undefined & item.Reads & ~(FlagRules.C1 | FlagRules.Conditions)) != 0)
                Add(DefineFlags());
            foreach ((int at, uint mask) in joins)
                undefined |= at == items.Count ? mask : 0;
            if ((undefined & item.Reads & (FlagRules.C1 | FlagRules.Conditions)) != 0)
                Add(DefineConditions());
            foreach ((int at, uint mask) in joins)
                undefined |= at == items.Count ? mask : 0;
            if ((undefined & item.Reads) != 0)
                continue;
            Add(item);
            if (item.Displacement != 0)
                joins.Add((items.Count - 1 + item.Skip, undefined));
        }

        return items;

        void Add(OracleItem item)
        {
            items.Add(item);
            undefined = (undefined & ~item.Defines) | item.Undefines;
        }
    }

    private OracleItem? Item() => random.Next(100) switch
    {
        < 34 => Encoded(Pick(opcodes.Integer)),
        < 44 => Encoded(Pick(opcodes.Shift)),
        < 49 => Encoded(Pick(opcodes.Multiply)),
        < 55 => Encoded(Pick(opcodes.Bit)),
        < 60 => Encoded(Pick(opcodes.Set)),
        < 67 => Encoded(Pick(opcodes.Stack)),
        < 73 => StringItem(),
        < 81 => Branch(),
        < 95 => model.HasFpu ? FpuItem() : null,
        < 98 => opcodes.Simd.Length != 0 ? Encoded(Pick(opcodes.Simd)) : null,
        < 99 => opcodes.Trap.Length != 0 ? Encoded(Pick(opcodes.Trap)) : null,
        _ => Faulting(),
    };

    private Code Pick(Code[][] groups)
    {
        Code[] group = groups[random.Next(groups.Length)];
        return group[random.Next(group.Length)];
    }

    private OracleItem? Encoded(Code code)
    {
        if (!operands.TryBuild(code, out Instruction instruction))
            return null;
        if (HasUndefinedResult(instruction))
            return null;
        if (random.Next(12) == 0 && code.ToOpCode().CanUseLockPrefix && instruction.Op0Kind == OpKind.Memory)
            instruction.HasLockPrefix = true;
        OracleItem? item = Encode(instruction);

        // LOCK before what cannot be locked is an undefined opcode.
        return item is not null && random.Next(300) == 0 && !instruction.HasLockPrefix ? item with { Guest = [0xF0, .. item.Guest], Host = [0xF0, .. item.Host] } : item;
    }

    /// <summary>Results that the manual leaves undefined and processors make differently.</summary>
    private static bool HasUndefinedResult(in Instruction instruction)
    {
        // SHLD and SHRD of 16 bits by more than 16 (SDM vol. 2, SHLD).
        if (instruction.Mnemonic is not (Mnemonic.Shld or Mnemonic.Shrd) || instruction.Op1Register.GetSize() != 2)
            return false;
        return instruction.Op2Kind == OpKind.Register || (instruction.Immediate8 & 31) > 16;
    }

    private OracleItem? Encode(in Instruction instruction)
    {
        encoded.SetLength(0);
        if (!encoder.TryEncode(instruction, 0, out _, out _))
            return null;
        byte[] bytes = encoded.ToArray();
        (byte[] guest, byte[] host) = WithAddressSize(bytes, UsesAddress(instruction));
        return new OracleItem(guest, host) { Reads = FlagRules.Reads(instruction), Defines = FlagRules.Defines(instruction), Undefines = FlagRules.Undefines(instruction), HasManyAccesses = instruction.Mnemonic is Mnemonic.Enter or Mnemonic.Pusha or Mnemonic.Pushad };
    }

    private (byte[] Guest, byte[] Host) WithAddressSize(byte[] bytes, bool addresses) =>
        longMode && addresses ? ([DataSegment, .. bytes], [AddressSize, .. bytes]) : (bytes, bytes);

    private static bool UsesAddress(in Instruction instruction)
    {
        for (int i = 0; i < instruction.OpCount; i++)
        {
            if (instruction.GetOpKind(i) is >= OpKind.MemorySegSI)
                return true;
        }

        return false;
    }

    /// <summary>CMP gives every arithmetic flag a value.</summary>
    private OracleItem DefineFlags() => Encode(Instruction.Create(Code.Cmp_rm32_imm8, Register.EAX + random.Next(8), random.Next(-128, 128)))!;

    private OracleItem? StringItem()
    {
        if (!operands.TryBuildString(Pick(opcodes.String), out Instruction instruction))
            return null;
        OracleItem? item = Encode(instruction);
        if (item is null || !(instruction.HasRepPrefix || instruction.HasRepnePrefix) || random.Next(10) < 3)
            return item;

        // The count belongs to it: what is in ECX otherwise goes to the end of the pages.
        byte[] count = [0xB9, (byte)random.Next(24), 0, 0, 0];
        return item with { Guest = [.. count, .. item.Guest], Host = [.. count, .. item.Host] };
    }

    private OracleItem Branch()
    {
        int skip = random.Next(1, 6);
        int condition = random.Next(16);
        uint reads = ConditionReads(condition);
        switch (random.Next(8))
        {
            case 0:
                return new OracleItem([0xEB], [0xEB]) { Displacement = 1, Skip = skip };
            case 1:
                return new OracleItem([0xE9], [0xE9]) { Displacement = 4, Skip = skip };
            case 2:
                {
                    // LOOPNE, LOOPE, LOOP, JECXZ.
                    byte opcode = (byte)(0xE0 + random.Next(4));
                    (byte[] guest, byte[] host) = WithAddressSize([opcode], addresses: true);
                    return new OracleItem(guest, host) { Displacement = 1, Skip = skip, Reads = opcode < 0xE2 ? FlagRules.Zf : 0 };
                }

            case < 5:
                return new OracleItem([0x0F, (byte)(0x80 + condition)], [0x0F, (byte)(0x80 + condition)]) { Displacement = 4, Skip = skip, Reads = reads };
            default:
                return new OracleItem([(byte)(0x70 + condition)], [(byte)(0x70 + condition)]) { Displacement = 1, Skip = skip, Reads = reads };
        }
    }

    private static uint ConditionReads(int condition) => (condition >> 1) switch
    {
        0 => FlagRules.Of,
        1 => FlagRules.Cf,
        2 => FlagRules.Zf,
        3 => FlagRules.Cf | FlagRules.Zf,
        4 => FlagRules.Sf,
        5 => FlagRules.Pf,
        6 => FlagRules.Sf | FlagRules.Of,
        _ => FlagRules.Sf | FlagRules.Of | FlagRules.Zf,
    };
}
