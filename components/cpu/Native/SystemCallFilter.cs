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
    private const ushort LoadWord = 0x20, JumpIfEqual = 0x15, JumpAlways = 0x05, Return = 0x06;
    private const uint Number = 0, Architecture = 4, InstructionPointer = 8, Arguments = 16;

    private readonly List<(ushort Code, int True, int False, uint Value)> program = [];
    private readonly List<int> toKill = [];

    private SystemCallFilter()
    {
    }

    /// <summary>The filter of a thread on which guest code runs: it may return from a signal, wait for one futex and wake another, or the same. 8 bytes for each instruction (<c>struct sock_filter</c>).</summary>
    /// <param name="signalReturn">Address behind the SYSCALL that returns from a signal.</param>
    /// <param name="wait">Address behind the SYSCALL that waits.</param>
    /// <param name="waitWord">What it waits for.</param>
    /// <param name="wake">Address behind the SYSCALL that wakes.</param>
    /// <param name="wakeWord">What it wakes.</param>
    public static byte[] CreateGuest(ulong signalReturn, ulong wait, ulong waitWord, ulong wake, ulong wakeWord)
    {
        SystemCallFilter filter = new();
        filter.Load(Architecture);
        filter.Require(ArchitectureX64);
        filter.Load(Number);
        int notSignalReturn = filter.Test(SystemCall.RtSigreturn);
        filter.RequireWide(InstructionPointer, signalReturn);
        filter.End(Allow);

        filter.Land(notSignalReturn);
        filter.Require(SystemCall.Futex);
        filter.AllowFutexes(wait, waitWord, wake, [wakeWord]);
        return filter.Encode();
    }

    /// <summary>The filter of a guest container's second thread: it changes mappings below 4 GiB and the LDT, from one instruction, and waits and wakes.</summary>
    /// <param name="order">Address behind the SYSCALL that carries out what the monitor ordered.</param>
    /// <param name="wait">Address behind the SYSCALL that waits.</param>
    /// <param name="waitWord">What it waits for.</param>
    /// <param name="wake">Address behind the SYSCALL that wakes.</param>
    /// <param name="wakeWords">What it wakes.</param>
    public static byte[] CreateMapper(ulong order, ulong wait, ulong waitWord, ulong wake, ReadOnlySpan<ulong> wakeWords)
    {
        SystemCallFilter filter = new();
        filter.Load(Architecture);
        filter.Require(ArchitectureX64);
        filter.Load(Number);
        int notFutex = filter.Test(SystemCall.Futex);
        filter.AllowFutexes(wait, waitWord, wake, wakeWords);

        filter.Land(notFutex);
        filter.Load(Number);
        int notLdt = filter.Test(SystemCall.ModifyLdt);
        filter.RequireWide(InstructionPointer, order);
        filter.End(Allow);

        // mmap, mprotect and munmap: addresses and lengths of 32 bits.
        filter.Land(notLdt);
        int notMap = filter.Test(SystemCall.Mmap);
        int mapping = filter.Jump();
        filter.Land(notMap);
        int notProtect = filter.Test(SystemCall.Mprotect);
        int protecting = filter.Jump();
        filter.Land(notProtect);
        filter.Require(SystemCall.Munmap);
        filter.LandJump(mapping);
        filter.LandJump(protecting);
        filter.RequireWide(InstructionPointer, order);
        filter.Load(Arguments + 4);
        filter.Require(0);
        filter.Load(Arguments + 12);
        filter.Require(0);
        filter.End(Allow);
        return filter.Encode();
    }

    private void AllowFutexes(ulong wait, ulong waitWord, ulong wake, ReadOnlySpan<ulong> wakeWords)
    {
        Load(Arguments + 8);
        int notWait = Test(SystemCall.FutexWait);
        RequireWide(InstructionPointer, wait);
        RequireWide(Arguments, waitWord);
        End(Allow);
        Land(notWait);
        Require(SystemCall.FutexWake);
        RequireWide(InstructionPointer, wake);
        for (int i = 0; i < wakeWords.Length - 1; i++)
        {
            Load(Arguments);
            int other = Test((uint)wakeWords[i]);
            Load(Arguments + 4);
            Require((uint)(wakeWords[i] >> 32));
            End(Allow);
            Land(other);
        }

        RequireWide(Arguments, wakeWords[^1]);
        End(Allow);
    }

    private int Jump()
    {
        program.Add((JumpAlways, 0, 0, 0));
        return program.Count - 1;
    }

    private void LandJump(int jump) => program[jump] = program[jump] with { Value = (uint)(program.Count - jump - 1) };

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

    /// <summary>Ends the program: what nothing allowed ends the process.</summary>
    private byte[] Encode()
    {
        toKill.ForEach(Land);
        End(KillProcess);
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
