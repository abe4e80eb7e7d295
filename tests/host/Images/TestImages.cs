namespace Plexus.Host.Tests.Images;

/// <summary>Small kernels of every format, complete to the last byte that a loader needs.</summary>
internal static class TestImages
{
    public const int LinuxSetupSectors = 2;
    public const int LinuxSystemSize = 64;

    /// <summary>A bzImage of protocol 2.12 whose protected-mode part is 64 bytes of 90h.</summary>
    public static ImageWriter Linux()
    {
        const int setup = (LinuxSetupSectors + 1) * 512;
        return new ImageWriter(setup + LinuxSystemSize)
            .U8(0x1F1, LinuxSetupSectors)
            .U32(0x1F4, LinuxSystemSize / 16)
            .U16(0x1FE, 0xAA55)
            .U8(0x200, 0xEB).U8(0x201, 0x66)
            .U32(0x202, 0x53726448)
            .U16(0x206, 0x020C)
            .U8(0x211, 1)
            .U32(0x214, 0x100000)
            .U32(0x22C, 0x7FFFFFFF)
            .U32(0x230, 0x100000)
            .U8(0x234, 1)
            .U32(0x238, 2047)
            .U64(0x258, 0x200000)
            .U32(0x260, 0x100000)
            .Fill(setup, LinuxSystemSize, 0x90);
    }

    /// <summary>An ELF32 executable: one segment of 16 bytes (virtual C0200000h, physical 200000h, 32 in memory), entry by virtual address.</summary>
    public static ImageWriter Elf(uint entry = 0xC0200004, int size = 0x110) => new ImageWriter(size)
        .U32(0, 0x464C457F).U8(4, 1).U8(5, 1).U8(6, 1)
        .U16(16, 2).U16(18, 3).U32(20, 1)
        .U32(24, entry).U32(28, 52)
        .U16(40, 52).U16(42, 32).U16(44, 1)
        .U32(52, 1).U32(56, 0x100).U32(60, 0xC0200000).U32(64, 0x200000).U32(68, 16).U32(72, 32)
        .Fill(0x100, 16, 0xAB);

    /// <summary>The ELF above with a multiboot header at offset 84.</summary>
    public static ImageWriter MultibootElf(uint flags = 2) => Multiboot(Elf(), 84, flags);

    /// <summary>A flat image with address fields: header at 8, loaded at 100000h, 64 bytes, 64 of bss, entry 100028h.</summary>
    public static ImageWriter MultibootFlat() => Multiboot(new ImageWriter(64), 8, 1 << 16)
        .U32(20, 0x100008).U32(24, 0x100000).U32(28, 0x100040).U32(32, 0x100080).U32(36, 0x100028)
        .Fill(40, 24, 0xCD);

    /// <summary>An ELF32 executable: one segment of code, entered at its first byte, where virtual and physical addresses are the same.</summary>
    public static ImageWriter Program(uint address, ReadOnlySpan<byte> code)
    {
        ImageWriter image = new ImageWriter(0x100 + code.Length)
            .U32(0, 0x464C457F).U8(4, 1).U8(5, 1).U8(6, 1)
            .U16(16, 2).U16(18, 3).U32(20, 1)
            .U32(24, address).U32(28, 52)
            .U16(40, 52).U16(42, 32).U16(44, 1)
            .U32(52, 1).U32(56, 0x100).U32(60, address).U32(64, address).U32(68, (uint)code.Length).U32(72, (uint)code.Length);
        code.CopyTo(image.Data.AsSpan(0x100));
        return image;
    }

    private static ImageWriter Multiboot(ImageWriter image, int at, uint flags) =>
        image.U32(at, 0x1BADB002).U32(at + 4, flags).U32(at + 8, unchecked(0u - 0x1BADB002 - flags));
}
