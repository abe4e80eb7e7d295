using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Host.DemoKernel;

/// <summary>
/// The IDT, one entry stub per vector, the common frame, and the hooks a check may set per vector. Also the interrupt controllers and the timer.
/// </summary>
internal static class Interrupts
{
    // Offsets in the common frame, from EBP.
    public const int FrameEdi = 8;
    public const int FrameEsi = 12;
    public const int FrameEbx = 24;
    public const int FrameEdx = 28;
    public const int FrameEcx = 32;
    public const int FrameEax = 36;
    public const int FrameVector = 40;
    public const int FrameError = 44;
    public const int FrameEip = 48;
    public const int FrameCs = 52;
    public const int FrameFlags = 56;
    public const int FrameEsp = 60;
    public const int FrameSs = 64;

    /// <summary>The counts that make the 8254's 1.193182 MHz into 100 Hz.</summary>
    public const int TimerCount = 11932;

    /// <summary>The first controller's mask register.</summary>
    public const byte PicMask = 0x21;

    private const byte PicCommand = 0x20;
    private const byte SecondPicCommand = 0xA0;
    private const byte SecondPicMask = 0xA1;
    private const byte EndOfInterrupt = 0x20;
    private const byte PitChannel0 = 0x40;
    private const byte PitControl = 0x43;

    /// <summary>Vectors whose exceptions push an error code (SDM volume 3, table 7-1).</summary>
    private static readonly HashSet<int> WithErrorCode = [8, 10, 11, 12, 13, 14, 17];

    private static IEnumerable<int> Vectors => [.. Enumerable.Range(0, Layout.IrqBase + 16), Layout.SystemCall, Layout.KernelInterrupt, Layout.KernelTrap];

    /// <summary>Emits the stubs, the common path and the standard hooks.</summary>
    /// <param name="k">The kernel being built.</param>
    public static void Emit(KernelAssembler k)
    {
        Assembler c = k.Code;
        k.Reserve("hooks", Layout.VectorCount * 4);

        foreach (int vector in Vectors)
        {
            k.Mark($"vector_{vector}");
            if (!WithErrorCode.Contains(vector))
            {
                c.push(0);
            }

            c.push(vector);
            c.jmp(k["common_entry"]);
        }

        k.Mark("common_entry");
        c.pushad();
        c.push(ds);
        c.push(es);
        c.mov(eax, (uint)Layout.KernelData);
        c.mov(ds, ax);
        c.mov(es, ax);
        c.cld();
        c.mov(ebp, esp);
        c.mov(eax, __dword_ptr[ebp + FrameVector]);
        c.mov(edx, __dword_ptr[eax * 4 + k.CellAt("hooks")]);
        c.test(edx, edx);
        c.jz(k["unexpected"]);
        c.call(edx);
        k.Mark("frame_exit");
        c.pop(es);
        c.pop(ds);
        c.popad();
        c.add(esp, 8);
        c.iretd();

        // note: what happened, into variables.
        k.Mark("note");
        c.inc(k.Cell("fault_count"));
        (string Name, int Offset)[] fields =
        [
            ("last_vector", FrameVector), ("last_error", FrameError), ("last_eip", FrameEip),
            ("last_cs", FrameCs), ("last_flags", FrameFlags), ("last_ebx", FrameEbx), ("last_esp", FrameEsp),
        ];
        foreach ((string name, int offset) in fields)
        {
            c.mov(eax, __dword_ptr[ebp + offset]);
            c.mov(k.Cell(name), eax);
        }

        c.mov(eax, cr2);
        c.mov(k.Cell("last_cr2"), eax);
        c.ret();

        // record: note, then go on where the check wants; from ring 3, back into the kernel.
        k.Mark("record");
        c.call(k["note"]);
        c.test(__byte_ptr[ebp + FrameCs], 3);
        c.jnz(k["user_return"]);
        c.mov(eax, k.Cell("resume"));
        c.mov(__dword_ptr[ebp + FrameEip], eax);
        c.ret();

        // observe_irq: note an interrupt from the first controller and end it.
        k.Mark("observe_irq");
        c.call(k["note"]);
        k.Mark("end_irq");
        c.mov(al, EndOfInterrupt);
        c.@out(PicCommand, al);
        c.ret();

        k.Mark("tick");
        c.inc(k.Cell("ticks"));
        c.jmp(k["end_irq"]);

        k.Mark("ignore");
        c.ret();

        // An exception nobody asked for: say so, and give up the check it happened in.
        k.Mark("unexpected");
        c.mov(eax, Layout.KernelDirectory);
        c.mov(cr3, eax);
        c.call(k["end_irq"]); // had it come in an interrupt's handler, the console's own interrupt would be held up
        k.Print("[!!] unexpected exception, vector ");
        (string Text, int Offset)[] report = [("", FrameVector), (" error ", FrameError), (" cs ", FrameCs), (" eip ", FrameEip), (" eflags ", FrameFlags)];
        foreach ((string text, int offset) in report)
        {
            k.Print(text);
            c.mov(eax, __dword_ptr[ebp + offset]);
            c.call(k["put_hex"]);
        }

        k.Print(" cr2 ");
        c.mov(eax, cr2);
        c.call(k["put_hex"]);
        k.Print("\n");
        c.inc(k.Cell("unexpected_count"));
        c.cmp(k.Cell("unexpected_count"), 20);
        c.ja(k["give_up"]);
        c.mov(esp, k.Cell("check_esp"));
        c.mov(eax, k.Cell("last_vector"));
        c.jmp(k.Cell("check_fail"));

        k.Mark("reset_hooks");
        c.pushad();
        c.mov(esi, k.At("standard_hooks"));
        c.mov(edi, k.CellAt("hooks"));
        c.mov(ecx, (int)Layout.VectorCount);
        c.rep.movsd();
        c.popad();
        c.ret();

        k.Mark("interrupts_init");
        c.call(k["reset_hooks"]);
        c.mov(eax, (uint)Layout.TaskState);
        c.ltr(ax);

        // 8259A pair: edge triggered, cascaded at IRQ 2, vectors 20h and 28h, only the timer let through.
        (byte Port, byte Value)[] setup =
        [
            (PicCommand, 0x11), (SecondPicCommand, 0x11),
            (PicMask, Layout.IrqBase), (SecondPicMask, Layout.IrqBase + 8),
            (PicMask, 0x04), (SecondPicMask, 0x02),
            (PicMask, 0x01), (SecondPicMask, 0x01),
            (PicMask, 0xFE), (SecondPicMask, 0xFF),
        ];
        foreach ((byte port, byte value) in setup)
        {
            c.mov(al, value);
            c.@out(port, al);
        }

        k.Mark("timer_periodic"); // channel 0, mode 2, 100 Hz
        Timer(c, 0x34, TimerCount);
        c.ret();
    }

    /// <summary>Emits the IDT and the standard hooks.</summary>
    /// <param name="k">The kernel being built.</param>
    public static void EmitTables(KernelAssembler k)
    {
        const byte interruptGate = 0x8E;
        const byte trapGate = 0x8F;
        const byte callableFromRing3 = 0x60;

        k.Align(16, 0);
        k.Mark("idt");
        var present = Vectors.ToHashSet();
        for (int vector = 0; vector < Layout.VectorCount; vector++)
        {
            byte access = vector switch
            {
                3 or 4 or Layout.SystemCall => interruptGate | callableFromRing3,
                Layout.KernelTrap => trapGate,
                _ => interruptGate,
            };
            uint target = present.Contains(vector) ? k.At($"vector_{vector}") : 0;
            if (target == 0)
            {
                access &= 0x7F;
            }

            k.Words((target & 0xFFFF) | (Layout.KernelCode << 16), (target & 0xFFFF_0000) | ((uint)access << 8));
        }

        k.Mark("standard_hooks");
        for (int vector = 0; vector < Layout.VectorCount; vector++)
        {
            k.Words(vector switch
            {
                Layout.IrqBase => k.At("tick"),
                Layout.IrqBase + 4 => k.At("end_irq"),
                Layout.IrqBase + 7 or Layout.IrqBase + 15 => k.At("ignore"),
                Layout.SystemCall => k.At("system_call"),
                _ => 0,
            });
        }
    }

    /// <summary>Sets the hook of a vector.</summary>
    /// <param name="k">The kernel being built.</param>
    /// <param name="vector">The vector.</param>
    /// <param name="routine">Label of the hook: EBP is the frame, any register may change.</param>
    public static void Hook(this KernelAssembler k, byte vector, string routine) => k.Code.mov(k.Cell("hooks", vector * 4), k.At(routine));

    /// <summary>Emits the programming of timer channel 0; AL changes.</summary>
    /// <param name="c">The instruction stream.</param>
    /// <param name="mode">The control word.</param>
    /// <param name="count">The count.</param>
    public static void Timer(Assembler c, byte mode, int count)
    {
        c.mov(al, mode);
        c.@out(PitControl, al);
        TimerCountWrite(c, count);
    }

    /// <summary>Emits the write of a new count to timer channel 0; AL changes.</summary>
    /// <param name="c">The instruction stream.</param>
    /// <param name="count">The count.</param>
    public static void TimerCountWrite(Assembler c, int count)
    {
        c.mov(al, (byte)count);
        c.@out(PitChannel0, al);
        c.mov(al, (byte)(count >> 8));
        c.@out(PitChannel0, al);
    }
}
