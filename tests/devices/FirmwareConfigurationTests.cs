using System.Buffers.Binary;
using System.Text;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Shared;

namespace Plexus.Devices.Tests;

/// <summary>fw_cfg as firmware uses it: by ports and by DMA.</summary>
public sealed class FirmwareConfigurationTests : IDisposable
{
    private const ulong Request = 0x8000;

    private readonly GuestMemory memory = new(1 << 20, arenaFrames: 1);
    private readonly FirmwareConfiguration configuration = new(0x1234_0000);
    private readonly FirmwareConfigurationDevice device;

    public FirmwareConfigurationTests()
    {
        configuration.SetFile("etc/zebra", "stripes"u8.ToArray());
        configuration.SetFile("etc/apple", "red and green"u8.ToArray());
        device = new FirmwareConfigurationDevice(new Chipset(new PlatformLines()) { Memory = memory }, configuration);
    }

    public void Dispose() => memory.Dispose();

    [Fact]
    public void Signature_features_and_memory_size_are_told()
    {
        Assert.Equal("QEMU", Encoding.ASCII.GetString(ReadItem(0, 4)));
        Assert.Equal(3u, BinaryPrimitives.ReadUInt32LittleEndian(ReadItem(1, 4)));
        Assert.Equal(0x1234_0000u, BinaryPrimitives.ReadUInt64LittleEndian(ReadItem(3, 8)));
        Assert.Equal([0, 0], ReadItem(0x7FFF, 2));
    }

    [Fact]
    public void Directory_is_sorted_and_leads_to_the_files()
    {
        byte[] directory = ReadItem(0x19, 4 + 128 + 4);
        Assert.Equal(2, BinaryPrimitives.ReadInt32BigEndian(directory));
        Assert.Equal([0, 0, 0, 0], directory[^4..]);
        for (int i = 0; i < 2; i++)
        {
            byte[] entry = directory[(4 + (64 * i))..(68 + (64 * i))];
            string name = Encoding.ASCII.GetString(entry[8..]).TrimEnd('\0');
            Assert.Equal(i == 0 ? "etc/apple" : "etc/zebra", name);
            ushort item = BinaryPrimitives.ReadUInt16BigEndian(entry.AsSpan(4));
            Assert.Equal(configuration.NumberOf(name), item);
            Assert.Equal(i == 0 ? "red and green" : "stripes", Encoding.ASCII.GetString(ReadItem(item, BinaryPrimitives.ReadInt32BigEndian(entry))));
        }
    }

    [Fact]
    public void Repeated_input_gives_what_single_inputs_give()
    {
        byte[] block = new byte[20];
        Select(configuration.NumberOf("etc/apple"));
        Assert.Equal('r', (char)Data());
        Assert.Equal(20, device.ReadBlock(0, 1, 1, block, 0));
        Assert.Equal("ed and green\0\0\0\0\0\0\0\0", Encoding.ASCII.GetString(block));
        Assert.Equal(0, device.ReadBlock(0, 0, 1, block, 0));
    }

    [Fact]
    public void Dma_selects_skips_reads_and_writes_its_result_back()
    {
        ushort item = configuration.NumberOf("etc/apple");
        Assert.Equal(0u, Dma(((uint)item << 16) | 8 | 4, 4, 0));
        Assert.Equal(0u, Dma(2, 12, 0x9001));
        Assert.Equal("and green\0\0\0", Encoding.ASCII.GetString(memory.Ram.Slice(0x9001, 12)));
        Assert.Equal(0u, Dma(((uint)item << 16) | 8 | 2, 3, 0x9FFE));
        Assert.Equal("red", Encoding.ASCII.GetString(memory.Ram.Slice(0x9FFE, 3)));
    }

    [Theory]
    [InlineData(2u, 16u, 0xFFFF8ul)] // Past the end of memory.
    [InlineData(2u, 16u, 0x1_0000_0000ul)]
    [InlineData(16u, 4u, 0x9000ul)] // Nothing is writable.
    public void Dma_that_cannot_be_done_is_an_error(uint control, uint length, ulong address) =>
        Assert.Equal(1u, Dma(control, length, address));

    [Fact]
    public void Dma_register_reads_as_its_signature()
    {
        Assert.Equal("QEMU", Encoding.ASCII.GetString(BitConverter.GetBytes(Read(4, 4))));
        Assert.Equal(" CFG", Encoding.ASCII.GetString(BitConverter.GetBytes(Read(8, 4))));
        Assert.Equal((uint)'F', Read(10, 1));
    }

    [Fact]
    public void Data_that_is_written_is_dropped()
    {
        Select(0);
        Assert.Equal(AccessStatus.Ok, device.Write(0, 1, 1, 'X', 0));
        Assert.Equal("QEMU", Encoding.ASCII.GetString(ReadItem(0, 4)));
    }

    [Fact]
    public void Names_and_late_files_are_refused()
    {
        Assert.Throws<ArgumentException>(() => configuration.SetFile(new string('x', 56), default));
        ReadItem(FirmwareConfiguration.DirectoryItem, 4);
        Assert.Throws<InvalidOperationException>(() => configuration.SetFile("late", default));
    }

    private byte[] ReadItem(ushort item, int count)
    {
        Select(item);
        return [.. Enumerable.Range(0, count).Select(_ => Data())];
    }

    private void Select(ushort item) => Assert.Equal(AccessStatus.Ok, device.Write(0, 0, 2, item, 0));

    private byte Data() => (byte)Read(1, 1);

    private uint Read(uint offset, int width)
    {
        Assert.Equal(AccessStatus.Ok, device.Read(0, offset, width, 0, out uint value));
        return value;
    }

    private uint Dma(uint control, uint length, ulong address)
    {
        byte[] request = new byte[16];
        BinaryPrimitives.WriteUInt32BigEndian(request, control);
        BinaryPrimitives.WriteUInt32BigEndian(request.AsSpan(4), length);
        BinaryPrimitives.WriteUInt64BigEndian(request.AsSpan(8), address);
        memory.WritePhysical(Request, request);
        device.Write(0, 4, 4, 0, 0);
        device.Write(0, 8, 4, BinaryPrimitives.ReverseEndianness((uint)Request), 0);
        return BinaryPrimitives.ReadUInt32BigEndian(memory.Ram.Slice((int)Request, 4));
    }
}
