namespace Plexus.System.Tests.Adversaries;

/// <summary>Where an adversary's memory lies. The kernel is mapped at <see cref="KernelBase"/> + physical address, 4 MiB; user pages have a page table of their own.</summary>
internal static class AdversaryLayout
{
    /// <summary>Linear address of physical address 0 in the kernel.</summary>
    public const uint KernelBase = 0xC000_0000;

    /// <summary>Physical address the image is loaded to.</summary>
    public const uint Load = 0x10_0000;

    /// <summary>Offset of the user program in the image.</summary>
    public const uint UserOffset = 0x4_0000;

    /// <summary>Physical address of user page 0.</summary>
    public const uint UserFrames = Load + UserOffset;

    /// <summary>Linear address of the user program; 128 writable pages.</summary>
    public const uint User = 0x40_0000;

    /// <summary>The last user page, not present at first; the one before it is the supervisor's.</summary>
    public const uint UserAbsent = User + 0x7_F000, UserSupervisor = User + 0x7_E000;

    /// <summary>Pages the user program may use as it likes.</summary>
    public const uint UserScratch = User + 0x5_0000;

    /// <summary>Cells of the user program, and the top of its stack.</summary>
    public const uint UserCells = User + 0x4_0800, UserStack = User + 0x4_8000;

    public const uint Directory = KernelBase + 0x20_0000;
    public const uint KernelTable = KernelBase + 0x20_1000;
    public const uint UserTable = KernelBase + 0x20_2000;

    /// <summary>A page table for the adversary's own use, empty at first, and a frame for it to map.</summary>
    public const uint SpareTable = KernelBase + 0x20_3000, SpareFrame = 0x22_0000;

    public const uint Gdt = KernelBase + 0x20_4000;
    public const uint Idt = KernelBase + 0x20_5000;
    public const uint Tss = KernelBase + 0x20_6000;
    public const uint Ldt = KernelBase + 0x20_7000;

    /// <summary>A page of the kernel's that must never change or be read by the user program: <see cref="SecretValue"/> throughout.</summary>
    public const uint Secret = KernelBase + 0x20_8000;

    public const uint SecretValue = 0x5EC2_E701;

    /// <summary>Cells of the kernel part, and the top of its stack; the user program's faults have another.</summary>
    public const uint KernelCells = KernelBase + 0x20_9000, KernelStack = KernelBase + 0x21_0000, FaultStack = KernelBase + 0x21_8000;

    /// <summary>Pages the kernel part may use as it likes.</summary>
    public const uint KernelScratch = KernelBase + 0x23_0000;

    /// <summary>Offsets of cells: where to go on after a fault, the present value of a loop, a place for operands.</summary>
    public const uint Resume = 0, Counter = 4, Operand = 16, Hash = 64, Count = 68, Index = 72;

    public const ushort KernelCode = 0x08, KernelData = 0x10, UserCode = 0x1B, UserData = 0x23, TaskState = 0x28;

    /// <summary>Call gates to the kernel, for ring 3 and for ring 0.</summary>
    public const ushort UserGate = 0x30, KernelGate = 0x38;

    public const ushort LocalTable = 0x68;

    /// <summary>Calls into the kernel: end, end a step, and the first of the adversary's own services. Any other interrupt is an outcome.</summary>
    public const byte SystemCall = 0x80;

    public const int CallExit = 0, CallStep = 2, CallService = 16;

    /// <summary>The debug console.</summary>
    public const byte ConsolePort = 0xE9;
}
