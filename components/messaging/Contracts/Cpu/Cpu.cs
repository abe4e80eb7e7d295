namespace Plexus.Messaging.Contracts.Cpu;

/// <summary>Who executes in a <see cref="Run"/>.</summary>
public enum RunMode
{
    /// <summary>The virtual processor, with the guest's own privilege; faults and interrupts are delivered inside (engine <c>emulated</c>).</summary>
    Emulated = 0,

    /// <summary>The physical processor at CPL 3 on shadow mappings; every exception ends the run (engine <c>ring3</c>).</summary>
    Deprivileged = 1,

    /// <summary>As <see cref="Emulated"/>, but ends with <see cref="ExitKind.Runnable"/> at the first instruction boundary from which the state can run deprivileged.</summary>
    Interpreted = 2,
}

/// <summary>Why a run ended.</summary>
public enum ExitKind
{
    /// <summary>An exception on the physical processor (only <see cref="RunMode.Deprivileged"/>).</summary>
    Trap = 0,

    /// <summary>Guest time reached the deadline; the state is at a guest-instruction boundary, before the next weighted instruction.</summary>
    Deadline = 1,

    /// <summary>The retire limit was reached, at a guest-instruction boundary.</summary>
    Limit = 2,

    /// <summary>HLT with interrupts possible: nothing to execute until an interrupt line rises.</summary>
    Halt = 3,

    /// <summary>The platform asked for a stop (reset, power-off, debug-exit, A20 change, host stop): see <c>PlatformLines</c>.</summary>
    Stop = 4,

    /// <summary>The state can now run deprivileged (only <see cref="RunMode.Interpreted"/>).</summary>
    Runnable = 5,

    /// <summary>Shutdown: a fault while delivering a double fault (SDM vol. 3, 6.15, #DF).</summary>
    TripleFault = 6,

    /// <summary>The guest used something that is not there yet; <see cref="CpuExit.Detail"/> names it.</summary>
    Unsupported = 7,

    /// <summary>A device moved its deadline or its interrupt line changed: recompute and run again.</summary>
    Resample = 8,
}

/// <summary>Runs the virtual CPU described by the <c>VcpuBlock</c>.</summary>
/// <param name="Mode">Who executes.</param>
/// <param name="Space">The mapping space used by <see cref="RunMode.Deprivileged"/>.</param>
/// <param name="CodeBase">The CS base of the code view in <see cref="RunMode.Deprivileged"/>: linear fetch address = EIP + CodeBase, modulo 2^32.</param>
/// <param name="Deadline">Guest time in nanoseconds at which to stop; <see cref="ulong.MaxValue"/> for none.</param>
/// <param name="RetireLimit">Value of <c>VcpuBlock.Retired</c> at which to stop; <see cref="ulong.MaxValue"/> for none.</param>
[Message(0x0201)]
public readonly partial record struct Run(
    [property: Key(0)] RunMode Mode,
    [property: Key(1)] uint Space,
    [property: Key(2)] uint CodeBase,
    [property: Key(3)] ulong Deadline,
    [property: Key(4)] ulong RetireLimit);

/// <summary>How a run ended. The register file is in the <c>VcpuBlock</c>.</summary>
/// <param name="Kind">Why.</param>
/// <param name="Vector">Exception vector of a trap. EIP is that of the faulting instruction; for #BP (3) it is one past the INT3 byte, as on the CPU.</param>
/// <param name="HasErrorCode">Whether the exception pushes an error code.</param>
/// <param name="ErrorCode">The physical error code.</param>
/// <param name="Linear">Faulting linear address of a #PF.</param>
/// <param name="Detail">For <see cref="ExitKind.Unsupported"/>: what is missing; otherwise null.</param>
[Message(0x0202)]
public readonly partial record struct CpuExit(
    [property: Key(0)] ExitKind Kind,
    [property: Key(1)] byte Vector,
    [property: Key(2)] bool HasErrorCode,
    [property: Key(3)] uint ErrorCode,
    [property: Key(4)] uint Linear,
    [property: Key(5)] string? Detail);

/// <summary>Executes exactly one guest instruction (one iteration of a REP) on the virtual processor, with the guest's own privilege and page tables.</summary>
[Message(0x0203)]
public readonly partial record struct EmulateOne;

/// <summary>How <see cref="EmulateOne"/> ended.</summary>
public enum EmulateKind
{
    /// <summary>The instruction retired; EIP is at the next one (for INT n: at the handler).</summary>
    Next = 0,

    /// <summary>The instruction faulted; nothing changed; deliver the fault with <see cref="Deliver"/>.</summary>
    GuestFault = 1,

    /// <summary>HLT retired.</summary>
    Halt = 2,

    /// <summary>The platform asked for a stop.</summary>
    Stop = 3,

    /// <summary>Something that is not there yet; see the detail.</summary>
    Unsupported = 4,

    /// <summary>A fault while delivering a double fault inside INT n.</summary>
    TripleFault = 5,
}

/// <summary>The result of one emulated instruction.</summary>
/// <param name="Kind">How it ended.</param>
/// <param name="Vector">Guest fault vector.</param>
/// <param name="HasErrorCode">Whether the fault has an error code.</param>
/// <param name="ErrorCode">Guest error code.</param>
/// <param name="Linear">Guest CR2 value of a #PF (not yet stored in CR2: <see cref="Deliver"/> stores it).</param>
/// <param name="InstructionCode">The Iced <c>Code</c> value of the instruction, 0 when it could not be fetched.</param>
/// <param name="Detail">For <see cref="EmulateKind.Unsupported"/>.</param>
[Message(0x0204)]
public readonly partial record struct Emulated(
    [property: Key(0)] EmulateKind Kind,
    [property: Key(1)] byte Vector,
    [property: Key(2)] bool HasErrorCode,
    [property: Key(3)] uint ErrorCode,
    [property: Key(4)] uint Linear,
    [property: Key(5)] int InstructionCode,
    [property: Key(6)] string? Detail);

/// <summary>Delivers an exception or an external interrupt into the guest through its own IDT; nested faults become #DF inside.</summary>
/// <param name="Vector">The vector.</param>
/// <param name="HasErrorCode">Whether an error code is pushed.</param>
/// <param name="ErrorCode">The error code; the EXT bit is the caller's.</param>
/// <param name="Linear">For #PF: the value for CR2.</param>
/// <param name="External">True for an external interrupt (leaves HLT; no DPL check; sets EXT in nested faults).</param>
[Message(0x0205)]
public readonly partial record struct Deliver(
    [property: Key(0)] byte Vector,
    [property: Key(1)] bool HasErrorCode,
    [property: Key(2)] uint ErrorCode,
    [property: Key(3)] uint Linear,
    [property: Key(4)] bool External);

/// <summary>How a delivery ended.</summary>
public enum DeliverKind
{
    /// <summary>The guest is at its handler's first instruction.</summary>
    Delivered = 0,

    /// <summary>Shutdown.</summary>
    TripleFault = 1,

    /// <summary>Not there yet (task gate, v86).</summary>
    Unsupported = 2,
}

/// <summary>The result of <see cref="Deliver"/>.</summary>
[Message(0x0206)]
public readonly partial record struct Delivered(
    [property: Key(0)] DeliverKind Kind,
    [property: Key(1)] string? Detail);

/// <summary>What an access wants of a page.</summary>
public enum PageAccess
{
    /// <summary>Data read.</summary>
    Read = 0,

    /// <summary>Data write.</summary>
    Write = 1,

    /// <summary>Instruction fetch.</summary>
    Execute = 2,
}

/// <summary>Walks the guest's own page tables.</summary>
/// <param name="Linear">Guest linear address.</param>
/// <param name="Access">The access to check.</param>
/// <param name="User">True to check as guest CPL 3.</param>
/// <param name="Commit">True to set the accessed (and, for writes, dirty) bits as the access would; false only looks.</param>
[Message(0x0207)]
public readonly partial record struct Walk(
    [property: Key(0)] uint Linear,
    [property: Key(1)] PageAccess Access,
    [property: Key(2)] bool User,
    [property: Key(3)] bool Commit);

/// <summary>The result of a guest page walk.</summary>
/// <param name="Ok">False: the access faults, with <see cref="ErrorCode"/>.</param>
/// <param name="ErrorCode">The #PF error code (SDM vol. 3, 4.7).</param>
/// <param name="Physical">Guest-physical address (A20 applied).</param>
/// <param name="Writable">A write at the same privilege would be allowed (R/W bits, WP and U/S considered).</param>
/// <param name="UserAccessible">User accesses are allowed.</param>
/// <param name="Dirty">The mapping entry's dirty bit is set (always true with paging off).</param>
/// <param name="Global">The mapping entry is global.</param>
/// <param name="DirectoryEntry">Guest-physical address of the page-directory entry used; 0 with paging off.</param>
/// <param name="TableEntry">Guest-physical address of the page-table entry used; 0 with paging off or for a 4 MiB page.</param>
[Message(0x0208)]
public readonly partial record struct Walked(
    [property: Key(0)] bool Ok,
    [property: Key(1)] uint ErrorCode,
    [property: Key(2)] ulong Physical,
    [property: Key(3)] bool Writable,
    [property: Key(4)] bool UserAccessible,
    [property: Key(5)] bool Dirty,
    [property: Key(6)] bool Global,
    [property: Key(7)] uint DirectoryEntry,
    [property: Key(8)] uint TableEntry);

/// <summary>What <see cref="ApplyMappings"/> does.</summary>
public enum MappingOperation
{
    /// <summary>Map <c>Pages</c> consecutive frames.</summary>
    Map = 0,

    /// <summary>Unmap <c>Pages</c> pages.</summary>
    Unmap = 1,

    /// <summary>Unmap everything in the space and forget it.</summary>
    Clear = 2,
}

/// <summary>Rights of a physical mapping. The data view is never executable, the code view never writable.</summary>
[Flags]
public enum MappingRights
{
    /// <summary>Readable.</summary>
    Read = 1,

    /// <summary>Writable.</summary>
    Write = 2,

    /// <summary>Executable.</summary>
    Execute = 4,
}

/// <summary>Changes one run of pages in a mapping space of the physical processor.</summary>
/// <param name="Space">The space; created on first use.</param>
/// <param name="Operation">What to do.</param>
/// <param name="LinearPage">First linear page number (linear address >> 12).</param>
/// <param name="Frame">First frame number in <c>GuestMemory</c> (RAM and arena share one numbering).</param>
/// <param name="Pages">How many pages.</param>
/// <param name="Rights">The rights.</param>
[Message(0x0209)]
public readonly partial record struct ApplyMappings(
    [property: Key(0)] uint Space,
    [property: Key(1)] MappingOperation Operation,
    [property: Key(2)] uint LinearPage,
    [property: Key(3)] uint Frame,
    [property: Key(4)] uint Pages,
    [property: Key(5)] MappingRights Rights);

/// <summary>The mappings are in force.</summary>
[Message(0x020A)]
public readonly partial record struct Applied;

/// <summary>Forget cached guest translations of the virtual processor: all (<see cref="All"/>) or one linear page.</summary>
[Message(0x020B)]
public readonly partial record struct FlushTranslations([property: Key(0)] bool All, [property: Key(1)] uint Linear);

/// <summary>Asks whether the guest state can run deprivileged (protected mode, 32-bit flat CS and SS, no TF, no v86 …).</summary>
[Message(0x020C)]
public readonly partial record struct CanRunDeprivileged;

/// <summary>The answer, with the reason when it cannot.</summary>
[Message(0x020D)]
public readonly partial record struct Runnability([property: Key(0)] bool Runnable, [property: Key(1)] string? Reason);

/// <summary>Asks what CPUID answers to the guest for one basic leaf (subleaf 0).</summary>
[Message(0x020E)]
public readonly partial record struct ReadCpuid([property: Key(0)] uint Leaf);

/// <summary>The CPUID result of the guest's CPU model.</summary>
/// <param name="MaximumLeaf">Highest basic leaf.</param>
/// <param name="Eax">EAX.</param>
/// <param name="Ebx">EBX.</param>
/// <param name="Ecx">ECX.</param>
/// <param name="Edx">EDX.</param>
[Message(0x020F)]
public readonly partial record struct CpuidResult(
    [property: Key(0)] uint MaximumLeaf,
    [property: Key(1)] uint Eax,
    [property: Key(2)] uint Ebx,
    [property: Key(3)] uint Ecx,
    [property: Key(4)] uint Edx);
