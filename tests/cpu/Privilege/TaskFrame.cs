using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Tests.Privilege;

/// <summary>Two tasks on a bench: the current one with its TSS, and one to switch to; and what is to be found where afterwards, by the figures of SDM vol. 3, chapter 7.</summary>
internal static unsafe class TaskFrame
{
    public const uint NewTss = 0xA000;
    public const uint NewEip = 0x4321;
    public const uint NewEflags = 0x0024_0AD7;
    public const uint Directory = 0x100000;
    private const uint Table = 0x101000;
    private const byte Vector = 0x40;

    /// <summary>Offsets of ES, CS, SS, DS, FS, GS.</summary>
    private static readonly uint[] Selectors32 = [0x48, 0x4C, 0x50, 0x54, 0x58, 0x5C], Selectors16 = [0x22, 0x24, 0x26, 0x28];

    /// <summary>Value of a general register in the new TSS.</summary>
    public static uint NewGpr(int i) => i == 4 ? 0x0005_8800u : 0x1234_5670u + ((uint)i * 0x0101_0101u);

    public static void Start(ProtectedBench bench, int cpl, bool oldIs32, TaskModel.Cause cause, ushort selector, uint eflags)
    {
        bench.Enter((uint)cpl);
        bench.V->Eflags = cause == TaskModel.Cause.Return ? eflags | 0x4000 : eflags;
        bench.V->Dr[7] = 0x400;
        for (int i = 0; i < 8; i++)
        {
            if (i != 4)
                bench.V->Gpr[i] = 0xAB00_CD00u + (uint)(i * 0x11);
        }

        uint access = oldIs32 ? 0x8Bu : 0x83u;
        bench.SetDescriptor(ProtectedBench.Gdt, ProtectedBench.TssSelector, ProtectedBench.Tss, 0xFFF, access, 0);
        bench.Segment(SegmentIndex.Tr).Attributes = (ushort)access;
        bench.Bench.Memory.Ram.Slice((int)ProtectedBench.Tss, 0x68).Fill(0xEE);
        if (cause == TaskModel.Cause.Return)
            bench.Bench.Write16(ProtectedBench.Tss, selector);
        bench.SetGate(ProtectedBench.Gdt, ProtectedBench.OtherSlot, selector, 0, 0xE5);
        bench.SetGate(ProtectedBench.Gdt, ProtectedBench.OtherSlot - 0x10, selector, 0, 0xE5);
        bench.SetVector(Vector, selector, 0, 0xE5);
    }

    public static void WriteNew(ProtectedBench bench, bool is32, int ring, ushort code, ushort stack, ushort ldt = ProtectedBench.LdtSelector, uint eip = NewEip, uint at = NewTss)
    {
        bench.Bench.Memory.Ram.Slice((int)at, 0x68).Clear();
        ushort data = (ushort)(ProtectedBench.DataOf(3) | 3);
        if (is32)
        {
            bench.Bench.Write32(at + 0x20, eip);
            bench.Bench.Write32(at + 0x24, NewEflags);
            for (int i = 0; i < 8; i++)
                bench.Bench.Write32(at + 0x28 + ((uint)i * 4), NewGpr(i));
            ReadOnlySpan<ushort> selectors = [data, code, stack, data, data, (ushort)(ring & 0)];
            for (int i = 0; i < 6; i++)
                bench.Bench.Write16(at + Selectors32[i], selectors[i]);
            bench.Bench.Write16(at + 0x60, ldt);
        }
        else
        {
            bench.Bench.Write16(at + 0x0E, (ushort)eip);
            bench.Bench.Write16(at + 0x10, unchecked((ushort)NewEflags));
            for (int i = 0; i < 8; i++)
                bench.Bench.Write16(at + 0x12 + ((uint)i * 2), (ushort)NewGpr(i));
            ReadOnlySpan<ushort> selectors = [data, code, stack, data];
            for (int i = 0; i < 4; i++)
                bench.Bench.Write16(at + Selectors16[i], selectors[i]);
            bench.Bench.Write16(at + 0x2A, ldt);
        }
    }

    public static Emulated Execute(ProtectedBench bench, TaskModel.Cause cause, ushort selector, out uint next)
    {
        ushort gate = ProtectedBench.OtherSlot - 0x10;
        byte[] code = cause switch
        {
            TaskModel.Cause.JumpTss => Pointer(0xEA, selector),
            TaskModel.Cause.CallTss => Pointer(0x9A, selector),
            TaskModel.Cause.JumpGate => Pointer(0xEA, gate),
            TaskModel.Cause.CallGate => Pointer(0x9A, gate),
            TaskModel.Cause.Interrupt => [0xCD, Vector],
            _ => [0xCF],
        };
        next = ProtectedBench.CodeAt + (uint)code.Length;
        return bench.Execute(code);
    }

    /// <summary>All of the state and of the memory from 1000h is as before.</summary>
    public static void AssertUntouched(ProtectedBench bench, byte[] before, in VcpuBlock state)
    {
        Assert.True(before.AsSpan().SequenceEqual(bench.Bench.Memory.Ram.Slice(0x1000, before.Length)), "memory changed");
        VcpuBlock now = *bench.V;
        ReadOnlySpan<byte> a = new(&now, sizeof(VcpuBlock));
        fixed (VcpuBlock* then = &state)
            Assert.True(a.SequenceEqual(new ReadOnlySpan<byte>(then, sizeof(VcpuBlock))), "registers changed");
    }

    /// <summary>The old task is saved, the new one is loaded, and the links and busy bits are those of the cause.</summary>
    public static void AssertSwitched(ProtectedBench bench, TaskModel.Cause cause, in VcpuBlock old, uint next, bool oldIs32, TaskModel.Part tss)
    {
        bool is32 = tss.Facts.Kind is "tss32" or "tss32-busy";
        bool nests = cause is TaskModel.Cause.CallTss or TaskModel.Cause.CallGate or TaskModel.Cause.Interrupt;
        uint savedFlags = cause == TaskModel.Cause.Return ? old.Eflags & ~0x4000u : old.Eflags;
        AssertSaved(bench, old, next, savedFlags, oldIs32);
        Assert.Equal(nests ? ProtectedBench.TssSelector : 0, bench.Bench.Read16(NewTss));
        int oldAccess = oldIs32 ? 0x8B : 0x83;
        Assert.Equal(nests ? oldAccess : oldAccess & ~2, bench.AccessOf(ProtectedBench.Gdt, ProtectedBench.TssSelector));
        Assert.Equal(tss.Facts.Access | 2, bench.AccessOf(ProtectedBench.Gdt, ProtectedBench.TestSlot));
        Assert.Equal(tss.Selector, bench.Segment(SegmentIndex.Tr).Selector);
        Assert.Equal(NewTss, bench.Segment(SegmentIndex.Tr).Base);
        Assert.Equal(tss.Facts.Access | 2, bench.Segment(SegmentIndex.Tr).Attributes);
        Assert.Equal(old.Cr0 | 8, bench.V->Cr0);
        Assert.Equal(NewEip, bench.V->Eip);
        uint flags = (is32 ? NewEflags : NewEflags & 0xFFFF) | (nests ? 0x4000u : 0);
        Assert.Equal(flags, bench.V->Eflags);
        for (int i = 0; i < 8; i++)
            Assert.Equal(is32 ? NewGpr(i) : 0xFFFF_0000 | (NewGpr(i) & 0xFFFF), bench.V->Gpr[i]);
        Assert.Equal(1u, bench.V->Cpl);
        ushort data = (ushort)(ProtectedBench.DataOf(3) | 3);
        ReadOnlySpan<ushort> selectors = [data, (ushort)(ProtectedBench.CodeOf(1) | 1), (ushort)(ProtectedBench.DataOf(1) | 1), data, is32 ? data : (ushort)0, 0, ProtectedBench.LdtSelector];
        for (int i = 0; i < 7; i++)
        {
            SegmentRegister register = bench.Segment((SegmentIndex)i);
            Assert.Equal(selectors[i], register.Selector);
            Assert.Equal(selectors[i] == 0 ? 0u : 1, register.Usable);
        }

        Assert.Equal(ProtectedBench.Ldt, bench.Segment(SegmentIndex.Ldtr).Base);
        Assert.Equal(0xC0BB, bench.Segment(SegmentIndex.Cs).Attributes);
    }

    /// <summary>Identity paging of 4 MiB but for one page.</summary>
    public static void EnablePaging(ProtectedBench bench, uint missing)
    {
        bench.Bench.Write32(Directory, Table | 7);
        for (uint page = 0; page < 1024; page++)
            bench.Bench.Write32(Table + (page * 4), (page << 12) | (page == missing >> 12 ? 6u : 7u));
        bench.V->Cr3 = Directory;
        bench.V->Cr0 |= 0x8000_0000;
        Flush(bench);
    }

    public static void SetPresent(ProtectedBench bench, uint address)
    {
        bench.Bench.Write32(Table + ((address >> 12) * 4), (address & 0xFFFF_F000) | 7);
        Flush(bench);
    }

    private static void AssertSaved(ProtectedBench bench, VcpuBlock old, uint next, uint flags, bool is32)
    {
        uint at = ProtectedBench.Tss;
        uint width = is32 ? 4u : 2u;
        uint mask = is32 ? uint.MaxValue : 0xFFFF;
        uint first = at + (is32 ? 0x20u : 0x0E);
        Assert.Equal(next & mask, Item(first));
        Assert.Equal(flags & mask, Item(first + width));
        for (uint i = 0; i < 8; i++)
            Assert.Equal(old.GetGpr((int)i) & mask, Item(first + ((2 + i) * width)));
        uint[] selectors = is32 ? Selectors32 : Selectors16;
        for (int i = 0; i < selectors.Length; i++)
            Assert.Equal(old.Segments[i].Selector, bench.Bench.Read16(at + selectors[i]));

        // What a switch does not save keeps its bytes.
        Assert.Equal(0xEEEE, bench.Bench.Read16(at + (is32 ? 0x1Cu : 0x2C)));
        Assert.Equal(0xEE, bench.Bench.Read8(at + (is32 ? 0x60u : 0x2A)));

        uint Item(uint address) => bench.Bench.Read32(address) & mask;
    }

    private static void Flush(ProtectedBench bench) => bench.Bench.Call<FlushTranslations, Done>(new FlushTranslations(true, 0));

    private static byte[] Pointer(byte opcode, ushort selector) => [opcode, 0, 0, 0, 0, (byte)selector, (byte)(selector >> 8)];
}
