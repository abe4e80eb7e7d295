using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Host.DemoKernel;

/// <summary>Hot loops of the commonest sensitive instructions: nothing but the named effect may happen, 10^5 times over.</summary>
internal static class HotChecks
{
    private const int Rounds = 10_000;

    /// <summary>Emits the checks.</summary>
    /// <param name="k">The kernel being built.</param>
    public static void Emit(KernelAssembler k)
    {
        Assembler c = k.Code;
        Loop(k, "cli and sti keep every register and arithmetic flag, in a hot loop", fail =>
        {
            Keeping(k, fail, () =>
            {
                c.cli();
                c.sti();
                c.nop();
                c.cli();
                c.sti();
                c.nop();
            });
        });
        Loop(k, "pushf and popf carry the flags, in a hot loop", fail =>
        {
            Keeping(k, fail, () =>
            {
                c.pushfd();
                c.cli();
                c.popfd();
                c.pushfd();
                c.sti();
                c.popfd();
            });
        });
        Loop(k, "cli, pushf and popf nest like a lock, in a hot loop", fail =>
        {
            c.sti();
            c.pushfd();
            c.cli();
            c.pushfd();
            c.cli();
            c.popfd(); // still off
            c.pushfd();
            c.pop(eax);
            c.popfd(); // on again
            c.pushfd();
            c.pop(ecx);
            c.test(eax, Layout.FlagIf);
            c.jnz(fail);
            c.test(ecx, Layout.FlagIf);
            c.jz(fail);
        });
        Loop(k, "segment registers read the same, in a hot loop", fail =>
        {
            c.mov(eax, cs);
            c.cmp(eax, (int)Layout.KernelCode);
            c.jne(fail);
            c.mov(eax, ss);
            c.cmp(eax, (int)Layout.KernelData);
            c.jne(fail);
            c.push(cs);
            c.pop(eax);
            c.cmp(ax, (short)Layout.KernelCode);
            c.jne(fail);
            c.push(ds);
            c.pop(eax);
            c.cmp(ax, (short)Layout.KernelData);
            c.jne(fail);
        }, Rounds / 5);
        Loop(k, "sgdt, sidt, sldt, str and smsw store the same, in a hot loop", fail =>
        {
            uint image = k.CellAt("table_image");
            c.sgdt(__[image]);
            c.cmp(__dword_ptr[image + 2], k.At("gdt"));
            c.jne(fail);
            c.sidt(__[image]);
            c.cmp(__dword_ptr[image + 2], k.At("idt"));
            c.jne(fail);
            c.str(ax);
            c.cmp(ax, (short)Layout.TaskState);
            c.jne(fail);
            c.sldt(ax);
            c.test(ax, ax);
            c.jnz(fail);
            c.smsw(ax);
            c.test(al, 1);
            c.jz(fail);
        }, Rounds / 5);
        Loop(k, "in and out of the interrupt mask and port 80h, in a hot loop", fail =>
        {
            c.mov(al, 0xFE);
            c.@out(0x21, al);
            c.xor(eax, eax);
            c.@in(al, 0x21);
            c.cmp(eax, 0xFE);
            c.jne(fail);
            c.@out(0x80, al);
        }, Rounds / 5);
        Loop(k, "push fs and pop fs keep a loaded segment, in a hot loop", fail =>
        {
            c.push(fs);
            c.xor(eax, eax);
            c.mov(fs, ax);
            c.pop(fs);
            c.mov(eax, fs);
            c.cmp(eax, (int)Layout.BasedData);
            c.jne(fail);
        }, Rounds / 5, () =>
        {
            c.mov(eax, (uint)Layout.BasedData);
            c.mov(fs, ax);
        });
        Loop(k, "software interrupts and iret balance, in a hot loop", fail =>
        {
            c.mov(ebx, esp);
            c.@int(Layout.KernelInterrupt);
            c.cmp(ebx, esp);
            c.jne(fail);
        }, Rounds / 5, () => k.Hook(Layout.KernelInterrupt, "ignore"));
        EmitForms(k);
    }

    private static readonly AssemblerRegister32[] AllButStack = [eax, ecx, edx, ebx, ebp, esi, edi];

    private static void EmitForms(KernelAssembler k)
    {
        Assembler c = k.Code;
        Loop(k, "every register takes CS, STR, SLDT and SMSW, in a hot loop", fail =>
        {
            foreach (AssemblerRegister32 register in AllButStack)
            {
                c.mov(register, -1);
                c.mov(register, cs);
                c.cmp(register, (int)Layout.KernelCode);
                c.jne(fail);
                c.str(register);
                c.and(register, 0xFFFF);
                c.cmp(register, (int)Layout.TaskState);
                c.jne(fail);
                c.sldt(register);
                c.and(register, 0xFFFF);
                c.jnz(fail);
                c.smsw(register);
                c.and(register, 9);
                c.cmp(register, 1);
                c.jne(fail);
            }
        }, Rounds / 20);
        Loop(k, "segment registers and tables store through every base register, in a hot loop", fail =>
        {
            foreach (AssemblerRegister32 register in AllButStack)
            {
                c.mov(register, k.CellAt("table_image") - 0x40);
                c.mov(k.Cell("table_image"), -1);
                c.mov(__word_ptr[register + 0x40], cs);
                c.cmp(k.Cell("table_image"), unchecked((int)(0xFFFF_0000 | Layout.KernelCode)));
                c.jne(fail);
                c.sidt(__[register + 0x40]);
                c.cmp(__dword_ptr[register + 0x42], k.At("idt"));
                c.jne(fail);
                c.sgdt(__[register + 0x40]);
                c.cmp(__dword_ptr[register + 0x42], k.At("gdt"));
                c.jne(fail);
            }

            c.push(-1);
            c.mov(__word_ptr[esp], ss);
            c.pop(eax);
            c.cmp(eax, unchecked((int)(0xFFFF_0000 | Layout.KernelData)));
            c.jne(fail);
            c.sub(esp, 8);
            c.sgdt(__[esp + 2]);
            c.mov(eax, __dword_ptr[esp + 4]);
            c.add(esp, 8);
            c.cmp(eax, k.At("gdt"));
            c.jne(fail);
        }, Rounds / 20);
        k.Check("cli, sti and reads of selectors need no stack, in a hot loop", fail =>
        {
            c.mov(esp, 0xF000_0010); // nothing is mapped there
            string bad = k.Fresh("bad");
            c.xor(ebx, ebx);
            k.Repeat(1000, () =>
            {
                c.sti();
                c.cli();
                c.mov(eax, cs);
                c.cmp(eax, (int)Layout.KernelCode);
                c.jne(k[bad]);
                c.smsw(ax);
                c.test(al, 1);
                c.jz(k[bad]);
            });
            c.inc(ebx);
            k.Mark(bad);
            c.mov(esp, k.Cell("check_esp"));
            k.Expect(ebx, 1, fail);
        });
    }

    private static void Loop(KernelAssembler k, string text, Action<Label> body, int rounds = Rounds, Action? before = null) => k.Check(text, fail =>
    {
        before?.Invoke();
        k.Repeat(rounds, () => body(fail));
    });

    /// <summary>Runs instructions between known registers and flags, and compares both.</summary>
    private static void Keeping(KernelAssembler k, Label fail, Action instructions)
    {
        Assembler c = k.Code;
        (AssemblerRegister32 Register, uint Value)[] registers =
        [
            (eax, 0xA5A5_0001), (ebx, 0xA5A5_0002), (ecx, 0xA5A5_0003), (edx, 0xA5A5_0004), (esi, 0xA5A5_0005), (edi, 0xA5A5_0006), (ebp, 0xA5A5_0007),
        ];
        foreach ((AssemblerRegister32 register, uint value) in registers)
        {
            c.mov(register, value);
        }

        c.cmp(al, 0x82); // 01h - 82h: borrow, odd halves, overflow clear, sign clear
        instructions();
        c.jnc(fail);
        c.js(fail);
        c.jz(fail);
        c.jo(fail);
        foreach ((AssemblerRegister32 register, uint value) in registers)
        {
            c.cmp(register, value);
            c.jne(fail);
        }
    }
}
