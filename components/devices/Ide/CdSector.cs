using System.Buffers.Binary;

namespace Plexus.Devices;

/// <summary>
/// Sectors of a CD with one Mode 1 track (ECMA-130, clause 14 and annex A): addresses in minutes, seconds and frames, and the bytes around the user data, with their error detection and correction codes.
/// </summary>
internal static class CdSector
{
    /// <summary>User data of a sector.</summary>
    public const int UserBytes = 2048;

    /// <summary>Frames before the first sector of the program area, two seconds.</summary>
    public const int PregapFrames = 150;

    /// <summary>A whole sector.</summary>
    public const int RawBytes = 2352;

    private const int SyncBytes = 12, HeaderBytes = 4;
    private const int FramesPerSecond = 75, SecondsPerMinute = 60;
    private const int Edc = 2064, EccP = 2076, EccQ = 2248;

    private static readonly uint[] EdcTable = MakeEdcTable();
    private static readonly byte[] Doubled = MakeDoubled();
    private static readonly byte[] Divided = MakeDivided();

    /// <summary>Bytes of a Mode 1 sector that READ CD's flags choose: sync, header, user data, EDC and ECC.</summary>
    public static int Length(int flags) =>
        ((flags & 0x80) != 0 ? SyncBytes : 0) + ((flags & 0x20) != 0 ? HeaderBytes : 0) + ((flags & 0x10) != 0 ? UserBytes : 0) + ((flags & 0x08) != 0 ? RawBytes - Edc : 0);

    /// <summary>Writes an address as minutes, seconds and frames, binary.</summary>
    public static void PutMsf(Span<byte> destination, uint lba)
    {
        uint frames = lba + PregapFrames;
        destination[0] = (byte)Math.Min(frames / (FramesPerSecond * SecondsPerMinute), byte.MaxValue);
        destination[1] = (byte)(frames / FramesPerSecond % SecondsPerMinute);
        destination[2] = (byte)(frames % FramesPerSecond);
    }

    /// <summary>The address that minutes, seconds and frames name; negative before the program area.</summary>
    public static int FromMsf(ReadOnlySpan<byte> msf) => (((msf[0] * SecondsPerMinute) + msf[1]) * FramesPerSecond) + msf[2] - PregapFrames;

    /// <summary>Makes a whole sector around its user data, which lies at offset 16.</summary>
    /// <param name="sector">2352 bytes.</param>
    /// <param name="lba">Its address.</param>
    public static void Complete(Span<byte> sector, uint lba)
    {
        sector[..SyncBytes].Fill(0xFF);
        sector[0] = sector[SyncBytes - 1] = 0;
        PutMsf(sector[SyncBytes..], lba);
        for (int i = SyncBytes; i < SyncBytes + 3; i++)
            sector[i] = (byte)((sector[i] / 10 % 10 << 4) | (sector[i] % 10));
        sector[SyncBytes + 3] = 1;
        uint edc = 0;
        foreach (byte value in sector[..Edc])
            edc = (edc >> 8) ^ EdcTable[(byte)(edc ^ value)];
        BinaryPrimitives.WriteUInt32LittleEndian(sector[Edc..], edc);
        sector[(Edc + 4)..EccP].Clear();

        // The codes see the sector from its header on as pairs of interleaved bytes.
        PutParity(sector[SyncBytes..], sector[EccP..], 86, 24, 2, 86);
        PutParity(sector[SyncBytes..], sector[EccQ..], 52, 43, 86, 88);
    }

    /// <summary>Copies the parts that READ CD's flags choose.</summary>
    /// <returns>Bytes copied.</returns>
    public static int Select(ReadOnlySpan<byte> sector, int flags, Span<byte> destination)
    {
        int at = 0;
        Part(sector[..SyncBytes], 0x80, destination);
        Part(sector.Slice(SyncBytes, HeaderBytes), 0x20, destination);
        Part(sector.Slice(SyncBytes + HeaderBytes, UserBytes), 0x10, destination);
        Part(sector[Edc..], 0x08, destination);
        return at;

        void Part(ReadOnlySpan<byte> part, int flag, Span<byte> to)
        {
            if ((flags & flag) == 0)
                return;
            part.CopyTo(to[at..]);
            at += part.Length;
        }
    }

    /// <summary>The two parity bytes of each of the Reed-Solomon product code's columns (P) or diagonals (Q), over GF(2⁸) with x⁸+x⁴+x³+x²+1.</summary>
    private static void PutParity(ReadOnlySpan<byte> data, Span<byte> parity, int vectors, int length, int major, int minor)
    {
        int size = vectors * length;
        for (int vector = 0; vector < vectors; vector++)
        {
            int index = ((vector >> 1) * major) + (vector & 1);
            byte first = 0;
            byte both = 0;
            for (int i = 0; i < length; i++)
            {
                byte value = data[index];
                index += minor;
                if (index >= size)
                    index -= size;
                first = Doubled[first ^ value];
                both ^= value;
            }

            first = Divided[Doubled[first] ^ both];
            parity[vector] = first;
            parity[vector + vectors] = (byte)(first ^ both);
        }
    }

    private static uint[] MakeEdcTable()
    {
        uint[] table = new uint[256];
        for (uint i = 0; i < 256; i++)
        {
            uint edc = i;
            for (int bit = 0; bit < 8; bit++)
                edc = (edc >> 1) ^ ((edc & 1) != 0 ? 0xD801_8001 : 0);
            table[i] = edc;
        }

        return table;
    }

    private static byte[] MakeDoubled()
    {
        byte[] table = new byte[256];
        for (int i = 0; i < 256; i++)
            table[i] = (byte)((i << 1) ^ ((i & 0x80) != 0 ? 0x11D : 0));
        return table;
    }

    /// <summary>Division by x + 1.</summary>
    private static byte[] MakeDivided()
    {
        byte[] table = new byte[256];
        for (int i = 0; i < 256; i++)
            table[i ^ Doubled[i]] = (byte)i;
        return table;
    }
}
