using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Plexus.Messaging.Shared;

namespace Plexus.Journal;

/// <summary>
/// A sum over what the guest is likely to be working on: loops that count in memory, or in the x87 and SSE units, pass through the same general registers again and again. Page tables
/// are walked from outside, without an accessed bit (SDM vol. 3, 4.3 and 4.4).
/// </summary>
internal static class NearMemory
{
    private const int Words = 64, Esp = 4;
    private const uint Line = 64;
    private const ulong Basis = 0xCBF2_9CE4_8422_2325;
    private const uint Paging = 1u << 31, LargePages = 1 << 4, PhysicalAddressExtension = 1 << 5;
    private const ulong Present = 1, Large = 0x80, Prime = 0x0100_0000_01B3;

    /// <summary>FNV-1a over up to 256 bytes from SS:ESP on, the 64 bytes around what each other general register points to, and the registers of the x87 and SSE units.</summary>
    internal static ulong Sum(in VcpuBlock v, GuestMemory memory)
    {
        uint stack = v.GetGpr(Esp) + v.Segments[(int)SegmentIndex.Ss].Base;
        ulong sum = Add(Basis, in v, memory, stack, Math.Min(Words * 4, GuestMemory.FrameSize - (int)(stack % GuestMemory.FrameSize)) & ~3);
        for (int register = 0; register < 8; register++)
        {
            if (register != Esp)
                sum = Add(sum, in v, memory, (v.GetGpr(register) + v.Segments[(int)SegmentIndex.Ds].Base) & ~(Line - 1), (int)Line);
        }

        for (int i = 0; i < 8; i++)
        {
            (ulong significand, ushort signExponent) = v.Fpu.GetRegister(i);
            (ulong low, ulong high) = v.Sse.GetRegister(i);
            sum = (((((((sum ^ significand) * Prime) ^ signExponent) * Prime) ^ low) * Prime) ^ high) * Prime;
        }

        return sum;
    }

    /// <summary>Where accessed and dirty bits would be, were it a page table, is not looked: an engine with shadow paging may set them before the access.</summary>
    private static ulong Add(ulong sum, in VcpuBlock v, GuestMemory memory, uint linear, int length)
    {
        Span<byte> bytes = stackalloc byte[Words * 4];
        bytes = bytes[..length];
        if (Walk(in v, memory, linear) is not { } physical)
            return sum * Prime;
        memory.ReadPhysical(physical, bytes);
        foreach (uint word in MemoryMarshal.Cast<byte, uint>(bytes))
            sum = (sum ^ (word & ~PlainFrame.AccessedAndDirty)) * Prime;
        return sum;
    }

    /// <summary>What a delivery pushed last, as far as it lies in one page: the first and the fourth doubleword, an error code and EFLAGS where there is one.</summary>
    internal static ulong Frame(in VcpuBlock v, GuestMemory memory)
    {
        uint linear = v.GetGpr(Esp) + v.Segments[(int)SegmentIndex.Ss].Base;
        return linear % GuestMemory.FrameSize > GuestMemory.FrameSize - 16 || Walk(in v, memory, linear) is not { } physical
            ? 0
            : Read(memory, physical, 4) | (Read(memory, physical + 12, 4) << 32);
    }

    private static ulong? Walk(in VcpuBlock v, GuestMemory memory, uint linear)
    {
        if ((v.Cr0 & Paging) == 0)
            return linear;
        if ((v.Cr4 & PhysicalAddressExtension) != 0)
        {
            ulong pointer = v.GetPagePointer((int)(linear >> 30));
            if ((pointer & Present) == 0)
                return null;
            ulong directory = Read(memory, (pointer & 0xF_FFFF_F000) + (((linear >> 21) & 511) * 8), 8);
            if ((directory & Present) == 0)
                return null;
            if ((directory & Large) != 0)
                return (directory & 0xF_FFE0_0000) | (linear & 0x1F_FFFF);
            ulong entry = Read(memory, (directory & 0xF_FFFF_F000) + (((linear >> 12) & 511) * 8), 8);
            return (entry & Present) == 0 ? null : (entry & 0xF_FFFF_F000) | (linear & 0xFFF);
        }

        ulong upper = Read(memory, (v.Cr3 & 0xFFFF_F000) + ((linear >> 22) * 4), 4);
        if ((upper & Present) == 0)
            return null;
        if ((upper & Large) != 0 && (v.Cr4 & LargePages) != 0)
            return (upper & 0xFFC0_0000) | (linear & 0x3F_FFFF);
        ulong lower = Read(memory, (upper & 0xFFFF_F000) + (((linear >> 12) & 1023) * 4), 4);
        return (lower & Present) == 0 ? null : (lower & 0xFFFF_F000) | (linear & 0xFFF);
    }

    private static ulong Read(GuestMemory memory, ulong physical, int width)
    {
        Span<byte> bytes = stackalloc byte[8];
        bytes.Clear();
        memory.ReadPhysical(physical, bytes[..width]);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }
}
