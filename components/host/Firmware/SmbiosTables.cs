using System.Buffers.Binary;
using System.Text;
using Plexus.Devices;

namespace Plexus.Host.Firmware;

/// <summary>
/// The System Management BIOS structures of a machine (DSP0134 2.8): system, enclosure, processor, memory, end of table, as two fw_cfg files. The firmware adds its own
/// structure 0 and puts the table's address and the checksums into the entry point.
/// </summary>
internal static class SmbiosTables
{
    private const int MebibyteShift = 20;
    private const ushort SystemHandle = 0x100, EnclosureHandle = 0x300, ProcessorHandle = 0x400, ArrayHandle = 0x1000, ModuleHandle = 0x1100, MappedArrayHandle = 0x1300, BootHandle = 0x2000, EndHandle = 0x7F00;

    /// <summary>Adds the structures to what the firmware reads.</summary>
    public static void AddTo(FirmwareConfiguration configuration, string machine, uint ramBytes)
    {
        uint mebibytes = ramBytes >> MebibyteShift;
        List<byte[]> structures =
        [
            Structure(1, SystemHandle, [1, 2, 3, 0, .. new byte[16], 6, 0, 0], "Plexus", machine, "1"),
            Structure(3, EnclosureHandle, [1, 1, 0, 0, 0, 3, 3, 3, 2, 0, 0, 0, 0, 0, 0, 0, 0], "Plexus"),
            Structure(4, ProcessorHandle, [1, 3, 1, 2, .. new byte[8], 0, 0, .. Word(0), .. Word(0), .. Word(0), 0x41, 1, .. Word(0xFFFF), .. Word(0xFFFF), .. Word(0xFFFF), 0, 0, 0], "CPU 0", "Plexus"),
            Structure(16, ArrayHandle, [1, 3, 6, .. Double(ramBytes >> 10), .. Word(0xFFFE), .. Word(1)]),
            Structure(17, ModuleHandle, [.. Word(ArrayHandle), .. Word(0xFFFE), .. Word(64), .. Word(64), .. Word((ushort)mebibytes), 9, 0, 1, 0, 7, .. Word(2), .. Word(0), 2, 0, 0, 0], "DIMM 0", "Plexus"),
            Structure(19, MappedArrayHandle, [.. Double(0), .. Double((ramBytes >> 10) - 1), .. Word(ArrayHandle), 1]),
            Structure(32, BootHandle, [.. new byte[6], 0]),
            Structure(127, EndHandle, []),
        ];
        byte[] table = [.. structures.SelectMany(structure => structure)];
        byte[] anchor = new byte[31];
        "_SM_"u8.CopyTo(anchor);
        anchor[5] = (byte)anchor.Length;
        anchor[6] = 2;
        anchor[7] = 8;
        BinaryPrimitives.WriteUInt16LittleEndian(anchor.AsSpan(8), (ushort)structures.Max(structure => structure.Length));
        "_DMI_"u8.CopyTo(anchor.AsSpan(16));
        BinaryPrimitives.WriteUInt16LittleEndian(anchor.AsSpan(22), (ushort)table.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(anchor.AsSpan(28), (ushort)structures.Count);
        anchor[30] = 0x28;
        configuration.SetFile("etc/smbios/smbios-tables", table);
        configuration.SetFile("etc/smbios/smbios-anchor", anchor);
    }

    private static byte[] Word(ushort value) => FirmwareConfiguration.Number(value, 2);

    private static byte[] Double(uint value) => FirmwareConfiguration.Number(value, 4);

    /// <summary>A structure: header, formatted area, strings, and the zero that ends them.</summary>
    private static byte[] Structure(byte type, ushort handle, byte[] body, params string[] texts) =>
    [
        type, (byte)(4 + body.Length), .. Word(handle), .. body,
        .. texts.SelectMany(text => (byte[])[.. Encoding.ASCII.GetBytes(text), 0]), .. texts.Length == 0 ? new byte[] { 0, 0 } : [0],
    ];
}
