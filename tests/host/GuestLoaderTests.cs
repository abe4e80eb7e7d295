using System.Text;
using Plexus.Host.Loaders;
using Plexus.Host.Tests.Images;
using Plexus.Messaging.Shared;
using Xunit;

namespace Plexus.Host.Tests;

public sealed unsafe class GuestLoaderTests : IDisposable
{
    private const uint MiB = 1 << 20;

    private readonly GuestMemory memory = new(16 * MiB, 1);
    private readonly Vcpu vcpu = new();

    public void Dispose()
    {
        memory.Dispose();
        vcpu.Dispose();
    }

    [Fact]
    public void Linux_kernel_starts_in_the_state_of_the_boot_protocol()
    {
        Load(TestImages.Linux().Data, "console=ttyS0");
        VcpuBlock* cpu = vcpu.Block;
        Assert.Equal(0x100000u, cpu->Eip);
        Assert.Equal(0x2u, cpu->Eflags);
        Assert.Equal(1u, cpu->Cr0 & 0x8000_0001);
        Assert.Equal((0u, 0u, 0u), (cpu->Gpr[3], cpu->Gpr[5], cpu->Gpr[7]));
        SegmentRegister code = cpu->Segments[(int)SegmentIndex.Cs];
        Assert.Equal((0x10, 0u, uint.MaxValue), (code.Selector, code.Base, code.Limit));
        foreach (SegmentIndex index in new[] { SegmentIndex.Ds, SegmentIndex.Es, SegmentIndex.Ss })
            Assert.Equal(0x18, cpu->Segments[(int)index].Selector);
        Assert.Equal(0x00CF9B000000FFFFu, Read64(cpu->GdtBase + 0x10));
        Assert.Equal(0x00CF93000000FFFFu, Read64(cpu->GdtBase + 0x18));
        Assert.Equal(0x90, memory.Ram[0x100000 + TestImages.LinuxSystemSize - 1]);
    }

    [Fact]
    public void Linux_zero_page_describes_memory_command_line_and_ramdisk()
    {
        byte[] disk = [1, 2, 3, 4, 5];
        Load(TestImages.Linux().Data, "root=/dev/ram0 quiet", disk);
        uint page = vcpu.Block->Gpr[6];
        Assert.Equal(0u, page % 4096);
        Assert.Equal("root=/dev/ram0 quiet", Text(Read32(page + 0x228)));
        uint ramdisk = Read32(page + 0x218);
        Assert.Equal(5u, Read32(page + 0x21C));
        Assert.Equal(disk, memory.Ram.Slice((int)ramdisk, 5).ToArray());
        Assert.Equal(16 * MiB - 4096, ramdisk);
        Assert.Equal(0xFF, memory.Ram[(int)page + 0x210]);
        Assert.Equal(3, memory.Ram[(int)page + 0x1E8]);
        Assert.Equal((0ul, 0x9FC00ul, 1u), E820(page, 0));
        Assert.Equal((0x100000ul, 15ul * MiB, 1u), E820(page, 1));
        Assert.Equal((0x9FC00ul, 0x60400ul, 2u), E820(page, 2));
        Assert.Equal(15 * 1024u, Read32(page + 0x1E0));
    }

    [Fact]
    public void Linux_ramdisk_stays_below_the_kernels_limit()
    {
        Load(TestImages.Linux().U32(0x22C, 0x7FFFFF).Data, "", new byte[10000]);
        uint ramdisk = Read32(vcpu.Block->Gpr[6] + 0x218);
        Assert.Equal(0x800000u - 12288, ramdisk);
    }

    [Theory]
    [InlineData(0x1FE, 0, "boot flag")]
    [InlineData(0x207, 1, "too old")]
    [InlineData(0x211, 0, "zImage")]
    [InlineData(0x236, 1, "64-bit")]
    [InlineData(0x217, 0x40, "give more with -m")]
    [InlineData(0x25B, 0x10, "give more with -m")]
    [InlineData(0x216, 0, "below 1 MiB")]
    public void Linux_header_that_cannot_work_is_rejected(int offset, int value, string expected)
    {
        InputException e = Assert.Throws<InputException>(() => Load(TestImages.Linux().U8(offset, value).Data, ""));
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Linux_command_line_beyond_the_kernels_limit_is_rejected()
    {
        InputException e = Assert.Throws<InputException>(() => Load(TestImages.Linux().U32(0x238, 10).Data, "12345678901"));
        Assert.Contains("11 bytes", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0xC0200004u)]
    [InlineData(0x200004u)]
    public void Elf_is_loaded_at_its_physical_addresses(uint entry)
    {
        Load(TestImages.Elf(entry).Data, "x");
        Assert.Equal(0x200004u, vcpu.Block->Eip);
        Assert.Equal(0xAB, memory.Ram[0x20000F]);
        Assert.Equal(0, memory.Ram[0x200010]);
        Assert.Equal("x", Text(Read32(vcpu.Block->Gpr[6] + 0x228)));
    }

    [Theory]
    [InlineData(4, 2, "64-bit")]
    [InlineData(5, 2, "another processor")]
    [InlineData(18, 40, "another processor")]
    [InlineData(16, 3, "ET_EXEC")]
    [InlineData(44, 0, "no program headers")]
    [InlineData(52, 4, "no loadable segment")]
    [InlineData(67, 0x10, "outside")]
    [InlineData(72, 8, "more bytes in the file")]
    [InlineData(27, 0x10, "no loadable segment")]
    public void Elf_that_cannot_work_is_rejected(int offset, int value, string expected)
    {
        InputException e = Assert.Throws<InputException>(() => Load(TestImages.Elf().U8(offset, value).Data, ""));
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Multiboot_kernel_starts_in_the_state_of_the_specification()
    {
        Load(TestImages.MultibootElf().Data, "a b", [7, 8], [9]);
        VcpuBlock* cpu = vcpu.Block;
        Assert.Equal((0x2BADB002u, 0x200004u, 0x2u), (cpu->Gpr[0], cpu->Eip, cpu->Eflags));
        uint info = cpu->Gpr[3];
        Assert.Equal((1u << 0) | (1u << 2) | (1u << 3) | (1u << 6) | (1u << 9), Read32(info));
        Assert.Equal((639u, 15 * 1024u), (Read32(info + 4), Read32(info + 8)));
        Assert.Equal("kernel.img a b", Text(Read32(info + 16)));
        Assert.Equal("Plexus", Text(Read32(info + 64)));
        Assert.Equal(2u, Read32(info + 20));
        uint modules = Read32(info + 24);
        uint first = Read32(modules);
        Assert.Equal(0u, first % 4096);
        Assert.Equal(first + 2, Read32(modules + 4));
        Assert.Equal([7, 8], memory.Ram.Slice((int)first, 2).ToArray());
        Assert.Equal("module0", Text(Read32(modules + 8)));
        Assert.Equal([9], memory.Ram.Slice((int)Read32(modules + 16), 1).ToArray());
        Assert.Equal(48u, Read32(info + 44));
        uint map = Read32(info + 48);
        Assert.Equal((20u, 0ul, 0x9FC00ul, 1u), (Read32(map), Read64(map + 4), Read64(map + 12), Read32(map + 20)));
        Assert.Equal((20u, 0x100000ul, 15ul * MiB, 1u), (Read32(map + 24), Read64(map + 28), Read64(map + 36), Read32(map + 44)));
    }

    [Fact]
    public void Multiboot_address_fields_take_the_place_of_headers()
    {
        memory.Ram[0x100050] = 0;
        Load(TestImages.MultibootFlat().Data, "");
        Assert.Equal(0x100028u, vcpu.Block->Eip);
        Assert.Equal(0xCD, memory.Ram[0x100028]);
        Assert.Equal("kernel.img", Text(Read32(vcpu.Block->Gpr[3] + 16)));
    }

    [Theory]
    [InlineData(20, 0x100000u, "load_addr")]
    [InlineData(24, 0x100001u, "")]
    [InlineData(24, 0x200000u, "load_addr")]
    [InlineData(28, 0x0FFFFFu, "load_end_addr")]
    [InlineData(28, 0x200000u, "truncated")]
    [InlineData(32, 0x2000000u, "outside")]
    [InlineData(36, 0x100080u, "entry_addr")]
    public void Multiboot_address_fields_that_cannot_work_are_rejected(int offset, uint value, string expected)
    {
        byte[] image = TestImages.MultibootFlat().U32(offset, value).Data;
        if (expected.Length == 0)
        {
            Load(image, "");
            Assert.Equal(0x100028u, vcpu.Block->Eip);
            return;
        }

        InputException e = Assert.Throws<InputException>(() => Load(image, ""));
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Multiboot_requirement_that_is_not_known_is_rejected()
    {
        InputException e = Assert.Throws<InputException>(() => Load(TestImages.MultibootElf(0x10).Data, ""));
        Assert.Contains("flags 00000010h", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("linux")]
    [InlineData("elf")]
    [InlineData("multiboot-elf")]
    [InlineData("multiboot-flat")]
    public void Image_truncated_anywhere_gives_one_line_that_names_it(string format)
    {
        byte[] whole = (format switch
        {
            "linux" => TestImages.Linux(),
            "elf" => TestImages.Elf(),
            "multiboot-elf" => TestImages.MultibootElf(),
            _ => TestImages.MultibootFlat(),
        }).Data;
        Load(whole, "");

        // A bzImage counts its code in paragraphs, rounded up: what is missing of the last one cannot be told.
        int complete = format == "linux" ? whole.Length - 15 : whole.Length;
        for (int length = 0; length < complete; length++)
        {
            InputException e = Assert.Throws<InputException>(() => Load(whole[..length], ""));
            Assert.Contains("kernel.img", e.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', e.Message);
        }
    }

    [Fact]
    public void Linux_image_that_ends_inside_its_last_paragraph_loads()
    {
        byte[] whole = TestImages.Linux().Data;
        Load(whole[..^15], "");
        Assert.Throws<InputException>(() => Load(whole[..^16], ""));
    }

    [Theory]
    [InlineData("linux")]
    [InlineData("elf")]
    [InlineData("multiboot-flat")]
    public void Image_with_random_header_bytes_loads_or_gives_one_line(string format)
    {
        Random random = new(20011);
        for (int round = 0; round < 3000; round++)
        {
            byte[] image = (format switch { "linux" => TestImages.Linux(), "elf" => TestImages.Elf(), _ => TestImages.MultibootFlat() }).Data;
            int from = format == "linux" ? 0x1F1 : 0;
            int span = format == "linux" ? 0x80 : Math.Min(image.Length, 84);
            for (int i = 0; i < 3; i++)
                image[from + random.Next(span)] = (byte)random.Next(256);
            Exception? e = Record.Exception(() => Load(image, "a"));
            Assert.True(e is null or InputException, $"round {round}: {e}");
        }
    }

    [Fact]
    public void Unknown_image_is_rejected_with_the_formats_that_are_known()
    {
        InputException e = Assert.Throws<InputException>(() => Load(new byte[9000], ""));
        Assert.Contains("Linux bzImage, a multiboot kernel or an ELF32", e.Message, StringComparison.Ordinal);
    }

    private void Load(byte[] image, string commandLine, params byte[][] modules) => GuestLoader.Load(
        new BootRequest(new GuestImage("/boot/kernel.img", image), [.. modules.Select((m, i) => new GuestImage($"/boot/module{i}", m))], commandLine), memory, vcpu);

    private uint Read32(uint address) => BitConverter.ToUInt32(memory.Ram.Slice((int)address, 4));

    private ulong Read64(uint address) => BitConverter.ToUInt64(memory.Ram.Slice((int)address, 8));

    private string Text(uint address)
    {
        Span<byte> ram = memory.Ram[(int)address..];
        return Encoding.UTF8.GetString(ram[..ram.IndexOf((byte)0)]);
    }

    private (ulong Start, ulong Size, uint Type) E820(uint page, uint index)
    {
        uint at = page + 0x2D0 + (index * 20);
        return (Read64(at), Read64(at + 8), Read32(at + 16));
    }
}
