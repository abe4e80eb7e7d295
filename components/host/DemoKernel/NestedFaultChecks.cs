using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Host.DemoKernel;

/// <summary>Faults inside fault handlers, double faults, and single-stepping.</summary>
internal static class NestedFaultChecks
{
    private const byte Debug = 1;
    private const byte DoubleFault = 8;
    private const byte GeneralProtection = 13;
    private const byte PageFault = 14;

    /// <summary>Emits the checks.</summary>
    /// <param name="k">The kernel being built.</param>
    public static void Emit(KernelAssembler k)
    {
        EmitNested(k);
        EmitDouble(k);
        EmitSingleStep(k);
    }

    private static void EmitNested(KernelAssembler k)
    {
        Assembler c = k.Code;

        // Maps window pages 30 and 31 when they are touched; for the first it needs the second itself.
        k.Routine("nested_page_fault", () =>
        {
            string second = k.Fresh("second");
            c.inc(k.Cell("nested_faults"));
            c.mov(ebx, cr2);
            c.cmp(ebx, Layout.WindowPage(30));
            c.jne(k[second]);
            c.mov(ecx, __dword_ptr[Layout.WindowPage(31)]); // faults again, here
            c.mov(__dword_ptr[Layout.Scratch(29)], ecx);
            CodeChangeChecks.Remap(k, 30, 29);
            c.ret();
            k.Mark(second);
            c.cmp(ebx, Layout.WindowPage(31));
            c.jne(k["unexpected"]);
            CodeChangeChecks.Remap(k, 31, 30);
            c.ret();
        });
        k.Routine("nested_protection", () =>
        {
            c.mov(eax, __dword_ptr[Layout.WindowPage(30)]); // #PF inside the #GP handler
            c.mov(k.Cell("nested_value"), eax);
            c.jmp(k["record"]);
        });
        k.Check("a #PF in a #PF handler in a #GP handler: each returns where it came from", fail =>
        {
            CodeChangeChecks.Remap(k, 30, null);
            CodeChangeChecks.Remap(k, 31, null);
            c.mov(__dword_ptr[Layout.Scratch(30)], 0x1CE_B00C);
            c.mov(k.Cell("nested_faults"), 0);
            k.Hook(PageFault, "nested_page_fault");
            k.Hook(GeneralProtection, "nested_protection");
            string site = k.Fresh("site");
            string after = k.Fresh("after");
            c.mov(k.Cell("resume"), k.At(after));
            c.mov(ecx, (uint)Layout.BeyondTable);
            c.mov(ebx, 0x1234);
            k.Mark(site);
            c.mov(es, cx);
            c.jmp(fail);
            k.Mark(after);
            k.Expect(ebx, 0x1234, fail);
            k.Expect(k.Cell("nested_value"), 0x1CE_B00C, fail);
            k.Expect(k.Cell("nested_faults"), 2, fail);
            k.Expect(k.Cell("last_vector"), GeneralProtection, fail);
            k.Expect(k.Cell("last_error"), Layout.BeyondTable, fail);
            k.Expect(k.Cell("last_eip"), k.At(site), fail);
        });
        k.Check("an int n in a fault handler comes back into it", fail =>
        {
            k.Routine("int_inside", () =>
            {
                c.@int(Layout.KernelInterrupt);
                c.jmp(k["record"]);
            });
            k.Routine("count_inner", () =>
            {
                c.inc(k.Cell("inner_count"));
                c.ret();
            });
            c.mov(k.Cell("inner_count"), 0);
            k.Hook(GeneralProtection, "int_inside");
            k.Hook(Layout.KernelInterrupt, "count_inner");
            string after = k.Fresh("after");
            c.mov(k.Cell("resume"), k.At(after));
            c.mov(ecx, (uint)Layout.BeyondTable);
            c.mov(fs, cx);
            c.jmp(fail);
            k.Mark(after);
            k.Expect(k.Cell("inner_count"), 1, fail);
            k.Expect(k.Cell("last_vector"), GeneralProtection, fail);
        });
    }

    private static void EmitDouble(KernelAssembler k)
    {
        Assembler c = k.Code;
        void Double(string text, byte absent, Action fault) => k.Check(text, fail =>
        {
            string after = k.Fresh("after");
            uint gate = k.At("idt") + (absent * 8u) + 5;
            k.Hook(DoubleFault, "record");
            c.mov(k.Cell("resume"), k.At(after));
            c.mov(k.Cell("last_vector"), -1);
            c.mov(k.Cell("last_error"), -1);
            c.and(__byte_ptr[gate], 0x7F);
            fault();
            c.or(__byte_ptr[gate], 0x80);
            c.jmp(fail);
            k.Mark(after);
            c.or(__byte_ptr[gate], 0x80);
            k.Expect(k.Cell("last_vector"), DoubleFault, fail);
            k.Expect(k.Cell("last_error"), 0, fail);
            c.movzx(eax, __word_ptr[k.CellAt("last_cs")]);
            c.cmp(eax, (int)Layout.KernelCode);
            c.jne(fail);
        });
        Double("a #GP whose gate is absent becomes #DF(0)", GeneralProtection, () =>
        {
            c.mov(ecx, (uint)Layout.BeyondTable);
            c.mov(fs, cx);
        });
        Double("a #PF whose gate is absent becomes #DF(0)", PageFault, () =>
        {
            CodeChangeChecks.Remap(k, 30, null);
            c.mov(eax, __dword_ptr[Layout.WindowPage(30)]);
        });
        k.Check("after the double faults a plain #GP is a #GP again", fail =>
        {
            c.mov(ecx, (uint)Layout.BeyondTable);
            k.ExpectFault(GeneralProtection, Layout.BeyondTable, fail, () => c.mov(fs, cx));
        });
    }

    private static void EmitSingleStep(KernelAssembler k)
    {
        Assembler c = k.Code;
        k.Routine("count_step", () => // stops stepping at the address wanted
        {
            c.inc(k.Cell("steps"));
            c.mov(eax, dr6);
            c.and(eax, 0x4000); // BS
            c.or(k.Cell("step_cause"), eax);
            c.xor(eax, eax);
            c.mov(dr6, eax);
            c.mov(eax, __dword_ptr[ebp + Interrupts.FrameEip]);
            c.cmp(eax, k.Cell("step_stop"));
            string more = k.Fresh("more");
            c.jne(k[more]);
            c.and(__dword_ptr[ebp + Interrupts.FrameFlags], unchecked((int)~Layout.FlagTf));
            k.Mark(more);
            c.ret();
        });

        void Step(string text, int count, Action<Label> code) => k.Check(text, fail =>
        {
            string stop = k.Fresh("stop");
            k.Hook(Debug, "count_step");
            c.mov(k.Cell("steps"), 0);
            c.mov(k.Cell("step_cause"), 0);
            c.mov(k.Cell("step_stop"), k.At(stop));
            c.pushfd();
            c.or(__dword_ptr[esp], (int)Layout.FlagTf);
            c.popfd();
            code(fail);
            k.Mark(stop);
            c.nop();
            k.Expect(k.Cell("steps"), (uint)count, fail);
            k.Expect(k.Cell("step_cause"), 0x4000, fail);
        });
        Step("single-stepping traps once per instruction, branches and calls too", 8, _ =>
        {
            string over = k.Fresh("over");
            c.nop();
            c.mov(ecx, 5);
            c.jmp(k[over]);
            k.Mark(over);
            c.call(k["add_16"]); // call, add, ret
            c.inc(ecx);
            c.xor(eax, eax);
        });
        Step("single-stepping traps once per sensitive instruction", 6, fail =>
        {
            c.cli();
            c.cli();
            c.mov(ecx, cs);
            c.push(ds);
            c.pop(edx);
            c.sldt(ax);
        });
        k.Check("pushf shows TF while it is set", fail =>
        {
            string stop = k.Fresh("stop");
            k.Hook(Debug, "count_step");
            c.mov(k.Cell("step_stop"), k.At(stop));
            c.pushfd();
            c.or(__dword_ptr[esp], (int)Layout.FlagTf);
            c.popfd();
            c.pushfd();
            k.Mark(stop);
            c.pop(ebx);
            c.and(ebx, (int)Layout.FlagTf);
            k.Expect(ebx, Layout.FlagTf, fail);
            k.ExpectFlags(Layout.FlagTf, 0, fail);
        });
        Step("single-stepping a repeated move traps once per iteration", 7, _ =>
        {
            c.mov(esi, k.CellAt("table_image"));
            c.mov(edi, esi);
            c.mov(ecx, 4);
            c.rep.movsb(); // three moves before it, four iterations
        });
        Step("int n is not stepped into, and stepping goes on behind it", 3, _ =>
        {
            c.nop();
            k.Hook(Layout.KernelInterrupt, "ignore"); // one mov
            c.@int(Layout.KernelInterrupt); // TF comes back with the handler's iret, which is not stepped either
            c.nop();
        });
        k.Check("ring 3 can single-step itself", fail =>
        {
            string stop = k.Fresh("user_stop");
            k.Hook(Debug, "count_step");
            c.mov(k.Cell("steps"), 0);
            c.mov(k.Cell("step_stop"), k.UserAt(stop));
            k.RunUser(fail, 0x202 | Layout.FlagTf, () =>
            {
                c.nop();
                c.mov(ecx, 3);
                string again = k.Fresh("again");
                k.Mark(again);
                c.loop(k[again]);
                k.Mark(stop);
                c.xor(ebx, ebx);
            });
            k.Expect(k.Cell("steps"), 5, fail);
        });
    }
}
