using System.Diagnostics;
using Iced.Intel;
using Plexus.Cpu.Native.Engine;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Cpu.Native;

/// <summary>What the host takes for the two things that the engine <c>native</c> is made of, with nothing around them: to measure roads against.</summary>
/// <remarks>unsafe: the words of the hand-over are shared memory, kept mapped while they are used.</remarks>
public static unsafe class HostBaselines
{
    private const ulong Program = 0x1_4000_0000, Shared = 0x1_5000_0000;
    private const int Here = 0x00, There = 0x40, Action = 0x100, SharedSize = 0x1000;
    private const long Patience = 1_000_000_000;
    private static readonly double NanosecondsPerTick = 1e9 / Stopwatch.Frequency;

    /// <summary>An INT3, its signal, a handler that does nothing, and the return: nanoseconds for one.</summary>
    /// <param name="rounds">How many are timed.</param>
    /// <exception cref="ContainerException">The host refused.</exception>
    public static double SignalRoundTrip(int rounds)
    {
        using SharedRegion region = new("plexus-baseline", SharedSize);
        Assembler a = new(64);
        Label handler = a.CreateLabel(), restorer = a.CreateLabel(), top = a.CreateLabel();
        Begin(a, region);
        a.mov(edi, SystemCall.SignalTrap);
        a.lea(rsi, __[rbx + Action]);
        a.xor(edx, edx);
        a.mov(r10d, 8);
        a.mov(eax, SystemCall.RtSigaction);
        a.syscall();

        // Once before the clock runs.
        a.int3();
        Turn(a, Here, There);
        a.mov(r12d, rounds);
        a.Label(ref top);
        a.int3();
        a.dec(r12d);
        a.jnz(top);
        Turn(a, Here, There);
        End(a);
        a.Label(ref handler);
        a.ret();
        a.Label(ref restorer);
        a.mov(eax, SystemCall.RtSigreturn);
        a.syscall();
        return Run(a, region, (result, shared) =>
        {
            *(ulong*)(shared + Action) = result.GetLabelRIP(handler);
            *(ulong*)(shared + Action + 8) = SystemCall.ActionSigInfo | SystemCall.ActionRestorer;
            *(ulong*)(shared + Action + 16) = result.GetLabelRIP(restorer);
        }, (shared, process) =>
        {
            Wait(shared + Here, process);
            long start = Stopwatch.GetTimestamp();
            Give(shared + There);
            Wait(shared + Here, process);
            long end = Stopwatch.GetTimestamp();
            Give(shared + There);
            return (end - start) * NanosecondsPerTick / rounds;
        });
    }

    /// <summary>A turn given to another process on the same processor, and had back, by futexes: nanoseconds for both ways.</summary>
    /// <param name="rounds">How many are timed.</param>
    /// <exception cref="ContainerException">The host refused.</exception>
    public static double HandOver(int rounds)
    {
        using SharedRegion region = new("plexus-baseline", SharedSize);
        Assembler a = new(64);
        Label top = a.CreateLabel();
        Begin(a, region);
        a.mov(r12d, rounds + 1);
        a.Label(ref top);
        Turn(a, Here, There);
        a.dec(r12d);
        a.jnz(top);
        End(a);
        return Run(a, region, static (_, _) => { }, (shared, process) =>
        {
            Wait(shared + Here, process);
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < rounds; i++)
            {
                Give(shared + There);
                Wait(shared + Here, process);
            }

            long end = Stopwatch.GetTimestamp();
            Give(shared + There);
            return (end - start) * NanosecondsPerTick / rounds;
        });
    }

    private static void Begin(Assembler a, SharedRegion region)
    {
        a.mov(rdi, Shared);
        a.mov(esi, SharedSize);
        a.mov(edx, (int)(ContainerAccess.Read | ContainerAccess.Write));
        a.mov(r10d, SystemCall.MapShared | SystemCall.MapFixed);
        a.mov(r8d, region.Descriptor);
        a.xor(r9d, r9d);
        a.mov(eax, SystemCall.Mmap);
        a.syscall();
        a.mov(edi, SystemCall.PrSetParentDeathSignal);
        a.mov(esi, SystemCall.SignalKill);
        a.mov(eax, SystemCall.Prctl);
        a.syscall();
        a.mov(rbx, Shared);
    }

    private static void End(Assembler a)
    {
        a.xor(edi, edi);
        a.mov(eax, SystemCall.ExitGroup);
        a.syscall();
        a.hlt();
    }

    /// <summary>Gives the turn and waits to have it back.</summary>
    private static void Turn(Assembler a, int give, int take)
    {
        Label wait = a.CreateLabel(), taken = a.CreateLabel();
        a.mov(__dword_ptr[rbx + give], 1);
        WriteFutex(a, give, SystemCall.FutexWake, 1);
        a.Label(ref wait);
        a.cmp(__dword_ptr[rbx + take], 0);
        a.jne(taken);
        WriteFutex(a, take, SystemCall.FutexWait, 0);
        a.jmp(wait);
        a.Label(ref taken);
        a.mov(__dword_ptr[rbx + take], 0);
    }

    private static void WriteFutex(Assembler a, int word, int operation, int value)
    {
        a.lea(rdi, __[rbx + word]);
        a.mov(esi, operation);
        a.mov(edx, value);
        a.xor(r10d, r10d);
        a.mov(eax, SystemCall.Futex);
        a.syscall();
    }

    private static double Run(Assembler a, SharedRegion region, Action<AssemblerResult, nint> prepare, Func<nint, LinuxProcess, double> measure)
    {
        using MemoryStream code = new();
        AssemblerResult result = a.Assemble(new StreamCodeWriter(code), Program + ElfImage.HeaderSize, BlockEncoderOptions.ReturnNewInstructionOffsets);
        prepare(result, (nint)region.Address);
        int executable = SharedRegion.CreateFile("plexus-baseline", 0, ElfImage.Create(Program, code.ToArray()));
        using CpuAffinity affinity = new();
        affinity.Pin();
        try
        {
            using LinuxProcess process = LinuxProcess.Start(executable, "plexus-baseline", string.Empty, [region.Descriptor], processor: affinity.Processor);
            return measure((nint)region.Address, process);
        }
        finally
        {
            SharedRegion.CloseFile(executable);
        }
    }

    private static void Give(nint word)
    {
        Volatile.Write(ref *(int*)word, 1);
        Futex.Wake((int*)word);
    }

    private static void Wait(nint word, LinuxProcess process)
    {
        while (Volatile.Read(ref *(int*)word) == 0)
        {
            if (!Futex.Wait((int*)word, 0, Patience) && process.HasEnded())
                throw new ContainerException($"the process of a baseline did not go on: {NativeContainer.Epitaph(process.Status)}");
        }

        Volatile.Write(ref *(int*)word, 0);
    }
}
