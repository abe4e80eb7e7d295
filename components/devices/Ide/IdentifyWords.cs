using System.Buffers.Binary;

namespace Plexus.Devices;

/// <summary>The 256 words of IDENTIFY DEVICE and IDENTIFY PACKET DEVICE (ATA/ATAPI-6, 8.15 and 8.16).</summary>
/// <param name="page">512 bytes.</param>
internal readonly ref struct IdentifyWords(Span<byte> page)
{
    private readonly Span<byte> page = page;

    /// <summary>A word.</summary>
    public ushort this[int index]
    {
        set => BinaryPrimitives.WriteUInt16LittleEndian(page[(2 * index)..], value);
    }

    /// <summary>Words 63 and 88: the modes there are, and in the high byte the one chosen by SET FEATURES.</summary>
    /// <param name="supported">A bit for each mode.</param>
    /// <param name="kind">What SET FEATURES calls mode 0 of this kind.</param>
    /// <param name="chosen">What was chosen.</param>
    public static ushort DmaModes(int supported, int kind, byte chosen) =>
        (ushort)(supported | ((chosen & 0xF8) == kind ? 0x0100 << (chosen & 7) : 0));

    /// <summary>Word 93, the result of the hardware reset: an 80-conductor cable, and how the drive knows its number.</summary>
    public static ushort ResetResult(int number) => (ushort)(0x6000 | (number == 0 ? 0x000B : 0x0B00));

    /// <summary>Two words.</summary>
    public void Long(int index, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(page[(2 * index)..], value);

    /// <summary>Text, padded with spaces, the first character of each pair in the high byte.</summary>
    public void Text(int index, int count, string text)
    {
        for (int i = 0; i < 2 * count; i++)
            page[(2 * index) + (i ^ 1)] = i < text.Length && text[i] is >= ' ' and <= '~' ? (byte)text[i] : (byte)' ';
    }

    /// <summary>Word 255: a signature, and what makes the sum of all bytes zero.</summary>
    public void PutChecksum()
    {
        page[510] = 0xA5;
        int sum = 0;
        foreach (byte value in page[..511])
            sum += value;
        page[511] = (byte)-sum;
    }
}
