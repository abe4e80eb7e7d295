using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;
using L = Plexus.System.Tests.Adversaries.AdversaryLayout;

namespace Plexus.System.Tests.Adversaries;

/// <summary>Reads, writes and transfers to linear addresses that the program has no right to.</summary>
internal static class MemoryAttacks
{
    private const uint Slot = 1 << 22;

    /// <summary>The offset in its slot of the user program, of the kernel, and of pages where nobody's code lies.</summary>
    private static readonly uint[] Offsets = [0, L.Load, 0x3F_F000];

    public static void Emit(Attacker a)
    {
        Assembler c = a.Code;
        foreach (uint offset in Offsets)
        {
            Everywhere($"read at {offset:x}", offset, () => c.mov(eax, __dword_ptr[ebx]));
            Everywhere($"write at {offset:x}", offset, () => c.or(__byte_ptr[ebx], 0));
            Everywhere($"jump to {offset:x}", offset, () => c.jmp(ebx));
        }

        // The upper half more closely, by a step that is no multiple of a page, and the kernel's own code at every kind of place in it.
        Range("read above", 0x8000_0000, 0, 0x5F_5FF1, () => c.mov(eax, __dword_ptr[ebx]));
        Range("write above", 0x8000_0000, 0, 0x5F_5FF1, () => c.mov(__dword_ptr[ebx], eax));
        Range("call above", 0x8000_0000, 0, 0x5F_5FF1, () => c.call(ebx));
        Range("read kernel code", L.KernelBase + L.Load, L.KernelBase + L.Load + 0x3000, 0x14D, () => c.mov(eax, __dword_ptr[ebx]));
        Range("jump to kernel code", L.KernelBase + L.Load, L.KernelBase + L.Load + 0x3000, 0x14D, () => c.jmp(ebx));
        Range("return to kernel code", L.KernelBase + L.Load, L.KernelBase + L.Load + 0x3000, 0x14D, () =>
        {
            c.push(ebx);
            c.ret();
        });
        Range("read kernel data", L.KernelBase + 0x20_0000, L.KernelBase + 0x21_0000, 0xFFC, () => c.mov(eax, __dword_ptr[ebx]));
        Range("write kernel data", L.KernelBase + 0x20_0000, L.KernelBase + 0x21_0000, 0xFFC, () => c.mov(__dword_ptr[ebx], eax));
        foreach (uint page in (uint[])[L.UserAbsent, L.UserSupervisor])
            Range($"across into {page:x}", page - 6, page + 2, 1, () => c.mov(eax, __dword_ptr[ebx]));

        void Everywhere(string name, uint offset, Action body)
        {
            a.ForEach(offset, L.User, Slot, () => a.Attack(body));
            a.ForEach(offset + L.User + Slot, 0, Slot, () => a.Attack(body));
            a.Step(name);
        }

        void Range(string name, uint first, uint end, uint step, Action body)
        {
            a.ForEach(first, end, step, () => a.Attack(body));
            a.Step(name);
        }
    }
}
