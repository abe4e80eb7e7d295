using System.Buffers.Binary;
using Iced.Intel;
using Plexus.Host.Machines;
using Plexus.Messaging.Shared;

namespace Plexus.Host.Diff;

/// <summary>Looks at a stopped machine's guest from outside: nothing in it changes, no accessed bit is set.</summary>
internal static class GuestView
{
    private const uint Paging = 1u << 31;
    private const uint PageSizeExtensions = 1 << 4;
    private const uint Present = 1;
    private const uint LargePage = 1 << 7;
    private const int LongestInstruction = 15;

    /// <summary>Translates a linear address by the guest's page tables (SDM vol. 3, 4.3).</summary>
    public static uint? ToPhysical(Machine machine, uint linear)
    {
        ref VcpuBlock cpu = ref machine.Vcpu.State;
        if ((cpu.Cr0 & Paging) == 0)
            return linear;
        uint directory = Read32(machine, (cpu.Cr3 & 0xFFFF_F000) + ((linear >> 22) * 4));
        if ((directory & Present) == 0)
            return null;
        if ((directory & LargePage) != 0 && (cpu.Cr4 & PageSizeExtensions) != 0)
            return (directory & 0xFFC0_0000) | (linear & 0x003F_FFFF);
        uint table = Read32(machine, (directory & 0xFFFF_F000) + (((linear >> 12) & 0x3FF) * 4));
        return (table & Present) == 0 ? null : (table & 0xFFFF_F000) | (linear & 0xFFF);
    }

    /// <summary>The instruction at CS:EIP, disassembled.</summary>
    public static string Disassemble(Machine machine)
    {
        ref VcpuBlock cpu = ref machine.Vcpu.State;
        SegmentRegister code = cpu.Segments[(int)SegmentIndex.Cs];
        byte[] bytes = new byte[LongestInstruction];
        int count = 0;
        for (; count < bytes.Length; count++)
        {
            if (ToPhysical(machine, code.Base + cpu.Eip + (uint)count) is not { } physical)
                break;
            machine.Memory.ReadPhysical(physical, bytes.AsSpan(count, 1));
        }

        string address = $"{code.Selector:X4}:{cpu.Eip:X8}";
        if (count == 0)
            return $"{address}  (not mapped)";
        int bits = (code.Attributes & 0x4000) != 0 ? 32 : 16;
        Decoder decoder = Decoder.Create(bits, new ByteArrayCodeReader(bytes, 0, count), cpu.Eip);
        Instruction instruction = decoder.Decode();
        StringOutput output = new();
        new NasmFormatter().Format(instruction, output);
        int length = Math.Max(instruction.Length, 1);
        return $"{address}  {Convert.ToHexString(bytes, 0, Math.Min(length, count)),-24} {output.ToStringAndReset()}";
    }

    private static uint Read32(Machine machine, uint physical)
    {
        Span<byte> bytes = stackalloc byte[4];
        machine.Memory.ReadPhysical(physical, bytes);
        return BinaryPrimitives.ReadUInt32LittleEndian(bytes);
    }
}
