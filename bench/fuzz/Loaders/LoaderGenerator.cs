using System.Buffers.Binary;
using Plexus.Fuzz.Harness;
using Plexus.Host.Tests.Images;

namespace Plexus.Fuzz.Loaders;

/// <summary>Kernel images that are nearly right, and what is loaded beside them.</summary>
internal static class LoaderGenerator
{
    private const int LinuxSetup = (TestImages.LinuxSetupSectors + 1) * 512;

    /// <summary>Fields of the setup header by offset and width.</summary>
    private static readonly (int Offset, int Width)[] LinuxFields =
    [
        (0x1F1, 1), (0x1F4, 4), (0x1FE, 2), (0x201, 1), (0x202, 4), (0x206, 2), (0x211, 1), (0x214, 4), (0x218, 4), (0x21C, 4), (0x224, 4), (0x228, 4), (0x250, 8), (0x22C, 4), (0x230, 4), (0x234, 1), (0x236, 2), (0x238, 4), (0x258, 4), (0x25C, 4), (0x258, 8), (0x260, 4),
    ];

    /// <summary>Fields of the ELF header and of the first program header.</summary>
    private static readonly (int Offset, int Width)[] ElfFields =
    [
        (0, 4), (4, 1), (5, 1), (16, 2), (18, 2), (24, 4), (28, 4), (42, 2), (44, 2), (52, 4), (56, 4), (60, 4), (64, 4), (68, 4), (72, 4),
    ];

    private static readonly ushort[] Versions = [0x0200, 0x0201, 0x0202, 0x0203, 0x0204, 0x0205, 0x0206, 0x0209, 0x020A, 0x020B, 0x020C, 0x020F, 0x0300, 0xFFFF];

    public static LoaderInput Generate(Random random)
    {
        byte[] kernel = random.Next(14) switch
        {
            0 => Mutator.Bytes(random, random.Next(2048)),
            1 or 2 or 3 or 4 => Linux(random),
            5 or 6 or 7 => Elf(random),
            8 or 9 => MultibootElf(random),
            10 or 11 or 12 => Flat(random),
            _ => [.. Linux(random).Take(random.Next(0x400)), .. Elf(random)],
        };
        if (random.Next(4) == 0)
            kernel = Mutator.Mutate(random, kernel, random.Next(2) == 0 ? TestImages.Elf().Data : TestImages.MultibootFlat().Data, random.Next(1, 4));
        return new LoaderInput(kernel, Modules(random), CommandLine(random), random.Next(1, LoaderTarget.MostMegabytes + 1));
    }

    private static byte[] Linux(Random random)
    {
        ImageWriter image = TestImages.Linux();

        // The seed asks for 1 MiB at 2 MiB; half of them are content with less, so that small machines load them.
        if (random.Next(2) == 0)
            image.U32(0x258, 0x100000).U32(0x260, (uint)random.Next(0x40000));
        if (random.Next(3) == 0)
            image.U16(0x206, Versions[random.Next(Versions.Length)]);
        Fields(random, image.Data, LinuxFields, 0);
        byte[] bytes = image.Data;
        if (random.Next(4) == 0)
        {
            // A system of another size, which the header knows of or not.
            int size = random.Next(16) == 0 ? 0 : random.Next(0x8000);
            byte[] larger = new byte[LinuxSetup + size];
            bytes.AsSpan(0, LinuxSetup).CopyTo(larger);
            larger.AsSpan(LinuxSetup).Fill(0x90);
            if (random.Next(3) != 0)
                BinaryPrimitives.WriteUInt32LittleEndian(larger.AsSpan(0x1F4), (uint)(size + random.Next(16)) / 16);
            bytes = larger;
        }

        return Cut(random, bytes);
    }

    private static byte[] Elf(Random random)
    {
        if (random.Next(2) == 0)
        {
            ImageWriter image = TestImages.Elf(random.Next(2) == 0 ? 0x200004 : 0xC0200004);
            if (random.Next(2) == 0)
                image.U32(64, 0x100000).U32(24, 0x100004);
            Fields(random, image.Data, ElfFields, 0);
            return Cut(random, image.Data);
        }

        return Cut(random, Segments(random, random.Next(2000) == 0 ? random.Next(1, 0x10000) : random.Next(1, 12)));
    }

    /// <summary>An ELF file with many segments: apart, touching, overlapping, empty, beyond the end of memory.</summary>
    private static byte[] Segments(Random random, int count)
    {
        const int content = 256;
        int table = 52;
        int data = table + (count * 32);
        ImageWriter image = new(data + content);
        image.U32(0, 0x464C457F).U8(4, 1).U8(5, 1).U8(6, 1).U16(16, 2).U16(18, 3).U32(20, 1).U32(28, (uint)table).U16(40, 52).U16(42, 32).U16(44, count);
        uint at = random.Next(3) switch { 0 => 0u, 1 => 0x1000u, _ => 0x100000u };
        image.U32(24, at + (uint)random.Next(3));
        bool many = count > 100;
        for (int i = 0; i < count; i++)
        {
            int row = table + (i * 32);
            uint fileSize = many ? 1 : (uint)random.Next(content);
            uint memorySize = many ? 1 + (uint)random.Next(2) : fileSize + (random.Next(3) == 0 ? (uint)random.Next(0x20000) : 0);
            image.U32(row, random.Next(12) == 0 ? (uint)random.Next(8) : 1).U32(row + 4, (uint)data).U32(row + 8, at + ((uint)random.Next(2) * 0xC0000000)).U32(row + 12, at).U32(row + 16, fileSize).U32(row + 20, memorySize);
            if (!many)
                Fields(random, image.Data, [(4, 4), (8, 4), (12, 4), (16, 4), (20, 4)], row, 30);
            at += memorySize + (many ? (uint)random.Next(2) : random.Next(4) switch { 0 => 0u, 1 => (uint)random.Next(0x1000), 2 => 1u, _ => unchecked((uint)-random.Next(random.Next(4) == 0 ? 16 : 1)) });
        }

        image.Fill(data, content, 0xAB);
        if (!many)
            Fields(random, image.Data, ElfFields, 0, 8);
        return image.Data;
    }

    private static byte[] MultibootElf(Random random)
    {
        ImageWriter image = TestImages.MultibootElf(Flags(random, 2));
        if (random.Next(2) == 0)
            image.U32(64, 0x100000).U32(24, 0x100004);
        Fields(random, image.Data, ElfFields, 0);
        return Cut(random, image.Data);
    }

    private static byte[] Flat(Random random)
    {
        byte[] bytes = TestImages.MultibootFlat().Data;
        uint flags = Flags(random, 1 << 16);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(12), flags);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(16), unchecked(0u - 0x1BADB002 - flags));
        Fields(random, bytes, [(20, 4), (24, 4), (28, 4), (32, 4), (36, 4)], 0);
        if (random.Next(6) == 0)
        {
            // The header further back, as far as it may be and a little further.
            byte[] front = new byte[random.Next(4) == 0 ? random.Next(8170, 8200) / 4 * 4 : random.Next(512) * 4];
            bytes = [.. front, .. bytes];
        }

        return Cut(random, bytes);
    }

    private static uint Flags(Random random, uint flags) => random.Next(8) switch
    {
        0 => Mutator.Number(random),
        1 => flags | (uint)random.Next(8),
        2 => flags ^ (1u << random.Next(32)),
        _ => flags,
    };

    /// <summary>None, some or all of the fields get interesting values.</summary>
    private static void Fields(Random random, byte[] image, ReadOnlySpan<(int Offset, int Width)> fields, int origin, int oneIn = 2)
    {
        if (random.Next(oneIn) != 0)
            return;
        for (int times = random.Next(1, 4); times > 0; times--)
        {
            (int offset, int width) = fields[random.Next(fields.Length)];
            Span<byte> at = image.AsSpan(origin + offset, width);
            ulong value = Mutator.Number(random);
            if (width == 8 && random.Next(2) == 0)
                value |= (ulong)Mutator.Number(random) << 32;
            for (int i = 0; i < width; i++)
                at[i] = (byte)(value >> (8 * i));
        }
    }

    private static byte[] Cut(Random random, byte[] bytes) => random.Next(12) == 0 ? bytes[..random.Next(bytes.Length + 1)] : bytes;

    private static byte[][] Modules(Random random)
    {
        int count = random.Next(8) switch { 0 or 1 => 1, 2 => random.Next(2, 5), 3 => random.Next(40) == 0 ? random.Next(2000) : 0, _ => 0 };
        byte[][] modules = new byte[count][];
        for (int i = 0; i < count; i++)
        {
            modules[i] = new byte[count > 5 ? random.Next(64) : random.Next(6) switch { 0 => 0, 1 => random.Next(0x10000), 2 => 4096 * random.Next(3), _ => random.Next(64) }];
            modules[i].AsSpan().Fill(0x77);
        }

        return modules;
    }

    private static string CommandLine(Random random) => random.Next(6) switch
    {
        0 => "",
        1 => new string('x', random.Next(254, 258)),
        2 => new string('é', random.Next(1020, 1030)),
        3 => new string('y', random.Next(12) == 0 ? 1_050_000 : random.Next(300)),
        4 => "a\0b\ud800\u2028",
        _ => "console=ttyS0 root=/dev/ram0",
    };
}
