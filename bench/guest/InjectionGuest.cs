using System.Buffers.Binary;
using Iced.Intel;
using Plexus.Devices;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Guest.Bench;

/// <summary>
/// A kernel that does nothing but arithmetic with interrupts enabled, at CPL 0 or at CPL 3. The handler of <see cref="InterruptSource"/>'s line reads the time-stamp counter first of all,
/// and writes it to the device. The timer ticks as Linux has it.
/// </summary>
internal static class InjectionGuest
{
    /// <summary>The request line that is measured.</summary>
    public const int Irq = 5;

    private const uint Load = 0x10_0000, HeaderSize = 32, Magic = 0x1BAD_B002, AddressFields = 1 << 16;
    private const uint Tables = 0x9_0000, Gdt = Tables, Idt = Tables + 0x100, TaskState = Tables + 0x400, Pointer = Tables + 0x600;
    private const uint KernelStack = 0x8_0000, UserStack = 0x7_0000;
    private const ushort KernelCode = 0x08, KernelData = 0x10, UserCode = 0x18 | 3, UserData = 0x20 | 3, Task = 0x28;
    private const int Vectors = 0x20, TickHertz = 250;
    private const int InterruptFlag = 0x202;
    private const byte MasterCommand = 0x20, MasterData = 0x21, SlaveCommand = 0xA0, SlaveData = 0xA1, EndOfInterrupt = 0x20, TimerControl = 0x43, TimerData = 0x40;

    /// <summary>A Multiboot-1 image.</summary>
    /// <param name="port">The device's port.</param>
    /// <param name="user">The arithmetic is at CPL 3.</param>
    public static byte[] Assemble(ushort port, bool user)
    {
        Assembler c = new(32);
        Label flat = c.CreateLabel(), far = c.CreateLabel();
        c.dd(Magic, AddressFields, unchecked(0 - Magic - AddressFields), Load);
        c.dd(Load, 0, 0, Load + HeaderSize);
        c.cli();
        Descriptors(c);
        c.push(KernelCode);
        c.call(far);
        c.jmp(flat);
        c.Label(ref far);
        c.retf();
        c.Label(ref flat);
        c.mov(eax, KernelData);
        c.mov(ds, eax);
        c.mov(es, eax);
        c.mov(ss, eax);
        c.mov(esp, KernelStack);
        Gate(c, Vectors, () => Return(c));
        Gate(c, Vectors + Irq, () =>
        {
            c.rdtsc();
            c.mov(edx, port);
            c.@out(dx, eax);
            Return(c);
        });
        LoadTable(c, Idt, (Vectors + 16) * 8);
        c.lidt(__[Pointer]);
        InterruptControllers(c);
        Timer(c);
        c.mov(edx, port + InterruptSource.Ready);
        c.@out(dx, eax);
        if (user)
        {
            Address(c, () => Arithmetic(c));
            c.mov(__dword_ptr[TaskState + 4], KernelStack);
            c.mov(__dword_ptr[TaskState + 8], KernelData);
            c.mov(ecx, Task);
            c.ltr(cx);
            c.push(UserData);
            c.push((int)UserStack);
            c.push(InterruptFlag);
            c.push(UserCode);
            c.push(eax);
            c.iretd();
        }

        c.sti();
        Arithmetic(c);
        using MemoryStream image = new();
        c.Assemble(new StreamCodeWriter(image), Load);
        return image.ToArray();
    }

    /// <summary>Flat segments of both rings, and a task state segment for the stack of CPL 0.</summary>
    private static void Descriptors(Assembler c)
    {
        const ulong flat = 0x00CF_0000_0000_FFFF;
        ReadOnlySpan<ulong> descriptors = [0, flat | (0x9Bul << 40), flat | (0x93ul << 40), flat | (0xFBul << 40), flat | (0xF3ul << 40), 0x67 | ((ulong)TaskState << 16) | (0x89ul << 40)];
        for (int i = 0; i < descriptors.Length; i++)
        {
            c.mov(__dword_ptr[Gdt + (i * 8)], unchecked((int)(uint)descriptors[i]));
            c.mov(__dword_ptr[Gdt + (i * 8) + 4], (int)(descriptors[i] >> 32));
        }

        c.mov(esp, KernelStack);
        LoadTable(c, Gdt, descriptors.Length * 8);
        c.lgdt(__[Pointer]);
    }

    /// <summary>Code that is not executed where it stands; EAX is where it begins.</summary>
    private static void Address(Assembler c, Action code)
    {
        Label behind = c.CreateLabel();
        c.call(behind);
        code();
        c.Label(ref behind);
        c.pop(eax);
    }

    /// <summary>For ever; the handlers' registers are others.</summary>
    private static void Arithmetic(Assembler c)
    {
        Label again = c.CreateLabel();
        c.Label(ref again);
        c.imul(ecx, ecx, 0x41C6_4E6D);
        c.add(ecx, 0x3039);
        c.xor(esi, ecx);
        c.jmp(again);
    }

    private static void LoadTable(Assembler c, uint at, int size)
    {
        c.mov(__word_ptr[Pointer], (short)(size - 1));
        c.mov(__dword_ptr[Pointer + 2], (int)at);
    }

    /// <summary>An interrupt gate.</summary>
    private static void Gate(Assembler c, int vector, Action handler)
    {
        Address(c, handler);
        c.mov(edx, eax);
        c.and(eax, 0xFFFF);
        c.or(eax, KernelCode << 16);
        c.and(edx, unchecked((int)0xFFFF_0000));
        c.or(edx, 0x8E00);
        c.mov(__dword_ptr[Idt + (vector * 8)], eax);
        c.mov(__dword_ptr[Idt + (vector * 8) + 4], edx);
    }

    /// <summary>ICW1 to ICW4 of both (8259A datasheet), and masks that let the timer and the device through.</summary>
    private static void InterruptControllers(Assembler c)
    {
        ReadOnlySpan<(byte Port, int Value)> writes =
        [
            (MasterCommand, 0x11), (SlaveCommand, 0x11), (MasterData, Vectors), (SlaveData, Vectors + 8), (MasterData, 4), (SlaveData, 2), (MasterData, 1), (SlaveData, 1),
            (MasterData, ~(1 | (1 << Irq)) & 0xFF), (SlaveData, 0xFF),
        ];
        foreach ((byte port, int value) in writes)
        {
            c.mov(al, (byte)value);
            c.@out(port, al);
        }
    }

    /// <summary>Counter 0, mode 2.</summary>
    private static void Timer(Assembler c)
    {
        Span<byte> divisor = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16LittleEndian(divisor, (ushort)(Pit8254.Frequency / TickHertz));
        c.mov(al, 0x34);
        c.@out(TimerControl, al);
        foreach (byte half in divisor)
        {
            c.mov(al, half);
            c.@out(TimerData, al);
        }
    }

    private static void Return(Assembler c)
    {
        c.mov(al, EndOfInterrupt);
        c.@out(MasterCommand, al);
        c.iretd();
    }
}
