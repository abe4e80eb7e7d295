namespace Plexus.Host.DemoKernel;

/// <summary>
/// Where everything of the demo kernel lies. The kernel is linked at <see cref="KernelBase"/> + physical address; the first 4 MiB of memory are mapped there.
/// </summary>
internal static class Layout
{
    /// <summary>Linear address of physical address 0.</summary>
    public const uint KernelBase = 0xC000_0000;

    /// <summary>Physical address the image is loaded at.</summary>
    public const uint ImageBase = 0x0010_0000;

    /// <summary>Bytes in a page.</summary>
    public const uint Page = 0x1000;

    // Physical pages the kernel uses besides its image.
    public const uint KernelDirectory = 0x0018_0000;
    public const uint KernelPageTable = 0x0018_1000;
    public const uint WindowPageTable = 0x0018_2000;
    public const uint UserPageTable = 0x0018_3000;
    public const uint TaskDirectories = 0x0018_4000; // two pages
    public const uint TaskPageTables = 0x0018_6000; // two pages
    public const uint TaskKernelStacks = 0x0018_8000; // two pages
    public const uint BootStack = 0x0018_C000; // four pages
    public const uint BootStackTop = 0x0019_0000;

    /// <summary>Pages the checks write code and data to (64).</summary>
    public const uint ScratchFrames = 0x0020_0000;

    public const uint UserDataFrame = 0x0024_0000;
    public const uint UserStackFrame = 0x0024_1000;
    public const uint TaskDataFrames = 0x0024_2000; // two pages
    public const uint TaskStackFrames = 0x0024_4000; // two pages

    /// <summary>First page handed out by the demand pager.</summary>
    public const uint FramePool = 0x0028_0000;

    /// <summary>4 MiB of linear addresses whose page table the checks edit.</summary>
    public const uint Window = 0xC040_0000;

    /// <summary>4 MiB of linear addresses mapped by one large page during a check.</summary>
    public const uint LargePage = 0xC080_0000;

    // The ring-3 half, the same in every address space.
    public const uint UserText = 0x0040_0000;
    public const uint UserData = 0x0041_0000;
    public const uint UserStackTop = 0x0042_1000;
    public const uint UserHeap = 0x0050_0000;
    public const uint UserHeapEnd = 0x0060_0000;

    /// <summary>Pages reserved for ring-3 code.</summary>
    public const int UserTextPages = 2;

    // Selectors.
    public const ushort KernelCode = 0x08;
    public const ushort KernelData = 0x10;
    public const ushort UserCode = 0x1B;
    public const ushort UserDataSelector = 0x23;
    public const ushort TaskState = 0x28;
    public const ushort ExecuteOnlyCode = 0x30;
    public const ushort AbsentData = 0x38;
    public const ushort ReadOnlyData = 0x40;
    public const ushort BasedData = 0x48;
    public const ushort LocalTable = 0x50;
    public const ushort UserGate = 0x58;
    public const ushort SpareTaskState = 0x60;
    public const ushort AbsentTaskState = 0x68;
    public const ushort ConformingCode = 0x70;
    public const ushort UntouchedData = 0x78;
    public const ushort KernelGate = 0x80;
    public const ushort ShortCode = 0x88;
    public const ushort BasedCode = 0x90;

    /// <summary>First selector beyond the GDT limit.</summary>
    public const ushort BeyondTable = 0x98;

    // Interrupt vectors.
    public const byte IrqBase = 0x20;
    public const byte SystemCall = 0x80;
    public const byte KernelInterrupt = 0x81;
    public const byte KernelTrap = 0x82;
    public const byte AbsentVector = 0x83;

    /// <summary>First vector beyond the IDT limit.</summary>
    public const byte VectorCount = 0x84;

    // EFLAGS.
    public const uint FlagIf = 0x200;
    public const uint FlagTf = 0x100;
    public const uint FlagIopl = 0x3000;
    public const uint FlagNt = 0x4000;
    public const uint FlagAc = 0x4_0000;
    public const uint FlagId = 0x20_0000;

    // Ports.
    public const byte DebugExit = 0xF4;
    public const ushort ShutdownPort = 0x8900;
    public const ushort Uart = 0x3F8;

    /// <summary>The debug-exit value that says success on a platform without the shutdown port: exit code 33.</summary>
    public const byte SuccessValue = 0x10;

    /// <summary>Linear address of a scratch page in the direct map.</summary>
    /// <param name="index">0 to 63.</param>
    public static uint Scratch(int index) => KernelBase + ScratchFrame(index);

    /// <summary>Physical address of a scratch page.</summary>
    /// <param name="index">0 to 63.</param>
    public static uint ScratchFrame(int index) => ScratchFrames + ((uint)index * Page);

    /// <summary>Linear address, in the direct map, of a window page's table entry.</summary>
    /// <param name="index">Page of the window.</param>
    public static uint WindowEntry(int index) => KernelBase + WindowPageTable + ((uint)index * 4);

    /// <summary>Linear address of a window page.</summary>
    /// <param name="index">Page of the window.</param>
    public static uint WindowPage(int index) => Window + ((uint)index * Page);
}
