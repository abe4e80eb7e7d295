using System.Buffers.Binary;
using System.Text;

namespace Plexus.Host.Firmware.Acpi;

/// <summary>
/// The script by which firmware puts tables into memory (QEMU's table loader, as SeaBIOS reads it): 128 bytes a command, which name fw_cfg files.
/// Addresses in the tables are offsets in the file they point into, until the firmware adds where that file came to lie.
/// </summary>
internal sealed class TableLoader
{
    private const int CommandSize = 128, NameSize = 56;
    private const uint AllocateCommand = 1, AddPointerCommand = 2, AddChecksumCommand = 3;

    private readonly List<byte> script = [];

    /// <summary>Which memory a file goes to: RAM that the memory map reserves, or the segment F0000h in which RSDP and the like are looked for.</summary>
    public enum Zone : byte
    {
        /// <summary>Reserved RAM.</summary>
        High = 1,

        /// <summary>F0000h to FFFFFh.</summary>
        Segment = 2,
    }

    /// <summary>The script.</summary>
    public byte[] ToArray() => [.. script];

    /// <summary>Loads a file.</summary>
    public void Allocate(string file, uint alignment, Zone zone) => Add(AllocateCommand, command =>
    {
        Name(command, 4, file);
        BinaryPrimitives.WriteUInt32LittleEndian(command.AsSpan(4 + NameSize), alignment);
        command[8 + NameSize] = (byte)zone;
    });

    /// <summary>Makes four bytes of a file an address in another.</summary>
    public void AddPointer(string file, uint offset, string target, byte size = 4) => Add(AddPointerCommand, command =>
    {
        Name(command, 4, file);
        Name(command, 4 + NameSize, target);
        BinaryPrimitives.WriteUInt32LittleEndian(command.AsSpan(4 + (2 * NameSize)), offset);
        command[8 + (2 * NameSize)] = size;
    });

    /// <summary>Makes the bytes of a range add up to zero.</summary>
    public void AddChecksum(string file, uint offset, uint start, uint length) => Add(AddChecksumCommand, command =>
    {
        Name(command, 4, file);
        BinaryPrimitives.WriteUInt32LittleEndian(command.AsSpan(4 + NameSize), offset);
        BinaryPrimitives.WriteUInt32LittleEndian(command.AsSpan(8 + NameSize), start);
        BinaryPrimitives.WriteUInt32LittleEndian(command.AsSpan(12 + NameSize), length);
    });

    private static void Name(byte[] command, int at, string file) => Encoding.ASCII.GetBytes(file, command.AsSpan(at, NameSize - 1));

    private void Add(uint code, Action<byte[]> fill)
    {
        byte[] command = new byte[CommandSize];
        BinaryPrimitives.WriteUInt32LittleEndian(command, code);
        fill(command);
        script.AddRange(command);
    }
}
