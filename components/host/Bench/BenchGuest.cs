using Iced.Intel;
using Plexus.Host.DemoKernel;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Host.Bench;

/// <summary>The guest of a measurement: flat protected mode without paging, one instruction in a loop, then the debug-exit port.</summary>
internal static class BenchGuest
{
    /// <summary>Where the measured instruction may store.</summary>
    internal const uint Data = 0x300800;

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
        Label start = a.CreateLabel();
        Label farReturn = a.CreateLabel();
        Label top = a.CreateLabel();
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
        a.mov(__dword_ptr[Data + 0x100], rounds);
        a.Label(ref top);
        instruction.Emit(a);
        a.nop(Neighbours);
        a.dec(__dword_ptr[Data + 0x100]);
        a.jnz(top);
        a.xor(eax, eax);
        a.@out(DebugExit, al);
        a.hlt();
        using var stream = new MemoryStream();
        a.Assemble(new StreamCodeWriter(stream), LoadAddress);
        return ElfImage.Write(stream.ToArray(), LoadAddress, 0, LoadAddress, []);
    }
}
