using System.Buffers.Binary;
using Iced.Intel;
using Plexus.Messaging.Shared;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.System.Tests.Interruptions;

/// <summary>
/// A guest in paged protected mode at CPL 0: a snippet, and handlers that log what they interrupted. Pages are mapped one to one. A page fault's handler
/// puts the page-table entry back from a copy, so that the instruction runs again.
/// </summary>
internal static class GuestProgram
{
    internal const uint RamSize = 0x18000;
    internal const uint Entry = 0x4040;

    /// <summary>The snippet once more, where return addresses have the same low 16 bits.</summary>
    internal const uint TwinEntry = Entry + 0x10000;
    internal const uint PageTable = 0x2000;
    internal const uint Stack = 0x9800;
    internal const uint StackEdge = 0x9000;
    internal const uint Operand = 0xB010;

    /// <summary>Six bytes from here lie in two pages.</summary>
    internal const uint StraddlingOperand = 0xBFFD;
    internal const uint Counter = 0xBF00;
    internal const byte InterruptVector = 0x21;
    private const uint Directory = 0x1000;
    private const uint Gdt = 0x3000;
    private const uint Idt = 0x3800;

    /// <summary>As the GDT, but the code ends 4 KiB before 4 GiB.</summary>
    internal const uint OtherGdt = 0x3400;
    internal const uint Handlers = 0x5000;
    private const uint LogPointer = 0x6000;
    private const uint PageTableCopy = 0x7000;
    private const uint Present = 0x63;
    private static readonly int[] Vectors = [0, 1, 2, 6, 12, 13, 14, InterruptVector];

    /// <summary>The guest's memory.</summary>
    internal static byte[] Image(Shape shape)
    {
        byte[] ram = new byte[RamSize];
        new Random(80586).NextBytes(ram.AsSpan(0x8000, 0x5000));
        Write(ram, Directory, PageTable | Present);
        for (uint page = 0; page < RamSize >> 12; page++)
        {
            Write(ram, PageTable + (page * 4), (page << 12) | Present);
            Write(ram, PageTableCopy + (page * 4), (page << 12) | Present);
        }

        foreach (uint page in shape.Unmapped)
            Write(ram, PageTable + (page * 4), 0);
        foreach (uint page in shape.WriteProtected)
            Write(ram, PageTable + (page * 4), (page << 12) | Present & ~2u);
        for (uint selector = 8; selector < 0x40; selector += 8)
        {
            Write(ram, Gdt + selector, 0x0000FFFF);
            Write(ram, Gdt + selector + 4, selector == 8 ? 0x00CF9B00u : 0x00CF9300u);
        }

        ram.AsSpan((int)Gdt, 0x40).CopyTo(ram.AsSpan((int)OtherGdt));
        Write(ram, OtherGdt + 8, 0x0000FFFE);
        Write(ram, LogPointer, LogPointer + 0x100);
        Write(ram, Counter, 2);
        WriteHandlers(ram);
        Assemble(shape.Code, Entry).CopyTo(ram.AsSpan((int)Entry));
        Assemble(shape.Code, TwinEntry).CopyTo(ram.AsSpan((int)TwinEntry));
        for (uint at = 0; at < 64; at += 4)
        {
            if (shape.StackImage is { } image && shape.Esp + at + 4 <= RamSize)
                Write(ram, shape.Esp + at, image);
        }

        return ram;
    }

    /// <summary>The state at the beginning of the snippet.</summary>
    internal static void Arrange(ref VcpuBlock v, Shape shape, uint entry)
    {
        v = default;
        v.NanosecondsPerInstruction = 10;
        v.Cr0 = 0x8001_0011;
        v.Cr3 = Directory;
        v.Eip = entry;
        v.Eflags = 0x8D7u | (shape.InterruptsEnabled ? 0x200u : 0);
        v.GdtBase = Gdt;
        v.GdtLimit = 0x3F;
        v.IdtBase = Idt;
        v.IdtLimit = 0x7FF;
        unsafe
        {
            v.Dr[6] = 0xFFFF0FF0;
            v.Dr[7] = 0x400;
        }

        uint[] registers = [0x1111_1180, 0x2222_2222, 0x3333_0021, 0x4444_4444, shape.Esp, 0x0000_9900, Operand, 0x0000_B800];
        for (int i = 0; i < registers.Length; i++)
            v.SetGpr(i, registers[i]);
        for (int i = 0; i < 8; i++)
        {
            v.Segments[i] = new SegmentRegister
            {
                Selector = (ushort)((SegmentIndex)i switch { SegmentIndex.Cs => 0x08, SegmentIndex.Ss => 0x10, SegmentIndex.Ldtr => 0x50, SegmentIndex.Tr => 0x58, _ => 0x18 + (i & 3) * 8 }),
                Attributes = (ushort)((SegmentIndex)i switch { SegmentIndex.Cs => 0xC09B, SegmentIndex.Ldtr => 0x0082, SegmentIndex.Tr => 0x008B, _ => 0xC093 }),
                Limit = i < (int)SegmentIndex.Ldtr ? uint.MaxValue : 0x67,
                Usable = 1,
            };
        }

        shape.Registers?.Invoke(ref v);
    }

    private static byte[] Assemble(Action<Assembler> write, uint at)
    {
        Assembler a = new(32);
        write(a);
        for (int i = 0; i < 4; i++)
            a.hlt();
        return Bytes(a, at);
    }

    private static byte[] Bytes(Assembler a, uint at)
    {
        using MemoryStream stream = new();
        a.Assemble(new StreamCodeWriter(stream), at);
        return stream.ToArray();
    }

    private static void WriteHandlers(byte[] ram)
    {
        Assembler a = new(32);
        Label common = a.CreateLabel();
        Label[] entries = new Label[Vectors.Length];
        for (int i = 0; i < Vectors.Length; i++)
        {
            entries[i] = a.CreateLabel();
            a.Label(ref entries[i]);
            if (Vectors[i] is not (12 or 13 or 14))
                a.push(0);
            a.push(Vectors[i]);
            a.jmp(common);
        }

        WriteCommon(a, ref common);
        using MemoryStream stream = new();
        AssemblerResult result = a.Assemble(new StreamCodeWriter(stream), Handlers, BlockEncoderOptions.ReturnNewInstructionOffsets);
        stream.ToArray().CopyTo(ram.AsSpan((int)Handlers));
        for (int i = 0; i < Vectors.Length; i++)
        {
            uint at = (uint)result.GetLabelRIP(entries[i]);
            Write(ram, Idt + ((uint)Vectors[i] * 8), (8u << 16) | (at & 0xFFFF));
            Write(ram, Idt + ((uint)Vectors[i] * 8) + 4, (at & 0xFFFF0000) | 0x8E00);
        }
    }

    /// <summary>Vector, error code, EIP, EFLAGS and CR2 go to the log; then the fault is mended, or the machine ends.</summary>
    private static void WriteCommon(Assembler a, ref Label common)
    {
        Label mend = a.CreateLabel();
        Label leave = a.CreateLabel();
        Label end = a.CreateLabel();
        a.Label(ref common);
        a.pushad();
        a.mov(edi, __dword_ptr[LogPointer]);
        for (int i = 0; i < 5; i++)
        {
            if (i == 4)
                a.mov(eax, cr2);
            else
                a.mov(eax, __dword_ptr[esp + (i == 3 ? 48 : 32 + (i * 4))]);
            a.mov(__dword_ptr[edi + (i * 4)], eax);
        }

        a.add(edi, 20);
        a.mov(__dword_ptr[LogPointer], edi);
        a.mov(eax, __dword_ptr[esp + 32]);
        a.cmp(eax, 14);
        a.je(mend);
        a.test(eax, eax);
        a.je(end);
        a.cmp(eax, 6);
        a.je(end);
        a.cmp(eax, 12);
        a.je(end);
        a.cmp(eax, 13);
        a.jne(leave);
        a.Label(ref end);
        a.hlt();
        a.Label(ref mend);
        a.mov(eax, cr2);
        a.mov(ecx, eax);
        a.shr(ecx, 12);
        a.cmp(ecx, (int)(RamSize >> 12));
        a.jae(end);
        a.mov(ebx, __dword_ptr[(ecx * 4) + PageTableCopy]);
        a.mov(__dword_ptr[(ecx * 4) + PageTable], ebx);
        a.invlpg(__byte_ptr[eax]);
        a.Label(ref leave);
        a.popad();
        a.lea(esp, __[esp + 8]);
        a.iretd();
    }

    private static void Write(byte[] ram, uint address, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(ram.AsSpan((int)address), value);
}
