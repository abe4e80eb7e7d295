using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Host.Bench;

/// <summary>An instruction to measure, with what it needs around it.</summary>
/// <param name="Name">What the table calls it.</param>
/// <param name="Code">Its form.</param>
/// <param name="Emit">Emits it, with what prepares it and what undoes it.</param>
internal sealed record BenchInstruction(string Name, Code Code, Action<Assembler> Emit)
{
    private const byte MaskPort = 0x21;
    private const byte PostPort = 0x80;
    private const ushort LineStatus = 0x3FD;

    /// <summary>A memory operand in the guest's data.</summary>
    private static readonly AssemblerMemoryOperand Cell = __dword_ptr[BenchGuest.Data];

    /// <summary>It is sensitive only where branches are virtualised.</summary>
    internal bool IsBranch => Code is Code.Retnd or Code.Jmp_rm32 or Code.Call_rm32;

    /// <summary>All that are measured.</summary>
    internal static IReadOnlyList<BenchInstruction> All { get; } =
    [
        new("cli", Code.Cli, a => a.cli()),
        new("sti", Code.Sti, a =>
        {
            a.sti();
            a.nop();
        }),
        new("pushf", Code.Pushfd, a =>
        {
            a.pushfd();
            a.lea(esp, __[esp + 4]);
        }),
        new("popf", Code.Popfd, a =>
        {
            a.push(2);
            a.popfd();
        }),
        new("mov eax,ds", Code.Mov_r32m16_Sreg, a => a.mov(eax, ds)),
        new("push cs", Code.Pushd_CS, a =>
        {
            a.push(cs);
            a.lea(esp, __[esp + 4]);
        }),
        new("mov ds,ax", Code.Mov_Sreg_r32m16, a =>
        {
            a.mov(eax, BenchGuest.DataSelector);
            a.mov(ds, eax);
        }),
        new("in al,21h (answered)", Code.In_AL_imm8, a => a.@in(al, MaskPort)),
        new("in al,dx (UART)", Code.In_AL_DX, a =>
        {
            a.mov(edx, LineStatus);
            a.@in(al, dx);
        }),
        new("out 80h,al (latched)", Code.Out_imm8_AL, a => a.@out(PostPort, al)),
        new("sgdt [mem]", Code.Sgdt_m1632, a => a.sgdt(Cell)),
        new("sidt [mem]", Code.Sidt_m1632, a => a.sidt(Cell)),
        new("str ax", Code.Str_rm16, a => a.str(ax)),
        new("smsw eax", Code.Smsw_r32m16, a => a.smsw(eax)),
        new("cpuid", Code.Cpuid, a =>
        {
            a.xor(eax, eax);
            a.cpuid();
        }),
        new("mov eax,cr0", Code.Mov_r32_cr, a => a.mov(eax, cr0)),
        new("int 30h", Code.Int_imm8, a => a.@int(BenchGuest.SoftwareVector)),
        new("iret", Code.Iretd, a => a.@int(BenchGuest.SoftwareVector)),
        new("ret (virtualised)", Code.Retnd, a => EmitCall(a)),
        new("jmp ecx (virtualised)", Code.Jmp_rm32, a =>
        {
            // POP, ADD and JMP are six bytes: the jump goes six bytes beyond itself.
            Label here = a.CreateLabel();
            a.call(here);
            a.Label(ref here);
            a.pop(ecx);
            a.add(ecx, 12);
            a.jmp(ecx);
            a.nop(6);
            a.nop();
        }),
    ];

    /// <summary>A call of a routine that only returns.</summary>
    private static void EmitCall(Assembler a)
    {
        Label routine = a.CreateLabel();
        Label over = a.CreateLabel();
        a.call(routine);
        a.jmp(over);
        a.Label(ref routine);
        a.ret();
        a.nop(4);
        a.Label(ref over);
        a.nop();
    }
}
