using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Host.DemoKernel;

/// <summary>The kernel reads its own text as data, through DS and through a CS override: it must be the text that was built.</summary>
internal static class SelfChecks
{
    /// <summary>Emits the checks; they may be emitted more than once.</summary>
    /// <param name="k">The kernel being built.</param>
    /// <param name="when">At which time of the run.</param>
    public static void Emit(KernelAssembler k, string when)
    {
        Assembler c = k.Code;
        k.Check($"the checksum of the kernel's text is the built one, {when}", fail =>
        {
            Sum(k, c, k.At("text_start"), k.At("text_end"), __dword_ptr);
            c.mov(eax, edx);
            c.cmp(eax, __dword_ptr[k.At("built_sum")]);
            c.jne(fail);
        });
        k.Check($"reads through a CS override see the same bytes, {when}", fail =>
        {
            // The pages with the checks' own code; a CS override read may be slow, so every ninth dword.
            string top = k.Fresh("compare");
            c.mov(esi, k.At("text_start"));
            k.Mark(top);
            c.mov(eax, __dword_ptr.cs[esi]);
            c.cmp(eax, __dword_ptr[esi]);
            c.jne(fail);
            c.add(esi, 36);
            c.cmp(esi, k.At("user_text") - 4);
            c.jb(k[top]);
        });
    }

    private static void Sum(KernelAssembler k, Assembler c, uint start, uint end, AssemblerMemoryOperandFactory operand)
    {
        string top = k.Fresh("sum");
        c.mov(esi, start);
        c.xor(edx, edx);
        k.Mark(top);
        c.rol(edx, 5);
        c.add(edx, operand[esi]);
        c.add(esi, 4);
        c.cmp(esi, end);
        c.jne(k[top]);
    }
}
