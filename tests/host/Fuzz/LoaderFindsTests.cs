using Plexus.Host.Loaders;
using Plexus.Host.Tests.Images;
using Plexus.Messaging.Shared;
using Xunit;

namespace Plexus.Host.Tests.Fuzz;

/// <summary>Images that fuzzing found, and what must become of them.</summary>
public sealed unsafe class LoaderFindsTests : IDisposable
{
    private readonly GuestMemory memory = new(4 << 20, 1);
    private readonly Vcpu vcpu = new();

    public void Dispose()
    {
        memory.Dispose();
        vcpu.Dispose();
    }

    [Fact]
    public void Refused_image_leaves_memory_and_vcpu_as_they_were()
    {
        // The kernel itself fits: what is wrong comes after it.
        vcpu.Block->Eip = 0xFFF0;
        Refuse(TestImages.Linux().U32(0x238, 3).Data, "command line");
        Refuse(TestImages.Linux().Data, "", [1], [2]);
        Refuse(TestImages.MultibootFlat().Data, "", new byte[4 << 20]);
        Refuse(TwoSegments(0x100000, 0x10000F), "");

        Assert.Equal(0xFFF0u, vcpu.Block->Eip);
        Assert.Equal(-1, memory.Ram.IndexOfAnyExcept((byte)0));
    }

    [Fact]
    public void Linux_pref_address_that_wraps_is_refused()
        => Assert.Contains("pref_address", Refuse(TestImages.Linux().U64(0x258, ulong.MaxValue - 0xFFFF).Data, ""), StringComparison.Ordinal);

    [Fact]
    public void Linux_header_fields_that_are_the_loaders_do_not_reach_the_kernel()
    {
        Load(TestImages.Linux().U32(0x218, 0x1234).U32(0x21C, 0xEBAA0000).U16(0x226, 0xFFFF).U64(0x250, 0xDEADBEEF).Data, "");

        Span<byte> page = memory.Ram.Slice((int)vcpu.Block->Gpr[6], 4096);
        Assert.Equal((0u, 0u), (BitConverter.ToUInt32(page[0x218..]), BitConverter.ToUInt32(page[0x21C..])));
        Assert.Equal(0, BitConverter.ToUInt16(page[0x226..]));
        Assert.Equal(0ul, BitConverter.ToUInt64(page[0x250..]));
    }

    [Fact]
    public void Linux_image_that_ends_before_its_setup_code_is_truncated()
        => Assert.Contains("truncated: the real-mode setup code needs bytes 0 to 4096", Refuse(TestImages.Linux().U8(0x1F1, 7).U32(0x1F4, 0).Data, ""), StringComparison.Ordinal);

    [Fact]
    public void Elf_with_the_most_segments_there_can_be_loads()
    {
        const int count = 0xFFFF;
        ImageWriter image = new(52 + (count * 32));
        image.U32(0, 0x464C457F).U8(4, 1).U8(5, 1).U8(6, 1).U16(16, 2).U16(18, 3).U32(20, 1).U32(24, 0x100000).U32(28, 52).U16(40, 52).U16(42, 32).U16(44, count);
        for (int i = 0; i < count; i++)
            image.U32(52 + (i * 32), 1).U32(52 + (i * 32) + 12, 0x100000 + ((uint)(count - 1 - i) * 2)).U32(52 + (i * 32) + 16, 1).U32(52 + (i * 32) + 20, 1);
        image.U32(52 + ((count - 1) * 32) + 4, 1);

        // Each segment compared with each would be two thousand million comparisons.
        Load(image.Data, "");
        Assert.Equal(0x7F, memory.Ram[0x100000 + ((count - 1) * 2)]);
    }

    private static byte[] TwoSegments(uint first, uint second)
    {
        byte[] data = TestImages.Elf(first).U16(44, 2).U32(60, first).U32(64, first).Data;
        data.AsSpan(52, 32).CopyTo(data.AsSpan(84));
        BitConverter.TryWriteBytes(data.AsSpan(84 + 12), second);
        return data;
    }

    private string Refuse(byte[] image, string commandLine, params byte[][] modules)
        => Assert.Throws<InputException>(() => Load(image, commandLine, modules)).Message;

    private void Load(byte[] image, string commandLine, params byte[][] modules) => GuestLoader.Load(
        new BootRequest(new GuestImage("/boot/kernel.img", image), [.. modules.Select((m, i) => new GuestImage($"/boot/module{i}", m))], commandLine), memory, vcpu);
}
