using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Tests.Privilege;

/// <summary>
/// A faulting instruction leaves no trace and can be repeated: every instruction that reaches memory more than once runs with its operands across
/// page boundaries, each page missing or read-only in turn. It must fault with all registers as before, and end as if nothing had been missing when repeated.
/// </summary>
public sealed unsafe class RestartTests
{
    private const uint Directory = 0x100000, Table = 0x101000;

    /// <summary>Page boundaries that data (EBX, ESI), a second operand (EDI) and the stack lie around.</summary>
    private const uint Data = 0x12_1000, Other = 0x13_1000, Stack = 0x14_1000;

    private static readonly uint[] Pages = [Data - 0x1000, Data, Other - 0x1000, Other, Stack - 0x1000, Stack, 0x5_0000 - 0x1000, 0x5_0000];

    /// <summary>Name, CPL, bytes.</summary>
    public static TheoryData<string, int, byte[]> Instructions => new()
    {
        { "pusha", 0, [0x60] },
        { "pushaw", 0, [0x66, 0x60] },
        { "popa", 0, [0x61] },
        { "popaw", 0, [0x66, 0x61] },
        { "enter 8, 0", 0, [0xC8, 8, 0, 0] },
        { "enter 8, 1", 0, [0xC8, 8, 0, 1] },
        { "enter 4, 5", 0, [0xC8, 4, 0, 5] },
        { "enterw 4, 5", 0, [0x66, 0xC8, 4, 0, 5] },
        { "leave", 0, [0xC9] },
        { "push dword [ebx]", 0, [0xFF, 0x33] },
        { "pop dword [ebx]", 0, [0x8F, 0x03] },
        { "pop dword [esp]", 0, [0x8F, 0x04, 0x24] },
        { "pop ebx", 0, [0x5B] },
        { "pushfd", 0, [0x9C] },
        { "popfd", 0, [0x9D] },
        { "xchg [ebx], eax", 0, [0x87, 0x03] },
        { "add [ebx], eax", 0, [0x01, 0x03] },
        { "neg dword [ebx]", 0, [0xF7, 0x1B] },
        { "rcl dword [ebx], cl", 0, [0xD3, 0x13] },
        { "shld [ebx], eax, cl", 0, [0x0F, 0xA5, 0x03] },
        { "bts [ebx], eax", 0, [0x0F, 0xAB, 0x03] },
        { "sete [ebx]", 0, [0x0F, 0x94, 0x03] },
        { "cmpxchg [ebx], ecx", 0, [0x0F, 0xB1, 0x0B] },
        { "cmpxchg8b [ebx]", 0, [0x0F, 0xC7, 0x0B] },
        { "xadd [ebx], eax", 0, [0x0F, 0xC1, 0x03] },
        { "mul dword [ebx]", 0, [0xF7, 0x23] },
        { "bound eax, [ebx]", 0, [0x62, 0x03] },
        { "movsd", 0, [0xA5] },
        { "cmpsd", 0, [0xA7] },
        { "stosd", 0, [0xAB] },
        { "scasd", 0, [0xAF] },
        { "lodsd", 0, [0xAD] },
        { "insd", 0, [0x6D] },
        { "outsd", 0, [0x6F] },
        { "sgdt [ebx]", 0, [0x0F, 0x01, 0x03] },
        { "lidt [ebx]", 0, [0x0F, 0x01, 0x1B] },
        { "lds eax, [ebx]", 0, [0xC5, 0x03] },
        { "lss eax, [ebx]", 0, [0x0F, 0xB2, 0x03] },
        { "mov ds, [ebx]", 0, [0x8E, 0x1B] },
        { "pop ds", 0, [0x1F] },
        { "pop ss", 0, [0x17] },
        { "push fs", 0, [0x0F, 0xA0] },
        { "call [ebx]", 0, [0xFF, 0x13] },
        { "call far [ebx]", 0, [0xFF, 0x1B] },
        { "jmp far [ebx]", 0, [0xFF, 0x2B] },
        { "call far", 0, [0x9A, 0x00, 0x10, 0x02, 0x00, 0x08, 0x00] },
        { "ret 8", 0, [0xC2, 8, 0] },
        { "retf", 0, [0xCB] },
        { "retf 8", 0, [0xCA, 8, 0] },
        { "iretd", 0, [0xCF] },
        { "retf to ring 3", 0, [0xCB] },
        { "iretd to ring 3", 0, [0xCF] },
        { "iretd to virtual-8086 mode", 0, [0xCF] },
        { "int 40h", 0, [0xCD, 0x40] },
        { "int 40h from ring 3", 3, [0xCD, 0x40] },
        { "call gate from ring 3", 3, [0x9A, 0, 0, 0, 0, 0x8B, 0] },
        { "call far within ring 3", 3, [0x9A, 0x00, 0x10, 0x02, 0x00, 0x23, 0x00] },
    };

    [Theory]
    [MemberData(nameof(Instructions))]
    public void Instruction_that_meets_a_missing_or_read_only_page_has_changed_nothing(string name, int cpl, byte[] code)
    {
        using var bench = new ProtectedBench();
        EnablePaging(bench);
        int faults = 0;
        byte[] before = new byte[0x4_0000], clean = new byte[0x4_0000];
        for (int k = 0; k <= 40; k += k < 8 ? 1 : 2)
        {
            Start(bench, name, cpl, k);
            Memory(bench).CopyTo(before);
            Emulated result = bench.Execute(code);
            Assert.True(result.Kind == EmulateKind.Next || (result.Kind == EmulateKind.GuestFault && result.Vector is 5), $"{name} {k}: {ProtectedBench.Of(result)}");
            VcpuBlock final = *bench.V;
            Memory(bench).CopyTo(clean);
            foreach (uint page in Pages)
            {
                foreach (uint rights in (ReadOnlySpan<uint>)[6, 5])
                {
                    Start(bench, name, cpl, k);
                    VcpuBlock state = *bench.V;
                    SetRights(bench, page, rights);
                    bench.V->Cr0 |= 0x1_0000;
                    state.Cr0 = bench.V->Cr0;
                    result = bench.Execute(code);
                    if (result is { Kind: EmulateKind.GuestFault, Vector: 14 })
                    {
                        faults++;
                        Assert.True(result.Linear >> 12 == page >> 12, $"{name} {k}: fault at {result.Linear:X}, the page is {page:X}");
                        AssertEqual(state, *bench.V, $"{name} {k} page {page:X} rights {rights}: after the fault");
                        AssertMemory(before, Memory(bench), bench, cpl, $"{name} {k} page {page:X} rights {rights}");
                        SetRights(bench, page, 7);
                        result = bench.Bench.EmulateOne();
                    }

                    SetRights(bench, page, 7);
                    final.Cr0 = bench.V->Cr0;
                    AssertEqual(final, *bench.V, $"{name} {k} page {page:X} rights {rights}: at the end");
                    Assert.True(clean.AsSpan().SequenceEqual(Memory(bench)), $"{name} {k} page {page:X} rights {rights}: memory at the end");
                }
            }
        }

        Assert.True(faults > 0, name);
    }

    private static void Start(ProtectedBench bench, string name, int cpl, int k)
    {
        bench.Enter((uint)cpl);
        bench.V->Cr3 = Directory;
        bench.V->Cr0 |= 0x8000_0000;
        bench.V->Eflags = cpl == 0 ? 0x46u : 0x3046;
        uint below = (uint)Math.Min(k, 9);
        bench.V->Gpr[0] = 0x55;
        bench.V->Gpr[1] = 0x0000_0203;
        bench.V->Gpr[2] = 0x80;
        bench.V->Gpr[3] = Data - below;
        bench.V->Gpr[4] = Stack + (uint)k;
        bench.V->Gpr[5] = Stack + (uint)(k / 2);
        bench.V->Gpr[6] = Data - below;
        bench.V->Gpr[7] = Other - below;
        Span<byte> memory = Memory(bench);
        for (int i = 0; i < memory.Length; i += 4096)
            memory[i..Math.Min(i + 64, memory.Length)].Fill(0x11);
        foreach (uint boundary in (ReadOnlySpan<uint>)[Data, Other, Stack])
        {
            for (uint i = 0; i < 0x100; i++)
                bench.Bench.Memory.Ram[(int)(boundary - 0x80 + i)] = (byte)i;
        }

        bench.Bench.Memory.Ram.Slice(0x4_FF00, 0x200).Fill(0x22);

        // At EBX a far pointer that is good, or a selector.
        bool isStack = name.StartsWith("lss", StringComparison.Ordinal);
        bench.Bench.Write32(bench.V->Gpr[3], name.StartsWith("mov ds", StringComparison.Ordinal) ? ProtectedBench.DataOf(0) : 0x2_1000u);
        bench.Bench.Write16(bench.V->Gpr[3] + 4, isStack ? ProtectedBench.DataOf(0) : ProtectedBench.CodeOf(0));
        Frame(bench, name, cpl);
        bench.SetVector(0x40, ProtectedBench.CodeOf(0), 0x2_1000, 0xEE);
        bench.SetGate(ProtectedBench.Gdt, ProtectedBench.OtherSlot, ProtectedBench.CodeOf(0), 0x2_1000, 0xEC, 3);
        bench.Bench.Write32(ProtectedBench.Tss + 4, 0x5_0000 + (uint)k);
        bench.Bench.Call<FlushTranslations, Done>(new FlushTranslations(true, 0));
    }

    /// <summary>On the stack what returns need; the first item also does as a selector and as flags.</summary>
    private static void Frame(ProtectedBench bench, string name, int cpl)
    {
        uint ring = name.EndsWith("to ring 3", StringComparison.Ordinal) ? 3 : (uint)cpl;
        uint[] frame = name.EndsWith("virtual-8086 mode", StringComparison.Ordinal)
            ? [0x1000, 0x2000, 0x2_0202, 0x4000, 0x3000, 0x1111, 0x2222, 0x3333, 0x4444]
            : name.StartsWith("retf to", StringComparison.Ordinal)
            ? [0x2_1000, ProtectedBench.CodeOf(3) | 3u, 0x3_0000, ProtectedBench.DataOf(3) | 3u]
            : [ProtectedBench.DataOf(0), ProtectedBench.CodeOf(ring) | ring, 0x0202, 0x3_0000, ProtectedBench.DataOf(3) | 3u];
        for (uint i = 0; i < frame.Length; i++)
            bench.Bench.Write32(bench.V->Gpr[4] + (i * 4), frame[i]);
    }

    /// <summary>What the instruction under test may reach: data, other operand, stack, inner stack.</summary>
    private static Span<byte> Memory(ProtectedBench bench) => bench.Bench.Memory.Ram.Slice(0x11_0000, 0x4_0000);

    private static void EnablePaging(ProtectedBench bench)
    {
        bench.Bench.Write32(Directory, Table | 7);
        for (uint page = 0; page < 1024; page++)
            bench.Bench.Write32(Table + (page * 4), (page << 12) | 7);
    }

    private static void SetRights(ProtectedBench bench, uint page, uint rights)
    {
        bench.Bench.Write32(Table + ((page >> 12) * 4), (page & 0xFFFF_F000) | rights);
        bench.Bench.Call<FlushTranslations, Done>(new FlushTranslations(true, 0));
    }

    private static void AssertEqual(VcpuBlock expected, VcpuBlock actual, string label)
    {
        // Ring changes are counted as they happen; all else is the guest's.
        if (new ReadOnlySpan<byte>(&expected, sizeof(VcpuBlock)).SequenceEqual(new ReadOnlySpan<byte>(&actual, sizeof(VcpuBlock))))
            return;
        Assert.Fail($"{label}: registers differ: EIP {actual.Eip:X} ESP {actual.Gpr[4]:X} EFLAGS {actual.Eflags:X}, expected {expected.Eip:X} {expected.Gpr[4]:X} {expected.Eflags:X}");
    }

    /// <summary>Only what lies below the stack pointer may have been written, on the stack in use.</summary>
    private static void AssertMemory(byte[] before, ReadOnlySpan<byte> after, ProtectedBench bench, int cpl, string label)
    {
        int esp = (int)(bench.V->Gpr[4] - 0x11_0000);
        Assert.True(after[..(esp - 0x80)].SequenceEqual(before.AsSpan(0, esp - 0x80)), $"{label}: memory below the stack changed");
        Assert.True(after[esp..].SequenceEqual(before.AsSpan(esp, after.Length - esp)), $"{label}: memory at or above the stack pointer changed (CPL {cpl})");
    }
}
