using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Host.DemoKernel;

/// <summary>
/// Output on COM1, a 16550A at 3F8h. The transmit FIFO is filled, 16 bytes at a time, each time the line status says that it is empty (National PC16550D).
/// Until then the kernel sleeps: with every interrupt but the port's own masked, it halts until the transmitter reports that it is empty.
/// </summary>
internal static class SerialConsole
{
    private const ushort DivisorLow = Layout.Uart;
    private const ushort InterruptEnable = Layout.Uart + 1;
    private const ushort FifoControl = Layout.Uart + 2;
    private const ushort LineControl = Layout.Uart + 3;
    private const ushort ModemControl = Layout.Uart + 4;
    private const ushort LineStatus = Layout.Uart + 5;
    private const int TransmitHoldingEmpty = 0x20;
    private const int FifoDepth = 16;

    /// <summary>COM1's interrupt request line.</summary>
    private const int Irq = 4;

    /// <summary>Emits <c>console_init</c>, <c>put_char</c> (AL), <c>put_string</c> (ESI) and <c>put_hex</c> (EAX); they keep all registers.</summary>
    /// <param name="k">The kernel being built.</param>
    public static void Emit(KernelAssembler k)
    {
        Assembler c = k.Code;

        k.Mark("console_init");
        (ushort Port, byte Value)[] setup =
        [
            (InterruptEnable, 0x00),
            (LineControl, 0x83),     // 8n1, divisor latch open
            (DivisorLow, 0x01),      // 115,200 bits per second
            (InterruptEnable, 0x00),
            (LineControl, 0x03),
            (FifoControl, 0x07),     // FIFOs on, both emptied
            (ModemControl, 0x0B),    // DTR, RTS, and OUT2, which lets the interrupt through on a PC
            (InterruptEnable, 0x02), // transmitter empty
        ];
        foreach ((ushort port, byte value) in setup)
        {
            c.mov(dx, port);
            c.mov(al, value);
            c.@out(dx, al);
        }

        c.mov(k.Cell("fifo_room"), 0);
        c.ret();

        k.Mark("put_char");
        c.push(edx);
        c.push(eax);
        c.cmp(k.Cell("fifo_room"), 0);
        c.jnz(k["put_char_room"]);
        c.mov(dx, LineStatus);
        k.Mark("put_char_wait");
        c.@in(al, dx);
        c.test(al, TransmitHoldingEmpty);
        c.jnz(k["put_char_empty"]);
        c.@in(al, Interrupts.PicMask);
        c.push(eax);
        c.pushfd();

        // The transmitter may have become empty since it was looked at: the interrupt waits for the HLT.
        c.cli();
        c.mov(al, unchecked((byte)~(1 << Irq)));
        c.@out(Interrupts.PicMask, al);
        c.sti();
        c.hlt();
        c.popfd();
        c.pop(eax);
        c.@out(Interrupts.PicMask, al);
        c.jmp(k["put_char_wait"]);
        k.Mark("put_char_empty");
        c.mov(k.Cell("fifo_room"), FifoDepth);
        k.Mark("put_char_room");
        c.dec(k.Cell("fifo_room"));
        c.pop(eax);
        c.mov(dx, Layout.Uart);
        c.@out(dx, al);
        c.pop(edx);
        c.ret();

        k.Mark("put_string");
        c.push(esi);
        c.push(eax);
        k.Mark("put_string_next");
        c.lodsb();
        c.test(al, al);
        c.jz(k["put_string_end"]);
        c.call(k["put_char"]);
        c.jmp(k["put_string_next"]);
        k.Mark("put_string_end");
        c.pop(eax);
        c.pop(esi);
        c.ret();

        k.Mark("put_hex");
        c.pushad();
        c.mov(ecx, 8);
        c.mov(ebx, eax);
        k.Mark("put_hex_next");
        c.rol(ebx, 4);
        c.mov(eax, ebx);
        c.and(eax, 15);
        c.cmp(al, 10);
        c.jb(k["put_hex_digit"]);
        c.add(al, (byte)('A' - '0' - 10));
        k.Mark("put_hex_digit");
        c.add(al, (byte)'0');
        c.call(k["put_char"]);
        c.dec(ecx);
        c.jnz(k["put_hex_next"]);
        c.popad();
        c.ret();

        // EAX in decimal.
        k.Mark("put_number");
        c.pushad();
        c.mov(ebx, 10);
        c.xor(ecx, ecx);
        k.Mark("put_number_divide");
        c.xor(edx, edx);
        c.div(ebx);
        c.push(edx);
        c.inc(ecx);
        c.test(eax, eax);
        c.jnz(k["put_number_divide"]);
        k.Mark("put_number_digit");
        c.pop(eax);
        c.add(al, (byte)'0');
        c.call(k["put_char"]);
        c.dec(ecx);
        c.jnz(k["put_number_digit"]);
        c.popad();
        c.ret();
    }

    /// <summary>Prints a constant string; all registers are kept.</summary>
    /// <param name="k">The kernel being built.</param>
    /// <param name="text">What to print.</param>
    public static void Print(this KernelAssembler k, string text)
    {
        k.Code.push(esi);
        k.Code.mov(esi, k.Text(text));
        k.Code.call(k["put_string"]);
        k.Code.pop(esi);
    }
}
