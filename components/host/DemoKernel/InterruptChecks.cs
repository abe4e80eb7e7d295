using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Host.DemoKernel;

/// <summary>
/// Where exactly interrupts are taken: the shadow of STI, POPF, IRET, HLT; and that none comes where interrupts are off. A one-shot timer makes them, so nothing depends
/// on speed: the kernel waits, interrupts off, until the controller's request register shows one pending.
/// </summary>
internal static class InterruptChecks
{
    private const byte PicCommand = 0x20;
    private const byte PicMask = 0x21;
    private const byte ReadRequests = 0x0A;
    private const byte OneShot = 0x30; // channel 0, low then high byte, mode 0
    private const byte PitControl = 0x43;

    /// <summary>Emits the checks.</summary>
    /// <param name="k">The kernel being built.</param>
    public static void Emit(KernelAssembler k)
    {
        EmitRoutines(k);
        EmitHalt(k);
        EmitShadow(k);
        EmitBoundaries(k);
        EmitHot(k);
    }

    private static void EmitRoutines(KernelAssembler k)
    {
        Assembler c = k.Code;

        // The one-shot timer armed for about 50 microseconds; a tick from before is taken first. Interrupts off afterwards.
        k.Routine("arm_timer", () =>
        {
            c.push(eax);
            k.Hook(Layout.IrqBase, "tick");
            c.mov(al, OneShot);
            c.@out(PitControl, al);
            c.sti();
            c.nop();
            c.nop();
            c.cli();
            k.Hook(Layout.IrqBase, "observe_irq");
            c.mov(k.Cell("fault_count"), 0);
            c.mov(k.Cell("last_eip"), 0);
            Interrupts.TimerCountWrite(c, 60);
            c.pop(eax);
            c.ret();
        });

        // ... and its interrupt pending.
        k.Routine("make_pending", () =>
        {
            c.call(k["arm_timer"]);
            c.push(eax);
            c.push(ecx);
            string wait = k.Fresh("wait");
            string delay = k.Fresh("delay");
            k.Mark(wait);
            c.mov(ecx, 200);
            k.Mark(delay);
            c.loop(k[delay]);
            c.mov(al, ReadRequests);
            c.@out(PicCommand, al);
            c.@in(al, PicCommand);
            c.test(al, 1);
            c.jz(k[wait]);
            c.pop(ecx);
            c.pop(eax);
            c.ret();
        });
        k.Routine("sti_ret", () =>
        {
            c.sti();
            c.ret();
        });
    }

    /// <summary>Fails unless exactly one interrupt was taken, before the instruction at the label.</summary>
    private static void ExpectTakenAt(KernelAssembler k, string label, Label fail)
    {
        k.Code.cli();
        k.Expect(k.Cell("last_eip"), k.At(label), fail);
        k.Expect(k.Cell("fault_count"), 1, fail);
    }

    private static void EmitHalt(KernelAssembler k)
    {
        Assembler c = k.Code;
        k.Check("sti ; hlt sleeps until the timer, which returns behind the hlt", fail =>
        {
            for (int round = 0; round < 3; round++)
            {
                string behind = k.Fresh("behind");
                c.call(k["arm_timer"]);
                c.sti();
                c.hlt();
                k.Mark(behind);
                ExpectTakenAt(k, behind, fail);
            }
        });
        k.Check("sti ; hlt with the interrupt pending already returns behind the hlt", fail =>
        {
            string behind = k.Fresh("behind");
            c.call(k["make_pending"]);
            c.sti();
            c.hlt();
            k.Mark(behind);
            ExpectTakenAt(k, behind, fail);
        });
        k.Check("hlt wakes for each tick of the periodic timer", fail =>
        {
            c.call(k["timer_periodic"]);
            c.mov(k.Cell("ticks"), 0);
            c.mov(ecx, 3);
            string top = k.Fresh("sleep");
            k.Mark(top);
            c.sti();
            c.hlt();
            c.cli();
            c.loop(k[top]);
            k.Expect(k.Cell("ticks"), 3, fail);
        });
    }

    private static void EmitShadow(KernelAssembler k)
    {
        Assembler c = k.Code;
        (string Name, Action Shadowed, Action Undo)[] cases =
        [
            ("nop", () => c.nop(), () => { }),
            ("inc", () => c.inc(ecx), () => { }),
            ("mov from CS", () => c.mov(ecx, cs), () => { }),
            ("pushf", () => c.pushfd(), () => c.pop(ecx)),
            ("a store", () => c.mov(k.Cell("table_image"), ecx), () => { }),
            ("in", () => c.@in(al, PicMask), () => { }),
        ];
        foreach ((string name, Action shadowed, Action undo) in cases)
        {
            k.Check($"a pending interrupt comes exactly one instruction after sti: {name}", fail =>
            {
                for (int round = 0; round < 3; round++)
                {
                    string behind = k.Fresh("behind");
                    c.call(k["make_pending"]);
                    c.sti();
                    shadowed();
                    k.Mark(behind);
                    c.nop();
                    c.nop();
                    c.nop();
                    undo();
                    ExpectTakenAt(k, behind, fail);
                }
            });
        }

        k.Check("a pending interrupt after sti ; ret comes at the return address", fail =>
        {
            string behind = k.Fresh("behind");
            c.call(k["make_pending"]);
            c.call(k["sti_ret"]);
            k.Mark(behind);
            c.nop();
            c.nop();
            ExpectTakenAt(k, behind, fail);
        });
        k.Check("sti ; cli pairs never let a pending interrupt in", fail =>
        {
            string behind = k.Fresh("behind");
            c.call(k["make_pending"]);
            k.Repeat(200, () =>
            {
                c.sti();
                c.cli();
            });
            k.Expect(k.Cell("fault_count"), 0, fail);
            c.sti();
            c.nop();
            k.Mark(behind);
            c.nop();
            ExpectTakenAt(k, behind, fail);
        });
        k.Check("a second sti casts no shadow", fail =>
        {
            string behind = k.Fresh("behind");
            c.call(k["make_pending"]);
            c.sti();
            c.sti();
            k.Mark(behind);
            c.nop();
            c.nop();
            ExpectTakenAt(k, behind, fail);
        });
    }

    private static void EmitBoundaries(KernelAssembler k)
    {
        Assembler c = k.Code;
        k.Check("popf that sets IF lets a pending interrupt in at once", fail =>
        {
            for (int round = 0; round < 3; round++)
            {
                string behind = k.Fresh("behind");
                c.call(k["make_pending"]);
                c.push((int)Layout.FlagIf | 2);
                c.popfd();
                k.Mark(behind);
                c.nop();
                c.nop();
                ExpectTakenAt(k, behind, fail);
            }
        });
        k.Check("iret that sets IF lets a pending interrupt in before its target", fail =>
        {
            string target = k.Fresh("behind");
            c.call(k["make_pending"]);
            c.push((int)Layout.FlagIf | 2);
            c.push((int)Layout.KernelCode);
            c.push(k.At(target));
            c.iretd();
            c.jmp(fail);
            k.Mark(target);
            c.nop();
            ExpectTakenAt(k, target, fail);
        });
        k.Check("iret to ring 3 with IF set lets a pending interrupt in before its target", fail =>
        {
            c.call(k["make_pending"]);
            string name = k.Fresh("user");
            k.User(name, () =>
            {
                c.nop();
                k.UserExit();
            });
            k.Hook(Layout.IrqBase, "note_first");
            c.mov(eax, k.UserAt(name));
            c.mov(edx, 0x202);
            c.call(k["enter_user"]);
            k.Expect(k.Cell("first_eip"), k.UserAt(name), fail);
            k.Expect(k.Cell("first_cs"), Layout.UserCode, fail);
        });
        k.Routine("note_first", () =>
        {
            c.mov(eax, __dword_ptr[ebp + Interrupts.FrameEip]);
            c.mov(k.Cell("first_eip"), eax);
            c.mov(eax, __dword_ptr[ebp + Interrupts.FrameCs]);
            c.mov(k.Cell("first_cs"), eax);
            c.jmp(k["end_irq"]);
        });
        k.Check("a masked interrupt waits for its mask", fail =>
        {
            c.call(k["make_pending"]);
            c.mov(al, 0xFF);
            c.@out(PicMask, al);
            c.sti();
            k.Repeat(100, () => c.nop());
            c.cli();
            k.Expect(k.Cell("fault_count"), 0, fail);
            c.mov(al, 0xFE);
            c.@out(PicMask, al);
            c.sti();
            k.Repeat(100, () => c.nop());
            c.cli();
            k.Expect(k.Cell("fault_count"), 1, fail);
        });
        k.Check("a block move interrupted on its way is complete", fail =>
        {
            c.call(k["arm_timer"]);
            c.mov(esi, k.At("text_start"));
            c.mov(edi, Layout.Scratch(32));
            c.sti();
            c.mov(ecx, k.At("text_end") - k.At("text_start"));
            c.rep.movsb();
            c.mov(ebx, ecx);
            c.call(k["wait_for_irq"]);
            c.cli();
            k.Expect(k.Cell("fault_count"), 1, fail);
            k.Expect(ebx, 0, fail);
            c.mov(esi, k.At("text_start"));
            c.mov(edi, Layout.Scratch(32));
            c.mov(ecx, (k.At("text_end") - k.At("text_start")) / 4);
            c.repe.cmpsd();
            c.jne(fail);
        });
        k.Routine("wait_for_irq", () =>
        {
            string wait = k.Fresh("wait");
            k.Mark(wait);
            c.cmp(k.Cell("fault_count"), 0);
            c.je(k[wait]);
            c.ret();
        });
    }

    private static void EmitHot(KernelAssembler k)
    {
        Assembler c = k.Code;
        k.Check("no interrupt comes between cli and sti while a fast timer runs", fail =>
        {
            string top = k.Fresh("window");
            string closed = k.Fresh("window_closed");
            string open = k.Fresh("window_open");
            string done = k.Fresh("window_done");
            k.Routine("region_tick", () =>
            {
                c.mov(eax, __dword_ptr[ebp + Interrupts.FrameEip]);
                string fine = k.Fresh("fine");
                c.cmp(eax, k.At(closed));
                c.jb(k[fine]);
                c.cmp(eax, k.At(open));
                c.ja(k[fine]);
                c.inc(k.Cell("violations"));
                k.Mark(fine);
                c.test(__dword_ptr[ebp + Interrupts.FrameFlags], Layout.FlagIf);
                string enabled = k.Fresh("enabled");
                c.jnz(k[enabled]);
                c.inc(k.Cell("violations"));
                k.Mark(enabled);
                c.jmp(k["tick"]);
            });
            c.mov(k.Cell("violations"), 0);
            c.mov(k.Cell("ticks"), 0);
            k.Hook(Layout.IrqBase, "region_tick");
            Interrupts.Timer(c, 0x34, 596); // mode 2, about 2 kHz
            c.mov(ecx, 4_000_000);
            k.Mark(top);
            c.cli();
            k.Mark(closed);
            c.inc(ebx);
            c.pushfd();
            c.pop(eax);
            c.inc(ebx);
            c.test(eax, Layout.FlagIf);
            c.jnz(fail);
            c.sti();
            k.Mark(open); // the instruction in the shadow of sti
            c.inc(ebx);
            c.cmp(k.Cell("ticks"), 6);
            c.jae(k[done]);
            c.dec(ecx);
            c.jnz(k[top]);
            k.Mark(done);
            c.cli();
            c.call(k["timer_periodic"]);
            c.mov(eax, k.Cell("ticks"));
            c.cmp(eax, 6);
            c.jb(fail);
            k.Expect(k.Cell("violations"), 0, fail);
        });
        k.Check("interrupts among pushf and popf pairs lose no flag", fail =>
        {
            string top = k.Fresh("pairs");
            c.mov(k.Cell("ticks"), 0);
            Interrupts.Timer(c, 0x34, 596);
            c.mov(ecx, 4_000_000);
            k.Mark(top);
            c.stc();
            c.pushfd();
            c.cli();
            c.clc();
            c.popfd();
            c.jnc(fail);
            c.sti();
            c.nop();
            c.cmp(k.Cell("ticks"), 4);
            string done = k.Fresh("pairs_done");
            c.jae(k[done]);
            c.dec(ecx);
            c.jnz(k[top]);
            k.Mark(done);
            c.cli();
            c.call(k["timer_periodic"]);
            c.mov(eax, k.Cell("ticks"));
            c.cmp(eax, 4);
            c.jb(fail);
        });
    }
}
