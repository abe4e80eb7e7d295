using System.Globalization;
using System.Text;
using Plexus.Messaging.Codec;

namespace Plexus.Tools.Tests.Messaging;

/// <summary>Values, each as a Python expression and as calls of the writer, side by side.</summary>
internal sealed class Expressions
{
    private readonly List<string> python = [];
    private readonly List<byte[]> ours = [];

    private delegate void Write(ref MessagePackWriter writer);

    /// <summary>The expressions.</summary>
    public IReadOnlyList<string> Python => python;

    /// <summary>What the writer makes of them.</summary>
    public IReadOnlyList<byte[]> Ours => ours;

    /// <summary>Every value at which a format changes, and its neighbours.</summary>
    public void AddBoundaries()
    {
        Add("None", (ref MessagePackWriter w) => w.WriteNil());
        Add("True", (ref MessagePackWriter w) => w.WriteBoolean(true));
        Add("False", (ref MessagePackWriter w) => w.WriteBoolean(false));
        for (int bit = 0; bit < 64; bit++)
        {
            for (int delta = -2; delta <= 2; delta++)
            {
                AddUnsigned(unchecked((1UL << bit) + (ulong)delta));
                AddSigned(unchecked(-(1L << bit) + delta));
            }
        }

        for (int value = -40; value <= 140; value++)
            AddSigned(value);
        foreach (int length in new[] { 0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 255, 256, 257, 65535, 65536, 65537 })
            AddLengths(length);
        foreach (ulong bits in new ulong[] { 0, 1, 0x8000000000000000, 0x3FF8000000000000, 0x7FF0000000000000, 0xFFF0000000000000, 0x7FF8000000000000, 0x7FEFFFFFFFFFFFFF })
            AddDouble(bits);
        foreach (uint bits in new uint[] { 0, 1, 0x80000000, 0x3FC00000, 0x7F800000, 0xFF800000, 0x7FC00000, 0x7F7FFFFF })
            AddSingle(bits);
        foreach (long seconds in new[] { 0, 1, -1, uint.MaxValue, 1L << 32, (1L << 34) - 1, 1L << 34, long.MaxValue, long.MinValue })
        {
            AddTimestamp(seconds, 0);
            AddTimestamp(seconds, 1);
            AddTimestamp(seconds, MessagePackTimestamp.MaximumNanoseconds);
        }

        AddText("é€😀\u0000\u007F\u0080\u07FF\u0800\uFFFF");
    }

    /// <summary>Random values, nested.</summary>
    public void AddRandom(Random random, int count)
    {
        for (int i = 0; i < count; i++)
        {
            MessageBuffer buffer = new();
            MessagePackWriter writer = new(buffer);
            StringBuilder text = new();
            AppendRandom(random, text, ref writer, 0);
            writer.Flush();
            python.Add(text.ToString());
            ours.Add(buffer.Written.ToArray());
        }

        for (int i = 0; i < count / 10; i++)
        {
            // A 32-bit float stands alone: the packer's switch for it holds for a whole value.
            uint bits = (uint)random.NextInt64();
            if (!float.IsNaN(BitConverter.UInt32BitsToSingle(bits)))
                AddSingle(bits);
        }
    }

    private static void AppendRandom(Random random, StringBuilder text, ref MessagePackWriter writer, int depth)
    {
        int kind = random.Next(depth < 4 ? 10 : 8);
        switch (kind)
        {
            case 0:
                text.Append("None");
                writer.WriteNil();
                break;
            case 1:
                bool flag = random.Next(2) == 0;
                text.Append(flag ? "True" : "False");
                writer.WriteBoolean(flag);
                break;
            case 2:
                long signed = random.NextInt64(long.MinValue, long.MaxValue) >> random.Next(64);
                text.Append(CultureInfo.InvariantCulture, $"{signed}");
                writer.WriteInt64(signed);
                break;
            case 3:
                ulong unsigned = (ulong)random.NextInt64(long.MinValue, long.MaxValue) >> random.Next(64);
                text.Append(CultureInfo.InvariantCulture, $"{unsigned}");
                writer.WriteUInt64(unsigned);
                break;
            case 4:
                double number = random.Next(3) == 0 ? random.Next() : BitConverter.UInt64BitsToDouble((ulong)random.NextInt64(0, 0x7FF0000000000000));
                text.Append(CultureInfo.InvariantCulture, $"d({BitConverter.DoubleToUInt64Bits(number)})");
                writer.WriteDouble(number);
                break;
            case 5:
                string characters = string.Concat(Enumerable.Range(0, random.Next(50)).Select(_ => char.ConvertFromUtf32(random.Next(1, 0xD800) >> random.Next(14))));
                text.Append(Quote(characters));
                writer.WriteString(characters);
                break;
            case 6:
                byte[] binary = new byte[random.Next(300)];
                random.NextBytes(binary);
                text.Append("bytes.fromhex('").Append(Convert.ToHexString(binary)).Append("')");
                writer.WriteBinary(binary);
                break;
            case 7:
                byte[] data = new byte[random.Next(40)];
                random.NextBytes(data);
                int type = random.Next(128);
                text.Append(CultureInfo.InvariantCulture, $"ExtType({type}, bytes.fromhex('{Convert.ToHexString(data)}'))");
                writer.WriteExtension((sbyte)type, data);
                break;
            case 8:
                int elements = random.Next(20);
                writer.WriteArrayHeader(elements);
                text.Append('[');
                for (int i = 0; i < elements; i++)
                {
                    AppendRandom(random, text, ref writer, depth + 1);
                    text.Append(',');
                }

                text.Append(']');
                break;
            default:
                int pairs = random.Next(20);
                writer.WriteMapHeader(pairs);
                text.Append('{');
                for (int i = 0; i < pairs; i++)
                {
                    writer.WriteInt64(i - 10);
                    text.Append(CultureInfo.InvariantCulture, $"{i - 10}:");
                    AppendRandom(random, text, ref writer, depth + 1);
                    text.Append(',');
                }

                text.Append('}');
                break;
        }
    }

    private static string Quote(string text)
        => "'" + string.Concat(text.EnumerateRunes().Select(rune => string.Create(CultureInfo.InvariantCulture, $"\\U{rune.Value:X8}"))) + "'";

    private void AddUnsigned(ulong value) => Add(value.ToString(CultureInfo.InvariantCulture), (ref MessagePackWriter w) => w.WriteUInt64(value));

    private void AddSigned(long value) => Add(value.ToString(CultureInfo.InvariantCulture), (ref MessagePackWriter w) => w.WriteInt64(value));

    private void AddDouble(ulong bits) => Add($"d({bits})", (ref MessagePackWriter w) => w.WriteDouble(BitConverter.UInt64BitsToDouble(bits)));

    private void AddSingle(uint bits) => Add($"f({bits})", (ref MessagePackWriter w) => w.WriteSingle(BitConverter.UInt32BitsToSingle(bits)));

    private void AddText(string text) => Add(Quote(text), (ref MessagePackWriter w) => w.WriteString(text));

    private void AddTimestamp(long seconds, uint nanoseconds)
        => Add($"Timestamp({seconds}, {nanoseconds})", (ref MessagePackWriter w) => w.WriteTimestamp(new MessagePackTimestamp(seconds, nanoseconds)));

    private void AddLengths(int length)
    {
        Add($"'x' * {length}", (ref MessagePackWriter w) => w.WriteString(new string('x', length)));
        Add($"b'x' * {length}", (ref MessagePackWriter w) => w.WriteBinary(Enumerable.Repeat((byte)'x', length).ToArray()));
        Add($"ExtType(5, b'x' * {length})", (ref MessagePackWriter w) => w.WriteExtension(5, Enumerable.Repeat((byte)'x', length).ToArray()));
        Add($"[0] * {length}", (ref MessagePackWriter w) =>
        {
            w.WriteArrayHeader(length);
            for (int i = 0; i < length; i++)
                w.WriteInt64(0);
        });
        Add($"dict((i, None) for i in range({length}))", (ref MessagePackWriter w) =>
        {
            w.WriteMapHeader(length);
            for (int i = 0; i < length; i++)
            {
                w.WriteInt64(i);
                w.WriteNil();
            }
        });
    }

    private void Add(string expression, Write write)
    {
        MessageBuffer buffer = new();
        MessagePackWriter writer = new(buffer);
        write(ref writer);
        writer.Flush();
        python.Add(expression);
        ours.Add(buffer.Written.ToArray());
    }
}
