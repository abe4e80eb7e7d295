using System.Text;

namespace Plexus.Host.Gdb;

/// <summary>How packets are written: frames, hexadecimal, escapes (GDB manual, appendix E.1).</summary>
internal static class PacketText
{
    private const byte Escape = (byte)'}';
    private const byte EscapeMask = 0x20;
    private const int NoDigit = 0x100;

    /// <summary>The value of a hexadecimal digit; something that spoils a checksum when it is none.</summary>
    public static int Digit(byte b) => b switch
    {
        >= (byte)'0' and <= (byte)'9' => b - '0',
        >= (byte)'a' and <= (byte)'f' => b - 'a' + 10,
        >= (byte)'A' and <= (byte)'F' => b - 'A' + 10,
        _ => NoDigit - 1,
    };

    /// <summary>A payload as it goes over the wire. Each char is one byte.</summary>
    public static byte[] Frame(string payload)
    {
        byte[] frame = new byte[payload.Length + 4];
        Encoding.Latin1.GetBytes(payload, frame.AsSpan(1));
        int checksum = 0;
        foreach (byte b in frame.AsSpan(1, payload.Length))
            checksum += b;
        frame[0] = (byte)'$';
        Encoding.Latin1.GetBytes($"#{checksum & 0xFF:x2}", frame.AsSpan(payload.Length + 1));
        return frame;
    }

    /// <summary>Bytes as hexadecimal.</summary>
    public static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);

    /// <summary>Text as hexadecimal.</summary>
    public static string Hex(string text) => Hex(Encoding.UTF8.GetBytes(text));

    /// <summary>The bytes that hexadecimal stands for; null when it is malformed.</summary>
    public static byte[]? FromHex(ReadOnlySpan<byte> digits)
    {
        if (digits.Length % 2 != 0)
            return null;
        byte[] bytes = new byte[digits.Length / 2];
        for (int i = 0; i < bytes.Length; i++)
        {
            int high = Digit(digits[i * 2]);
            int low = Digit(digits[(i * 2) + 1]);
            if ((high | low) > 15)
                return null;
            bytes[i] = (byte)((high << 4) | low);
        }

        return bytes;
    }

    /// <summary>A piece of binary data, with the bytes escaped that mean something in a packet.</summary>
    public static string Binary(ReadOnlySpan<char> data)
    {
        StringBuilder text = new(data.Length);
        foreach (char c in data)
        {
            if (c is '#' or '$' or '}' or '*')
                text.Append((char)Escape).Append((char)(c ^ EscapeMask));
            else
                text.Append(c);
        }

        return text.ToString();
    }

    /// <summary>Binary data without its escapes.</summary>
    public static byte[] FromBinary(ReadOnlySpan<byte> data)
    {
        byte[] bytes = new byte[data.Length];
        int count = 0;
        for (int i = 0; i < data.Length; i++)
        {
            bool escaped = data[i] == Escape && i + 1 < data.Length;
            bytes[count++] = escaped ? (byte)(data[++i] ^ EscapeMask) : data[i];
        }

        return bytes[..count];
    }
}
