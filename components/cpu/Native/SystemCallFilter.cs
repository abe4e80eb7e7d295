using System.Buffers.Binary;

namespace Plexus.Cpu.Native;

/// <summary>
/// The container's system-call filter, a classic BPF program over <c>struct seccomp_data</c> (linux/seccomp.h). Guest code that reaches 64-bit mode can jump to the container's
/// own SYSCALL instructions with registers of its choice, so a call is allowed by number, by the address it comes from, and by its arguments. Every other one ends the process.
/// </summary>
internal sealed class SystemCallFilter
{
    private const uint ArchitectureX64 = 0xC000_003E;
    private const uint Allow = 0x7FFF_0000, KillProcess = 0x8000_0000;
    private const ushort LoadWord = 0x20, JumpIfEqual = 0x15, Return = 0x06;
    private const uint Number = 0, Architecture = 4, InstructionPointer = 8, Arguments = 16;

    private readonly List<(ushort Code, int True, int False, uint Value)> program = [];
    private readonly List<int> toKill = [];

    private SystemCallFilter()
    {
    }

    /// <summary>Bytes of the program: 8 for each instruction (<c>struct sock_filter</c>).</summary>
    /// <param name="signalReturn">Address behind the SYSCALL that returns from a signal.</param>
    /// <param name="futex">Address behind the SYSCALL for futexes.</param>
    /// <param name="word">The only futex.</param>
    public static byte[] Create(ulong signalReturn, ulong futex, ulong word)
    {
        SystemCallFilter filter = new();
        filter.Load(Architecture);
        filter.Require(ArchitectureX64);
        filter.Load(Number);
        int notSignalReturn = filter.Test(SystemCall.RtSigreturn);
        filter.RequireWide(InstructionPointer, signalReturn);
        filter.End(Allow);

        filter.Land(notSignalReturn);
        filter.Load(Number);
        filter.Require(SystemCall.Futex);
        filter.RequireWide(InstructionPointer, futex);
        filter.RequireWide(Arguments, word);
        filter.Load(Arguments + 8);
        int notWait = filter.Test(SystemCall.FutexWait);
        filter.End(Allow);
        filter.Land(notWait);
        filter.Require(SystemCall.FutexWake);
        filter.End(Allow);

        filter.toKill.ForEach(filter.Land);
        filter.End(KillProcess);
        return filter.Encode();
    }

    private void Load(uint offset) => program.Add((LoadWord, 0, 0, offset));

    private void End(uint action) => program.Add((Return, 0, 0, action));

    /// <summary>Goes on when the word loaded is this value, otherwise jumps to where the returned jump is made to land.</summary>
    private int Test(uint value)
    {
        program.Add((JumpIfEqual, 0, 0, value));
        return program.Count - 1;
    }

    private void Require(uint value) => toKill.Add(Test(value));

    private void RequireWide(uint offset, ulong value)
    {
        Load(offset);
        Require((uint)value);
        Load(offset + 4);
        Require((uint)(value >> 32));
    }

    /// <summary>Makes a jump land at the next instruction.</summary>
    private void Land(int jump) => program[jump] = program[jump] with { False = program.Count - jump - 1 };

    private byte[] Encode()
    {
        byte[] bytes = new byte[program.Count * 8];
        for (int i = 0; i < program.Count; i++)
        {
            Span<byte> at = bytes.AsSpan(i * 8);
            BinaryPrimitives.WriteUInt16LittleEndian(at, program[i].Code);
            at[2] = checked((byte)program[i].True);
            at[3] = checked((byte)program[i].False);
            BinaryPrimitives.WriteUInt32LittleEndian(at[4..], program[i].Value);
        }

        return bytes;
    }
}
