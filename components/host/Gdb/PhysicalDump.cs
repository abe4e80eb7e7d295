using System.Globalization;
using System.Text;
using Iced.Intel;
using Plexus.Host.Machines;
using Plexus.Messaging.Shared;

namespace Plexus.Host.Gdb;

/// <summary><c>xp /FMT ADDRESS</c>: guest-physical memory as text.</summary>
internal static class PhysicalDump
{
    private const string Usage = "xp /FMT ADDRESS: FMT is a count, one of x d u o c i, and one of b h w, for example /16xw; ADDRESS is a number, 0x… for hexadecimal\n";
    private const int MostItems = 65_536;
    private const int LineBytes = 16;
    private const int LongestInstruction = 15;

    /// <summary>Carries it out.</summary>
    public static string Write(Machine machine, string[] words)
    {
        int count = 1;
        char format = 'x';
        int size = 4;
        bool hasFormat = words is [['/', ..], ..];
        string[] rest = hasFormat ? words[1..] : words;
        if (hasFormat && !ReadFormat(words[0][1..], ref count, ref format, ref size))
            return Usage;
        if (rest is not [var text] || !TryReadNumber(text, out uint address))
            return Usage;
        return format == 'i' ? Disassemble(machine, address, count) : Dump(machine.Memory, address, count, format, size);
    }

    private static bool ReadFormat(string text, ref int count, ref char format, ref int size)
    {
        int digits = 0;
        while (digits < text.Length && char.IsAsciiDigit(text[digits]))
            digits++;
        if (digits != 0 && (!int.TryParse(text[..digits], NumberStyles.None, CultureInfo.InvariantCulture, out count) || count > MostItems))
            return false;
        foreach (char letter in text[digits..])
        {
            switch (letter)
            {
                case 'x' or 'd' or 'u' or 'o' or 'i':
                    format = letter;
                    break;
                case 'c':
                    format = letter;
                    size = 1;
                    break;
                case 'b' or 'h' or 'w':
                    size = letter switch { 'b' => 1, 'h' => 2, _ => 4 };
                    break;
                default:
                    return false;
            }
        }

        return true;
    }

    private static bool TryReadNumber(string text, out uint value) => text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
        ? uint.TryParse(text[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value)
        : uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);

    private static string Dump(GuestMemory memory, uint address, int count, char format, int size)
    {
        StringBuilder text = new();
        Span<byte> item = stackalloc byte[4];
        for (int i = 0; i < count; i++)
        {
            int offset = i * size;
            ulong at = address + (ulong)offset;
            if (offset % LineBytes == 0)
                text.Append(CultureInfo.InvariantCulture, $"{(i == 0 ? "" : "\n")}{at:x8}:");
            item.Clear();
            memory.ReadPhysical(at, item[..size]);
            text.Append(' ').Append(ItemOf(BitConverter.ToUInt32(item), format, size));
        }

        return text.Append('\n').ToString();
    }

    private static string ItemOf(uint value, char format, int size) => format switch
    {
        'd' => string.Create(CultureInfo.InvariantCulture, $"{(int)(value << (32 - (size * 8))) >> (32 - (size * 8))}"),
        'u' => value.ToString(CultureInfo.InvariantCulture),
        'o' => "0" + Convert.ToString(value, 8),
        'c' => $"'{(value is >= 0x20 and < 0x7F ? ((char)value).ToString() : $"\\x{value:x2}")}'",
        _ => "0x" + value.ToString($"x{size * 2}", CultureInfo.InvariantCulture),
    };

    private static string Disassemble(Machine machine, uint address, int count)
    {
        StringBuilder text = new();
        byte[] bytes = new byte[LongestInstruction];
        int bits = (machine.Vcpu.State.Segments[(int)SegmentIndex.Cs].Attributes & 0x4000) != 0 ? 32 : 16;
        NasmFormatter formatter = new();
        StringOutput output = new();
        for (int i = 0; i < count; i++)
        {
            machine.Memory.ReadPhysical(address, bytes);
            Instruction instruction = Iced.Intel.Decoder.Create(bits, new ByteArrayCodeReader(bytes), address).Decode();
            formatter.Format(instruction, output);
            text.Append(CultureInfo.InvariantCulture, $"{address:x8}: {output.ToStringAndReset()}\n");
            address += (uint)Math.Max(1, instruction.Length);
        }

        return text.ToString();
    }
}
