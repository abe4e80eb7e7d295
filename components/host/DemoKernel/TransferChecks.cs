using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Host.DemoKernel;

/// <summary>Far transfers, gates, software interrupts and IRET.</summary>
internal static class TransferChecks
{
    private const byte GeneralProtection = 13;
    private const byte NotPresent = 11;

    /// <summary>Emits the checks.</summary>
    /// <param name="k">The kernel being built.</param>
    public static void Emit(KernelAssembler k)
    {
        k.Reserve("far_pointer", 8);
        EmitRoutines(k);
        EmitFar(k);
        EmitInterrupts(k);
        EmitReturns(k);
    }

    private static void EmitRoutines(KernelAssembler k)
    {
        Assembler c = k.Code;
        k.Routine("far_target", () => // EBX: the selector it was called from
        {
            c.mov(ebx, __dword_ptr[esp + 4]);
            c.retf();
        });
        k.Routine("far_target_parameters", () => // EBX: its two parameters
        {
            c.mov(ebx, __dword_ptr[esp + 8]);
            c.shl(ebx, 16);
            c.or(ebx, __dword_ptr[esp + 12]);
            c.retf(8);
        });
        k.Routine("kernel_gate", () =>
        {
            c.mov(ebx, __dword_ptr[esp + 4]);
            c.retf();
        });
        k.Routine("user_gate", () => // from ring 3, two parameters copied (SDM volume 3, 6.8.5)
        {
            c.mov(ebx, __dword_ptr[esp + 8]);
            c.shl(ebx, 16);
            c.or(ebx, __dword_ptr[esp + 12]);
            c.mov(ecx, cs);
            c.mov(edx, ss);
            c.retf(8);
        });
    }

    private static void EmitFar(KernelAssembler k)
    {
        Assembler c = k.Code;
        void Far(string text, Action transfer) => k.Check(text, fail =>
        {
            c.mov(k.Cell("far_pointer"), k.At("far_target"));
            c.mov(k.Cell("far_pointer", 4), (int)Layout.KernelCode);
            c.xor(ebx, ebx);
            c.mov(edx, esp);
            transfer();
            c.mov(eax, esp);
            c.cmp(edx, esp);
            c.jne(fail);
            c.movzx(ebx, bx);
            k.Expect(ebx, Layout.KernelCode, fail);
        });

        Far("a direct far call pushes CS and far ret comes back", () => c.call(Layout.KernelCode, k.At("far_target")));
        Far("an indirect far call pushes CS and far ret comes back", () => c.call(__fword_ptr[k.CellAt("far_pointer")]));
        Far("push cs and a near call make a far call", () =>
        {
            c.push(cs);
            c.call(k["far_target"]);
        });
        Far("a call gate to the same ring works", () => c.call(Layout.KernelGate, 0xDEAD_BEEF));
        k.Check("far ret n drops the parameters", fail =>
        {
            c.mov(edx, esp);
            c.push(0x22);
            c.push(0x11);
            c.call(Layout.KernelCode, k.At("far_target_parameters"));
            c.mov(eax, esp);
            c.cmp(edx, esp);
            c.jne(fail);
            k.Expect(ebx, 0x0011_0022, fail);
        });
        k.Check("far jumps, direct and through memory, arrive", fail =>
        {
            string first = k.Fresh("far_jump");
            string second = k.Fresh("far_jump");
            c.mov(k.Cell("far_pointer"), k.At(second));
            c.mov(k.Cell("far_pointer", 4), (int)Layout.KernelCode);
            c.jmp(Layout.KernelCode, k.At(first));
            c.jmp(fail);
            k.Mark(first);
            c.jmp(__fword_ptr[k.CellAt("far_pointer")]);
            c.jmp(fail);
            k.Mark(second);
            c.mov(ebx, cs);
            k.Expect(ebx, Layout.KernelCode, fail);
        });
        k.Check("a far jump to conforming code keeps ring 0", fail =>
        {
            string inside = k.Fresh("far_jump");
            string back = k.Fresh("far_jump");
            c.jmp(Layout.ConformingCode, k.At(inside));
            k.Mark(inside);
            c.mov(ebx, cs);
            c.jmp(Layout.KernelCode, k.At(back));
            k.Mark(back);
            k.Expect(ebx, Layout.ConformingCode, fail);
        });
        k.Check("far transfers to bad selectors raise #GP with the selector", fail =>
        {
            k.ExpectFault(GeneralProtection, Layout.BeyondTable, fail, () => c.jmp(Layout.BeyondTable, 0));
            k.ExpectFault(GeneralProtection, Layout.KernelData, fail, () => c.call(Layout.KernelData, 0));
            k.ExpectFault(GeneralProtection, Layout.UserCode & 0xFFFC, fail, () => c.jmp(Layout.UserCode, 0));
            k.ExpectFault(GeneralProtection, 0, fail, () => c.jmp(0, 0));
        });
    }

    private static void EmitInterrupts(KernelAssembler k)
    {
        Assembler c = k.Code;
        void Software(string text, byte vector, Action instruction) => k.Check(text, fail =>
        {
            string after = k.Fresh("after");
            k.Hook(vector, "note");
            c.mov(k.Cell("fault_count"), 0);
            c.mov(edx, esp);
            instruction();
            k.Mark(after);
            c.mov(eax, esp);
            c.cmp(edx, esp);
            c.jne(fail);
            k.Expect(k.Cell("fault_count"), 1, fail);
            k.Expect(k.Cell("last_vector"), vector, fail);
            k.Expect(k.Cell("last_eip"), k.At(after), fail);
            c.movzx(eax, __word_ptr[k.CellAt("last_cs")]);
            c.cmp(eax, (int)Layout.KernelCode);
            c.jne(fail);
        });
        Software("int n goes through its gate and comes back", Layout.KernelInterrupt, () => c.@int(Layout.KernelInterrupt));
        Software("int3 pushes the address behind it", 3, () => c.int3());
        Software("int 3 in two bytes does the same", 3, () => k.Bytes(0xCD, 3));
        Software("into traps with OF set", 4, () =>
        {
            c.mov(al, 0x7F);
            c.inc(al);
            c.into();
        });
        k.Check("into does nothing with OF clear", fail =>
        {
            c.xor(eax, eax);
            c.into();
        });
        k.Check("an interrupt gate clears IF, a trap gate keeps it, iret brings it back", fail =>
        {
            k.Hook(Layout.KernelInterrupt, "flags_inside");
            k.Hook(Layout.KernelTrap, "flags_inside");
            c.sti();
            c.nop();
            c.@int(Layout.KernelInterrupt);
            c.pushfd();
            c.mov(ebx, k.Cell("inner_flags"));
            c.@int(Layout.KernelTrap);
            c.cli();
            c.pop(ecx);
            c.mov(edx, k.Cell("inner_flags"));
            c.and(ebx, (int)Layout.FlagIf);
            k.Expect(ebx, 0, fail);
            c.and(ecx, (int)Layout.FlagIf);
            k.Expect(ecx, Layout.FlagIf, fail);
            c.and(edx, (int)Layout.FlagIf);
            k.Expect(edx, Layout.FlagIf, fail);
        });
        k.Routine("flags_inside", () =>
        {
            c.pushfd();
            c.pop(k.Cell("inner_flags"));
            c.ret();
        });
        k.Check("int to a vector beyond the IDT raises #GP(8n+2)", fail =>
            k.ExpectFault(GeneralProtection, (0xF0 * 8) + 2, fail, () => c.@int(0xF0)));
        k.Check("int through an absent gate raises #NP(8n+2)", fail =>
            k.ExpectFault(NotPresent, (Layout.AbsentVector * 8) + 2, fail, () => c.@int(Layout.AbsentVector)));
        k.Check("ud2 raises #UD and div by zero raises #DE", fail =>
        {
            k.ExpectFault(6, 0, fail, () => c.ud2());
            c.xor(ecx, ecx);
            k.ExpectFault(0, 0, fail, () => c.div(ecx));
        });
        k.Check("bound raises #BR outside its bounds only", fail =>
        {
            c.mov(k.Cell("far_pointer"), 5);
            c.mov(k.Cell("far_pointer", 4), 10);
            c.mov(ecx, 10);
            c.bound(ecx, __dword_ptr[k.CellAt("far_pointer")]);
            c.mov(ecx, 11);
            k.ExpectFault(5, 0, fail, () => c.bound(ecx, __dword_ptr[k.CellAt("far_pointer")]));
        });
    }

    private static void EmitReturns(KernelAssembler k)
    {
        Assembler c = k.Code;
        k.Check("iret to the same ring loads EIP, CS and EFLAGS", fail =>
        {
            string target = k.Fresh("iret");
            c.mov(edx, esp);
            c.push(0x3247); // IOPL 3, IF, ZF, PF, CF
            c.push((int)Layout.KernelCode);
            c.push(k.At(target));
            c.iretd();
            c.jmp(fail);
            k.Mark(target);
            c.pushfd();
            c.cli();
            c.pop(eax);
            c.push(2);
            c.popfd();
            c.cmp(edx, esp);
            c.jne(fail);
            c.cmp(eax, 0x3247);
            c.jne(fail);
        });
        k.Check("iret with a bad CS raises #GP with the selector and leaves ESP", fail =>
        {
            c.push(2);
            c.push((int)Layout.KernelData);
            c.push(k.At("main"));
            c.mov(edx, esp);
            k.ExpectFault(GeneralProtection, Layout.KernelData, fail, () => c.iretd());
            c.mov(eax, esp);
            c.cmp(edx, esp);
            c.jne(fail);
            c.add(esp, 12);
        });
        k.Check("iret to ring 3 empties data segments of the kernel", fail =>
        {
            c.mov(eax, (uint)Layout.KernelData);
            c.mov(gs, ax);
            c.mov(eax, (uint)Layout.UserDataSelector);
            c.mov(fs, ax);
            k.RunUser(fail, 0x202, () =>
            {
                c.mov(ebx, gs);
                c.shl(ebx, 16);
                c.mov(bx, fs);
            });
            k.Expect(k.Cell("last_ebx"), Layout.UserDataSelector, fail);
        });
        k.Check("a call gate takes ring 3 to ring 0 and copies its parameters", fail =>
        {
            k.RunUser(fail, 0x202, () =>
            {
                c.mov(edi, esp);
                c.push(0x44);
                c.push(0x33);
                c.call(Layout.UserGate, 0);
                c.sub(edi, esp); // 0 when the stack is level
                c.add(ebx, edi);
                c.shl(ecx, 8);
                c.add(ebx, ecx);
                c.shl(edx, 8);
                c.add(ebx, edx);
            });
            k.Expect(k.Cell("last_ebx"), 0x0033_0044 + (Layout.KernelCode << 8) + (Layout.KernelData << 8), fail);
        });
    }
}
