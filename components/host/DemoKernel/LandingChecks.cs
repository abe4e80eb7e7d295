using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Host.DemoKernel;

/// <summary>
/// Control flow that lands behind, inside and beside sensitive instructions: computed jumps onto every instruction boundary within reach of a five-byte patch,
/// before and after the site ran hot.
/// </summary>
internal static class LandingChecks
{
    private const int Hot = 1000;

    private static readonly byte[] JumpEsi = [0xFF, 0xE6];
    private static readonly byte[] IncEax = [0x40];

    /// <summary>Emits the checks.</summary>
    /// <param name="k">The kernel being built.</param>
    public static void Emit(KernelAssembler k)
    {
        EmitSingle(k);
        EmitSeveral(k);
        EmitBranches(k);
    }

    /// <summary>A site: its instructions, and EAX at the end for an entry at each of them (EAX is 0 on entry).</summary>
    private static void Landing(KernelAssembler k, string what, (byte[] Bytes, uint Result)[] pieces, Action<int>? before = null, Action<int, Label>? after = null)
    {
        Assembler c = k.Code;
        string site = k.Fresh("landing");
        k.Routine(site, () =>
        {
            foreach ((byte[] bytes, _) in pieces)
            {
                k.Bytes(bytes);
            }

            k.Bytes(JumpEsi);
        });

        void Enter(int index, Label fail)
        {
            string back = k.Fresh("landed");
            uint offset = (uint)pieces.Take(index).Sum(p => p.Bytes.Length);
            before?.Invoke(index);
            c.mov(esi, k.At(back));
            c.xor(eax, eax); // ZF is set on entry
            c.mov(edi, k.At(site) + offset);
            c.jmp(edi);
            k.Mark(back);
            after?.Invoke(index, fail);
            c.cli();
            c.cmp(eax, pieces[index].Result);
            c.jne(fail);
        }

        k.Check($"computed jumps onto every boundary of {what}, cold and hot", fail =>
        {
            for (int i = 0; i < pieces.Length; i++)
            {
                Enter(i, fail);
            }

            k.Repeat(Hot, () => Enter(0, fail));
            for (int i = pieces.Length - 1; i >= 0; i--)
            {
                Enter(i, fail);
            }

            for (int i = 0; i < pieces.Length; i++)
            {
                int index = i;
                k.Repeat(20, () => Enter(index, fail));
            }
        });
    }

    /// <summary>IF as it is now, left alone in EAX's stead: fails unless it is as wanted.</summary>
    private static void WantInterruptFlag(KernelAssembler k, bool set, Label fail)
    {
        Assembler c = k.Code;
        c.pushfd();
        c.test(__dword_ptr[esp], Layout.FlagIf);
        c.lea(esp, __[esp + 4]);
        if (set)
        {
            c.jz(fail);
        }
        else
        {
            c.jnz(fail);
        }
    }

    private static void EmitSingle(KernelAssembler k)
    {
        Assembler c = k.Code;
        Landing(k, "cli and four one-byte instructions", [([0xFA], 4), (IncEax, 4), (IncEax, 3), (IncEax, 2), (IncEax, 1)],
            _ => c.sti(), (i, fail) => WantInterruptFlag(k, i != 0, fail));
        Landing(k, "sti and four one-byte instructions", [([0xFB], 4), (IncEax, 4), (IncEax, 3), (IncEax, 2), (IncEax, 1)],
            _ => c.cli(), (i, fail) => WantInterruptFlag(k, i == 0, fail));
        Landing(k, "pushf, pop and arithmetic", [([0x9C], 4), ([0x59], 4), (IncEax, 4), ([0x83, 0xC0, 0x03], 3)],
            i =>
            {
                c.mov(ecx, 0x200);
                if (i == 1)
                {
                    c.push(0x200);
                }

                c.sti();
            },
            (_, fail) =>
            {
                c.and(ecx, (int)Layout.FlagIf);
                c.jz(fail);
            });
        Landing(k, "popf and arithmetic", [([0x9D], 0x12), ([0x04, 0x10], 0x12), (IncEax, 2), (IncEax, 1)],
            i =>
            {
                if (i == 0)
                {
                    c.push((int)Layout.FlagIf | 2);
                }
            },
            (i, fail) => WantInterruptFlag(k, i == 0, fail));
        Landing(k, "mov ecx,cs and arithmetic", [([0x8C, 0xC9], 0x12), (IncEax, 0x12), ([0x83, 0xC0, 0x10], 0x11), (IncEax, 1)],
            _ => c.mov(ecx, (uint)Layout.KernelCode), (_, fail) =>
            {
                c.cmp(ecx, (int)Layout.KernelCode);
                c.jne(fail);
            });
        Landing(k, "smsw and one-byte instructions", [([0x0F, 0x01, 0xE2], 3), (IncEax, 3), (IncEax, 2), (IncEax, 1)],
            _ => c.mov(edx, cr0), (_, fail) =>
            {
                c.mov(ecx, cr0);
                c.cmp(cx, dx);
                c.jne(fail);
            });
        Landing(k, "in al,21h and arithmetic", [([0xE4, 0x21], 0x0100), ([0x34, 0xFE], 0x01FE), ([0x80, 0xC4, 0x01], 0x0100), ([0x90], 0)]);
        Landing(k, "cpuid and arithmetic", [([0x0F, 0xA2], 2), ([0x31, 0xC0], 2), (IncEax, 2), (IncEax, 1)]);
        Landing(k, "clts and one-byte instructions", [([0x0F, 0x06], 3), (IncEax, 3), (IncEax, 2), (IncEax, 1)],
            _ =>
            {
                c.mov(ecx, cr0);
                c.or(ecx, 8);
                c.mov(cr0, ecx);
            },
            (i, fail) =>
            {
                c.mov(ecx, cr0);
                c.clts();
                c.and(ecx, 8);
                if (i == 0)
                {
                    c.jnz(fail);
                }
                else
                {
                    c.jz(fail);
                }
            });
    }

    private static void EmitSeveral(KernelAssembler k)
    {
        Assembler c = k.Code;
        Landing(k, "sti, cli and pushf side by side",
            [([0xFB], 3), (IncEax, 3), ([0xFA], 2), (IncEax, 2), ([0x9C], 1), ([0x59], 1), (IncEax, 1)],
            i =>
            {
                if (i == 5)
                {
                    c.push(0);
                }

                c.xor(ecx, ecx);
            },
            (_, fail) =>
            {
                c.and(ecx, (int)Layout.FlagIf);
                c.jnz(fail);
            });

        k.Routine("add_16", () =>
        {
            c.add(eax, 16);
            c.ret();
        });
        Landing(k, "cli and an indirect call that returns right behind", [([0xFA], 18), ([0xFF, 0xD2], 18), (IncEax, 2), (IncEax, 1)],
            _ => c.mov(edx, k.At("add_16")));
        Landing(k, "cli and a loop inside the patch", [([0xFA], 5), (IncEax, 5), ([0x49], 4), ([0x75, 0xFC], 0)],
            _ => c.mov(ecx, 5));
        Landing(k, "cli and a jump over an instruction", [([0xFA], 1), ([0xEB, 0x01], 1), (IncEax, 2), (IncEax, 1)]);
        Landing(k, "cli and jecxz", [([0xFA], 2), ([0xE3, 0x01], 2), (IncEax, 2), (IncEax, 1)], _ => c.mov(ecx, 1));
        Landing(k, "sti and a store, with an address in the window", [([0xFB], 2), ([0x89, 0x03], 2), (IncEax, 2), (IncEax, 1)],
            _ =>
            {
                c.mov(ebx, k.CellAt("table_image"));
                c.mov(__dword_ptr[ebx], -1);
            },
            (i, fail) =>
            {
                c.cmp(k.Cell("table_image"), i < 2 ? 0 : -1);
                c.jne(fail);
            });
    }

    private static void EmitBranches(KernelAssembler k)
    {
        Assembler c = k.Code;

        // One site, entered with ZF set and clear in turn.
        void BothWays(string text, string site, Action enter, Action<bool, Label> outcome) => k.Check(text, fail =>
        {
            void Once(bool taken)
            {
                string back = k.Fresh("branched");
                c.cli();
                c.mov(esi, k.At(back));
                enter();
                c.cmp(esp, taken ? esp : esi);
                c.jmp(k[site]);
                k.Mark(back);
                outcome(taken, fail);
                c.cli();
            }

            Once(true);
            Once(false);
            k.Repeat(Hot, () =>
            {
                Once(false);
                Once(true);
            });
        });

        k.Routine("skip_sti", () => k.Bytes(0x74, 0x01, 0xFB, 0x40, 0xFF, 0xE6)); // je +1 ; sti ; inc eax ; jmp esi
        BothWays("je over an sti, both ways", "skip_sti", () => c.mov(eax, 7), (taken, fail) =>
        {
            WantInterruptFlag(k, !taken, fail);
            c.cmp(eax, 8);
            c.jne(fail);
        });
        k.Routine("skip_cli", () => k.Bytes(0x74, 0x01, 0xFA, 0x40, 0x40, 0x40, 0xFF, 0xE6)); // je +1 ; cli ; inc eax (3)
        BothWays("je over a cli, both ways", "skip_cli",
            () =>
            {
                c.mov(eax, 7);
                c.sti();
            },
            (taken, fail) =>
            {
                WantInterruptFlag(k, taken, fail);
                c.cmp(eax, 10);
                c.jne(fail);
            });
        k.Routine("skip_lock", () => k.Bytes(0x74, 0x01, 0xF0, 0x0F, 0xC1, 0x03, 0xFF, 0xE6)); // je +1 ; lock xadd [ebx],eax ; jmp esi
        BothWays("a jump past a LOCK prefix, both ways", "skip_lock",
            () =>
            {
                c.mov(ebx, k.CellAt("table_image"));
                c.mov(__dword_ptr[ebx], 30);
                c.mov(eax, 12);
            },
            (_, fail) =>
            {
                c.cmp(eax, 30);
                c.jne(fail);
                c.cmp(__dword_ptr[ebx], 42);
                c.jne(fail);
            });
        k.Routine("skip_lock_sti", () => k.Bytes(0x74, 0x01, 0xF0, 0x0F, 0xC1, 0x03, 0xFB, 0x40, 0xFF, 0xE6)); // the same, then sti ; inc eax
        BothWays("a jump past a LOCK prefix right before an sti, both ways", "skip_lock_sti",
            () =>
            {
                c.mov(ebx, k.CellAt("table_image"));
                c.mov(__dword_ptr[ebx], 30);
                c.mov(eax, 12);
            },
            (_, fail) =>
            {
                WantInterruptFlag(k, true, fail);
                c.cmp(eax, 31);
                c.jne(fail);
            });
    }
}
