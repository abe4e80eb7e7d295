using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.System.Tests.Interruptions;

/// <summary>Branches under test, with what they need around them; each comes out right behind itself.</summary>
internal static class BranchForms
{
    private const int Room = 6;

    internal static readonly Form[] All =
    [
        Branch("jmp", a => Over(a, l => a.jmp(l))),
        Branch("je taken", a => Over(a, l => Compared(a, true, () => a.je(l)))),
        Branch("je not taken", a => Over(a, l => Compared(a, false, () => a.je(l)))),
        Branch("jne near not taken", a => Over(a, l => Compared(a, true, () => a.jne(l)), 140)),
        Branch("jne near taken", a => Over(a, l => Compared(a, false, () => a.jne(l)), 140)),
        Branch("jecxz taken", a => Over(a, l => Counted(a, 0, () => a.jecxz(l)))),
        Branch("jecxz not taken", a => Over(a, l => Counted(a, 1, () => a.jecxz(l)))),
        Branch("loop", a => Back(a, 3, top => a.loop(top))),
        Branch("loopne", a => Back(a, 2, top => a.loopne(top))),
        Branch("loope", a => Back(a, 2, top => a.loope(top))),
        Branch("call and ret", a => Routine(a, r => a.call(r), () => a.ret())),
        Branch("call and ret 8", a =>
        {
            a.push(1);
            a.push(2);
            Routine(a, r => a.call(r), () => a.ret(8));
        }),
        Branch("call and rep ret", a => Routine(a, r => a.call(r), () => a.db(0xF3, 0xC3))),
        Branch("jmp eax", a => Computed(a, 2, () => a.jmp(eax))),
        Branch("jmp ecx", a => Computed(a, 4, () => { a.mov(ecx, eax); a.jmp(ecx); })),
        Branch("jmp edx", a => Computed(a, 4, () => { a.mov(edx, eax); a.jmp(edx); })),
        Branch("jmp [esi + 64]", a => Computed(a, 6, () => { a.mov(__dword_ptr[esi + 64], eax); a.jmp(__dword_ptr[esi + 64]); })),
        Branch("jmp [esp]", a =>
        {
            Computed(a, 4, () => { a.push(eax); a.jmp(__dword_ptr[esp]); });
            a.pop(eax);
        }),
        Branch("push and ret", a => Computed(a, 2, () => { a.push(eax); a.ret(); })),
        Branch("call ecx", a =>
        {
            Computed(a, 4, () => { a.mov(ecx, eax); a.call(ecx); });
            a.pop(eax);
        }),
        Branch("call [esi + 64]", a =>
        {
            Computed(a, 6, () => { a.mov(__dword_ptr[esi + 64], eax); a.call(__dword_ptr[esi + 64]); });
            a.pop(eax);
        }),
        Branch("call esp-relative", a =>
        {
            Computed(a, 4, () => { a.push(eax); a.call(__dword_ptr[esp]); });
            a.pop(eax);
            a.pop(eax);
        }),
    ];

    private static Form Branch(string name, Action<Assembler> emit) => new(name, emit) { IsBranch = true, UsesStack = true, ClobbersAll = true };

    private static void Over(Assembler a, Action<Label> branch, int distance = Room)
    {
        Label over = a.CreateLabel();
        branch(over);
        for (int i = 0; i < distance; i++)
            a.inc(ebx);
        a.Label(ref over);
        a.nop(Room);
    }

    private static void Compared(Assembler a, bool equal, Action branch)
    {
        a.cmp(esp, equal ? esp : ebp);
        branch();
    }

    private static void Counted(Assembler a, int count, Action branch)
    {
        a.mov(ecx, count);
        branch();
    }

    private static void Back(Assembler a, int count, Action<Label> branch)
    {
        Label top = a.CreateLabel();
        a.mov(ecx, count);
        a.cmp(ecx, count);
        a.Label(ref top);
        a.inc(ebx);
        branch(top);
        a.nop(Room);
    }

    private static void Routine(Assembler a, Action<Label> call, Action leave)
    {
        Label routine = a.CreateLabel();
        Label over = a.CreateLabel();
        call(routine);
        a.nop();
        a.jmp(over);
        a.nop(Room);
        a.Label(ref routine);
        a.inc(ebx);
        leave();
        a.int3();
        a.nop(Room);
        a.Label(ref over);
        a.nop();
    }

    /// <summary>EAX holds the address some bytes behind the branch; between lies what is never executed.</summary>
    /// <param name="a">The program.</param>
    /// <param name="length">Bytes of the branch, with what prepares it.</param>
    /// <param name="branch">Emits both.</param>
    private static void Computed(Assembler a, int length, Action branch)
    {
        const int popAndAdd = 1 + 3;
        Label here = a.CreateLabel();
        a.call(here);
        a.Label(ref here);
        a.pop(ebx);
        a.lea(eax, __[ebx + popAndAdd + length + Room]);
        branch();
        a.nop(Room);
        a.nop();
    }
}
