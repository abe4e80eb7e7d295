using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Host.DemoKernel;

/// <summary>Control and debug registers, CPUID, the time-stamp counter and ports.</summary>
internal static class ControlChecks
{
    private const byte InvalidOpcode = 6;
    private const byte DeviceNotAvailable = 7;
    private const int TaskSwitched = 8;
    private const int Emulation = 4;
    private const byte PicMask = 0x21;
    private const byte PitChannel2 = 0x42;
    private const byte PitControl = 0x43;

    /// <summary>Emits the checks.</summary>
    /// <param name="k">The kernel being built.</param>
    public static void Emit(KernelAssembler k)
    {
        EmitControl(k);
        EmitDebug(k);
        EmitBreakpoints(k);
        EmitProcessor(k);
        EmitPorts(k);
    }

    private static void EmitControl(KernelAssembler k)
    {
        Assembler c = k.Code;
        k.Check("mov to and from CR0 round-trips, clts clears TS", fail =>
        {
            c.mov(ebx, cr0);
            c.mov(eax, ebx);
            c.or(eax, TaskSwitched);
            c.mov(cr0, eax);
            c.mov(ecx, cr0);
            c.smsw(dx);
            c.clts();
            c.mov(eax, cr0);
            c.cmp(eax, ebx);
            c.jne(fail);
            c.or(ebx, TaskSwitched);
            c.mov(eax, ecx);
            c.cmp(ecx, ebx);
            c.jne(fail);
            c.test(dx, TaskSwitched);
            c.jz(fail);
        });
        k.Check("lmsw sets TS and cannot clear PE", fail =>
        {
            c.mov(ebx, cr0);
            c.lea(eax, __[ebx - 1 + TaskSwitched]);
            c.lmsw(ax);
            c.mov(ecx, cr0);
            c.clts();
            c.mov(eax, cr0);
            c.cmp(eax, ebx);
            c.jne(fail);
            c.or(ebx, TaskSwitched);
            c.mov(eax, ecx);
            c.cmp(ecx, ebx);
            c.jne(fail);
        });
        k.Check("an x87 instruction raises #NM while TS or EM is set", fail =>
        {
            foreach (int bit in (int[])[TaskSwitched, Emulation])
            {
                c.mov(ebx, cr0);
                c.mov(eax, ebx);
                c.or(eax, bit);
                c.mov(cr0, eax);
                k.ExpectFault(DeviceNotAvailable, 0, fail, () => c.fnop());
                c.mov(cr0, ebx);
            }
        });
        k.Check("CR2, CR3 and CR4 read back what they hold", fail =>
        {
            c.mov(eax, 0x8765_4321);
            c.mov(cr2, eax);
            c.mov(ebx, cr2);
            k.Expect(ebx, 0x8765_4321, fail);
            c.mov(ebx, cr3);
            k.Expect(ebx, Layout.KernelDirectory, fail);
            c.mov(ebx, cr4);
            c.mov(eax, ebx);
            c.xor(eax, 0x8C); // DE, PSE, PGE
            c.mov(cr4, eax);
            c.mov(ecx, cr4);
            c.mov(cr4, ebx);
            c.cmp(eax, ecx);
            c.jne(fail);
        });
        k.Check("CR1 does not exist (#UD)", fail =>
        {
            k.ExpectFault(InvalidOpcode, 0, fail, () => k.Bytes(0x0F, 0x20, 0xC8));
            k.ExpectFault(InvalidOpcode, 0, fail, () => k.Bytes(0x0F, 0x22, 0xC8));
        });
    }

    private static void EmitDebug(KernelAssembler k)
    {
        Assembler c = k.Code;
        k.Check("DR0 to DR3 round-trip, DR6 and DR7 show their fixed bits", fail =>
        {
            AssemblerRegisterDR[] addresses = [dr0, dr1, dr2, dr3];
            for (int i = 0; i < addresses.Length; i++)
            {
                c.mov(eax, 0x1111_0000u * (uint)(i + 1));
                c.mov(addresses[i], eax);
            }

            for (int i = 0; i < addresses.Length; i++)
            {
                c.mov(ebx, addresses[i]);
                k.Expect(ebx, 0x1111_0000u * (uint)(i + 1), fail);
                c.xor(eax, eax);
                c.mov(addresses[i], eax);
            }

            c.mov(dr6, eax);
            c.mov(dr7, eax);
            c.mov(ebx, dr6);
            k.Expect(ebx, 0xFFFF_0FF0, fail);
            c.mov(ebx, dr7);
            k.Expect(ebx, 0x400, fail);
        });
        k.Check("DR4 is DR6 with CR4.DE clear and raises #UD with it set", fail =>
        {
            c.mov(ebx, dr4);
            k.Expect(ebx, 0xFFFF_0FF0, fail);
            c.mov(esi, cr4);
            c.mov(eax, esi);
            c.or(eax, 8);
            c.mov(cr4, eax);
            k.ExpectFault(InvalidOpcode, 0, fail, () => c.mov(ecx, dr4));
            c.mov(cr4, esi);
        });
    }

    private static void EmitBreakpoints(KernelAssembler k)
    {
        Assembler c = k.Code;
        k.Routine("count_hardware_breakpoint", () => // once: it disarms itself
        {
            c.call(k["note"]);
            c.mov(eax, dr6);
            c.mov(k.Cell("breakpoint_cause"), eax);
            c.xor(eax, eax);
            c.mov(dr7, eax);
            c.mov(dr6, eax);
            c.ret();
        });
        void Breakpoint(string text, uint control, uint cause, AssemblerRegisterDR register, Func<string, string, uint> address, bool before) => k.Check(text, fail =>
        {
            string site = k.Fresh("watched");
            string behind = k.Fresh("watched_behind");
            k.Hook(1, "count_hardware_breakpoint");
            c.mov(k.Cell("fault_count"), 0);
            c.mov(k.Cell("watched"), 0);
            c.mov(eax, address(site, behind));
            c.mov(register, eax);
            c.mov(eax, control);
            c.mov(dr7, eax);
            c.nop();
            k.Mark(site);
            c.inc(k.Cell("watched"));
            k.Mark(behind);
            c.nop();
            c.xor(eax, eax);
            c.mov(dr7, eax);
            c.mov(register, eax);
            k.Expect(k.Cell("watched"), 1, fail);
            k.Expect(k.Cell("fault_count"), 1, fail);
            k.Expect(k.Cell("last_eip"), k.At(before ? site : behind), fail);
            c.mov(eax, k.Cell("breakpoint_cause"));
            c.and(eax, 0xF);
            c.cmp(eax, (int)cause);
            c.jne(fail);
        });
        Breakpoint("an execution breakpoint in DR0 raises #DB before its instruction", 0x401, 1, dr0, (site, _) => k.At(site), before: true);
        Breakpoint("a write breakpoint in DR1 raises #DB behind the writer", 0x00D0_0404, 2, dr1, (_, _) => k.CellAt("watched"), before: false);
    }

    private static void EmitProcessor(KernelAssembler k)
    {
        Assembler c = k.Code;
        k.Reserve("cpuid_first", 16);
        k.Check("cpuid names a vendor in printable letters and has leaf 1", fail =>
        {
            c.xor(eax, eax);
            c.cpuid();
            c.test(eax, eax);
            c.jz(fail);
            foreach (AssemblerRegister32 part in (AssemblerRegister32[])[ebx, edx, ecx])
            {
                c.mov(eax, part);
                for (int i = 0; i < 4; i++)
                {
                    c.cmp(al, 0x20);
                    c.jb(fail);
                    c.cmp(al, 0x7E);
                    c.ja(fail);
                    c.ror(eax, 8);
                }
            }
        });
        k.Check("cpuid leaf 1 has PSE, TSC, CX8, PGE and CMOV and a family of 6", fail =>
        {
            c.mov(eax, 1);
            c.cpuid();
            c.and(edx, 0xA118);
            c.shr(eax, 8);
            c.and(eax, 15);
            c.cmp(eax, 6);
            c.jne(fail);
            k.Expect(edx, 0xA118, fail);
        });
        k.Check("cpuid answers the same 1000 times and at ring 3", fail =>
        {
            c.mov(eax, 1);
            c.cpuid();
            (AssemblerRegister32 Register, int Offset)[] results = [(eax, 0), (ebx, 4), (ecx, 8), (edx, 12)];
            foreach ((AssemblerRegister32 register, int offset) in results)
            {
                c.mov(k.Cell("cpuid_first", offset), register);
            }

            k.Repeat(1000, () =>
            {
                c.mov(eax, 1);
                c.cpuid();
                foreach ((AssemblerRegister32 register, int offset) in results)
                {
                    c.cmp(register, k.Cell("cpuid_first", offset));
                    c.jne(fail);
                }
            });
            k.RunUser(fail, 0x202, () =>
            {
                c.mov(eax, 1);
                c.cpuid();
                c.add(ebx, eax);
                c.add(ebx, ecx);
                c.add(ebx, edx);
            });
            c.mov(eax, k.Cell("cpuid_first"));
            foreach ((AssemblerRegister32 _, int offset) in results[1..])
            {
                c.add(eax, k.Cell("cpuid_first", offset));
            }

            c.cmp(eax, k.Cell("last_ebx"));
            c.jne(fail);
        });
        k.Check("rdtsc never goes back and moves on", fail =>
        {
            string first = k.Fresh("later");
            c.rdtsc();
            c.mov(esi, eax);
            c.mov(edi, edx);
            k.Repeat(1000, () =>
            {
                c.rdtsc();
                c.mov(ebx, eax);
                c.mov(ecx, edx);
                c.sub(ebx, esi);
                c.sbb(ecx, edi);
                c.jb(fail);
                c.mov(esi, eax);
                c.mov(edi, edx);
            });
            c.rdtsc();
            c.mov(ebx, eax);
            c.mov(ecx, 1000);
            k.Mark(first);
            c.loop(k[first]);
            c.rdtsc();
            c.cmp(eax, ebx);
            c.je(fail);
        });
    }

    private static void EmitPorts(KernelAssembler k)
    {
        Assembler c = k.Code;
        k.Check("the interrupt mask reads back, imm8 and DX forms", fail =>
        {
            c.mov(dx, PicMask);
            c.mov(eax, 0xAABB_CC5E);
            c.@out(PicMask, al);
            c.mov(ecx, eax);
            c.mov(eax, 0xAABB_CC00);
            c.@in(al, dx);
            c.mov(ebx, eax);
            c.mov(al, 0xFE);
            c.@out(dx, al);
            c.@in(al, PicMask);
            c.xor(ebx, ecx);
            c.jnz(fail);
            c.cmp(eax, 0xAABB_CCFE);
            c.jne(fail);
        });
        k.Check("ins and outs move bytes between memory and a port", fail =>
        {
            c.mov(k.Cell("table_image"), 0xFE7E_3E1E);
            c.mov(k.Cell("table_image", 4), -1);
            c.mov(dx, PicMask);
            c.mov(esi, k.CellAt("table_image"));
            c.mov(edi, k.CellAt("table_image") + 4);
            c.outsb();
            c.insb();
            c.outsb();
            c.insb();
            c.mov(ecx, 2);
            c.rep.outsb();
            c.insb();
            k.Expect(k.Cell("table_image", 4), 0xFFFE_3E1E, fail);
            k.Expect(ecx, 0, fail);
            k.Expect(esi, k.CellAt("table_image") + 4, fail);
        });
        k.Check("a write to port 80h changes no register and no flag", fail =>
        {
            c.mov(eax, 0x1234_5678);
            c.mov(edx, 0x80);
            c.stc();
            c.@out(0x80, al);
            c.@out(dx, al);
            c.jnc(fail);
            c.cmp(eax, 0x1234_5678);
            c.jne(fail);
        });
        k.Check("the timer's read-back command gives mode and access of channel 2", fail =>
        {
            c.mov(al, 0xB6); // channel 2, low then high byte, mode 3
            c.@out(PitControl, al);
            c.mov(al, 0x34);
            c.@out(PitChannel2, al);
            c.mov(al, 0x12);
            c.@out(PitChannel2, al);
            c.mov(al, 0xE8); // read-back: status of channel 2
            c.@out(PitControl, al);
            c.xor(eax, eax);
            c.@in(al, PitChannel2);
            c.and(eax, 0x3F);
            c.cmp(eax, 0x36);
            c.jne(fail);
        });
        k.Check("a latched timer count lies within its period", fail =>
        {
            c.xor(eax, eax);
            c.@out(PitControl, al); // latch channel 0
            c.@in(al, 0x40);
            c.mov(ah, al);
            c.@in(al, 0x40);
            c.xchg(al, ah);
            c.cmp(eax, Interrupts.TimerCount);
            c.ja(fail);
        });
        k.Check("CMOS memory keeps a byte", fail =>
        {
            const byte index = 0x70;
            const byte data = 0x71;
            c.mov(al, 0x50);
            c.@out(index, al);
            c.@in(al, data);
            c.mov(bl, al);
            c.mov(al, 0x50);
            c.@out(index, al);
            c.mov(al, 0xA5);
            c.@out(data, al);
            c.mov(al, 0x50);
            c.@out(index, al);
            c.xor(eax, eax);
            c.@in(al, data);
            c.mov(ecx, eax);
            c.mov(al, 0x50);
            c.@out(index, al);
            c.mov(al, bl);
            c.@out(data, al);
            k.Expect(ecx, 0xA5, fail);
        });
    }
}
