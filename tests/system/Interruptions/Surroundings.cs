using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.System.Tests.Interruptions;

/// <summary>What can stand around an instruction under test. None touches a register before it that an instruction takes its operands from.</summary>
internal static class Surroundings
{
    private const int LengthOfPopAndMov = 1 + 5;

    internal static readonly (string Name, Func<Form, bool> Fits, Action<Assembler, Form> Emit)[] All =
    [
        ("plain", _ => true, Plain),
        ("branches taken", _ => true, (a, form) => Branches(a, form, taken: true)),
        ("branches not taken", _ => true, (a, form) => Branches(a, form, taken: false)),
        ("call", _ => true, Call),
        ("function", form => !form.UsesStack, Function),
        ("several", _ => true, Several),
        ("jumped over", _ => true, (a, form) => JumpedOver(a, form, taken: true)),
        ("not jumped over", _ => true, (a, form) => JumpedOver(a, form, taken: false)),
        ("after sti", _ => true, AfterSti),
        ("twice", _ => true, Twice),
        ("landing", form => !form.ClobbersAll, Landing),
    ];

    private static void Plain(Assembler a, Form form)
    {
        form.Emit(a);
        a.inc(eax);
        a.push(ebx);
        a.pop(ebp);
        a.lea(edi, __[edi + 4]);
    }

    private static void Branches(Assembler a, Form form, bool taken)
    {
        SetZero(a, taken);
        Label one = a.CreateLabel();
        Label two = a.CreateLabel();
        form.Emit(a);
        a.je(one);
        a.inc(edx);
        a.Label(ref one);
        a.jne(two);
        a.dec(edx);
        a.Label(ref two);
        a.nop();
    }

    private static void Call(Assembler a, Form form)
    {
        Label function = a.CreateLabel();
        Label over = a.CreateLabel();
        a.nop();
        form.Emit(a);
        a.call(function);
        a.inc(ebp);
        a.jmp(over);
        a.Label(ref function);
        a.inc(ebx);
        a.ret();
        a.Label(ref over);
        a.nop();
    }

    private static void Function(Assembler a, Form form)
    {
        Label function = a.CreateLabel();
        Label over = a.CreateLabel();
        a.call(function);
        a.inc(ebp);
        a.jmp(over);
        a.Label(ref function);
        form.Emit(a);
        a.ret();
        a.Label(ref over);
        a.nop();
    }

    private static void Several(Assembler a, Form form)
    {
        a.cli();
        form.Emit(a);
        a.pushfd();
        a.pop(ebx);
        a.cli();
        a.nop();
    }

    private static void JumpedOver(Assembler a, Form form, bool taken)
    {
        Label over = a.CreateLabel();
        SetZero(a, taken);
        a.je(over);
        form.Emit(a);
        a.Label(ref over);
        a.mov(ebp, eax);
        a.mov(ebx, edx);
        a.inc(ebp);
    }

    private static void AfterSti(Assembler a, Form form)
    {
        a.sti();
        form.Emit(a);
        a.inc(ebp);
        a.nop();
        a.nop();
        a.nop();
    }

    private static void Twice(Assembler a, Form form)
    {
        form.Emit(a);
        form.Emit(a);
        a.mov(ebp, eax);
        a.nop();
        a.nop();
        a.nop();
    }

    /// <summary>A computed jump, which no scan follows, to what stood behind the instruction before a patch covered it.</summary>
    private static void Landing(Assembler a, Form form)
    {
        Label here = a.CreateLabel();
        Label done = a.CreateLabel();
        a.call(here);
        a.Label(ref here);
        a.pop(edi);
        a.mov(ebx, 1);
        form.Emit(a);
        a.inc(ebp);
        a.nop();
        a.nop();
        a.nop();
        a.nop();
        a.dec(ebx);
        a.jne(done);
        a.lea(edi, __[edi + (LengthOfPopAndMov + LengthOf(form))]);
        a.jmp(edi);
        a.Label(ref done);
        a.nop();
    }

    private static void SetZero(Assembler a, bool value)
    {
        if (value)
            a.cmp(esp, esp);
        else
            a.cmp(esp, 0);
    }

    private static int LengthOf(Form form)
    {
        Assembler a = new(32);
        form.Emit(a);
        using MemoryStream stream = new();
        a.Assemble(new StreamCodeWriter(stream), 0);
        return (int)stream.Length;
    }
}
