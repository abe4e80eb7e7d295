using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Host.Tests.Gdb;

/// <summary>Pieces of guests.</summary>
internal static class Guests
{
    private const uint Idt = 0x9_0000;
    private const uint IdtPointer = GdbRig.Data + 0xF00;
    private const byte DebugExit = 0xF4;

    /// <summary>Ends the guest with an exit code of <c>(value &lt;&lt; 1) | 1</c>.</summary>
    public static void Exit(Assembler c, byte value)
    {
        c.mov(al, value);
        c.@out(DebugExit, al);
    }

    /// <summary>A stack, and a handler for a vector.</summary>
    public static void Install(Assembler c, byte vector, Action handler)
    {
        Label behind = c.CreateLabel();
        Stack(c);
        c.call(behind);
        handler();
        c.Label(ref behind);
        c.pop(eax);
        c.mov(edx, eax);
        c.and(eax, 0xFFFF);
        c.or(eax, 0x10_0000);
        c.and(edx, unchecked((int)0xFFFF_0000));
        c.or(edx, 0x8E00);
        c.mov(__dword_ptr[Idt + (vector * 8u)], eax);
        c.mov(__dword_ptr[Idt + (vector * 8u) + 4], edx);
        c.mov(__word_ptr[IdtPointer], 0x7FF);
        c.mov(__dword_ptr[IdtPointer + 2], Idt);
        c.lidt(__[IdtPointer]);
    }

    /// <summary>A stack.</summary>
    public static void Stack(Assembler c) => c.mov(esp, 0x8_0000);

    /// <summary>
    /// Counts in ECX and at <see cref="GdbRig.Data"/>, until something writes an exit value to the dword behind it.
    /// </summary>
    public static void Counter(Assembler c, Action<string> mark)
    {
        Label again = c.CreateLabel();
        Stack(c);
        c.xor(ecx, ecx);
        mark("loop");
        c.Label(ref again);
        c.inc(ecx);
        mark("store");
        c.mov(__dword_ptr[GdbRig.Data], ecx);
        mark("load");
        c.mov(eax, __dword_ptr[GdbRig.Data + 4]);
        mark("test");
        c.test(eax, eax);
        c.jz(again);
        mark("out");
        c.@out(DebugExit, al);
    }
}
