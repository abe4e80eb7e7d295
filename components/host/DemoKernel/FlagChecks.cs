using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Host.DemoKernel;

/// <summary>EFLAGS as ring 0 sees it.</summary>
internal static class FlagChecks
{
    private const uint Arithmetic = 0xCD5; // OF DF SF ZF AF PF CF

    /// <summary>Emits the checks.</summary>
    /// <param name="k">The kernel being built.</param>
    public static void Emit(KernelAssembler k)
    {
        Assembler c = k.Code;
        k.Check("pushf shows IF after sti", fail =>
        {
            c.sti();
            c.pushfd();
            c.pop(eax);
            c.cli();
            c.test(eax, Layout.FlagIf);
            c.jz(fail);
        });
        k.Check("pushf shows no IF after cli", fail =>
        {
            c.sti();
            c.nop();
            c.cli();
            k.ExpectFlags(Layout.FlagIf, 0, fail);
        });
        k.Check("popf sets and clears IF", fail =>
        {
            c.push(0x202);
            c.popfd();
            k.ExpectFlags(Layout.FlagIf, Layout.FlagIf, fail);
            c.push(0x002);
            c.popfd();
            k.ExpectFlags(Layout.FlagIf, 0, fail);
        });
        k.Check("popf at ring 0 sets each IOPL and pushf shows it", fail =>
        {
            for (uint level = 0; level < 4; level++)
            {
                c.push(2 | (level << 12));
                c.popfd();
                k.ExpectFlags(Layout.FlagIopl | Layout.FlagIf, level << 12, fail);
            }

            c.push(2);
            c.popfd();
        });
        k.Check("popf loads every arithmetic flag and pushf gives it back", fail =>
        {
            for (uint flags = 1; flags <= Arithmetic; flags <<= 1)
            {
                if ((flags & Arithmetic) != 0)
                {
                    c.push(flags | 2);
                    c.popfd();
                    k.ExpectFlags(Arithmetic | 0x2A | Layout.FlagIf, flags | 2, fail);
                    c.push((Arithmetic & ~flags) | 2);
                    c.popfd();
                    k.ExpectFlags(Arithmetic | 0x2A | Layout.FlagIf, (Arithmetic & ~flags) | 2, fail);
                }
            }
        });
        k.Check("popf keeps NT, AC and ID", fail =>
        {
            foreach (uint flag in (uint[])[Layout.FlagNt, Layout.FlagAc, Layout.FlagId])
            {
                c.push(flag | 2);
                c.popfd();
                k.ExpectFlags(Layout.FlagNt | Layout.FlagAc | Layout.FlagId, flag, fail);
            }

            c.push(2);
            c.popfd();
            k.ExpectFlags(Layout.FlagNt | Layout.FlagAc | Layout.FlagId, 0, fail);
        });
        k.Check("popf cannot set VM or leave RF set", fail =>
        {
            c.push(0x3_0002);
            c.popfd();
            k.ExpectFlags(0x3_0000, 0, fail);
        });
        k.Check("16-bit popf and pushf move the low word only", fail =>
        {
            c.push(Layout.FlagId | 2);
            c.popfd();
            c.mov(ebx, esp);
            c.sub(esp, 2);
            c.mov(__word_ptr[esp], 0x3203);
            c.popf();
            c.pushf();
            c.mov(ax, __word_ptr[esp]);
            c.add(esp, 2);
            c.cli();
            c.movzx(eax, ax);
            c.and(eax, 0x3201);
            c.cmp(eax, 0x3201);
            c.jne(fail);
            c.cmp(ebx, esp);
            c.jne(fail);
            k.ExpectFlags(Layout.FlagId, Layout.FlagId, fail);
            c.push(2);
            c.popfd();
        });
    }
}
