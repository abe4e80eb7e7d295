using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Iced.Intel;
using Xunit;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Tools.Tests.Pc;

/// <summary>A guest that writes sectors to an IDE disk, flushes, and only then says so, under a machine that is killed at any moment, again and again: what it said is on the disk.</summary>
public sealed class KilledMachineTests : IDisposable
{
    private const int Sectors = 512, SectorSize = 512, Rounds = 8, Step = 37;

    private readonly string directory = Directory.CreateTempSubdirectory("plexus-killed").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Flushed_writes_survive_the_kill_of_the_machine(bool overlay)
    {
        string image = Path.Combine(directory, "disk.img"), top = Path.Combine(directory, "top.overlay");
        File.WriteAllBytes(image, new byte[Sectors * SectorSize]);
        if (overlay)
            await Image("create", top, "--backing", Path.GetFileName(image));
        uint[] expected = new uint[Sectors];
        Random random = new(7);
        uint next = 1;
        for (int round = 0; round < Rounds; round++)
        {
            uint said = await WriteAndKill(overlay ? top : image, next, random.Next(1, 120), TimeSpan.FromMilliseconds(random.Next(8)));
            uint[] found = await Read(image, overlay ? top : null);

            // What it said last may have died on its way to the host; but a number that is on the disk began only when the one before it was flushed.
            uint begun = Math.Max(said + 1, found.Max());
            for (uint number = next; number < begun; number++)
                expected[Place(number)] = number;
            for (int sector = 0; sector < Sectors; sector++)
            {
                Assert.True(found[sector] == expected[sector] || (found[sector] == begun && Place(begun) == sector),
                    $"round {round}: sector {sector} holds {found[sector]} instead of {expected[sector]}; {said} was the last that the guest said");
                expected[sector] = found[sector];
            }

            next = begun + 1;
        }
    }

    private static int Place(uint number) => (int)(number * Step % Sectors);

    /// <summary>Runs the guest until it has said so many numbers, and a moment longer.</summary>
    /// <returns>The last number that it said.</returns>
    private async Task<uint> WriteAndKill(string disk, uint first, int lines, TimeSpan longer)
    {
        string guest = Path.Combine(directory, "guest");
        WriteGuest(guest, first);
        using Process process = ToolProcess.Start(ToolProcess.Plexus("run", "-M", "pc", "--bios", "none", "--kernel", guest, "--hda", disk));
        Task<string> messages = process.StandardError.ReadToEndAsync();
        uint said = 0;
        while (lines-- > 0)
        {
            string? line = await process.StandardOutput.ReadLineAsync();
            if (line is null)
                Assert.Fail(await messages);
            said = uint.Parse(line!, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        }

        await Task.Delay(longer);
        process.Kill();
        while (await process.StandardOutput.ReadLineAsync() is { Length: 8 } line)
            said = uint.Parse(line, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        await process.WaitForExitAsync();
        return said;
    }

    /// <summary>The first number in every sector, of the image or of a copy of it to which a copy of the overlay was committed; a sector must hold one number from end to end.</summary>
    /// <remarks>The overlay names the image without a directory, so that the copy's is the copy.</remarks>
    private async Task<uint[]> Read(string image, string? overlay)
    {
        string read = image;
        if (overlay is not null)
        {
            await Image("check", overlay);
            Directory.CreateDirectory(Path.Combine(directory, "copy"));
            read = Path.Combine(directory, "copy", Path.GetFileName(image));
            string copy = Path.Combine(directory, "copy", Path.GetFileName(overlay));
            File.Copy(image, read, overwrite: true);
            File.Copy(overlay, copy, overwrite: true);
            await Image("commit", copy);
        }

        byte[] bytes = File.ReadAllBytes(read);
        ReadOnlySpan<uint> words = MemoryMarshal.Cast<byte, uint>(bytes);
        uint[] numbers = new uint[Sectors];
        for (int sector = 0; sector < Sectors; sector++)
        {
            ReadOnlySpan<uint> sectorWords = words.Slice(sector * SectorSize / 4, SectorSize / 4);
            numbers[sector] = sectorWords[0];
            Assert.Equal(-1, sectorWords.IndexOfAnyExcept(numbers[sector]));
        }

        return numbers;
    }

    private async Task Image(params string[] arguments)
    {
        (int code, _, string messages) = await ToolProcess.Run(ToolProcess.Plexus(["image", .. arguments]), directory);
        Assert.True(code == 0, messages);
    }

    /// <summary>A Multiboot-1 image with address fields (Multiboot 0.6.96, 3.1.3).</summary>
    private static void WriteGuest(string path, uint first)
    {
        const uint Magic = 0x1BAD_B002, AddressFields = 1 << 16, Load = 0x10_0000, HeaderSize = 32;
        Assembler c = new(32);
        c.dd(Magic, AddressFields, unchecked(0 - Magic - AddressFields), Load);
        c.dd(Load, 0, 0, Load + HeaderSize);
        Program(c, first);
        using FileStream file = new(path, FileMode.Create);
        c.Assemble(new StreamCodeWriter(file), Load);
    }

    /// <summary>For each number: a sector full of it, WRITE SECTORS, FLUSH CACHE, and the number as eight digits and a line feed on the serial port.</summary>
    private static void Program(Assembler c, uint first)
    {
        const int Stack = 0x9000, Buffer = 0xA000;
        Label again = c.CreateLabel(), wait = c.CreateLabel(), ready = c.CreateLabel(), digit = c.CreateLabel(), letter = c.CreateLabel(), send = c.CreateLabel(), room = c.CreateLabel();
        c.mov(esp, Stack);
        Configure(0x8000_0904, 1);
        Configure(0x8000_0940, 0x8000);
        c.mov(ebx, first);

        c.Label(ref again);
        c.cld();
        c.mov(edi, Buffer);
        c.mov(ecx, SectorSize / 4);
        c.mov(eax, ebx);
        c.rep.stosd();
        c.call(wait);
        Out(0x1F6, 0xE0);
        Out(0x1F2, 1);
        c.imul(ecx, ebx, Step);
        c.and(ecx, Sectors - 1);
        c.mov(dx, 0x1F3);
        c.mov(al, cl);
        c.@out(dx, al);
        c.inc(edx);
        c.mov(al, ch);
        c.@out(dx, al);
        Out(0x1F5, 0);
        Out(0x1F7, 0x30);
        c.call(ready);
        c.mov(esi, Buffer);
        c.mov(ecx, SectorSize / 2);
        c.mov(dx, 0x1F0);
        c.rep.outsw();
        c.call(wait);
        Out(0x1F7, 0xE7);
        c.call(wait);

        c.mov(ecx, 8);
        c.mov(esi, ebx);
        c.Label(ref digit);
        c.rol(esi, 4);
        c.mov(eax, esi);
        c.and(eax, 0xF);
        c.cmp(al, 10);
        c.jb(letter);
        c.add(al, (sbyte)('A' - '0' - 10));
        c.Label(ref letter);
        c.add(al, (sbyte)'0');
        c.call(send);
        c.loop(digit);
        c.mov(al, (sbyte)'\n');
        c.call(send);
        c.inc(ebx);
        c.jmp(again);

        // Not busy.
        c.Label(ref wait);
        c.mov(dx, 0x1F7);
        c.@in(al, dx);
        c.test(al, 0x80);
        c.jne(wait);
        c.ret();

        // Not busy, and asking for data.
        c.Label(ref ready);
        c.mov(dx, 0x1F7);
        c.@in(al, dx);
        c.and(al, 0x88);
        c.cmp(al, 8);
        c.jne(ready);
        c.ret();

        c.Label(ref send);
        c.mov(ah, al);
        c.mov(dx, 0x3FD);
        c.Label(ref room);
        c.@in(al, dx);
        c.test(al, 0x20);
        c.je(room);
        c.mov(dx, 0x3F8);
        c.mov(al, ah);
        c.@out(dx, al);
        c.ret();

        void Out(ushort port, byte value)
        {
            c.mov(dx, port);
            c.mov(al, value);
            c.@out(dx, al);
        }

        void Configure(uint address, ushort value)
        {
            c.mov(dx, 0xCF8);
            c.mov(eax, address);
            c.@out(dx, eax);
            c.mov(dx, 0xCFC);
            c.mov(ax, value);
            c.@out(dx, ax);
        }
    }
}
