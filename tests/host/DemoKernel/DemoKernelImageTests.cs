using System.Buffers.Binary;
using System.Text;
using Plexus.Host.DemoKernel;
using Xunit;

namespace Plexus.Host.Tests.DemoKernel;

public class DemoKernelImageTests
{
    private static readonly byte[] Image = DemoKernelImage.Build();

    [Fact]
    public void Build_twice_gives_the_same_bytes() => Assert.Equal(Image, DemoKernelImage.Build());

    [Fact]
    public void Image_is_a_32_bit_x86_executable()
    {
        Assert.Equal([0x7F, (byte)'E', (byte)'L', (byte)'F', 1, 1, 1], Image[..7]);
        Assert.Equal(2, Half(16));
        Assert.Equal(3, Half(18));
        Assert.Equal(1, Half(44));
    }

    [Fact]
    public void Image_loads_at_one_mebibyte_below_its_page_tables()
    {
        int segment = (int)Word(28);
        Assert.Equal(1u, Word(segment));
        Assert.Equal(0x10_0000u, Word(segment + 12));
        Assert.Equal(0xC010_0000u, Word(segment + 8));
        Assert.InRange(Word(segment + 4) + Word(segment + 16), 1u, (uint)Image.Length);
        Assert.True(Word(segment + 12) + Word(segment + 20) <= 0x18_0000);
    }

    [Fact]
    public void Image_has_a_multiboot_header_where_a_loader_looks()
    {
        int at = HeaderOffset();
        Assert.InRange(at, 0, 8191);
        Assert.Equal(0, at % 4);
        Assert.Equal(0u, unchecked(Word(at) + Word(at + 4) + Word(at + 8)));
    }

    [Fact]
    public void Entry_is_physical_and_starts_with_cli()
    {
        int segment = (int)Word(28);
        uint offset = Word(24) - Word(segment + 12) + Word(segment + 4);
        Assert.Equal(0xFA, Image[offset]);
    }

    [Fact]
    public void Image_names_its_checks_and_the_shutdown_word()
    {
        string text = Encoding.Latin1.GetString(Image);
        Assert.Contains("the checksum of the kernel's text is the built one, at the start", text, StringComparison.Ordinal);
        Assert.Contains("checks passed", text, StringComparison.Ordinal);
        Assert.Contains("Shutdown", text, StringComparison.Ordinal);
    }

    private static int HeaderOffset()
    {
        for (int i = 0; i < Image.Length - 12; i += 4)
        {
            if (Word(i) == 0x1BAD_B002)
            {
                return i;
            }
        }

        return -1;
    }

    private static ushort Half(int offset) => BinaryPrimitives.ReadUInt16LittleEndian(Image.AsSpan(offset));

    private static uint Word(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(Image.AsSpan(offset));
}
