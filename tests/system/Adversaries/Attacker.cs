using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.System.Tests.Adversaries;

/// <summary>
/// What attacks are written with, in the kernel or in the user program. Every attack ends in an interrupt: the fault it provokes, or the one behind it. The kernel
/// takes down what it sees there and goes on behind the attack, with standard segments, stack and flags; general registers stay.
/// </summary>
internal sealed class Attacker(Assembler code, bool user, List<string> steps)
{
    /// <summary>What an attack that was not stopped runs into.</summary>
    private const byte Passed = 0x81;

    /// <summary>What code that was reached by a transfer runs into.</summary>
    private const byte Landed = 0x82;

    /// <summary>The instruction stream.</summary>
    public Assembler Code { get; } = code;

    /// <summary>A cell: the program's own memory.</summary>
    public uint At(uint offset) => (user ? AdversaryLayout.UserCells : AdversaryLayout.KernelCells) + offset;

    /// <summary>The operand cell.</summary>
    public uint OperandAt => At(AdversaryLayout.Operand);

    /// <summary>One attack.</summary>
    public void Attack(Action body)
    {
        Label set = Code.CreateLabel();
        Label after = Code.CreateLabel();
        Code.call(set);
        Code.jmp(after);
        Mark(set);
        Code.pop(__dword_ptr[At(AdversaryLayout.Resume)]);
        body();
        Code.@int(Passed);
        Mark(after);
    }

    /// <summary>Ends a step: what came of its attacks is printed.</summary>
    public void Step(string name)
    {
        Code.mov(eax, AdversaryLayout.CallStep);
        Code.mov(ebx, steps.Count);
        Code.@int(AdversaryLayout.SystemCall);
        steps.Add(name);
    }

    /// <summary>Asks the kernel for one of the adversary's own services.</summary>
    public void Service(int index)
    {
        Code.mov(eax, AdversaryLayout.CallService + index);
        Code.@int(AdversaryLayout.SystemCall);
    }

    /// <summary>Repeats attacks with EBX counting from a value in steps; to an end, or until the count wraps when the end is 0.</summary>
    public void ForEach(uint first, uint end, uint step, Action body)
    {
        Label top = Code.CreateLabel();
        AssemblerMemoryOperand counter = __dword_ptr[At(AdversaryLayout.Counter)];
        Label done = Code.CreateLabel();
        Code.mov(counter, first);
        Mark(top);
        Code.mov(ebx, counter);
        body();
        Code.mov(eax, counter);
        Code.add(eax, step);
        Code.jc(done);
        Code.mov(counter, eax);
        if (end != 0)
        {
            Code.cmp(eax, end);
            Code.jb(top);
        }
        else
        {
            Code.jmp(top);
        }

        Mark(done);
    }

    /// <summary>Repeats something, without attacks inside; ECX counts and may not be changed.</summary>
    public void Repeat(int count, Action body)
    {
        Label top = Code.CreateLabel();
        Code.mov(ecx, count);
        Mark(top);
        body();
        Code.dec(ecx);
        Code.jnz(top);
    }

    /// <summary>Every selector of the tables and around them, and a sample of the others, in EBX.</summary>
    public void ForEachSelector(Action body)
    {
        ForEach(0, 0xA0, 1, body);
        ForEach(0xA1, 0x1_0000, 0x2FB, body);
    }

    /// <summary>Puts code aside and its address into EAX.</summary>
    public void Address(Action code)
    {
        Label over = Code.CreateLabel();
        Code.call(over);
        code();
        Mark(over);
        Code.pop(eax);
    }

    /// <summary>The address of a landing place into EAX: code which says that it was reached.</summary>
    public void LandingPlace() => Address(() => Code.@int(Landed));

    /// <summary>Writes code to an address.</summary>
    public void Write(uint address, params byte[] bytes)
    {
        for (int i = 0; i < bytes.Length; i += 4)
        {
            if (bytes.Length - i >= 4)
            {
                Code.mov(__dword_ptr[address + i], BitConverter.ToInt32(bytes, i));
                continue;
            }

            for (int rest = i; rest < bytes.Length; rest++)
                Code.mov(__byte_ptr[address + rest], (sbyte)bytes[rest]);
        }
    }

    /// <summary>Jumps to an address through a register.</summary>
    public void JumpTo(uint address)
    {
        Code.mov(edx, address);
        Code.jmp(edx);
    }

    /// <summary>Jumps to an address, and no register changes.</summary>
    public void JumpDirect(uint address) => Code.jmp(address);

    /// <summary>Puts a label at a place of its own: an instruction can carry one only.</summary>
    private void Mark(Label label)
    {
        Code.zero_bytes();
        Code.Label(ref label);
    }
}
