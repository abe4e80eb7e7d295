using Iced.Intel;
using Plexus.Host.DemoKernel;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Host.Bench;

/// <summary>The guest of a measurement: flat protected mode without paging, one instruction in a loop, then the debug-exit port.</summary>
internal static class BenchGuest
{
    /// <summary>Where the measured instruction may store.</summary>
    internal const uint Data = 0x300800;

    /// <summary>Time stamps before and behind what is timed.</summary>
    internal const uint BeforeCell = Data + 0x110, AfterCell = Data + 0x118;

    /// <summary>The data selector of the guest's GDT.</summary>
    internal const ushort DataSelector = 0x10;

    /// <summary>A vector whose handler only returns.</summary>
    internal const byte SoftwareVector = 0x30;

    private const uint LoadAddress = 0x200000;
    private const uint Stack = 0x2F0000;
    private const uint Tables = 0x300000;
    private const uint InterruptTable = 0x301000;
    private const ushort CodeSelector = 0x08;
    private const byte DebugExit = 0xF4;
    private const uint FlatCodeHigh = 0x00CF9B00;
    private const uint FlatDataHigh = 0x00CF9300;
    private const uint InterruptGateHigh = 0x8E00;

    /// <summary>Neighbours: what a five-byte patch overwrites.</summary>
    private const int Neighbours = 6;

    /// <summary>Builds the image.</summary>
    /// <param name="instruction">What to measure.</param>
    /// <param name="rounds">How often.</param>
    /// <returns>An ELF32 executable.</returns>
    internal static byte[] Build(BenchInstruction instruction, uint rounds)
    {
        var a = new Assembler(32);
        Begin(a);
        Label top = a.CreateLabel();
        a.mov(__dword_ptr[Data + 0x100], rounds);
        a.Label(ref top);
        instruction.Emit(a);
        a.nop(Neighbours);
        a.dec(__dword_ptr[Data + 0x100]);
        a.jnz(top);
        return End(a);
    }

    /// <summary>Builds the image of a timed measurement: the loop runs once to become warm and once between two readings of the time-stamp counter.</summary>
    /// <param name="emit">Emits what to measure; nothing for the loop alone.</param>
    /// <param name="warm">Rounds before.</param>
    /// <param name="rounds">Rounds that are timed.</param>
    /// <param name="depth">Calls around it in each round: 0 for a tight loop.</param>
    internal static byte[] BuildTimed(Action<Assembler> emit, uint warm, uint rounds, int depth)
    {
        var a = new Assembler(32);
        Begin(a);
        Label loop = a.CreateLabel(), top = a.CreateLabel(), over = a.CreateLabel();
        Label[] chain = [.. Enumerable.Range(0, depth).Select(_ => a.CreateLabel())];
        Time(a, warm, BeforeCell, loop);
        Time(a, rounds, AfterCell, loop);
        a.jmp(over);
        for (int i = 0; i < depth; i++)
        {
            a.Label(ref chain[i]);
            if (i + 1 < depth)
                a.call(chain[i + 1]);
            else
                Measured(a, emit);
            a.ret();
        }

        a.Label(ref loop);
        a.nop();
        a.Label(ref top);
        if (depth != 0)
            a.call(chain[0]);
        else
            Measured(a, emit);
        a.dec(__dword_ptr[Data + 0x100]);
        a.jnz(top);
        a.ret();
        a.Label(ref over);
        a.nop();
        return End(a);
    }

    /// <summary>What is measured, with room for a patch before and behind.</summary>
    private static void Measured(Assembler a, Action<Assembler> emit)
    {
        emit(a);
        a.nop(Neighbours);
    }

    private static void Time(Assembler a, uint rounds, uint cell, Label loop)
    {
        a.mov(__dword_ptr[Data + 0x100], rounds);
        a.call(loop);
        a.rdtsc();
        a.mov(__dword_ptr[cell], eax);
        a.mov(__dword_ptr[cell + 4], edx);
    }

    private static byte[] End(Assembler a)
    {
        a.xor(eax, eax);
        a.@out(DebugExit, al);
        a.hlt();
        using var stream = new MemoryStream();
        a.Assemble(new StreamCodeWriter(stream), LoadAddress);
        return ElfImage.Write(stream.ToArray(), LoadAddress, 0, LoadAddress, []);
    }

    /// <summary>Stack, descriptor tables, segments, and a handler that only returns.</summary>
    private static void Begin(Assembler a)
    {
        Label start = a.CreateLabel();
        Label farReturn = a.CreateLabel();
        a.mov(esp, Stack);
        a.mov(__dword_ptr[Tables + 8], 0xFFFF);
        a.mov(__dword_ptr[Tables + 12], FlatCodeHigh);
        a.mov(__dword_ptr[Tables + 16], 0xFFFF);
        a.mov(__dword_ptr[Tables + 20], FlatDataHigh);
        a.mov(__word_ptr[Data], 23);
        a.mov(__dword_ptr[Data + 2], Tables);
        a.lgdt(__fword_ptr[Data]);
        a.mov(__word_ptr[Data], 0x7FF);
        a.mov(__dword_ptr[Data + 2], InterruptTable);
        a.lidt(__fword_ptr[Data]);
        a.mov(eax, DataSelector);
        foreach (AssemblerRegisterSegment segment in (AssemblerRegisterSegment[])[ds, es, ss, fs, gs])
            a.mov(segment, eax);

        // A far return to behind the call loads CS; a call over the handler leaves its address.
        a.push(CodeSelector);
        a.call(farReturn);
        a.call(start);
        a.iretd();
        a.Label(ref farReturn);
        a.retf();
        a.Label(ref start);
        a.pop(eax);
        a.movzx(ecx, ax);
        a.or(ecx, CodeSelector << 16);
        a.mov(__dword_ptr[InterruptTable + (SoftwareVector * 8)], ecx);
        a.and(eax, unchecked((int)0xFFFF0000));
        a.or(eax, (int)InterruptGateHigh);
        a.mov(__dword_ptr[InterruptTable + (SoftwareVector * 8) + 4], eax);
    }
}
