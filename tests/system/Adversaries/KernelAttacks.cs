using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;
using L = Plexus.System.Tests.Adversaries.AdversaryLayout;

namespace Plexus.System.Tests.Adversaries;

/// <summary>What a kernel may do to notice, or to disturb, what the monitor made of its code.</summary>
internal static class KernelAttacks
{
    private const byte Int = 0xCD, Landed = 0x82;

    /// <summary>Sensitive code of every kind that has a stub, dense, so that patches lie side by side; ends in RET.</summary>
    private static readonly byte[] Dense =
    [
        0x9C, 0x58, 0xFA, 0x40, 0xFB, 0x90, 0x8C, 0xC8, 0x0F, 0x01, 0xE1, 0x40, 0x16, 0x5A, 0x9C, 0x9D, 0x40, 0x0F, 0x00, 0xCA, 0xFA, 0x9C, 0x58, 0xEB, 0x01, 0xFB, 0x0F, 0xA2, 0xFA, 0xC3,
    ];

    /// <summary>Far transfers and segment loads with every selector.</summary>
    public static void EmitSelectors(Attacker a) => SelectorAttacks.Emit(a);

    /// <summary>Hot code that is read, summed and compared, in pieces and through every segment, while its patches serve.</summary>
    public static void EmitReading(Attacker a)
    {
        Assembler c = a.Code;
        a.Write(L.KernelScratch, Dense);
        Run();
        foreach (AssemblerMemoryOperand operand in (AssemblerMemoryOperand[])[__dword_ptr[ebx], __dword_ptr.cs[ebx], __dword_ptr.ss[ebx], __dword_ptr.es[ebx]])
        {
            a.ForEach(L.KernelScratch, L.KernelScratch + (uint)Dense.Length, 1, () => a.Attack(() =>
            {
                c.mov(eax, operand);
                c.xor(ecx, operand);
            }));
            a.Step("code is read");
        }

        a.Attack(() =>
        {
            // The whole kernel, by the string instructions that a checksum or a copy would use.
            c.mov(esi, L.KernelBase + L.Load);
            c.mov(ecx, 0x2000);
            Label top = c.CreateLabel();
            c.xor(ebx, ebx);
            c.Label(ref top);
            c.lodsb();
            c.rol(ebx, 3);
            c.add(bl, al);
            c.dec(ecx);
            c.jnz(top);
            c.mov(esi, L.KernelScratch);
            c.mov(edi, L.KernelScratch + 0x1000);
            c.mov(ecx, 0x400);
            c.rep.movsd();
            c.mov(esi, L.KernelScratch);
            c.mov(edi, L.KernelScratch + 0x1000);
            c.mov(ecx, 0x400);
            c.repe.cmpsd();
            c.mov(edx, ecx);
        });
        a.Step("the kernel sums its code");

        // And the copy runs, cold and hot; then the original changes byte for byte.
        for (int round = 0; round < 3; round++)
        {
            Run(0x1000);
            Run();
        }

        foreach (byte value in (byte[])[0x90, 0xFA, 0x9C, 0x40])
        {
            a.Attack(() =>
            {
                c.push(0);
                c.mov(__byte_ptr[L.KernelScratch + 2], (sbyte)value);
                c.mov(edx, L.KernelScratch + 2);
                c.call(edx);
                c.pushfd();
                c.pop(ebx);
            });
        }

        a.Step("a patched site changes");

        void Run(uint offset = 0)
        {
            a.Attack(() =>
            {
                Label top = c.CreateLabel();
                c.mov(ebp, 80);
                c.mov(esi, L.KernelScratch + offset);
                c.Label(ref top);
                c.call(esi);
                c.dec(ebp);
                c.jnz(top);
                c.pushfd();
                c.pop(edi);
            });
            a.Step("hot code");
        }
    }

    /// <summary>Computed jumps onto each boundary of hot dense code, and onto each byte when interiors are exact.</summary>
    public static void EmitLandings(Attacker a, bool interiors)
    {
        Assembler c = a.Code;
        byte[] code = [.. Dense[..^1], Int, Landed];
        a.Write(L.KernelScratch, code);
        int[] places = interiors ? [.. Enumerable.Range(0, code.Length - 1)] : [0, 1, 2, 3, 4, 5, 6, 8, 11, 12, 13, 14, 15, 16, 17, 20, 21, 22, 23, 25, 26, 28, 29];
        for (int round = 0; round < 45; round++)
            Land(0);
        foreach (int place in places)
        {
            Land(place);
            Land(0);
            Land(place);
        }

        a.Step("landings in hot code");

        void Land(int place) => a.Attack(() =>
        {
            c.push(2);
            c.push(0x202);
            c.mov(ebx, L.KernelScratch);
            c.mov(ecx, 5);
            c.xor(eax, eax);
            c.cdq();
            c.lea(esi, __[ebx + place]);
            c.jmp(esi);
        });
    }

    /// <summary>Maps a page of its own into every slot of the address space in turn, uses it, and runs sensitive code there.</summary>
    public static void EmitWindows(Attacker a)
    {
        Assembler c = a.Code;
        c.mov(ecx, 1024);
        c.mov(edi, L.SpareTable);
        c.mov(eax, L.SpareFrame + 7);
        c.rep.stosd();
        a.Write(L.KernelBase + L.SpareFrame, 0x9C, 0x59, 0xFA, 0x8C, 0xC8, 0x9C, 0x5A, Int, Landed);
        Slots("one slot at a time", 0, 1, () =>
        {
            a.Attack(() =>
            {
                c.add(__dword_ptr[ebx + 0x800], 1);
                c.mov(eax, __dword_ptr[ebx + 0x10_0800]);
            });
            c.mov(ebx, __dword_ptr[a.At(L.Counter)]);
            c.shl(ebx, 22);
            a.Attack(() => c.jmp(ebx));
        }, clear: true);

        // Now all of them stay, until no window finds room; then they go again.
        Slots("every slot is taken", 0, 3, () => a.Attack(() => c.jmp(ebx)), clear: false);
        Slots("the others are taken", 1, 1, () => a.Attack(() => c.add(__dword_ptr[ebx + 0x800], 1)), clear: false);
        Slots("code everywhere", 0, 31, () => a.Attack(() => c.jmp(ebx)), clear: false);
        Slots("every slot is given back", 0, 1, () => a.Attack(() => c.add(__dword_ptr[ebx + 0x800], 1)), clear: true);

        // EBX: the slot's address. The kernel's own slot and the user program's stay as they are.
        void Slots(string name, uint first, uint step, Action body, bool clear)
        {
            foreach ((uint from, uint end) in ((uint, uint)[])[(2 + first, 768), (769 + first, 1024)])
            {
                a.ForEach(from, end, step, () =>
                {
                    c.mov(__dword_ptr[(ebx * 4) + L.Directory], L.SpareTable - L.KernelBase + 7);
                    c.shl(ebx, 22);
                    c.invlpg(__[ebx]);
                    body();
                    if (!clear)
                        return;
                    c.mov(ebx, __dword_ptr[a.At(L.Counter)]);
                    c.mov(__dword_ptr[(ebx * 4) + L.Directory], 0);
                    c.mov(eax, cr3);
                    c.mov(cr3, eax);
                });
            }

            a.Step(name);
        }
    }

    /// <summary>Transfers to every slot, where handlers and the code view may lie, and reads of the pages beside them.</summary>
    public static void EmitHandlers(Attacker a)
    {
        Assembler c = a.Code;
        foreach (uint offset in (uint[])[0, L.Load, 0x23_0000])
        {
            Everywhere(offset, () => c.jmp(ebx));
            Everywhere(offset, () => c.call(ebx));
            Everywhere(offset, () =>
            {
                c.push(ebx);
                c.ret();
            });
        }

        a.Step("jumps into every slot");

        void Everywhere(uint offset, Action body)
        {
            a.ForEach(offset + L.User + (1 << 22), L.KernelBase, 1 << 22, () => a.Attack(body));
            a.ForEach(offset + L.KernelBase + (1 << 22), 0, 1 << 22, () => a.Attack(body));
        }
    }
}
