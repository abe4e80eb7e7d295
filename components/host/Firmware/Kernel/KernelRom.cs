using System.Buffers.Binary;
using Iced.Intel;
using Plexus.Host.Loaders;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Host.Firmware;

/// <summary>
/// The option ROM that starts a kernel: a boot entry vector in a Plug and Play expansion header (Plug and Play BIOS Specification 1.0a, 3.2), which has fw_cfg put
/// the kernel's parts in their places by DMA and then enters it.
/// </summary>
internal static class KernelRom
{
    /// <summary>Room for a BIOS' memory map, in multiboot's form.</summary>
    public const int MapBytes = 64 * MapRow;

    /// <summary>Room for the code that enters a multiboot kernel, and for the GDT's pseudo-descriptor.</summary>
    public const int ThunkBytes = 64;

    private const int MapRow = 24, BlockSize = 512, PnpHeader = 0x20, PnpSize = 0x20, TextStart = PnpHeader + PnpSize, MessageStart = TextStart + 0x18, CodeStart = 0x80, DescriptorSize = 16;
    private const int DescriptorOffset = 48;
    private const ushort DmaHigh = 0x514, DmaLow = 0x518;
    private const uint DmaSelectAndRead = 8 | 2;
    private const uint MemoryMapSignature = 0x534D_4150;

    /// <summary>A transfer: from an item to memory.</summary>
    /// <param name="Item">fw_cfg item.</param>
    /// <param name="Length">Bytes.</param>
    /// <param name="Address">Guest-physical address.</param>
    public readonly record struct Fetch(ushort Item, uint Length, uint Address);

    /// <summary>A ROM that enters the setup code of a Linux kernel (boot.rst, "Running the Kernel").</summary>
    /// <param name="fetches">What to load.</param>
    /// <param name="segment">Real-mode segment of the setup code's boot sector.</param>
    /// <param name="stack">SP.</param>
    public static byte[] Linux(IReadOnlyList<Fetch> fetches, ushort segment, ushort stack) => Assemble(fetches, a =>
    {
        a.cli();
        a.mov(ax, segment);
        a.mov(ds, ax);
        a.mov(es, ax);
        a.mov(fs, ax);
        a.mov(gs, ax);
        a.mov(ss, ax);
        a.mov(sp, stack);
        a.push(segment + 0x20);
        a.push(0);
        a.retf();
    });

    /// <summary>A ROM that enters a multiboot kernel in protected mode, with the memory map that the BIOS tells.</summary>
    /// <param name="fetches">What to load.</param>
    /// <param name="entry">How the kernel is entered.</param>
    /// <param name="thunk">Guest-physical address of room for the last instructions, below 64 KiB times 16, a multiple of 16.</param>
    public static byte[] Multiboot(IReadOnlyList<Fetch> fetches, MultibootEntry entry, uint thunk)
    {
        const int LowerMemory = 4, UpperMemory = 8, MapLength = 44, TypeAvailable = 1;
        byte[] last = Thunk(entry);
        return Assemble(fetches, a =>
        {
            Label next = a.CreateLabel(), notUpper = a.CreateLabel(), done = a.CreateLabel();
            a.mov(ax, (ushort)(entry.Information >> 4));
            a.mov(fs, ax);
            a.mov(ax, (ushort)(entry.Map >> 4));
            a.mov(es, ax);
            a.xor(di, di);
            a.xor(ebx, ebx);
            a.Label(ref next);
            a.mov(__dword_ptr.es[di], MapRow - 4);
            a.mov(eax, 0xE820);
            a.mov(ecx, MapRow - 4);
            a.mov(edx, MemoryMapSignature);
            a.add(di, 4);
            a.@int(0x15);
            a.sub(di, 4);
            a.jc(done);
            a.cmp(eax, MemoryMapSignature);
            a.jne(done);
            a.cmp(__dword_ptr.es[di + 4], PhysicalLayout.HighMemoryStart);
            a.jne(notUpper);
            a.cmp(__dword_ptr.es[di + 20], TypeAvailable);
            a.jne(notUpper);
            a.mov(eax, __dword_ptr.es[di + 12]);
            a.shr(eax, 10);
            a.mov(__dword_ptr.fs[UpperMemory], eax);
            a.Label(ref notUpper);
            a.add(di, MapRow);
            a.cmp(di, MapBytes);
            a.jae(done);
            a.test(ebx, ebx);
            a.jne(next);
            a.Label(ref done);
            a.movzx(eax, di);
            a.mov(__dword_ptr.fs[MapLength], eax);
            a.@int(0x12);
            a.movzx(eax, ax);
            a.mov(__dword_ptr.fs[LowerMemory], eax);

            // The last instructions and the GDT go to their places in low memory.
            a.cli();
            a.cld();
            Store(a, thunk, last);
            Store(a, entry.Gdt, StartState.Gdt());
            a.mov(ax, (ushort)(thunk >> 4));
            a.mov(ds, ax);
            a.lgdt(__fword_ptr[DescriptorOffset]);
            a.mov(eax, cr0);
            a.or(al, 1);
            a.mov(cr0, eax);
            a.db(0x66, 0xEA); // JMP ptr16:32
            a.dd(thunk);
            a.dw(StartState.CodeSelector);
        });
    }

    /// <summary>32-bit code that loads the segments and registers of a multiboot kernel, and behind it the GDT's pseudo-descriptor.</summary>
    private static byte[] Thunk(MultibootEntry entry)
    {
        var a = new Assembler(32);
        a.mov(ax, StartState.DataSelector);
        a.mov(ds, ax);
        a.mov(es, ax);
        a.mov(fs, ax);
        a.mov(gs, ax);
        a.mov(ss, ax);
        a.mov(eax, MultibootLoader.LoaderMagic);
        a.mov(ebx, entry.Information);
        a.mov(edx, entry.Address);
        a.jmp(edx);
        byte[] thunk = new byte[DescriptorOffset + 8];
        Bytes(a).CopyTo(thunk, 0);
        BinaryPrimitives.WriteUInt16LittleEndian(thunk.AsSpan(DescriptorOffset), (ushort)(StartState.GdtSize - 1));
        BinaryPrimitives.WriteUInt32LittleEndian(thunk.AsSpan(DescriptorOffset + 2), entry.Gdt);
        return thunk;
    }

    /// <summary>Stores bytes in low memory.</summary>
    private static void Store(Assembler a, uint address, byte[] bytes)
    {
        a.mov(ax, (ushort)(address >> 4));
        a.mov(es, ax);
        for (int i = 0; i < bytes.Length; i += 4)
            a.mov(__dword_ptr.es[i + (int)(address & 15)], BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(i)));
    }

    private static byte[] Assemble(IReadOnlyList<Fetch> fetches, Action<Assembler> enter)
    {
        // The code's length tells where the table behind it is, which the code names.
        byte[] code = Code(fetches.Count, 0, enter);
        code = Code(fetches.Count, (ushort)(CodeStart + code.Length), enter);
        int length = CodeStart + code.Length + (fetches.Count * DescriptorSize);
        byte[] rom = new byte[(length + 1 + BlockSize - 1) / BlockSize * BlockSize];
        rom[0] = 0x55;
        rom[1] = 0xAA;
        rom[2] = (byte)(rom.Length / BlockSize);
        rom[3] = 0xCB; // Initialisation has nothing to do: RETF.
        rom[0x1A] = PnpHeader;
        Span<byte> pnp = rom.AsSpan(PnpHeader, PnpSize);
        "$PnP"u8.CopyTo(pnp);
        pnp[4] = 1;
        pnp[5] = PnpSize / 16;
        ReadOnlySpan<byte> maker = "Plexus\0"u8, product = "Plexus kernel\0"u8;
        maker.CopyTo(rom.AsSpan(TextStart));
        product.CopyTo(rom.AsSpan(TextStart + maker.Length));
        "The kernel could not be loaded.\r\n\0"u8.CopyTo(rom.AsSpan(MessageStart));
        BinaryPrimitives.WriteUInt16LittleEndian(pnp[0x0E..], TextStart);
        BinaryPrimitives.WriteUInt16LittleEndian(pnp[0x10..], (ushort)(TextStart + maker.Length));
        pnp[0x12] = 2; // Device type: network, the only one of those that have boot entry vectors.
        pnp[0x15] = 0x14; // Read-cacheable, an initial program load device.
        BinaryPrimitives.WriteUInt16LittleEndian(pnp[0x1A..], CodeStart);
        pnp[9] = Complement(pnp);
        code.CopyTo(rom, CodeStart);
        for (int i = 0; i < fetches.Count; i++)
        {
            Span<byte> descriptor = rom.AsSpan(CodeStart + code.Length + (i * DescriptorSize), DescriptorSize);
            BinaryPrimitives.WriteUInt32BigEndian(descriptor, ((uint)fetches[i].Item << 16) | DmaSelectAndRead);
            BinaryPrimitives.WriteUInt32BigEndian(descriptor[4..], fetches[i].Length);
            BinaryPrimitives.WriteUInt64BigEndian(descriptor[8..], fetches[i].Address);
        }

        rom[^1] = Complement(rom);
        return rom;
    }

    private static byte[] Code(int count, ushort table, Action<Assembler> enter)
    {
        var a = new Assembler(16);
        Label next = a.CreateLabel(), failed = a.CreateLabel(), print = a.CreateLabel(), printed = a.CreateLabel();
        a.push(cs);
        a.pop(ds);
        a.cld();
        a.mov(si, table);
        a.mov(cx, (ushort)count);
        a.Label(ref next);

        // A descriptor on the stack: its first doubleword is written back, and the ROM may lie in memory that is not.
        a.sub(sp, DescriptorSize);
        a.mov(di, sp);
        a.push(ss);
        a.pop(es);
        a.push(cx);
        a.mov(cx, DescriptorSize / 2);
        a.rep.movsw();
        a.pop(cx);
        a.xor(eax, eax);
        a.mov(dx, DmaHigh);
        a.@out(dx, eax);
        a.mov(ax, ss);
        a.shl(eax, 4);
        a.movzx(ebx, sp);
        a.add(eax, ebx);
        a.xchg(al, ah);
        a.rol(eax, 16);
        a.xchg(al, ah);
        a.mov(dx, DmaLow);
        a.@out(dx, eax);
        a.mov(bx, sp);
        a.test(__byte_ptr.ss[bx + 3], 1);
        a.jne(failed);
        a.add(sp, DescriptorSize);
        a.loop(next);
        enter(a);

        a.Label(ref failed);
        a.mov(si, MessageStart);
        a.Label(ref print);
        a.lodsb();
        a.test(al, al);
        a.je(printed);
        a.mov(ah, 0x0E);
        a.mov(bx, 7);
        a.@int(0x10);
        a.jmp(print);
        a.Label(ref printed);
        a.add(sp, DescriptorSize);
        a.@int(0x18); // No boot: the firmware tries the next device.
        return Bytes(a);
    }

    private static byte[] Bytes(Assembler a)
    {
        using var stream = new MemoryStream();
        a.Assemble(new StreamCodeWriter(stream), CodeStart);
        return stream.ToArray();
    }

    private static byte Complement(ReadOnlySpan<byte> bytes)
    {
        byte sum = 0;
        foreach (byte value in bytes)
            sum += value;
        return (byte)-sum;
    }
}
