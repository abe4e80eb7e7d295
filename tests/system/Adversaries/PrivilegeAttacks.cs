using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.System.Tests.Adversaries;

/// <summary>Instructions that belong to the kernel, instructions that show what belongs to it, and flags that ring 3 may not change.</summary>
internal static class PrivilegeAttacks
{
    /// <summary>Images for POPF and IRET: each flag alone, IOPL in both values, VM with and without RF, everything.</summary>
    private static readonly uint[] Images =
    [
        0x0000, 0x0002, 0x0100, 0x0200, 0x0202, 0x0300, 0x0400, 0x0800, 0x08D7, 0x1000, 0x2000, 0x3000, 0x3200, 0x3202, 0x4000, 0x7202, 0x8000,
        0x1_0000, 0x1_0202, 0x2_0000, 0x2_0202, 0x2_3202, 0x4_0202, 0x8_0000, 0x10_0000, 0x20_0000, 0x20_0202, 0xFFFF_FEFF, 0xFFFD_FEFF, 0xFFFF_FFFF,
    ];

    public static void Emit(Attacker a)
    {
        Assembler c = a.Code;
        AssemblerMemoryOperand memory = __[a.OperandAt];
        (string Name, Action Body)[] instructions =
        [
            ("cli", () => c.cli()), ("sti", () => c.sti()), ("hlt", () => c.hlt()), ("clts", () => c.clts()), ("invd", () => c.invd()), ("wbinvd", () => c.wbinvd()),
            ("in", () => c.@in(al, 0x21)), ("in dx", () => c.@in(eax, dx)), ("out", () => c.@out(0x80, al)), ("out dx", () => c.@out(dx, ax)),
            ("insb", () => c.insb()), ("rep outsd", () => c.rep.outsd()),
            ("mov from cr0", () => c.mov(eax, cr0)), ("mov from cr2", () => c.mov(eax, cr2)), ("mov from cr3", () => c.mov(eax, cr3)), ("mov from cr4", () => c.mov(eax, cr4)),
            ("mov to cr0", () => c.mov(cr0, eax)), ("mov to cr3", () => c.mov(cr3, eax)), ("mov to cr4", () => c.mov(cr4, eax)),
            ("mov from dr0", () => c.mov(eax, dr0)), ("mov from dr7", () => c.mov(eax, dr7)), ("mov to dr7", () => c.mov(dr7, eax)),
            ("lgdt", () => c.lgdt(memory)), ("lidt", () => c.lidt(memory)), ("lldt", () => c.lldt(ax)), ("ltr", () => c.ltr(ax)), ("lmsw", () => c.lmsw(ax)),
            ("invlpg", () => c.invlpg(memory)), ("rdmsr", () => c.rdmsr()), ("wrmsr", () => c.wrmsr()), ("rdpmc", () => c.rdpmc()),
            ("rsm", () => c.rsm()), ("sysenter", () => c.sysenter()), ("sysexit", () => c.db(0x0F, 0x35)), ("ud2", () => c.ud2()), ("into", () => c.into()), ("int1", () => c.int1()),
            ("int3", () => c.int3()), ("a long instruction", () => c.db(0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90)),
            ("lock nop", () => c.db(0xF0, 0x90)), ("lock cli", () => c.db(0xF0, 0xFA)), ("rep cli", () => c.db(0xF3, 0xFA)), ("cs sti", () => c.db(0x2E, 0xFB)),
            ("vmcall", () => c.db(0x0F, 0x01, 0xC1)), ("xgetbv", () => c.db(0x0F, 0x01, 0xD0)), ("syscall", () => c.db(0x0F, 0x05)), ("sysret", () => c.db(0x0F, 0x07)),
            ("icebp after pop ss", () => c.db(0x16, 0x17, 0xF1)), ("int 20h after pop ss", () => c.db(0x16, 0x17, 0xCD, 0x20)),
        ];
        foreach ((string name, Action body) in instructions)
        {
            a.Attack(() =>
            {
                c.xor(eax, eax);
                c.mov(ecx, 2);
                c.mov(edx, 0x80);
                c.mov(esi, a.OperandAt);
                c.mov(edi, a.OperandAt);
                body();
                c.pushfd();
                c.pop(ebx);
            });
            a.Step(name);
        }

        foreach ((string name, Action body) in ((string, Action)[])
        [
            ("sgdt", () => c.sgdt(memory)), ("sidt", () => c.sidt(memory)), ("smsw", () => c.smsw(__word_ptr[a.OperandAt])), ("str", () => c.str(__word_ptr[a.OperandAt])),
            ("sldt", () => c.sldt(__word_ptr[a.OperandAt])), ("mov cs", () => c.mov(__word_ptr[a.OperandAt], cs)), ("mov ss", () => c.mov(__word_ptr[a.OperandAt], ss)),
            ("registers", () =>
            {
                c.smsw(eax);
                c.str(ecx);
                c.sldt(edx);
                c.mov(ebx, cs);
            }),
            ("cpuid", () =>
            {
                c.mov(eax, 1);
                c.cpuid();
            }),
            ("pushes", () =>
            {
                c.push(cs);
                c.pop(eax);
                c.push(ss);
                c.pop(ecx);
                c.push(gs);
                c.pop(edx);
                c.pushfd();
                c.pop(ebx);
            }),
        ])
        {
            a.Attack(() =>
            {
                body();
                c.mov(esi, __dword_ptr[a.OperandAt]);
                c.mov(edi, __dword_ptr[a.OperandAt + 4]);
                c.xchg(esi, ebp);
                c.xor(ebx, ebp);
                c.xor(ebx, edi);
            });
            a.Step(name);
        }

        for (int vector = 0; vector < 256; vector++)
        {
            if (vector != AdversaryLayout.SystemCall)
                a.Attack(() => c.@int((byte)vector));
        }

        a.Step("int n");
        foreach (uint image in Images)
        {
            a.Attack(() =>
            {
                c.push(image);
                c.popfd();
                c.nop();
                c.pushfd();
                c.pop(ebx);
            });
            a.Attack(() =>
            {
                c.push((short)image);
                c.popf();
                c.pushf();
                c.pop(bx);
            });
            a.Attack(() =>
            {
                a.LandingPlace();
                c.push(image);
                c.push(cs);
                c.push(eax);
                c.iretd();
            });
        }

        a.Step("flag images");
        a.Attack(() =>
        {
            a.LandingPlace();
            c.push(0x4202);
            c.popfd();
            c.pushfd();
            c.push(cs);
            c.push(eax);
            c.iretd();
        });
        a.Step("iret as a task's return");
    }
}
