using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Host.DemoKernel;

/// <summary>
/// What each road by which a sensitive instruction may reach its emulation must not be noticed by: an INT3 that is not the kernel's, a push it did not make,
/// neighbours that moved elsewhere, branches that are somebody else's code.
/// </summary>
internal static class RoadChecks
{
    private const int Hot = 300;
    private const byte Breakpoint = 3;
    private const byte PageFault = 14;

    /// <summary>Pages of the window for a stack with nothing below it.</summary>
    private const int StackPage = 21;

    /// <summary>Emits the checks.</summary>
    /// <param name="k">The kernel being built.</param>
    public static void Emit(KernelAssembler k)
    {
        EmitBreakpoints(k);
        EmitPorts(k);
        EmitNeighbours(k);
        EmitComputed(k);
        EmitDirect(k);
        EmitInterior(k);
    }

    /// <summary>INT3 to the monitor, and INT3 through a gate of ring 3.</summary>
    private static void EmitBreakpoints(KernelAssembler k)
    {
        Assembler c = k.Code;
        k.Check("the kernel's own int3 reaches its own handler among sensitive instructions, in a hot loop", fail =>
        {
            k.Hook(Breakpoint, "ignore");
            c.mov(ebx, esp);
            c.xor(edi, edi);
            k.Repeat(Hot, () =>
            {
                c.cli();
                c.int3();
                c.pushfd();
                c.int3();
                c.pop(eax);
                c.test(eax, Layout.FlagIf);
                c.jnz(fail);
                c.mov(eax, cs);
                c.int3();
                c.inc(edi);
            });
            k.Expect(eax, Layout.KernelCode, fail);
            k.Expect(edi, Hot, fail);
            c.cmp(ebx, esp);
            c.jne(fail);
        });
        k.Check("sensitive instructions work with no room, or too little, below the stack pointer, cold and hot", fail =>
        {
            string bad = k.Fresh("bad");
            CodeChangeChecks.Remap(k, StackPage - 1, null);
            CodeChangeChecks.Remap(k, StackPage, 40);
            c.xor(ebp, ebp);
            foreach (int room in (ReadOnlySpan<int>)[0, 2, 4, 8, 10, 12, 16])
            {
                k.Repeat(Hot, () =>
                {
                    c.mov(esp, Layout.WindowPage(StackPage) + (uint)room);
                    c.cli();
                    c.smsw(ax);
                    c.mov(ecx, cs);
                    c.cmp(ecx, (int)Layout.KernelCode);
                    c.jne(k[bad]);
                    c.@in(al, 0x21);
                    c.xor(eax, eax);
                    c.cpuid();
                    c.cmp(esp, Layout.WindowPage(StackPage) + (uint)room);
                    c.jne(k[bad]);
                    if (room < 4)
                    {
                        return;
                    }

                    c.pushfd();
                    c.cmp(__dword_ptr[Layout.WindowPage(StackPage) + (uint)room - 4], 0x46); // from the comparison: ZF, PF and bit 1
                    c.jne(k[bad]);
                    c.popfd();
                    c.push(cs);
                    c.pop(ecx);
                });
            }

            c.inc(ebp);
            k.Mark(bad);
            c.mov(esp, k.Cell("check_esp"));
            k.Expect(ebp, 1, fail);
        });
        k.Check("a store of sensitive state that faults is the instruction's own fault, hot as cold", fail =>
        {
            CodeChangeChecks.Remap(k, StackPage - 1, null);
            StoreFault(k, fail, () => c.sgdt(__[ebx]));
            StoreFault(k, fail, () => c.mov(__word_ptr[ebx], cs));
            StoreFault(k, fail, () => c.str(__word_ptr[ebx]));
        });
    }

    /// <summary>One site stores through EBX, hot, then onto an absent page.</summary>
    private static void StoreFault(KernelAssembler k, Label fail, Action instruction)
    {
        Assembler c = k.Code;
        string site = k.Fresh("store");
        string back = k.Fresh("stored");
        string after = k.Fresh("after");
        k.Routine(site, () =>
        {
            instruction();
            c.jmp(esi);
        });
        c.mov(ebx, k.CellAt("table_image"));
        c.mov(esi, k.At(back));
        k.Repeat(Hot, () =>
        {
            c.jmp(k[site]);
            k.Mark(back);
        });
        uint absent = Layout.WindowPage(StackPage - 1) + 0x10;
        k.Hook(PageFault, "record");
        c.mov(k.Cell("resume"), k.At(after));
        c.mov(k.Cell("last_vector"), -1);
        c.mov(ebx, absent);
        c.jmp(k[site]);
        k.Mark(after);
        k.Expect(k.Cell("last_vector"), PageFault, fail);
        k.Expect(k.Cell("last_cr2"), absent, fail);
        k.Expect(k.Cell("last_eip"), k.At(site), fail);
    }

    /// <summary>Every kind of IN and OUT, with neighbours that a five-byte patch displaces.</summary>
    private static void EmitPorts(KernelAssembler k)
    {
        Assembler c = k.Code;
        const byte mask = 0x21;
        const byte post = 0x80;
        const byte nobody = 0x98; // no device answers there, nor at the ports behind it
        k.Check("every form of in and out carries its value past its neighbours, in a hot loop", fail =>
        {
            uint cell = k.CellAt("table_image");
            c.mov(al, 0xFE);
            c.@out(mask, al);
            c.xor(ebx, ebx);
            k.Repeat(Hot, () =>
            {
                void Want(uint value)
                {
                    c.inc(ebx);
                    c.dec(ebx);
                    c.cmp(eax, value);
                    c.jne(fail);
                }

                c.xor(eax, eax);
                c.@in(al, mask);
                Want(0xFE);
                c.xor(eax, eax);
                c.@in(ax, nobody);
                Want(0xFFFF);
                c.@in(eax, nobody);
                Want(0xFFFF_FFFF);
                c.mov(edx, mask);
                c.xor(eax, eax);
                c.@in(al, dx);
                Want(0xFE);
                c.mov(edx, nobody);
                c.xor(eax, eax);
                c.@in(ax, dx);
                Want(0xFFFF);
                c.@in(eax, dx);
                Want(0xFFFF_FFFF);
                c.@out(dx, ax);
                c.@out(dx, eax);
                c.inc(ebx);
                c.dec(ebx);
                c.@out(nobody, ax);
                c.@out(nobody, eax);
                c.inc(ebx);
                c.dec(ebx);
                c.mov(edx, mask);
                c.mov(eax, 0xFE);
                c.@out(dx, al);
                c.inc(ebx);
                c.dec(ebx);
                c.mov(edx, post);
                c.@out(dx, al);
                c.inc(ebx);
                c.dec(ebx);
                c.@out(post, al);
                c.inc(ebx);
                c.dec(ebx);
                c.mov(edx, mask);
                c.mov(edi, cell);
                c.cld();
                c.insb();
                c.inc(ebx);
                c.cmp(edi, cell + 1);
                c.jne(fail);
                c.cmp(__byte_ptr[cell], unchecked((sbyte)0xFE));
                c.jne(fail);
                c.mov(esi, cell);
                c.mov(ecx, 3);
                c.mov(edx, post);
                c.rep.outsb();
                c.dec(ebx);
                c.cmp(esi, cell + 3);
                c.jne(fail);
                c.test(ecx, ecx);
                c.jnz(fail);
            });
            k.Expect(ebx, 0, fail);
        });
    }

    /// <summary>What a planted JMP or CALL overwrites runs elsewhere, and the stack at and above ESP is nobody's but the kernel's.</summary>
    private static void EmitNeighbours(KernelAssembler k)
    {
        Assembler c = k.Code;
        k.Check("the stack at and above esp, and what follows a sensitive instruction, are as written, in a hot loop", fail =>
        {
            c.mov(ebx, esp);
            k.Repeat(Hot, () =>
            {
                c.push(0x1111);
                c.push(0x2222);
                c.cli();
                c.pop(eax);
                c.push(eax);
                c.smsw(cx);
                c.xchg(__dword_ptr[esp], eax);
                c.pushfd();
                c.pop(edx);
                c.mov(edi, ds);
                c.call(k["road_leaf"]);
                c.sldt(di);
                c.pop(eax);
                c.cmp(eax, 0x2222);
                c.jne(fail);
                c.pop(eax);
                c.cmp(eax, 0x1111);
                c.jne(fail);
            });
            c.cmp(ebx, esp);
            c.jne(fail);
        });
        k.Routine("road_leaf", () =>
        {
            c.sti();
            c.cli();
            c.ret();
        });
        k.Check("sensitive instructions in a chain of calls five deep return where they were called from, in a hot loop", fail =>
        {
            const int depth = 5;
            for (int level = 1; level <= depth; level++)
            {
                int deeper = level + 1;
                k.Routine($"road_chain_{level}", () =>
                {
                    c.cli();
                    c.inc(eax);
                    if (deeper <= depth)
                    {
                        c.call(k[$"road_chain_{deeper}"]);
                    }

                    c.pushfd();
                    c.pop(ecx);
                    c.smsw(cx);
                    c.inc(eax);
                    c.ret();
                });
            }

            c.xor(eax, eax);
            k.Repeat(Hot, () => c.call(k["road_chain_1"]));
            k.Expect(eax, Hot * depth * 2, fail);
        });
    }

    /// <summary>Calls, jumps and returns whose target is computed.</summary>
    private static void EmitComputed(KernelAssembler k)
    {
        Assembler c = k.Code;
        for (int i = 0; i < 4; i++)
        {
            int value = i;
            k.Routine($"road_table_{i}", () =>
            {
                c.lea(eax, __[eax + (1 << value)]);
                if (value < 2)
                {
                    c.ret();
                }
                else
                {
                    c.ret((short)(4 * value));
                }
            });
        }

        k.Check("computed calls, jumps and returns keep flags, registers and stack, in a hot loop", fail =>
        {
            uint table = k.CellAt("table_image");
            c.mov(ebx, esp);
            c.xor(eax, eax);
            k.Repeat(Hot, () =>
            {
                for (int i = 0; i < 4; i++)
                {
                    for (int n = 0; i >= 2 && n < i; n++)
                    {
                        c.push(0x7777);
                    }

                    c.mov(__dword_ptr[table], k.At($"road_table_{i}"));
                    c.mov(esi, k.At($"road_table_{i}"));
                    c.stc();
                    if ((i & 1) == 0)
                    {
                        c.call(__dword_ptr[table]);
                    }
                    else
                    {
                        c.call(esi);
                    }

                    c.jnc(fail);
                }

                string next = k.Fresh("next");
                c.mov(edx, k.At(next));
                c.jmp(edx);
                c.int3();
                k.Mark(next);
                string pushed = k.Fresh("pushed");
                c.push(k.At(pushed));
                c.ret();
                c.int3();
                k.Mark(pushed);
                string stored = k.Fresh("stored");
                c.mov(__dword_ptr[table], k.At(stored));
                c.mov(ecx, table - 16);
                c.jmp(__dword_ptr[ecx + 16]);
                c.int3();
                k.Mark(stored);
            });
            k.Expect(eax, Hot * 15, fail);
            c.cmp(ebx, esp);
            c.jne(fail);
        });
    }

    /// <summary>Direct branches of every kind, taken and not, some with a sensitive instruction as neighbour.</summary>
    private static void EmitDirect(KernelAssembler k)
    {
        Assembler c = k.Code;
        k.Check("conditional branches, loops and jecxz go where the flags and ecx say, in a hot loop", fail =>
        {
            c.xor(ebx, ebx);
            k.Repeat(Hot, () =>
            {
                string top = k.Fresh("top");
                string skip = k.Fresh("skip");
                string done = k.Fresh("done");
                c.mov(ecx, 3);
                k.Mark(top);
                c.inc(ebx);
                c.cli();
                c.loop(k[top]);
                c.jecxz(k[skip]);
                c.jmp(fail);
                k.Mark(skip);
                c.mov(ecx, 2);
                c.cmp(ecx, 2);
                c.loopne(fail); // equal: not taken
                c.cmp(ecx, 1);
                c.jb(fail);
                c.ja(fail);
                c.smsw(dx);
                c.js(fail);
                c.jno(k[done]);
                c.jmp(fail);
                k.Mark(done);
                c.inc(ebx);
            });
            k.Expect(ebx, Hot * 4, fail);
        });
        k.Check("a site that ran hot goes on when a branch into its neighbours is found later, and runs hot again", fail =>
        {
            string site = k.Fresh("late");
            string inside = k.Fresh("late_inside");
            string back = k.Fresh("late_back");
            k.Routine(site, () =>
            {
                c.cli();
                c.inc(eax);
                k.Mark(inside);
                c.inc(eax);
                c.inc(eax);
                c.inc(eax);
                c.jmp(esi);
            });
            string late = k.Fresh("late_branch");
            k.Routine(late, () =>
            {
                c.test(edi, edi);
                c.jz(k[inside]);
                c.jmp(k[site]);
            });
            c.mov(esi, k.At(back));
            c.xor(eax, eax);
            c.xor(edi, edi);
            string counter = k.Fresh("round");
            c.mov(k.Cell(counter), 3 * Hot);
            k.Mark(back);
            c.dec(k.Cell(counter));
            c.js(k[counter + "_end"]);
            c.cmp(k.Cell(counter), Hot);
            c.jb(k[late]);
            c.jmp(k[site]);
            k.Mark(counter + "_end");
            k.Expect(eax, (2 * Hot * 4) + (Hot * 3), fail);
        });
    }

    /// <summary>A jump into the middle of an instruction runs what is there. The inner instruction traps at any privilege but the kernel's, so that every processor agrees.</summary>
    private static void EmitInterior(KernelAssembler k)
    {
        Assembler c = k.Code;
        k.Check("a jump into the middle of an instruction finds what is there, cold and hot", fail =>
        {
            string site = k.Fresh("interior");
            string back = k.Fresh("interior_back");
            k.Routine(site, () => k.Bytes(0xB9, 0xFA, 0x40, 0xFB, 0xFA, 0xFF, 0xE6)); // mov ecx,FAFB40FAh ; jmp esi - inside: cli ; inc eax ; sti ; cli ; jmp esi
            c.mov(esi, k.At(back));
            c.xor(eax, eax);
            c.xor(edi, edi);
            string counter = k.Fresh("round");
            c.mov(k.Cell(counter), 2 * Hot);
            k.Mark(back);
            c.cli();
            c.dec(k.Cell(counter));
            c.js(k[counter + "_end"]);
            c.mov(ebx, k.At(site));
            c.test(__byte_ptr[k.CellAt(counter)], 1);
            string outer = k.Fresh("outer");
            c.jz(k[outer]);
            c.inc(ebx);
            k.Mark(outer);
            c.jmp(ebx);
            k.Mark(counter + "_end");
            k.Expect(eax, Hot, fail);
            k.Expect(ecx, 0xFAFB40FA, fail);
        });
    }
}
