using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.System.Tests.Native;

/// <summary>
/// Guest code on its way into 64-bit mode. What leads there stands where no scan looks: inside the operand of an instruction that does no harm, reached by a computed
/// jump. The 64-bit code is scanned as 32-bit code behind a branch that is never taken, and what of it would not be left as it stands is hidden in it.
/// </summary>
internal static class LongMode
{
    /// <summary>The container's layout: its program, its state, its orders.</summary>
    public const ulong Program = 0x1_4000_0000, State = 0x1_5000_0000, Orders = 0x1_6000_0000;

    public const int StateSize = 0x1_1000, OrdersSize = 0x1_1000;

    /// <summary>Linux' 64-bit and 32-bit code selectors.</summary>
    public const int Code64 = 0x33, Code32 = 0x23;

    /// <summary>A value that the searcher of the code view knows its own code by.</summary>
    private const uint Mark = 0x6D61_726B;

    private const uint Slot = 1 << 22;
    private const int Delay = 200_000;

    /// <summary>Looks for the view of its own code in every slot; its distance goes to ESI. Leaves by the label when there is none.</summary>
    public static void FindView(Assembler c, Label notFound)
    {
        Label next = c.CreateLabel();
        Label found = c.CreateLabel();
        AddressOf(c, () => c.mov(ebx, Mark));
        c.mov(ebx, __dword_ptr[edx + 1]);
        c.mov(esi, Slot);
        c.Label(ref next);

        // The interpreter, which takes over where a kernel enters ring 0 every few instructions, has no view.
        Label delay = c.CreateLabel();
        c.mov(ecx, Delay);
        c.Label(ref delay);
        c.dec(ecx);
        c.jnz(delay);
        c.cmp(__dword_ptr[edx + esi + 1], ebx);
        c.je(found);
        c.add(esi, Slot);
        c.jnz(next);
        c.jmp(notFound);
        Place(c, found);
    }

    /// <summary>Goes to 64-bit mode by a far return. ESI is the distance of the code view, and in the 64-bit code RSI is its own address.</summary>
    public static void Enter(Assembler c, Action<Assembler> body, int selector = Code64)
    {
        AddressOf(c, () => c.db(Assemble(body)));
        c.add(esi, edx);
        c.push(selector);
        c.push(esi);
        RunHidden(c, 0xCB);
    }

    /// <summary>Runs up to four bytes that no scan has seen.</summary>
    public static void RunHidden(Assembler c, params byte[] bytes)
    {
        Label behind = c.CreateLabel();
        byte[] operand = [0x90, 0x90, 0x90, 0x90];
        bytes.CopyTo(operand, 0);
        AddressOf(c, () =>
        {
            c.db([0xB8, .. operand]); // mov eax, …
            c.jmp(behind);
        });
        c.inc(edx);
        c.jmp(edx);
        c.Label(ref behind);
        c.nop();
    }

    /// <summary>Runs a far jump with an immediate operand that no scan has seen.</summary>
    public static void JumpFarHidden(Assembler c, ushort selector, uint offset)
    {
        AddressOf(c, () => c.db([0xC7, 0x05, 0xEA, .. BitConverter.GetBytes(offset), .. BitConverter.GetBytes(selector), 0x90])); // mov dword [EA…], …
        c.add(edx, 2);
        c.jmp(edx);
    }

    /// <summary>An instruction of two bytes in 64-bit code. In 32-bit code the prefix gives the LEA a displacement, which in 64-bit code it has not. EBX changes.</summary>
    public static void Hide(Assembler a, byte first, byte second) => a.db(0x67, 0x8D, 0x1E, first, second);

    /// <summary>SYSCALL with a number.</summary>
    public static void SystemCall(Assembler a, int number)
    {
        a.mov(eax, number);
        Hide(a, 0x0F, 0x05);
    }

    /// <summary>UD2.</summary>
    public static void Undefined(Assembler a) => Hide(a, 0x0F, 0x0B);

    /// <summary>Finds four bytes in the container's own program: RDX is behind them.</summary>
    public static void FindInProgram(Assembler a, uint bytes)
    {
        Label next = a.CreateLabel();
        a.mov(rdx, Program + 3);
        a.Label(ref next);
        a.inc(rdx);
        a.cmp(__dword_ptr[rdx - 4], bytes);
        a.jne(next);
    }

    /// <summary>Jumps to RDX.</summary>
    public static void JumpToRdx(Assembler a) => Hide(a, 0xFF, 0xE2);

    /// <summary>Puts code aside, where the scanner goes and control does not, and its address into EDX.</summary>
    public static void AddressOf(Assembler c, Action code)
    {
        Label over = c.CreateLabel();
        c.call(over);
        code();
        Place(c, over);
        c.pop(edx);
    }

    private static byte[] Assemble(Action<Assembler> body)
    {
        Assembler a = new(64);
        a.mov(esi, esi);
        body(a);
        using MemoryStream stream = new();
        a.Assemble(new StreamCodeWriter(stream), 0);
        return stream.ToArray();
    }

    /// <summary>Puts a label at a place of its own: an instruction can carry one only.</summary>
    private static void Place(Assembler c, Label label)
    {
        c.zero_bytes();
        c.Label(ref label);
    }
}
