using System.Buffers.Binary;
using Iced.Intel;
using Plexus.Host.Loaders;
using Plexus.Messaging.Shared;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Boot.Bench;

/// <summary>
/// A hard disk that starts a Linux kernel on a PC with firmware, for machines that cannot load a kernel themselves: a boot sector that reads
/// what Plexus' own loader would put into guest memory, the kernel and, far above it, an initial RAM disk, and enters the kernel in the same state.
/// </summary>
internal static class BootDisk
{
    private const int SectorSize = 512;
    private const int ChunkSectors = 64;
    private const int ChunkSize = ChunkSectors * SectorSize;
    private const uint BootAddress = 0x7C00;
    private const uint LowStart = 0x1000;
    private const int LowSectors = 48;
    private const uint HighStart = 0x10_0000;
    private const ushort BufferSegment = 0x1000;
    private const int Cylinder = 16 * 63 * SectorSize;

    /// <summary>So many zeros end the first part of memory; what lies behind them is the second.</summary>
    private const int Gap = 1 << 20;

    // Offsets in the data at the sector's end.
    private const int HighPacket = 0;
    private const int LowPacket = 16;
    private const int MoveTable = 32;
    private const int MoveDestination = MoveTable + 0x18 + 2;
    private const int GdtPointer = MoveTable + 48;
    private const int Chunks = GdtPointer + 6;
    private const int Drive = Chunks + 2;
    private const int SecondChunks = Drive + 2;
    private const int SecondDestination = SecondChunks + 2;
    private const int DataSize = SecondDestination + 8;

    /// <summary>Builds the disk's content for a machine with so much memory.</summary>
    public static byte[] Build(BootRequest boot, uint ramSize)
    {
        using GuestMemory memory = new(ramSize, 1);
        using Vcpu vcpu = new();
        GuestLoader.Load(boot, memory, vcpu);
        Span<byte> ram = memory.Ram;
        int length = ram[(int)HighStart..].IndexOf(new byte[Gap]);
        int end = length < 0 ? ram.Length : (int)HighStart + length;
        int second = end + Math.Max(0, ram[end..].IndexOfAnyExcept((byte)0)) & -SectorSize;
        int secondEnd = ram.LastIndexOfAnyExcept((byte)0) + 1;
        int chunks = ChunksOf(end - (int)HighStart);
        int secondChunks = secondEnd > end ? ChunksOf(secondEnd - second) : 0;
        int secondStart = ((1 + LowSectors) * SectorSize) + (chunks * ChunkSize);
        int size = secondStart + (secondChunks * ChunkSize);
        byte[] disk = new byte[(size + Cylinder - 1) / Cylinder * Cylinder];
        BootSector((ushort)chunks, (uint)second, (ushort)secondChunks, vcpu).CopyTo(disk, 0);
        ram.Slice((int)LowStart, LowSectors * SectorSize).CopyTo(disk.AsSpan(SectorSize));
        ram[(int)HighStart..end].CopyTo(disk.AsSpan((1 + LowSectors) * SectorSize));
        if (secondChunks != 0)
            ram[second..secondEnd].CopyTo(disk.AsSpan(secondStart));
        return disk;
    }

    private static int ChunksOf(int bytes) => (bytes + ChunkSize - 1) / ChunkSize;

    private static byte[] BootSector(ushort chunks, uint second, ushort secondChunks, Vcpu vcpu)
    {
        // The data and the 32-bit part lie at the sector's end, so that the code can name their places before its own length is known.
        byte[] entry = ProtectedModePart(vcpu);
        uint data = BootAddress + 510 - DataSize;
        uint entryAt = data - (uint)entry.Length;
        byte[] code = RealModePart(chunks, data, entryAt);
        if (code.Length > entryAt - BootAddress)
            throw new InvalidOperationException($"The boot sector's code has {code.Length} bytes.");
        byte[] sector = new byte[SectorSize];
        code.CopyTo(sector, 0);
        entry.CopyTo(sector, (int)(entryAt - BootAddress));
        Data(second, secondChunks, vcpu).CopyTo(sector, (int)(data - BootAddress));
        sector[510] = 0x55;
        sector[511] = 0xAA;
        return sector;
    }

    private static byte[] Data(uint second, ushort secondChunks, Vcpu vcpu)
    {
        byte[] data = new byte[DataSize];
        Packet(data.AsSpan(HighPacket), ChunkSectors, BufferSegment, 0, 1 + LowSectors);
        Packet(data.AsSpan(LowPacket), LowSectors, 0, (ushort)LowStart, 1);
        Descriptor(data.AsSpan(MoveTable + 0x10), BufferSegment * 16u);
        Descriptor(data.AsSpan(MoveTable + 0x18), HighStart);
        BinaryPrimitives.WriteUInt16LittleEndian(data.AsSpan(GdtPointer), (ushort)vcpu.State.GdtLimit);
        BinaryPrimitives.WriteUInt32LittleEndian(data.AsSpan(GdtPointer + 2), vcpu.State.GdtBase);
        BinaryPrimitives.WriteUInt16LittleEndian(data.AsSpan(SecondChunks), secondChunks);
        BinaryPrimitives.WriteUInt32LittleEndian(data.AsSpan(SecondDestination), (second & 0xFF_FFFF) | 0x9300_0000);
        BinaryPrimitives.WriteUInt16LittleEndian(data.AsSpan(SecondDestination + 4), (ushort)(second >> 24 << 8));
        return data;
    }

    /// <summary>A disk address packet of INT 13h, AH = 42h.</summary>
    private static void Packet(Span<byte> packet, int sectors, ushort segment, ushort offset, uint first)
    {
        packet[0] = 16;
        BinaryPrimitives.WriteUInt16LittleEndian(packet[2..], (ushort)sectors);
        BinaryPrimitives.WriteUInt16LittleEndian(packet[4..], offset);
        BinaryPrimitives.WriteUInt16LittleEndian(packet[6..], segment);
        BinaryPrimitives.WriteUInt32LittleEndian(packet[8..], first);
    }

    /// <summary>A data descriptor of the table that INT 15h, AH = 87h takes.</summary>
    private static void Descriptor(Span<byte> descriptor, uint address)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(descriptor, 0xFFFF);
        BinaryPrimitives.WriteUInt32LittleEndian(descriptor[2..], address | 0x9300_0000);
    }

    private static byte[] RealModePart(ushort chunks, uint data, uint entry)
    {
        Assembler c = new(16);
        Label next = c.CreateLabel();
        Label done = c.CreateLabel();
        Label fail = c.CreateLabel();
        c.cli();
        c.xor(ax, ax);
        c.mov(ds, ax);
        c.mov(es, ax);
        c.mov(ss, ax);
        c.mov(sp, (short)BootAddress);
        c.sti();
        c.mov(__byte_ptr[(int)data + Drive], dl);
        c.mov(__word_ptr[(int)data + Chunks], chunks);
        c.mov(si, (short)(data + LowPacket));
        c.mov(ah, 0x42);
        c.@int(0x13);
        c.jc(fail);
        c.Label(ref next);
        c.mov(si, (short)(data + HighPacket));
        c.mov(dl, __byte_ptr[(int)data + Drive]);
        c.mov(ah, 0x42);
        c.@int(0x13);
        c.jc(fail);
        c.mov(si, (short)(data + MoveTable));
        c.mov(cx, ChunkSize / 2);
        c.mov(ah, 0x87);
        c.@int(0x15);
        c.jc(fail);
        c.add(__dword_ptr[(int)data + HighPacket + 8], ChunkSectors);
        c.add(__dword_ptr[(int)data + MoveDestination], ChunkSize);
        c.dec(__word_ptr[(int)data + Chunks]);
        c.jnz(next);
        c.xor(ax, ax);
        c.xchg(__word_ptr[(int)data + SecondChunks], ax);
        c.test(ax, ax);
        c.jz(done);
        c.mov(__word_ptr[(int)data + Chunks], ax);
        c.mov(eax, __dword_ptr[(int)data + SecondDestination]);
        c.mov(__dword_ptr[(int)data + MoveDestination], eax);
        c.mov(ax, __word_ptr[(int)data + SecondDestination + 4]);
        c.mov(__word_ptr[(int)data + MoveDestination + 4], ax);
        c.jmp(next);
        c.Label(ref done);
        c.cli();
        c.@in(al, 0x92);
        c.or(al, 2);
        c.@out(0x92, al);
        c.lgdt(__[(int)data + GdtPointer]);
        c.mov(eax, cr0);
        c.or(al, 1);
        c.mov(cr0, eax);
        // The far jump through bytes: its target is 32-bit code in this sector.
        c.db(0xEA);
        c.dw((ushort)entry);
        c.dw(0x10);
        c.Label(ref fail);
        c.hlt();
        c.jmp(fail);
        using MemoryStream code = new();
        c.Assemble(new StreamCodeWriter(code), BootAddress);
        return code.ToArray();
    }

    private static unsafe byte[] ProtectedModePart(Vcpu vcpu)
    {
        Assembler c = new(32);
        c.mov(eax, 0x18);
        c.mov(ds, eax);
        c.mov(es, eax);
        c.mov(ss, eax);
        c.mov(fs, eax);
        c.mov(gs, eax);
        c.xor(ebx, ebx);
        c.xor(ebp, ebp);
        c.xor(edi, edi);
        c.mov(esi, vcpu.Block->Gpr[6]);
        c.mov(eax, vcpu.Block->Eip);
        c.jmp(eax);
        using MemoryStream code = new();
        c.Assemble(new StreamCodeWriter(code), 0);
        return code.ToArray();
    }
}
