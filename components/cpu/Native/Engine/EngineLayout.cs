namespace Plexus.Cpu.Native.Engine;

/// <summary>
/// The two regions that a guest container and the monitor talk through, both above 4 GiB in the container. The <em>state</em> is writable there: what the guest left, and its signal stack.
/// The <em>orders</em> are read-only there: registers to enter with, the ring-3 gates, and system calls for the container's second thread to make. What the monitor
/// relies on is in the second alone.
/// </summary>
internal static class EngineLayout
{
    /// <summary>Where the program is in the container, and the most it may take.</summary>
    public const ulong Program = 0x1_4000_0000;

    public const int ProgramSize = 0x1_0000;

    /// <summary>The state: one page, then the signal stack.</summary>
    public const ulong State = 0x1_5000_0000;

    /// <summary>The signal stack; a frame with AVX-512 state has less than 4 KiB.</summary>
    public const int SignalStack = 0x1000, SignalStackSize = 0x1_0000, StateSize = SignalStack + SignalStackSize;

    /// <summary>1: the guest's thread may go on. It alone takes it back; the monitor and the mapper set it.</summary>
    public const int GuestGo = 0x00;

    /// <summary>1: the monitor may go on.</summary>
    public const int MonitorGo = 0x40;

    /// <summary>1: the guest's thread is about to sleep, or sleeps.</summary>
    public const int GuestSleeps = 0x80;

    /// <summary>The step of starting up that is under way (<see cref="StartStage"/>), and the negative error number of one that failed.</summary>
    public const int Stage = 0xC0, Error = 0xC4;

    /// <summary>The negative error number of an order that failed, 0 for none.</summary>
    public const int OrderError = 0xC8;

    /// <summary>The second thread's id.</summary>
    public const int MapperThread = 0xD0;

    /// <summary>1: the second thread's filter is in force.</summary>
    public const int MapperReady = 0xD4;

    /// <summary>What ended a run: signal, vector, error code, CS, CR2, general registers in encoding order, RIP, EFLAGS; and, when it was the push of a gate's frame that faulted, 100h and the vector that the gate is for.</summary>
    public const int Signal = 0x100, Vector = 0x104, ErrorCode = 0x108, Cs = 0x10C, Cr2 = 0x110, Registers = 0x120, Rip = 0x140, Eflags = 0x148, GatePush = 0x14C;

    /// <summary>The host's time-stamp counter when the guest's thread last published an exit, and when it last took the turn.</summary>
    public const int Left = 0x158, Entered = 0x160;

    /// <summary>Ring-3 gates taken since the start.</summary>
    public const int GatesTaken = 0x150;

    /// <summary>1: a kick came while this program itself ran, since the guest's thread took the turn.</summary>
    public const int KickSeen = 0x168;

    /// <summary>Where a ring-3 gate leads that is about to be taken: EIP, ESP, EFLAGS, CS; and the address of the frame of the exception it is taken for.</summary>
    public const int GoOnEip = 0x16C, GoOnEsp = 0x170, GoOnEflags = 0x174, GoOnCs = 0x178, GoOnFrame = 0x180;

    /// <summary>x87, MMX and SSE state, in the layout of FXSAVE64.</summary>
    public const int ExitFx = 0x200;

    /// <summary>The orders: one page, then the system calls.</summary>
    public const ulong Orders = 0x1_6000_0000;

    public const int OrdersAt = 0x1000, OrderSize = 64, MaximumOrders = 1024, OrdersSize = OrdersAt + (OrderSize * MaximumOrders);

    /// <summary>Raised for each batch of system calls, how many there are, and 1 when the guest is to go on behind them.</summary>
    public const int Posted = 0x00, Count = 0x04, ThenGuest = 0x08;

    /// <summary>How often the guest's thread looks at <see cref="GuestGo"/> before it sleeps.</summary>
    public const int Spins = 0x0C;

    /// <summary>1: the monitor is about to sleep, or sleeps.</summary>
    public const int MonitorSleeps = 0x40;

    /// <summary>Registers to enter with: general registers in encoding order, EIP, EFLAGS, CS, SS, DS, ES, FS, GS.</summary>
    public const int EntryRegisters = 0x80, EntryEip = 0xA0, EntryEflags = 0xA4, EntryCs = 0xA8, EntrySs = 0xAC, EntryDs = 0xB0, EntryEs = 0xB4, EntryFs = 0xB8, EntryGs = 0xBC;

    /// <summary>EIPs of the ring-3 gates by vector, 0 for none; at index 32 the selector they lead through.</summary>
    public const int Gates = 0x100, GateSelector = 0x180;

    /// <summary>Linear address of the branch table, by which an INT3 is found that has ring-3 code; 0 for none.</summary>
    public const int BranchTable = 0x184;

    /// <summary>x87, MMX and SSE state to enter with, in the layout of FXSAVE without REX.W.</summary>
    public const int EntryFx = 0x200;

    /// <summary>Structures for starting up.</summary>
    public const int StackDescription = 0x400, Action = 0x420, Limits = 0x440, FirstSegment = 0x450, GuestSignals = 0x460, AllSignals = 0x468, GuestFilterDescription = 0x470, MapperFilterDescription = 0x480, Name = 0x490;

    /// <summary>The filters' programs.</summary>
    public const int GuestFilter = 0x500, MapperFilter = 0x780, FilterLength = 0x280;

    /// <summary><c>struct user_desc</c> by LDT entry.</summary>
    public const int Segments = 0xA00, SegmentSize = 16, MaximumSegments = 64;
}
