using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Host.DemoKernel;

/// <summary>Segment registers, descriptor tables and what can be asked about descriptors.</summary>
internal static class SegmentChecks
{
    private const byte GeneralProtection = 13;
    private const byte NotPresent = 11;
    private const byte StackFault = 12;
    private const byte InvalidOpcode = 6;

    /// <summary>Emits the checks.</summary>
    /// <param name="k">The kernel being built.</param>
    public static void Emit(KernelAssembler k)
    {
        k.Reserve("table_image", 8);
        EmitReads(k);
        EmitLoads(k);
        EmitFaults(k);
        EmitTables(k);
        EmitQueries(k);
        EmitUnusual(k);
    }

    private static void EmitReads(KernelAssembler k)
    {
        Assembler c = k.Code;
        k.Check("mov from CS, SS and DS gives ring-0 selectors, zero-extended", fail =>
        {
            c.mov(ebx, -1);
            c.mov(ebx, cs);
            k.Expect(ebx, Layout.KernelCode, fail);
            c.mov(ecx, -1);
            c.mov(ecx, ss);
            k.Expect(ecx, Layout.KernelData, fail);
            c.mov(edx, -1);
            c.mov(edx, ds);
            k.Expect(edx, Layout.KernelData, fail);
            c.mov(eax, -1);
            c.mov(ax, cs);
            k.Expect(eax, 0xFFFF_0000 | Layout.KernelCode, fail);
        });
        k.Check("mov from CS to memory writes two bytes", fail =>
        {
            c.mov(k.Cell("table_image"), -1);
            c.mov(__word_ptr[k.CellAt("table_image")], cs);
            k.Expect(k.Cell("table_image"), 0xFFFF_0000 | Layout.KernelCode, fail);
        });
        k.Check("push of each segment register gives its selector", fail =>
        {
            (Action Push, ushort Value)[] pushes =
            [
                (() => c.push(cs), Layout.KernelCode), (() => c.push(ss), Layout.KernelData), (() => c.push(ds), Layout.KernelData),
                (() => c.push(es), Layout.KernelData), (() => c.push(fs), 0), (() => c.push(gs), 0),
            ];
            c.xor(eax, eax);
            c.mov(fs, ax);
            c.mov(gs, ax);
            c.mov(ebx, esp);
            foreach ((Action push, ushort value) in pushes)
            {
                push();
                c.movzx(eax, __word_ptr[esp]);
                c.add(esp, 4);
                c.cmp(eax, (int)value);
                c.jne(fail);
                c.cmp(ebx, esp);
                c.jne(fail);
            }
        });
    }

    private static void EmitLoads(KernelAssembler k)
    {
        Assembler c = k.Code;
        k.Check("a segment with a base reaches its bytes through FS and GS", fail =>
        {
            c.mov(__dword_ptr[Layout.Scratch(0) + 0x40], 0x1357_9BDF);
            c.mov(eax, (uint)Layout.BasedData);
            c.mov(fs, ax);
            k.Expect(__dword_ptr.fs[0x40], 0x1357_9BDF, fail);
            c.push((int)Layout.BasedData);
            c.pop(gs);
            c.mov(__dword_ptr.gs[0x44], 0x2468_ACE0);
            k.Expect(__dword_ptr[Layout.Scratch(0) + 0x44], 0x2468_ACE0, fail);
            c.mov(ebx, gs);
            k.Expect(ebx, Layout.BasedData, fail);
        });
        k.Check("a null selector loads into DS, ES, FS and GS", fail =>
        {
            c.xor(ebx, ebx);
            c.mov(es, bx);
            c.mov(fs, bx);
            c.mov(gs, bx);
            c.mov(ds, bx);
            c.mov(ecx, ds);
            c.mov(edx, (uint)Layout.KernelData);
            c.mov(ds, dx);
            c.mov(es, dx);
            k.Expect(ecx, 0, fail);
        });
        k.Check("lds, les, lss, lfs and lgs load offset and selector", fail =>
        {
            c.mov(k.Cell("table_image"), 0x1234_5678);
            c.mov(k.Cell("table_image", 4), (int)Layout.BasedData);
            AssemblerMemoryOperand pointer = __fword_ptr[k.CellAt("table_image")];
            c.lfs(ebx, pointer);
            k.Expect(ebx, 0x1234_5678, fail);
            c.mov(ecx, fs);
            k.Expect(ecx, Layout.BasedData, fail);
            c.lgs(ebx, pointer);
            c.mov(ecx, gs);
            k.Expect(ecx, Layout.BasedData, fail);
            c.les(ebx, pointer);
            c.mov(ecx, es);
            k.Expect(ecx, Layout.BasedData, fail);
            c.mov(k.Cell("table_image", 4), (int)Layout.UserDataSelector);
            c.lds(ebx, pointer);
            c.mov(ecx, ds);
            c.mov(edx, (uint)Layout.KernelData);
            c.mov(ds, dx);
            c.mov(es, dx);
            k.Expect(ecx, Layout.UserDataSelector, fail);
            c.mov(k.Cell("table_image", 4), (int)Layout.KernelData);
            c.mov(edx, esp);
            c.mov(k.Cell("table_image"), esp);
            c.lss(esp, pointer);
            c.cmp(edx, esp);
            c.jne(fail);
        });
        k.Check("loading a descriptor sets its accessed bit", fail =>
        {
            c.and(__byte_ptr[k.At("gdt") + Layout.UntouchedData + 5], 0xFE);
            c.mov(eax, (uint)Layout.UntouchedData);
            c.mov(fs, ax);
            c.movzx(eax, __byte_ptr[k.At("gdt") + Layout.UntouchedData + 5]);
            c.cmp(eax, 0x93);
            c.jne(fail);
        });
    }

    private static void EmitFaults(KernelAssembler k)
    {
        Assembler c = k.Code;
        void Load(string text, byte vector, ushort selector, Action instruction, uint error) => k.Check(text, fail =>
        {
            c.mov(ecx, (uint)selector);
            k.ExpectFault(vector, error, fail, instruction);
        });

        Load("a selector beyond the GDT raises #GP with its index", GeneralProtection, Layout.BeyondTable | 3, () => c.mov(ds, cx), Layout.BeyondTable);
        Load("an LDT selector without an LDT raises #GP with TI set", GeneralProtection, 0x000F, () => c.mov(es, cx), 0x000C);
        Load("execute-only code in DS raises #GP", GeneralProtection, Layout.ExecuteOnlyCode, () => c.mov(ds, cx), Layout.ExecuteOnlyCode);
        Load("an absent segment in FS raises #NP", NotPresent, Layout.AbsentData, () => c.mov(fs, cx), Layout.AbsentData);
        Load("an absent segment in SS raises #SS", StackFault, Layout.AbsentData, () => c.mov(ss, cx), Layout.AbsentData);
        Load("a null selector in SS raises #GP(0)", GeneralProtection, 0, () => c.mov(ss, cx), 0);
        Load("a ring-3 segment in SS raises #GP at ring 0", GeneralProtection, Layout.UserDataSelector, () => c.mov(ss, cx), Layout.UserDataSelector & 0xFFFC);
        Load("read-only data in SS raises #GP", GeneralProtection, Layout.ReadOnlyData, () => c.mov(ss, cx), Layout.ReadOnlyData);
        Load("a move to CS raises #UD", InvalidOpcode, Layout.KernelCode, () => k.Bytes(0x8E, 0xC9), 0);
        k.Check("a failed segment load leaves the register as it was", fail =>
        {
            c.mov(eax, (uint)Layout.BasedData);
            c.mov(gs, ax);
            c.mov(ecx, (uint)Layout.AbsentData);
            k.ExpectFault(NotPresent, Layout.AbsentData, fail, () => c.mov(gs, cx));
            c.mov(ebx, gs);
            k.Expect(ebx, Layout.BasedData, fail);
        });
        k.Check("pop of a bad selector raises #GP and leaves ESP", fail =>
        {
            c.push((int)Layout.BeyondTable);
            c.mov(ebx, esp);
            k.ExpectFault(GeneralProtection, Layout.BeyondTable, fail, () => c.pop(es));
            c.cmp(ebx, esp);
            c.jne(fail);
            c.pop(eax);
        });
    }

    private static void EmitTables(KernelAssembler k)
    {
        Assembler c = k.Code;
        void Table(string text, Action store, string table, Func<uint> limit) => k.Check(text, fail =>
        {
            c.mov(k.Cell("table_image", 4), -1);
            store();
            c.movzx(ebx, __word_ptr[k.CellAt("table_image")]);
            k.Expect(ebx, limit(), fail);
            k.Expect(__dword_ptr[k.CellAt("table_image") + 2], k.At(table), fail);
            c.cmp(__word_ptr[k.CellAt("table_image") + 6], -1);
            c.jne(fail);
        });
        Table("sgdt stores the kernel's GDT", () => c.sgdt(__[k.CellAt("table_image")]), "gdt", () => k.At("gdt_end") - k.At("gdt") - 1);
        Table("sidt stores the kernel's IDT", () => c.sidt(__[k.CellAt("table_image")]), "idt", () => (Layout.VectorCount * 8) - 1);
        k.Check("sldt gives 0, then the LDT that was loaded, and its segments load", fail =>
        {
            c.mov(ebx, -1);
            c.sldt(ebx);
            c.movzx(eax, bx);
            c.test(eax, eax);
            c.jnz(fail);
            c.mov(eax, (uint)Layout.LocalTable);
            c.lldt(ax);
            c.sldt(bx);
            c.movzx(ebx, bx);
            k.Expect(ebx, Layout.LocalTable, fail);
            c.mov(__dword_ptr[Layout.Scratch(1) + 8], 0x0BAD_CAFE);
            c.mov(eax, 0x0C);
            c.mov(fs, ax);
            k.Expect(__dword_ptr.fs[8], 0x0BAD_CAFE, fail);
            c.xor(eax, eax);
            c.mov(fs, ax);
            c.lldt(ax);
        });
        k.Check("str gives the task register, in a register and in memory", fail =>
        {
            c.str(bx);
            c.movzx(ebx, bx);
            k.Expect(ebx, Layout.TaskState, fail);
            c.mov(k.Cell("table_image"), -1);
            c.str(__word_ptr[k.CellAt("table_image")]);
            k.Expect(k.Cell("table_image"), 0xFFFF_0000 | Layout.TaskState, fail);
        });
        k.Check("smsw gives the low word of CR0", fail =>
        {
            c.smsw(bx);
            c.movzx(ebx, bx);
            c.mov(ecx, cr0);
            c.movzx(ecx, cx);
            c.mov(eax, ebx);
            c.cmp(ebx, ecx);
            c.jne(fail);
            c.mov(k.Cell("table_image"), -1);
            c.smsw(__word_ptr[k.CellAt("table_image")]);
            c.or(ecx, unchecked((int)0xFFFF_0000));
            c.mov(eax, k.Cell("table_image"));
            c.cmp(eax, ecx);
            c.jne(fail);
        });
        k.Check("ltr marks the task state segment busy", fail =>
        {
            c.movzx(ebx, __byte_ptr[k.At("gdt") + Layout.TaskState + 5]);
            k.Expect(ebx, 0x8B, fail);
            c.mov(eax, (uint)Layout.SpareTaskState);
            c.ltr(ax);
            c.movzx(ebx, __byte_ptr[k.At("gdt") + Layout.SpareTaskState + 5]);
            c.and(__byte_ptr[k.At("gdt") + Layout.TaskState + 5], 0xFD);
            c.mov(eax, (uint)Layout.TaskState);
            c.ltr(ax);
            k.Expect(ebx, 0x8B, fail);
        });
        k.Check("ltr of a busy, an absent and a data segment raises #GP, #NP and #GP", fail =>
        {
            c.mov(ecx, (uint)Layout.TaskState);
            k.ExpectFault(GeneralProtection, Layout.TaskState, fail, () => c.ltr(cx));
            c.mov(ecx, (uint)Layout.AbsentTaskState);
            k.ExpectFault(NotPresent, Layout.AbsentTaskState, fail, () => c.ltr(cx));
            c.mov(ecx, (uint)Layout.KernelData);
            k.ExpectFault(GeneralProtection, Layout.KernelData, fail, () => c.ltr(cx));
        });
        k.Check("lldt of a data segment raises #GP", fail =>
        {
            c.mov(ecx, (uint)Layout.KernelData);
            k.ExpectFault(GeneralProtection, Layout.KernelData, fail, () => c.lldt(cx));
        });
        k.Check("lgdt and lidt of the same tables change nothing", fail =>
        {
            c.lgdt(__[k.At("gdt_pointer")]);
            c.lidt(__[k.At("idt_pointer")]);
            c.mov(eax, (uint)Layout.KernelData);
            c.mov(es, ax);
            c.sidt(__[k.CellAt("table_image")]);
            k.Expect(__dword_ptr[k.CellAt("table_image") + 2], k.At("idt"), fail);
        });
    }

    private static void EmitQueries(KernelAssembler k)
    {
        Assembler c = k.Code;
        const uint rightsMask = 0x00F0_FF00;
        (ushort Selector, uint? Rights, uint? Limit, bool Readable, bool Writable)[] known =
        [
            (Layout.KernelCode, 0x00C0_9B00, 0xFFFF_FFFF, true, false),
            (Layout.KernelData, 0x00C0_9300, 0xFFFF_FFFF, true, true),
            (Layout.UserDataSelector, 0x00C0_F300, 0xFFFF_FFFF, true, true),
            (Layout.ExecuteOnlyCode, 0x00C0_9900, 0xFFFF_FFFF, false, false),
            (Layout.ReadOnlyData, 0x0040_9100, 0x0000_0FFF, true, false),
            (Layout.BasedData, 0x0040_9300, 0x0000_FFFF, true, true),
            (Layout.TaskState, 0x0000_8B00, 0x0000_0088, false, false),
            (Layout.LocalTable, 0x0000_8200, 0x0000_000F, false, false),
            (Layout.UserGate, 0x0000_EC00, null, false, false),
            (Layout.BeyondTable, null, null, false, false),
            (0, null, null, false, false),
        ];
        void Query(string text, Action<ushort, uint?, uint?, bool, bool, Label> test) => k.Check(text, fail =>
        {
            foreach ((ushort selector, uint? rights, uint? limit, bool readable, bool writable) in known)
            {
                c.mov(ecx, (uint)selector);
                test(selector, rights, limit, readable, writable, fail);
            }
        });
        Query("lar gives the access rights of known selectors and refuses the others", (_, rights, limit, _, _, fail) =>
        {
            c.mov(eax, 0x5A5A_5A5A);
            c.lar(eax, ecx);
            Outcome(rights is not null, fail);
            uint mask = limit is null ? 0xFF00 : rightsMask; // of a gate only the type byte is an access right
            c.and(eax, mask);
            c.cmp(eax, (rights ?? 0x5A5A_5A5A) & mask);
            c.jne(fail);
        });
        Query("lsl gives the limit of known selectors and refuses the others", (_, _, limit, _, _, fail) =>
        {
            c.mov(eax, 0x5A5A_5A5A);
            c.lsl(eax, ecx);
            Outcome(limit is not null, fail);
            c.cmp(eax, limit ?? 0x5A5A_5A5A);
            c.jne(fail);
        });
        Query("verr knows the readable segments", (_, _, _, readable, _, fail) =>
        {
            c.verr(cx);
            Outcome(readable, fail);
        });
        Query("verw knows the writable segments", (_, _, _, _, writable, fail) =>
        {
            c.verw(cx);
            Outcome(writable, fail);
        });

        void Outcome(bool accepted, Label fail)
        {
            if (accepted)
            {
                c.jnz(fail);
            }
            else
            {
                c.jz(fail);
            }
        }
    }

    /// <summary>States in which a monitor cannot run the guest directly.</summary>
    private static void EmitUnusual(KernelAssembler k)
    {
        Assembler c = k.Code;
        k.Check("cli, sti, pushf and popf work on a stack segment with a base, cold and hot", fail =>
        {
            c.mov(eax, (uint)Layout.BasedData);
            c.mov(ecx, 0xFF00);
            c.mov(ss, ax);
            c.mov(esp, ecx);
            string bad = k.Fresh("bad");
            c.xor(ebx, ebx);
            k.Repeat(1000, () =>
            {
                c.sti();
                c.pushfd();
                c.cli();
                c.mov(eax, ss);
                c.cmp(eax, (int)Layout.BasedData);
                c.jne(k[bad]);
                c.test(__dword_ptr.ds[esp + (long)Layout.Scratch(0)], Layout.FlagIf);
                c.jz(k[bad]);
                c.popfd();
                c.pushfd();
                c.pop(eax);
                c.test(eax, Layout.FlagIf);
                c.jz(k[bad]);
                c.cli();
            });
            c.inc(ebx);
            k.Mark(bad);
            c.cli();
            c.mov(ecx, (uint)Layout.KernelData);
            c.mov(ss, cx);
            c.mov(esp, k.Cell("check_esp"));
            k.Expect(ebx, 1, fail);
        });
        k.Check("16-bit code runs sensitive instructions and returns", fail =>
        {
            // cli ; pushf ; pop ax ; sti ; pushf ; pop bx ; mov cx,cs ; retf (32-bit)
            k.Routine("short_code", () => k.Bytes(0xFA, 0x9C, 0x58, 0xFB, 0x9C, 0x5B, 0x8C, 0xC9, 0x66, 0xCB));
            k.Repeat(50, () =>
            {
                c.call(Layout.ShortCode, 0);
                c.cli();
                c.test(ax, (short)Layout.FlagIf);
                c.jnz(fail);
                c.test(bx, (short)Layout.FlagIf);
                c.jz(fail);
                c.movzx(ecx, cx);
                c.cmp(ecx, (int)Layout.ShortCode);
                c.jne(fail);
            });
        });
        k.Check("32-bit code in a segment with a base runs sensitive instructions and returns", fail =>
        {
            k.Routine("based_code", () =>
            {
                c.sti();
                c.pushfd();
                c.cli();
                c.pop(ebx);
                c.mov(ecx, cs);
                c.retf();
            });
            k.Repeat(50, () =>
            {
                c.call(Layout.BasedCode, k.Physical("based_code"));
                k.ExpectFlags(Layout.FlagIf, 0, fail);
                c.and(ebx, (int)Layout.FlagIf);
                k.Expect(ebx, Layout.FlagIf, fail);
                k.Expect(ecx, Layout.BasedCode, fail);
            });
        });
    }
}
