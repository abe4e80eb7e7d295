using Iced.Intel;
using Plexus.Cpu.Native;

namespace Plexus.Cpu.Tests.Oracle;

/// <summary>Initial state and code of a case.</summary>
internal sealed record OracleCase
{
    public required int Slot { get; init; }

    /// <summary>Which of <see cref="MemoryImages"/> data memory holds.</summary>
    public required int Image { get; init; }

    /// <summary>Where the code begins in its two pages.</summary>
    public required int CodeAt { get; init; }

    /// <summary>EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI.</summary>
    public required uint[] Registers { get; init; }

    public required uint Eflags { get; init; }

    /// <summary>512 bytes as FXRSTOR takes them.</summary>
    public required byte[] Fx { get; init; }

    public required IReadOnlyList<OracleItem> Items { get; init; }

    public uint Entry => OracleLayout.Code(Slot) + (uint)CodeAt;

    /// <summary>The code with an INT3 behind it, cut where its pages end.</summary>
    /// <param name="host">For the host in its mode; otherwise for the interpreter.</param>
    public byte[] Encode(bool host)
    {
        int[] starts = Starts();
        byte[] code = new byte[starts[^1] + 1];
        for (int i = 0; i < Items.Count; i++)
        {
            OracleItem item = Items[i];
            byte[] bytes = host ? item.Host : item.Guest;
            bytes.CopyTo(code, starts[i]);
            int displacement = starts[Math.Min(i + item.Skip, Items.Count)] - starts[i + 1];
            for (int k = 0; k < item.Displacement; k++)
                code[starts[i] + bytes.Length + k] = (byte)(displacement >> (k * 8));
        }

        code[^1] = 0xCC;
        return code.Length <= OracleLayout.DataStart - CodeAt ? code : code[..(OracleLayout.DataStart - CodeAt)];
    }

    /// <summary>Where each item starts, from <see cref="Entry"/>; the last element is the INT3.</summary>
    public int[] Starts()
    {
        int[] starts = new int[Items.Count + 1];
        for (int i = 0; i < Items.Count; i++)
            starts[i + 1] = starts[i] + Items[i].Length;
        return starts;
    }

    /// <summary>What is undefined when an item is reached, whichever way; the last element at the INT3.</summary>
    /// <param name="isSound">False when an item looks at something undefined.</param>
    public uint[] Undefined(out bool isSound)
    {
        uint[] at = new uint[Items.Count + 1];
        isSound = true;
        for (int i = 0; i < Items.Count; i++)
        {
            OracleItem item = Items[i];
            isSound &= (at[i] & item.Reads) == 0;
            uint after = (at[i] & ~item.Defines) | item.Undefines;
            at[i + 1] |= after;
            if (item.Displacement != 0)
                at[Math.Min(i + item.Skip, Items.Count)] |= after;
        }

        return at;
    }

    /// <summary>What may be undefined at an EIP: of the item that it is in or that ends there.</summary>
    public uint UndefinedAt(uint eip)
    {
        uint[] undefined = Undefined(out _);
        int[] starts = Starts();
        uint mask = 0;
        for (int i = 0; i <= Items.Count; i++)
        {
            uint first = Entry + (uint)starts[i];
            uint end = i < Items.Count ? Entry + (uint)starts[i + 1] : first + 2;
            if (eip >= first && eip < end)
                mask |= undefined[i] | (eip != first && i < Items.Count ? Items[i].Undefines : 0);
        }

        // Outside the code: a branch to anywhere may have been any of them.
        return eip - Entry < (uint)starts[^1] + 2 ? mask : undefined.Aggregate(0u, (all, one) => all | one);
    }

    /// <summary>Whether the item at an EIP <see cref="OracleItem.HasManyAccesses"/>.</summary>
    public bool HasManyAccessesAt(uint eip) => ItemAt(eip) is ({ HasManyAccesses: true }, _);

    /// <summary>The instruction at an EIP has one of these opcodes, perhaps behind prefixes.</summary>
    public bool HasOpcodeAt(uint eip, params ReadOnlySpan<byte> opcodes)
    {
        if (ItemAt(eip) is not (var item, var offset))
            return false;
        ReadOnlySpan<byte> bytes = item.Guest.AsSpan(Math.Min(offset, item.Guest.Length)).TrimStart(Prefixes);
        return bytes.Length != 0 && opcodes.Contains(bytes[0]);
    }

    /// <summary>Some instruction leaves flags of which nobody has asked yet what the host makes of them: decimal arithmetic, x87 comparisons, shifts by the width of their operand or more.</summary>
    public bool HasUnknownFlags => Items.Any(item =>
    {
        Instruction instruction = Decoder.Create(32, item.Guest).Decode();
        bool isDecimal = instruction.Mnemonic is Mnemonic.Daa or Mnemonic.Das or Mnemonic.Aaa or Mnemonic.Aas or Mnemonic.Aam or Mnemonic.Aad;
        return isDecimal || (item.Undefines & (FlagRules.C1 | FlagRules.Conditions)) != 0 || ((item.Undefines & FlagRules.Cf) != 0 && FlagRules.IsShift(instruction.Mnemonic));
    });

    private (OracleItem Item, int Offset)? ItemAt(uint eip)
    {
        int[] starts = Starts();
        for (int i = 0; i < Items.Count; i++)
        {
            if (eip - Entry >= (uint)starts[i] && eip - Entry < (uint)starts[i + 1])
                return (Items[i], (int)(eip - Entry) - starts[i]);
        }

        return null;
    }

    private static ReadOnlySpan<byte> Prefixes => [0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65, 0x66, 0x67, 0xF2, 0xF3];

    public void Put(ref ContainerSlot slot)
    {
        for (int i = 0; i < 8; i++)
            slot.Entry.General[i] = Registers[i];
        slot.Entry.Eip = Entry;
        slot.Entry.Eflags = Eflags;
        Fx.CopyTo((Span<byte>)slot.EntryFpu);
    }
}
