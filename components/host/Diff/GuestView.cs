using Iced.Intel;
using Plexus.Host.Machines;
using Plexus.Messaging.Shared;

namespace Plexus.Host.Diff;

/// <summary>Looks at a stopped machine's guest from outside: nothing in it changes, no accessed bit is set.</summary>
internal static class GuestView
{
    private const int LongestInstruction = 15;

    /// <summary>The instruction at CS:EIP.</summary>
    public static GuestInstruction Instruction(Machine machine)
    {
        ref VcpuBlock cpu = ref machine.Vcpu.State;
        SegmentRegister code = cpu.Segments[(int)SegmentIndex.Cs];
        byte[] bytes = new byte[LongestInstruction];
        int count = machine.ReadLinear(code.Base + cpu.Eip, bytes);
        if (count == 0)
            return new GuestInstruction(code.Selector, cpu.Eip, "", "(not mapped)");
        int bits = (code.Attributes & 0x4000) != 0 ? 32 : 16;
        Decoder decoder = Decoder.Create(bits, new ByteArrayCodeReader(bytes, 0, count), cpu.Eip);
        Instruction instruction = decoder.Decode();
        StringOutput output = new();
        new NasmFormatter().Format(instruction, output);
        int length = Math.Max(instruction.Length, 1);
        return new GuestInstruction(code.Selector, cpu.Eip, Convert.ToHexString(bytes, 0, Math.Min(length, count)), output.ToStringAndReset());
    }

    /// <summary>The instruction at CS:EIP, in one line.</summary>
    public static string Disassemble(Machine machine)
    {
        GuestInstruction instruction = Instruction(machine);
        return $"{instruction.Selector:X4}:{instruction.Eip:X8}  {instruction.Bytes,-24} {instruction.Text}";
    }
}
