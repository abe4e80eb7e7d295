namespace Plexus.Messaging.Shared;

/// <summary>
/// Layout (version 7) of the virtual CPU pages: the ring-3 handlers' state, reached through SS. All fields are 32-bit little-endian unless said otherwise.
/// Pages 0 to 2 are read-write for guest-kernel privilege. Pages <see cref="TracePage"/>.. hold the trace ring; the page after it is never mapped, so a full ring faults.
/// Behind it lie, if the run needs them, the branch trace, the branch table and the table of verified targets.
/// </summary>
public static class VirtualCpuPage
{
    /// <summary>Layout version.</summary>
    public const int Version = 0x000;

    /// <summary>Virtual IF: 0 or 0x200.</summary>
    public const int InterruptFlag = 0x004;

    /// <summary>Not zero when an interrupt waits for virtual IF.</summary>
    public const int Pending = 0x008;

    /// <summary>Virtual IF before the last STI done by a stub: 0 or 0x200.</summary>
    public const int PreviousInterruptFlag = 0x00C;

    /// <summary>What to add to a physically pushed EFLAGS image (IF = 1, IOPL = 0 there), besides <see cref="InterruptFlag"/>: (virtual IOPL &lt;&lt; 12) − 0x200.</summary>
    public const int FlagsBias = 0x010;

    /// <summary>Linear address of the next free trace record.</summary>
    public const int TraceNext = 0x014;

    /// <summary>Linear address of the next free record of the branch trace.</summary>
    public const int BranchNext = 0x018;

    /// <summary>Scratch slots, one per general register in encoding order (8 × 4 bytes).</summary>
    public const int Scratch = 0x020;

    /// <summary>Virtual selectors by SegmentIndex (8 × 4 bytes, zero-extended), ES CS SS DS FS GS LDTR TR.</summary>
    public const int Selectors = 0x040;

    /// <summary>Virtual GDTR limit, then base.</summary>
    public const int GdtLimit = 0x060;

    public const int GdtBase = 0x064;

    /// <summary>Virtual IDTR limit, then base.</summary>
    public const int IdtLimit = 0x068;

    public const int IdtBase = 0x06C;

    /// <summary>Virtual CR0 (for SMSW).</summary>
    public const int Cr0 = 0x070;

    /// <summary>Number of CPUID basic leaves answered here (0 to 8).</summary>
    public const int CpuidLeaves = 0x074;

    /// <summary>CPUID results: per basic leaf EAX, EBX, ECX, EDX (8 × 16 bytes).</summary>
    public const int Cpuid = 0x080;

    /// <summary>256 bytes indexed by bits 8-15 of an EFLAGS image: 0 = POPF must go to ring 0; 1 = a stub may do it.</summary>
    public const int PopfAllowed = 0x100;

    /// <summary>256 bytes indexed by bits 8-15 of an EFLAGS image: 0 or 2, the value for byte 1 of <see cref="InterruptFlag"/>.</summary>
    public const int PopfInterrupt = 0x200;

    /// <summary>256 bytes indexed by bits 8-15 of a port: the group of 256 ports it belongs to in the port tables; 0, whose ports are never answered here, for most.</summary>
    public const int PortGroup = 0x300;

    /// <summary>What becomes of a <see cref="PortReadable"/> when it is read (4 bytes, indexed by it).</summary>
    public const int PortAfterRead = 0x400;

    /// <summary>The return address by which a handler of a planted CALL, or a gate's dispatcher, was reached; set before it takes that word off the stack.</summary>
    public const int ReturnKey = 0x700;

    /// <summary>Where a shared handler goes on: from the branch table.</summary>
    public const int Continuation = 0x704;

    /// <summary>The record id of the site a shared handler serves: from the branch table.</summary>
    public const int RecordId = 0x708;

    /// <summary>Scratch slots of the gates' dispatchers, which an exception in any other code of the handler segment may enter (8 × 4 bytes).</summary>
    public const int GateScratch = 0x710;

    /// <summary>Virtual CR2.</summary>
    public const int Cr2 = 0x730;

    /// <summary>Virtual CR3.</summary>
    public const int Cr3 = 0x734;

    /// <summary>Virtual CR4.</summary>
    public const int Cr4 = 0x738;

    /// <summary>CR0.TS: 0 or 8.</summary>
    public const int TaskSwitched = 0x73C;

    /// <summary>What to add to EDX after a physical RDTSC: the counters differ by a multiple of 2^32.</summary>
    public const int TimeStampBias = 0x740;

    /// <summary>Not zero when an IRET has more to do than to load EIP, CS and EFLAGS: NT is set, or NMIs are blocked.</summary>
    public const int ReturnBlocked = 0x744;

    /// <summary>Set by a handler for INVLPG: the virtual processor must forget its translations before ring 0 uses them.</summary>
    public const int TranslationsStale = 0x748;

    /// <summary>Not zero when INVLPG is ring 0's: the shadow does not follow every page table at each write.</summary>
    public const int TablesOpen = 0x74C;

    /// <summary>Two dwords of zero, which stand for the descriptor of a null selector.</summary>
    public const int NullDescriptor = 0x750;

    /// <summary>The selector that a handler is about to load or look at.</summary>
    public const int LoadSelector = 0x758;

    /// <summary>What <see cref="SegmentSlot"/> holds for it.</summary>
    public const int LoadSlot = 0x75C;

    /// <summary>The physical selector that stands for it.</summary>
    public const int LoadPhysical = 0x760;

    /// <summary>Not zero when RDTSC is ring 0's: the counters do not differ by a multiple of 2^32.</summary>
    public const int TimeStampBlocked = 0x764;

    /// <summary>A byte for each of ES CS SS DS FS GS: what <see cref="LoadSlot"/> was when a handler loaded it last, 0 when none has since ring 0 last looked.</summary>
    public const int SegmentLoaded = 0x768;

    /// <summary>As an entry of <see cref="SegmentCache"/>, without a physical selector: what an IRET to CS as it is would find.</summary>
    public const int ReturnSegment = 0x770;

    /// <summary>256 bytes indexed by the low byte of a selector: four times the number of the entry in <see cref="SegmentCache"/> that may be its; 0, whose entry no selector matches, for most.</summary>
    public const int SegmentSlot = 0x900;

    /// <summary>
    /// Selectors that handlers can load: the negated selector (1, which no selector cancels, in an empty entry), the linear address of its descriptor, the descriptor's
    /// dwords as they were loaded, both negated, and the physical selector.
    /// </summary>
    public const int SegmentCache = 0xA00;

    /// <summary>Bytes in an entry of <see cref="SegmentCache"/>.</summary>
    public const int SegmentEntrySize = 32;

    /// <summary>Entries of <see cref="SegmentCache"/>: an empty one, the four null selectors, and the monitor's segment slots.</summary>
    public const int SegmentEntries = FirstSegmentSlot + MonitorTables.SegmentSlots;

    /// <summary>The entry of the first segment slot.</summary>
    public const int FirstSegmentSlot = 5;

    /// <summary>In an entry of <see cref="SegmentCache"/>: the descriptor's linear address.</summary>
    public const int LoadDescriptor = 4;

    /// <summary>In an entry of <see cref="SegmentCache"/>: the negated low dword of the descriptor.</summary>
    public const int LoadLow = 8;

    /// <summary>In an entry of <see cref="SegmentCache"/>: the negated high dword of the descriptor.</summary>
    public const int LoadHigh = 12;

    /// <summary>In an entry of <see cref="SegmentCache"/>: the physical selector.</summary>
    public const int PhysicalSelector = 16;

    /// <summary>256 bytes indexed by bits 16-23 of an EFLAGS image: 0 = IRET must go to ring 0 (RF, VM, VIF, VIP); 1 = a stub may do it (AC, ID or none).</summary>
    public const int ReturnAllowed = 0x800;

    /// <summary>Groups of 256 ports in the port tables, the empty one included.</summary>
    public const int PortGroups = 5;

    /// <summary>The group of ports 00h-FFh.</summary>
    public const int LowPorts = 1;

    /// <summary>Bytes in a port table: one for each port of each group.</summary>
    public const int PortTableSize = 256 * PortGroups;

    /// <summary>Values of ports that may be read here.</summary>
    public const int PortValue = 0x1000;

    /// <summary>What becomes of the value when the port is read.</summary>
    public const int PortNext = PortValue + PortTableSize;

    /// <summary>0 = the port is not read here; 1 = it may be; 2 and 3 = it may be once, or twice.</summary>
    public const int PortReadable = PortNext + PortTableSize;

    /// <summary>Which byte writes to the port a handler may take (<c>PortWrites</c>, or <see cref="PortTaken"/>): a row of <see cref="PortAfterWrite"/>.</summary>
    public const int PortWritable = PortReadable + PortTableSize;

    /// <summary>1 = a handler took a write since ring 0 last looked; its value is in <see cref="PortValue"/>.</summary>
    public const int PortWritten = PortWritable + PortTableSize;

    /// <summary>
    /// What becomes of a <see cref="PortWritable"/> when a byte is written: <see cref="PortWritableStates"/> rows of 256 bytes, one for each value; 0 = the write is ring 0's.
    /// </summary>
    public const int PortAfterWrite = PortWritten + PortTableSize;

    /// <summary>In <see cref="PortWritable"/>: the one write that a handler may take has been.</summary>
    public const int PortTaken = 4;

    /// <summary>Values of <see cref="PortWritable"/>.</summary>
    public const int PortWritableStates = PortTaken + 1;

    /// <summary>Pages of the fields above.</summary>
    public const int StatePages = 3;

    /// <summary>First page (relative) of the trace ring; records are 32-bit ids.</summary>
    public const int TracePage = StatePages;

    /// <summary>Pages of the trace ring: a full one is an entry to ring 0.</summary>
    public const int TracePages = 64;

    /// <summary>Pages to map: state and trace ring.</summary>
    public const int Pages = TracePage + TracePages;

    /// <summary>First page (relative) of the branch trace; between it and the trace ring lies a page that is never mapped, and another one behind it. Records are a 32-bit id and the target's EIP.</summary>
    public const int BranchPage = Pages + 1;

    /// <summary>Pages of the branch trace.</summary>
    public const int BranchPages = 1;

    /// <summary>Bytes in a record of the branch trace.</summary>
    public const int BranchRecordSize = 8;

    /// <summary>First page (relative) of the branch table.</summary>
    public const int TablePage = BranchPage + BranchPages + 1;

    /// <summary>
    /// The branch table's first part: linear addresses of the first entry for each value of the low 16 bits of a return address, 0 for none.
    /// </summary>
    public const int TableHeadPages = 64;

    /// <summary>Pages of the branch table's entries. The first entry is not used.</summary>
    public const int TableEntryPages = 64;

    /// <summary>Pages of the branch table. Read-only for the handlers; the patcher alone writes them.</summary>
    public const int TablePages = TableHeadPages + TableEntryPages;

    /// <summary>First page (relative) of the table of verified targets, made like the branch table, with entries of <see cref="TargetSize"/> bytes: key and next.</summary>
    public const int TargetPage = TablePage + TablePages;

    /// <summary>Bytes in an entry of the table of verified targets.</summary>
    public const int TargetSize = 8;

    /// <summary>Pages of the table of verified targets. Read-only for the handlers; the patcher alone writes them.</summary>
    public const int TargetPages = TablePages;

    /// <summary>Bytes in an entry of the branch table.</summary>
    public const int EntrySize = 32;

    /// <summary>In an entry: the negated return address (0 − address), so that adding the address gives 0 without a flag.</summary>
    public const int EntryKey = 0;

    /// <summary>In an entry: linear address of the next entry with the same low 16 bits, 0 for none.</summary>
    public const int EntryNext = 4;

    /// <summary>In an entry: EIP to go on at. A site behind INT3: its own code. A planted CALL: the overwritten instructions.</summary>
    public const int EntryContinuation = 8;

    /// <summary>In an entry: id for the trace ring.</summary>
    public const int EntryRecord = 12;

    /// <summary>In an entry: 1 for a site behind INT3, 0 for a planted CALL.</summary>
    public const int EntryIsGate = 16;

    /// <summary>In an entry: the first instruction that was not overwritten.</summary>
    public const int EntryNotOverwritten = 20;

    /// <summary>The value <see cref="Version"/> holds.</summary>
    public const uint LayoutVersion = 7;
}
