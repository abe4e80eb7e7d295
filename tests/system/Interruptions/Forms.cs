using Iced.Intel;
using Plexus.Messaging.Shared;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.System.Tests.Interruptions;

/// <summary>The instructions under test. A new one needs a line here and nothing else.</summary>
internal static class Forms
{
    private const int Eax = 0;
    private const int Ecx = 1;
    private const int Edx = 2;
    private const int Esi = 6;
    private const int Edi = 7;

    /// <summary>What ES and FS hold, and another selector.</summary>
    private const uint Own = 0x18, Other = 0x20;

    internal static readonly Form[] All =
    [
        new("cli", a => a.cli()),
        new("sti", a => a.sti()) { EnablesInterrupts = true },
        new("sti; sti", a => { a.sti(); a.sti(); }) { EnablesInterrupts = true },
        new("pushfd", a => a.pushfd()) { UsesStack = true },
        Popfd("nothing", 0x0000_0002),
        Popfd("arithmetic", 0x0000_0CD7),
        Popfd("IF", 0x0000_0246) with { EnablesInterrupts = true },
        Popfd("NT AC ID", 0x0024_4093),
        Popfd("IOPL", 0x0000_3002),
        Popfd("TF", 0x0000_0102),
        Popfd("TF IF", 0x0000_0302) with { EnablesInterrupts = true },
        new("mov eax, ds", a => a.mov(eax, ds)),
        new("mov cx, es", a => a.mov(cx, es)),
        new("mov ebp, ss", a => a.mov(ebp, ss)),
        new("mov [esi], fs", a => a.mov(__word_ptr[esi], fs)),
        new("mov [esp - 4], gs", a => a.mov(__word_ptr[esp - 4], gs)),
        new("mov [esi + ecx], cs", a => a.mov(__word_ptr[esi + ecx], cs)) { Registers = (ref v) => v.SetGpr(1, 8) },
        new("mov straddling, es", a => a.mov(__word_ptr[esi + 2], es)) { Registers = Straddling },
        new("push cs", a => a.push(cs)) { UsesStack = true },
        new("push ds", a => a.push(ds)) { UsesStack = true },
        new("push gs", a => a.push(gs)) { UsesStack = true },
        new("pushw fs", a => a.db(0x66, 0x0F, 0xA0)) { UsesStack = true },
        new("pushw es", a => a.db(0x66, 0x06)) { UsesStack = true },
        new("sgdt [esi]", a => a.sgdt(__fword_ptr[esi])),
        new("sidt [esp - 20]", a => a.sidt(__fword_ptr[esp - 20])),
        new("sgdt straddling", a => a.sgdt(__fword_ptr[esi])) { Registers = Straddling },
        new("sidt [ebp + 8]", a => a.sidt(__fword_ptr[ebp + 8])),
        new("sgdt fs:[esi]", a => a.sgdt(__fword_ptr.fs[esi])) { MayFault = true },
        new("mov fs:[esi + 4], ds", a => a.mov(__word_ptr.fs[esi + 4], ds)) { MayFault = true },
        new("sidt fs:[esi - 4]", a => a.sidt(__fword_ptr.fs[esi - 4])) { MayFault = true },
        new("sgdt beyond a limit", a => a.sgdt(__fword_ptr.fs[esi])) { Registers = ShortFs, MayFault = true },
        new("mov beyond a limit, ds", a => a.mov(__word_ptr.fs[esi + 4], ds)) { Registers = ShortFs, MayFault = true },
        new("sidt over a limit", a => a.sidt(__fword_ptr.fs[esi - 4])) { Registers = ShortFs, MayFault = true },
        new("sldt eax", a => a.sldt(eax)),
        new("sldt [esi]", a => a.sldt(__word_ptr[esi])),
        new("str ecx", a => a.str(ecx)),
        new("str [esi + 4]", a => a.str(__word_ptr[esi + 4])),
        new("smsw eax", a => a.smsw(eax)),
        new("smsw dx", a => a.smsw(dx)),
        new("smsw [esi]", a => a.smsw(__word_ptr[esi])),
        Cpuid("0", 0),
        Cpuid("1", 1),
        Cpuid("negative", 0xFFFF_FFFF),
        Cpuid("high", 0x8000_0000),
        Cpuid("beyond", 0x77),
        new("in al, readable", a => a.@in(al, Rig.ReadablePort)),
        new("in al, readable but closed", a => a.@in(al, Rig.ReadablePort)) { NoStablePorts = true },
        new("out latch, al", a => a.@out(Rig.LatchPort, al)),
        new("out latch but closed, al", a => a.@out(Rig.LatchPort, al)) { NoStablePorts = true },
        new("out once, al", a => a.@out(Rig.OncePort, al)),
        new("out once but closed, al", a => a.@out(Rig.OncePort, al)) { NoStablePorts = true },
        new("in al, dx", a => a.@in(al, dx)),
        new("in al, dx other", a => a.@in(al, dx)) { Registers = Port(0x41) },
        new("in al, dx high", a => a.@in(al, dx)) { Registers = Port(0x3F8) },
        new("out dx, al", a => a.@out(dx, al)) { Registers = Port(Rig.LatchPort) },
        new("out dx, al once", a => a.@out(dx, al)) { Registers = Port(Rig.OncePort) },
        new("out dx, al other", a => a.@out(dx, al)) { Registers = Port(0x42) },
        new("out dx, al high", a => a.@out(dx, al)) { Registers = Port(0x2F8) },
        new("in eax, dx", a => a.@in(eax, dx)) { Registers = Port(0x40) },
        new("out 42h, ax", a => a.@out(0x42, ax)),
        new("insb", a => a.insb()) { Registers = Port(0x40) },
        new("mov eax, cr0", a => a.mov(eax, cr0)),
        new("mov eax, cr2", a => a.mov(eax, cr2)) { IsInHandlers = true },
        new("rdtsc", a => a.rdtsc()) { ClobbersAll = true },
        new("rdtsc, counter written", a => a.rdtsc()) { ClobbersAll = true, Registers = (ref v) => v.TscOffset = 12345 },
        new("clts", a => a.clts()),
        new("clts with TS", a => a.clts()) { Registers = (ref v) => v.Cr0 |= 8 },
        new("invlpg [esi]", a => a.invlpg(__[esi])),
        new("invlpg [esi] with an open table", OpenTable),
        new("rep bsf ebp, edx", a => a.db(0xF3, 0x0F, 0xBC, 0xEA)),
        new("rep bsr ebx, [esi]", a => a.db(0xF3, 0x0F, 0xBD, 0x1E)),
        .. Loads("mov es, cx", a => a.mov(es, cx), SegmentIndex.Es, Ecx),
        .. Loads("mov fs, [esp]", a => a.mov(fs, __word_ptr[esp]), SegmentIndex.Fs, register: null),
        new("verw cx", a => a.verw(cx)) { Registers = (ref v) => v.SetGpr(Ecx, Own) },
        new("verw cx with what nothing is known of", a => a.verw(cx)) { Registers = (ref v) => v.SetGpr(Ecx, Own | 3) },
        new("verw cx with another base", a => a.verw(cx)) { Registers = (ref v) => { v.SetGpr(Ecx, Own); OtherBase(ref v); } },
        new("verw cx with other rights", a => a.verw(cx)) { Registers = (ref v) => { v.SetGpr(Ecx, Own); OtherRights(ref v); } },
        .. Loads("pop es", a => a.pop(es), SegmentIndex.Es, register: null),
        new("mov es, cx with null again", a => a.mov(es, cx)) { Registers = (ref v) => { v.SetGpr(Ecx, 2); v.Segments[(int)SegmentIndex.Es] = new SegmentRegister { Selector = 2 }; } },
        InterruptReturn("nothing", 0x0000_0002),
        InterruptReturn("arithmetic, ID", 0x0020_0CD7),
        InterruptReturn("IF", 0x0000_0246) with { EnablesInterrupts = true },
        InterruptReturn("RF", 0x0001_0046),
        InterruptReturn("IOPL", 0x0000_3002),
        InterruptReturn("with NMIs blocked", 0x0000_0002) with { NmisBlocked = true },
        InterruptReturn("to no code", 0x0000_0002, codeSelector: 0x10) with { MayFault = true },
        InterruptReturn("with other rights of CS", 0x0000_0002) with { Registers = (ref v) => v.Segments[(int)SegmentIndex.Cs].Attributes |= 0x1000 },
        InterruptReturn("with another limit of CS", 0x0000_0002) with { Registers = (ref v) => v.GdtBase = GuestProgram.OtherGdt },
        new("ud2", a => a.ud2()),
        new("div by 0", a => a.div(edi)) { Registers = (ref v) => v.SetGpr(Edi, 0), MayFault = true },
    ];

    /// <summary>ES and FS, which have one selector, were loaded when its descriptor was another.</summary>
    private static void OtherBase(ref VcpuBlock v) => v.Segments[(int)SegmentIndex.Es].Base = v.Segments[(int)SegmentIndex.Fs].Base = 0x10;

    private static void OtherRights(ref VcpuBlock v) => v.Segments[(int)SegmentIndex.Es].Attributes = v.Segments[(int)SegmentIndex.Fs].Attributes = 0xC091;

    private static void Straddling(ref VcpuBlock v) => v.SetGpr(Esi, GuestProgram.StraddlingOperand);

    /// <summary>FS ends in the middle of a doubleword at ESI - 2.</summary>
    private static void ShortFs(ref VcpuBlock v)
    {
        ref SegmentRegister segment = ref v.Segments[(int)SegmentIndex.Fs];
        segment.Limit = GuestProgram.Operand - 1;
        segment.Attributes = 0x4093;
    }

    private static Shape.RegisterSetter Port(ushort port) => (ref v) => v.SetGpr(Edx, 0x3333_0000u | port);

    /// <summary>The page table is written until it is watched no more: an entry that is not used stays zero.</summary>
    private static void OpenTable(Assembler a)
    {
        for (int i = 0; i < 4; i++)
            a.and(__byte_ptr[GuestProgram.PageTable + 0xF00], 0);
        a.invlpg(__[esi]);
    }

    private static Form Popfd(string name, uint image) => new($"popfd {name}", a => a.popfd()) { StackImage = image, UsesStack = true };

    /// <summary>A load of what ES or FS holds; of another selector; of what it holds, from a descriptor whose low or high half has changed.</summary>
    /// <param name="name">For messages.</param>
    /// <param name="emit">Writes it.</param>
    /// <param name="segment">What it loads.</param>
    /// <param name="register">Where the selector comes from; null for the stack.</param>
    private static Form[] Loads(string name, Action<Assembler> emit, SegmentIndex segment, int? register)
    {
        return
        [
            Load("its own", Own, (ref _) => { }),
            Load("another", Other, (ref _) => { }),
            Load("one that may not be loaded", Own | 3, (ref _) => { }),
            Load("another base", Own, OtherBase),
            Load("other rights", Own, OtherRights),
        ];

        Form Load(string what, uint selector, Shape.RegisterSetter change) => new($"{name} with {what}", emit)
        {
            StackImage = register is null ? selector | 0xFFFF_0000 : null,
            UsesStack = register is null,
            IsVariant = selector != Own,
            Registers = (ref v) =>
            {
                if (register is { } source)
                    v.SetGpr(source, selector);
                change(ref v);
            },
        };
    }

    /// <summary>IRET over a gap, with a frame of its own.</summary>
    private static Form InterruptReturn(string name, uint image, int codeSelector = 8) =>
        new($"iretd {name}", a =>
        {
            const int Gap = 8;
            const int AddAndReturn = 4 + 1;
            Label here = a.CreateLabel();
            a.push((int)image);
            a.push(codeSelector);
            a.call(here);
            a.Label(ref here);
            a.add(__dword_ptr[esp], AddAndReturn + Gap);
            a.iretd();

            // Nothing is decoded there: a patch has room.
            for (int i = 0; i < Gap; i++)
                a.int3();
        })
        {
            UsesStack = true,
            IsInHandlers = true,
            IsVariant = name != "IF",
        };

    private static Form Cpuid(string name, uint leaf) =>
        new($"cpuid {name}", a => a.cpuid()) { Registers = (ref v) => v.SetGpr(Eax, leaf), ClobbersAll = true };
}
