using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Plexus.Messaging.Contracts.Monitor;

namespace Plexus.Host.Coverage;

/// <summary>
/// DynamoRIO's drcov format, version 2 of file and module table: text headers, then eight bytes a block (offset in its module, length, module).
/// The guest is one module for its kernel and one for its user code, both at base 0, so that an offset is an EIP.
/// </summary>
internal static class DrcovWriter
{
    private const int EntrySize = 8;

    internal static void Write(IReadOnlyList<CoverageBlock> blocks, string module, Stream stream)
    {
        string name = module.ReplaceLineEndings(" ").Replace(',', ' ');
        string header = string.Create(
            CultureInfo.InvariantCulture,
            $"DRCOV VERSION: 2\nDRCOV FLAVOR: plexus\nModule Table: version 2, count 2\nColumns: id, base, end, entry, path\n 0, 0x00000000, 0xffffffff, 0x00000000, {name}\n 1, 0x00000000, 0xffffffff, 0x00000000, [user]\nBB Table: {blocks.Count} bbs\n");
        stream.Write(Encoding.Latin1.GetBytes(header));
        byte[] entries = new byte[blocks.Count * EntrySize];
        for (int i = 0; i < blocks.Count; i++)
        {
            Span<byte> entry = entries.AsSpan(i * EntrySize);
            BinaryPrimitives.WriteUInt32LittleEndian(entry, blocks[i].Eip);
            BinaryPrimitives.WriteUInt16LittleEndian(entry[4..], (ushort)Math.Clamp(blocks[i].Length, 1, ushort.MaxValue));
            BinaryPrimitives.WriteUInt16LittleEndian(entry[6..], blocks[i].User ? (ushort)1 : (ushort)0);
        }

        stream.Write(entries);
    }
}
