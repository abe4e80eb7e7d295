using System.Buffers.Binary;
using System.Text;

namespace Plexus.Devices;

/// <summary>
/// What a machine tells its firmware (QEMU's fw_cfg specification): items by number and files by name. The host fills it before power-on; the device reads it.
/// </summary>
public sealed class FirmwareConfiguration
{
    /// <summary>Item numbers that firmware and option ROMs know.</summary>
    public const ushort
        SignatureItem = 0x00, IdItem = 0x01, UuidItem = 0x02, RamSizeItem = 0x03, NoGraphicItem = 0x04, ProcessorsItem = 0x05,
        KernelAddressItem = 0x07, KernelSizeItem = 0x08, InitrdAddressItem = 0x0A, InitrdSizeItem = 0x0B, NumaItem = 0x0D, BootMenuItem = 0x0E, MaximumProcessorsItem = 0x0F,
        KernelEntryItem = 0x10, KernelDataItem = 0x11, InitrdDataItem = 0x12, CommandLineAddressItem = 0x13, CommandLineSizeItem = 0x14, CommandLineDataItem = 0x15,
        SetupAddressItem = 0x16, SetupSizeItem = 0x17, SetupDataItem = 0x18, DirectoryItem = 0x19, E820Item = 0x8003;

    private const ushort FirstFile = 0x20;
    private const int LongestName = 55;
    private const int DirectoryEntry = 64;

    private readonly SortedDictionary<ushort, ReadOnlyMemory<byte>> items = [];
    private readonly SortedDictionary<string, ReadOnlyMemory<byte>> files = new(StringComparer.Ordinal);
    private readonly List<ReadOnlyMemory<byte>> byNumber = [];
    private bool isSealed;

    /// <summary>Makes a configuration of one processor and some RAM.</summary>
    /// <param name="ramBytes">Guest RAM in bytes.</param>
    public FirmwareConfiguration(ulong ramBytes)
    {
        Set(SignatureItem, "QEMU"u8.ToArray());
        Set(IdItem, Number(3, 4)); // The port interface, and DMA.
        Set(UuidItem, new byte[16]);
        Set(RamSizeItem, Number(ramBytes, 8));
        Set(NoGraphicItem, Number(0, 2));
        Set(ProcessorsItem, Number(1, 2));
        Set(MaximumProcessorsItem, Number(1, 2));
        Set(BootMenuItem, Number(0, 2));
        Set(NumaItem, new byte[16]);
    }

    /// <summary>A little-endian number, as most items are.</summary>
    public static byte[] Number(ulong value, int width)
    {
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        return bytes[..width];
    }

    /// <summary>Sets an item.</summary>
    public void Set(ushort item, ReadOnlyMemory<byte> data) => items[item] = data;

    /// <summary>Sets a file, for example <c>etc/e820</c>. The directory is in the order of names, and fixed when it is first read.</summary>
    /// <exception cref="ArgumentException">The name is longer than 55 characters.</exception>
    /// <exception cref="InvalidOperationException">A new file after power-on.</exception>
    public void SetFile(string name, ReadOnlyMemory<byte> data)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name.Length is 0 or > LongestName)
            throw new ArgumentException($"\"{name}\" is not 1 to {LongestName} characters long.", nameof(name));
        if (isSealed)
            throw new InvalidOperationException($"The firmware has the directory already; {name} comes too late.");
        files[name] = data;
    }

    /// <summary>The content of an item or file; empty for one that is not there.</summary>
    internal ReadOnlyMemory<byte> Find(ushort item)
    {
        Seal();
        if (item >= FirstFile && item - FirstFile < byNumber.Count)
            return byNumber[item - FirstFile];
        return items.GetValueOrDefault(item);
    }

    /// <summary>The item number of a file, as long as no file with a name before it is added.</summary>
    /// <exception cref="KeyNotFoundException">There is none.</exception>
    public ushort NumberOf(string name)
    {
        int index = files.Keys.ToList().IndexOf(name);
        return index >= 0 ? (ushort)(FirstFile + index) : throw new KeyNotFoundException($"No file {name}.");
    }

    private void Seal()
    {
        if (isSealed)
            return;
        isSealed = true;
        byte[] directory = new byte[4 + (files.Count * DirectoryEntry)];
        BinaryPrimitives.WriteInt32BigEndian(directory, files.Count);
        foreach ((string name, ReadOnlyMemory<byte> data) in files)
        {
            Span<byte> entry = directory.AsSpan(4 + (byNumber.Count * DirectoryEntry), DirectoryEntry);
            BinaryPrimitives.WriteInt32BigEndian(entry, data.Length);
            BinaryPrimitives.WriteUInt16BigEndian(entry[4..], (ushort)(FirstFile + byNumber.Count));
            Encoding.ASCII.GetBytes(name, entry[8..]);
            byNumber.Add(data);
        }

        items[DirectoryItem] = directory;
    }
}
