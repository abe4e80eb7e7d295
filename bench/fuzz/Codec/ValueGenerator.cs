using System.Text;

namespace Plexus.Fuzz.Codec;

/// <summary>Writes MessagePack values in every format there is, the longer forms and the lying ones included; the codec's own writer only knows the shortest.</summary>
public static class ValueGenerator
{
    private const int DeepestBranch = 6;

    /// <summary>Any value.</summary>
    public static byte[] Value(Random random)
    {
        List<byte> bytes = [];
        if (random.Next(40) == 0)
        {
            // Around and far beyond the limit of 64.
            byte container = random.Next(2) == 0 ? (byte)0x91 : (byte)0x81;
            for (int depth = random.Next(4) == 0 ? random.Next(3000) : random.Next(58, 70); depth > 0; depth--)
            {
                bytes.Add(container);
                if (container == 0x81)
                    bytes.Add(0xC0);
            }
        }

        Write(random, bytes, 0);
        return [.. bytes];
    }

    private static void Write(Random random, List<byte> output, int depth)
    {
        switch (random.Next(depth < DeepestBranch ? 16 : 12))
        {
            case 0:
                output.Add((byte)random.Next(0x80));
                break;
            case 1:
                output.Add((byte)random.Next(0xE0, 0x100));
                break;
            case 2:
                output.Add((byte)(0xC0 + (random.Next(50) == 0 ? 1 : random.Next(3) is var n && n == 0 ? 0 : n + 1)));
                break;
            case 3 or 4:
                Integer(random, output);
                break;
            case 5:
                int size = random.Next(2) == 0 ? 4 : 8;
                output.Add(size == 4 ? (byte)0xCA : (byte)0xCB);
                Raw(random, output, size);
                break;
            case 6 or 7:
                Text(random, output);
                break;
            case 8:
                int length = random.Next(20);
                Length(random, output, length, -1, 0, 0xC4, 0xC5, 0xC6);
                Raw(random, output, length);
                break;
            case 9:
                Extension(random, output);
                break;
            case 10:
                Timestamp(random, output);
                break;
            case 11:
                output.Add((byte)random.Next(256));
                break;
            case 12 or 13:
                int elements = random.Next(5);
                Length(random, output, elements, 15, 0x90, -1, 0xDC, 0xDD);
                for (int i = 0; i < elements; i++)
                    Write(random, output, depth + 1);
                break;
            default:
                int pairs = random.Next(4);
                Length(random, output, pairs, 15, 0x80, -1, 0xDE, 0xDF);
                for (int i = 0; i < pairs * 2; i++)
                    Write(random, output, depth + 1);
                break;
        }
    }

    private static void Integer(Random random, List<byte> output)
    {
        int form = random.Next(8);
        output.Add((byte)(0xCC + form));
        int size = 1 << (form & 3);
        switch (random.Next(3))
        {
            case 0:
                Raw(random, output, size);
                break;
            case 1:
                // A small number in a long form.
                Fill(output, size - 1, (byte)(random.Next(2) * 255));
                output.Add((byte)random.Next(256));
                break;
            default:
                output.Add((byte)(random.Next(2) == 0 ? 0x80 : 0x7F));
                Fill(output, size - 1, (byte)(random.Next(2) * 255));
                break;
        }
    }

    private static void Text(Random random, List<byte> output)
    {
        byte[] text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, random.Next(12)).Select(_ => random.Next(5) switch { 0 => "é", 1 => "€", 2 => "😀", 3 => "\0", _ => "a" })));
        if (text.Length != 0 && random.Next(10) == 0)
            text[random.Next(text.Length)] = (byte)random.Next(0x80, 0x100);
        Length(random, output, text.Length, 31, 0xA0, 0xD9, 0xDA, 0xDB);
        output.AddRange(text);
    }

    private static void Extension(Random random, List<byte> output)
    {
        int fix = random.Next(8);
        if (fix < 5)
        {
            output.Add((byte)(0xD4 + fix));
            Raw(random, output, 1 + (1 << fix));
            return;
        }

        int length = random.Next(20);
        Length(random, output, length, -1, 0, 0xC7, 0xC8, 0xC9);
        Raw(random, output, length + 1);
    }

    private static void Timestamp(Random random, List<byte> output)
    {
        switch (random.Next(4))
        {
            case 0:
                output.AddRange([0xD6, 0xFF]);
                Raw(random, output, 4);
                break;
            case 1:
                output.AddRange([0xD7, 0xFF]);
                Raw(random, output, 8);
                break;
            case 2:
                output.AddRange([0xC7, 12, 0xFF]);
                output.Add((byte)random.Next(0x48));
                Raw(random, output, 11);
                break;
            default:
                // In a longer form than its seconds need.
                output.AddRange([0xC7, 12, 0xFF, 0, 0, 0, (byte)random.Next(2), 0, 0, 0, (byte)random.Next(8)]);
                Raw(random, output, 4);
                break;
        }
    }

    /// <summary>A length in any form that holds it; one in thirty lies.</summary>
    private static void Length(Random random, List<byte> output, int length, int fixMaximum, int fix, int form8, int form16, int form32)
    {
        uint claimed = random.Next(30) == 0 ? Harness.Mutator.Number(random) : (uint)length;
        int form = random.Next(5);
        if (claimed <= fixMaximum && form < 2)
        {
            output.Add((byte)(fix | (int)claimed));
        }
        else if (claimed <= 0xFF && form8 > 0 && form < 4)
        {
            output.AddRange([(byte)form8, (byte)claimed]);
        }
        else if (claimed <= 0xFFFF && form < 4)
        {
            output.AddRange([(byte)form16, (byte)(claimed >> 8), (byte)claimed]);
        }
        else
        {
            output.AddRange([(byte)form32, (byte)(claimed >> 24), (byte)(claimed >> 16), (byte)(claimed >> 8), (byte)claimed]);
        }
    }

    private static void Raw(Random random, List<byte> output, int count)
    {
        for (int i = 0; i < count; i++)
            output.Add((byte)random.Next(256));
    }

    private static void Fill(List<byte> output, int count, byte value)
    {
        for (int i = 0; i < count; i++)
            output.Add(value);
    }
}
