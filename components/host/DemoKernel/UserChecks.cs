using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Host.DemoKernel;

/// <summary>What guest ring 3 may and may not do.</summary>
internal static class UserChecks
{
    private const byte GeneralProtection = 13;

    /// <summary>Emits the checks.</summary>
    /// <param name="k">The kernel being built.</param>
    public static void Emit(KernelAssembler k)
    {
        EmitPrivileged(k);
        EmitFlags(k);
        EmitTransfers(k);
        EmitReads(k);
    }

    private static void EmitPrivileged(KernelAssembler k)
    {
        Assembler c = k.Code;
        AssemblerMemoryOperand memory = __[Layout.UserData];
        (string Name, Action Instruction)[] privileged =
        [
            ("cli", () => c.cli()), ("sti", () => c.sti()), ("hlt", () => c.hlt()),
            ("in al,21h", () => c.@in(al, 0x21)), ("in al,dx", () => c.@in(al, dx)), ("out 21h,al", () => c.@out(0x21, al)), ("out dx,eax", () => c.@out(dx, eax)),
            ("insb", () => c.insb()), ("outsb", () => c.outsb()),
            ("mov eax,cr0", () => c.mov(eax, cr0)), ("mov cr3,eax", () => c.mov(cr3, eax)), ("mov eax,cr2", () => c.mov(eax, cr2)),
            ("mov eax,dr7", () => c.mov(eax, dr7)), ("mov dr0,eax", () => c.mov(dr0, eax)),
            ("lgdt", () => c.lgdt(memory)), ("lidt", () => c.lidt(memory)), ("lldt", () => c.lldt(ax)), ("ltr", () => c.ltr(ax)),
            ("lmsw", () => c.lmsw(ax)), ("clts", () => c.clts()), ("invlpg", () => c.invlpg(memory)), ("wbinvd", () => c.wbinvd()), ("invd", () => c.invd()),
            ("rdmsr", () => c.rdmsr()), ("wrmsr", () => c.wrmsr()),
        ];
        foreach ((string name, Action instruction) in privileged)
        {
            k.Check($"{name} at ring 3 raises #GP(0)", fail =>
                k.ExpectUserFault(GeneralProtection, 0, fail, instruction, () =>
                {
                    c.mov(dx, 0x21);
                    c.mov(esi, Layout.UserData);
                    c.mov(edi, Layout.UserData);
                    c.xor(eax, eax);
                }));
        }

        k.Check("the task's I/O map lets ring 3 use port 80h, and only that", fail =>
        {
            k.RunUser(fail, 0x202, () =>
            {
                c.mov(al, 0x55);
                c.@out(0x80, al);
                c.mov(edx, 0x80);
                c.@out(dx, al);
            });
            k.ExpectUserFault(GeneralProtection, 0, fail, () => c.@out(0x81, al));
            k.ExpectUserFault(GeneralProtection, 0, fail, () => c.@out(0x80, ax));
        });
        k.Check("rdtsc at ring 3 obeys CR4.TSD", fail =>
        {
            k.RunUser(fail, 0x202, () => c.rdtsc());
            c.mov(ebx, cr4);
            c.mov(eax, ebx);
            c.or(eax, 4);
            c.mov(cr4, eax);
            k.ExpectUserFault(GeneralProtection, 0, fail, () => c.rdtsc());
            c.rdtsc(); // ring 0 may
            c.mov(cr4, ebx);
            k.RunUser(fail, 0x202, () => c.rdtsc());
        });
    }

    private static void EmitFlags(KernelAssembler k)
    {
        Assembler c = k.Code;
        void Image(string text, uint flags, Action before, uint mask, uint want) => k.Check(text, fail =>
        {
            k.RunUser(fail, flags, () =>
            {
                before();
                c.pushfd();
                c.pop(ebx);
            });
            c.mov(ebx, k.Cell("last_ebx"));
            c.and(ebx, mask);
            k.Expect(ebx, want, fail);
        });
        const uint both = Layout.FlagIf | Layout.FlagIopl;
        Image("pushf at ring 3 shows IF and IOPL 0", 0x202, () => { }, both, Layout.FlagIf);
        Image("pushf at ring 3 shows IF clear", 0x002, () => { }, both, 0);
        Image("pushf at ring 3 shows IOPL", 0x2202, () => { }, both, 0x2200);
        Image("popf at ring 3 cannot clear IF", 0x202, () => PushPop(0x0D7), both | 0xD5, Layout.FlagIf | 0xD5);
        Image("popf at ring 3 cannot set IF", 0x002, () => PushPop(0x202), both, 0);
        Image("popf at ring 3 cannot raise IOPL", 0x202, () => PushPop(0x3202), both, Layout.FlagIf);
        Image("popf at ring 3 cannot lower IOPL, and may clear IF under IOPL 3", 0x3202, () => PushPop(0x002), both, Layout.FlagIopl);
        Image("cli works at ring 3 under IOPL 3", 0x3202, () => c.cli(), both, Layout.FlagIopl);
        Image("sti works at ring 3 under IOPL 3", 0x3002, () =>
        {
            c.sti();
            c.nop();
        }, both, both);
        k.Check("in and out work at ring 3 under IOPL 3", fail =>
        {
            k.RunUser(fail, 0x3202, () =>
            {
                c.xor(eax, eax);
                c.@in(al, 0x21);
                c.mov(ebx, eax);
            });
            k.Expect(k.Cell("last_ebx"), 0xFE, fail);
        });
        k.Check("the interrupt frame from ring 3 carries its flags", fail =>
        {
            k.RunUser(fail, 0x2202, () => c.stc());
            c.mov(ebx, k.Cell("last_flags"));
            c.and(ebx, 0x3201);
            k.Expect(ebx, 0x2200, fail); // xor before the system call clears CF
        });

        void PushPop(uint image)
        {
            c.push(image);
            c.popfd();
        }
    }

    private static void EmitTransfers(KernelAssembler k)
    {
        Assembler c = k.Code;
        void Fault(string text, uint error, Action instruction, Action? before = null) =>
            k.Check(text, fail => k.ExpectUserFault(GeneralProtection, error, fail, instruction, before));

        Fault("int 81h at ring 3 through a ring-0 gate raises #GP(8n+2)", (Layout.KernelInterrupt * 8) + 2, () => c.@int(Layout.KernelInterrupt));
        Fault("int 20h at ring 3 raises #GP(8n+2)", (Layout.IrqBase * 8) + 2, () => c.@int(Layout.IrqBase));
        Fault("int 0Eh at ring 3 raises #GP(8n+2)", (14 * 8) + 2, () => c.@int(14));
        Fault("a far jump from ring 3 to kernel code raises #GP", Layout.KernelCode, () => c.jmp(Layout.KernelCode, k.At("main")));
        Fault("a far call from ring 3 to kernel code raises #GP", Layout.KernelCode, () => c.call(Layout.KernelCode, k.At("main")));
        Fault("a ring-0 call gate refuses ring 3", Layout.KernelGate, () => c.call(Layout.KernelGate, 0));
        Fault("iret from ring 3 to kernel code raises #GP", Layout.KernelCode, () => c.iretd(), () =>
        {
            c.push(0x202);
            c.push((int)Layout.KernelCode);
            c.push(k.At("main"));
        });
        Fault("far ret from ring 3 to kernel code raises #GP", Layout.KernelCode, () => c.retf(), () =>
        {
            c.push((int)Layout.KernelCode);
            c.push(k.At("main"));
        });
        Fault("a kernel data segment in DS raises #GP at ring 3", Layout.KernelData, () => c.mov(ds, cx), () => c.mov(ecx, (uint)Layout.KernelData));
        Fault("a kernel stack segment in SS raises #GP at ring 3", Layout.KernelData, () => c.mov(ss, cx), () => c.mov(ecx, (uint)Layout.KernelData));
        k.Check("int3 at ring 3 goes through its gate", fail =>
        {
            k.Hook(3, "note");
            c.mov(k.Cell("breakpoints"), 0);
            k.Hook(3, "count_breakpoint");
            k.RunUser(fail, 0x202, () =>
            {
                c.mov(ebx, 0x0B);
                c.int3();
                c.shl(ebx, 4);
                k.Bytes(0xCD, 3);
            });
            k.Expect(k.Cell("breakpoints"), 2, fail);
            k.Expect(k.Cell("last_ebx"), 0xB0, fail);
        });
        k.Routine("count_breakpoint", () =>
        {
            c.inc(k.Cell("breakpoints"));
            c.ret();
        });
        k.Check("far call, far ret and iret work within ring 3", fail =>
        {
            k.RunUser(fail, 0x202, () =>
            {
                string routine = k.Fresh("user_far");
                string over = k.Fresh("user_over");
                string landed = k.Fresh("user_landed");
                c.mov(ebx, 1);
                c.mov(edi, esp);
                c.jmp(k[over]);
                k.Mark(routine);
                c.shl(ebx, 4);
                c.retf();
                k.Mark(over);
                c.call(Layout.UserCode, k.UserAt(routine));
                c.pushfd();
                c.push(cs);
                c.push(k.UserAt(landed));
                c.iretd();
                c.mov(ebx, 0);
                k.Mark(landed);
                c.shl(ebx, 4);
                c.sub(edi, esp);
                c.add(ebx, edi);
            });
            k.Expect(k.Cell("last_ebx"), 0x100, fail);
        });
        k.Check("ud2 at ring 3 raises #UD", fail => k.ExpectUserFault(6, 0, fail, () => c.ud2()));
        k.Check("an unknown system call answers -1 and comes back", fail =>
        {
            k.RunUser(fail, 0x202, () =>
            {
                c.mov(eax, 999);
                c.@int(Layout.SystemCall);
                c.mov(ebx, eax);
            });
            k.Expect(k.Cell("last_ebx"), 0xFFFF_FFFF, fail);
        });
    }

    private static void EmitReads(KernelAssembler k)
    {
        Assembler c = k.Code;
        void Value(string text, Func<uint> want, Action body) => k.Check(text, fail =>
        {
            k.RunUser(fail, 0x202, body);
            k.Expect(k.Cell("last_ebx"), want(), fail);
        });
        Value("ring 3 sees its own selectors", () => ((uint)Layout.UserCode << 16) | Layout.UserDataSelector, () =>
        {
            c.mov(ebx, cs);
            c.shl(ebx, 16);
            c.push(ss);
            c.pop(eax);
            c.mov(bx, ax);
        });
        Value("sgdt at ring 3 shows the kernel's GDT", () => k.At("gdt"), () =>
        {
            c.sgdt(__[Layout.UserData]);
            c.mov(ebx, __dword_ptr[Layout.UserData + 2]);
        });
        Value("sidt at ring 3 shows the kernel's IDT", () => k.At("idt"), () =>
        {
            c.sidt(__[Layout.UserData]);
            c.mov(ebx, __dword_ptr[Layout.UserData + 2]);
        });
        Value("str and sldt at ring 3 show the task register and the LDT", () => Layout.TaskState, () =>
        {
            c.xor(eax, eax);
            c.mov(ebx, -1);
            c.str(ax);
            c.sldt(bx);
            c.shl(ebx, 16);
            c.or(ebx, eax);
        });
        Value("smsw at ring 3 shows PE and no TS", () => 1, () =>
        {
            c.xor(ebx, ebx);
            c.smsw(bx);
            c.and(ebx, 9);
        });
        Value("lar, lsl, verr and verw at ring 3 refuse kernel segments", () => 0, () =>
        {
            c.xor(ebx, ebx);
            c.mov(ecx, (uint)Layout.KernelData);
            foreach (Action query in (Action[])[() => c.lar(eax, ecx), () => c.lsl(eax, ecx), () => c.verr(cx), () => c.verw(cx)])
            {
                query();
                c.setz(al);
                c.or(bl, al);
            }
        });
        Value("lar, lsl, verr and verw at ring 3 accept its own segments", () => 4, () =>
        {
            c.xor(ebx, ebx);
            c.mov(ecx, (uint)Layout.UserDataSelector);
            foreach (Action query in (Action[])[() => c.lar(eax, ecx), () => c.lsl(eax, ecx), () => c.verr(cx), () => c.verw(cx)])
            {
                query();
                c.setz(al);
                c.add(bl, al);
            }
        });
    }
}
