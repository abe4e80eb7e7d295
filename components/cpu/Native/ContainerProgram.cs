using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Cpu.Native;

/// <summary>
/// The container's own code: starts up, confines itself, then runs slots. A slot is entered by IRETQ to the code segment of its mode; the exception that ends it
/// comes back as a signal, whose handler copies the registers out and goes on with the next slot without returning from the signal.
/// </summary>
internal sealed class ContainerProgram
{
    /// <summary>Where the executable is in the container.</summary>
    public const ulong Address = 0x1_4000_0000;

    /// <summary>Linux' selectors (arch/x86/include/asm/segment.h): 32-bit code, 64-bit code, data; and the first entry of the LDT.</summary>
    public const int KernelCode32 = 0x23, Code64 = 0x33, UserData = 0x2B, OwnCode32 = 0x07;

    /// <summary><c>struct user_desc</c>: 32-bit, non-conforming code, limit in pages, usable.</summary>
    private const ulong FlatCode = 0x55;

    /// <summary>Offsets in <c>ucontext_t</c> and places among its general registers (arch/x86/include/uapi/asm/sigcontext.h).</summary>
    private const int UcRegisters = 40, UcFpu = UcRegisters + (23 * 8);
    private const int RegRip = 16, RegFlags = 17, RegSegments = 18, RegError = 19, RegVector = 20, RegCr2 = 22;

    /// <summary>EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI.</summary>
    private static readonly int[] GeneralInContext = [13, 14, 12, 11, 15, 10, 9, 8];

    private readonly Assembler a = new(64);
    private readonly IReadOnlyList<ContainerMapping> mappings;
    private readonly int control;
    private readonly int controlSize;
    private readonly int parent;

    private Label failed, call, afterFutex, futex, next, finish, restorer, handler, record, stray, afterReturn, signalReturn;

    private ContainerProgram(IReadOnlyList<ContainerMapping> mappings, SharedRegion control, int parent)
    {
        this.mappings = mappings;
        this.control = control.Descriptor;
        controlSize = checked((int)control.Size);
        this.parent = parent;
    }

    /// <summary>Assembles the executable and fills in the control block.</summary>
    public static byte[] Create(IReadOnlyList<ContainerMapping> mappings, SharedRegion control, int parent) => new ContainerProgram(mappings, control, parent).Assemble(control);

    private byte[] Assemble(SharedRegion region)
    {
        (failed, call, afterFutex, futex) = (a.CreateLabel(), a.CreateLabel(), a.CreateLabel(), a.CreateLabel());
        (next, finish, restorer, handler) = (a.CreateLabel(), a.CreateLabel(), a.CreateLabel(), a.CreateLabel());
        (record, stray, afterReturn, signalReturn) = (a.CreateLabel(), a.CreateLabel(), a.CreateLabel(), a.CreateLabel());
        WriteStart();
        WriteHandOver();
        WriteEntry();
        WriteHandler();
        WriteCalls();
        using MemoryStream stream = new();
        AssemblerResult result = a.Assemble(new StreamCodeWriter(stream), Address + ElfImage.HeaderSize, BlockEncoderOptions.ReturnNewInstructionOffsets);
        byte[] filter = SystemCallFilter.Create(result.GetLabelRIP(afterReturn), result.GetLabelRIP(afterFutex), ControlBlock.Address + ControlBlock.TurnAt);
        FillControl(region.Bytes, filter, result.GetLabelRIP(handler), result.GetLabelRIP(restorer));
        return ElfImage.Create(Address, stream.ToArray());
    }

    private static void FillControl(Span<byte> block, byte[] filter, ulong handlerAddress, ulong restorerAddress)
    {
        // stack_t, struct sigaction as the kernel has it, struct itimerval, struct rlimit, struct user_desc, struct sock_fprog.
        Put(block, ControlBlock.StackDescription, ControlBlock.Address + ControlBlock.SignalStack, 0, ControlBlock.SignalStackSize);

        // No signal is blocked while the handler runs: it is left by IRETQ, not by a return.
        const uint flags = SystemCall.ActionSigInfo | SystemCall.ActionRestorer | SystemCall.ActionOnStack | SystemCall.ActionRestart | SystemCall.ActionNoDefer;
        Put(block, ControlBlock.Action, handlerAddress, flags, restorerAddress, 0);

        // A tick for each 10 ms of the container's own processor time.
        Put(block, ControlBlock.Timer, 0, 10_000, 0, 10_000);
        Put(block, ControlBlock.Limits, 0, 0);
        Put(block, ControlBlock.CodeSegment, 0, (FlatCode << 32) | 0xF_FFFF);
        if (filter.Length > ControlBlock.FilterLength)
            throw new InvalidOperationException("the filter is too long for its place");
        filter.CopyTo(block[ControlBlock.Filter..]);
        Put(block, ControlBlock.FilterDescription, (uint)filter.Length / 8, ControlBlock.Address + ControlBlock.Filter);
        "plexus-guest\0"u8.CopyTo(block[ControlBlock.Name..]);
    }

    private static void Put(Span<byte> block, int at, params ReadOnlySpan<ulong> values)
    {
        for (int i = 0; i < values.Length; i++)
            BitConverter.TryWriteBytes(block[(at + (i * 8))..], values[i]);
    }

    private void Stage(StartStage stage) => a.mov(__dword_ptr[rbx + ControlBlock.StageAt], (int)stage);

    /// <summary>A system call at start-up, whose failure ends the container.</summary>
    private void Must(int number)
    {
        a.mov(eax, number);
        a.syscall();
        a.test(rax, rax);
        a.js(failed);
    }

    private void Map(ulong address, int length, int protection, int descriptor, long offset)
    {
        a.mov(rdi, address);
        a.mov(esi, length);
        a.mov(edx, protection);

        // Populated: a page that is merely not there yet would fault with another error code than one that may not be written.
        a.mov(r10d, SystemCall.MapShared | SystemCall.MapFixed | SystemCall.MapPopulate);
        a.mov(r8d, descriptor);
        a.mov(r9, offset);
        a.mov(eax, SystemCall.Mmap);
        a.syscall();
        a.test(rax, rax);
    }

    private void WriteStart()
    {
        Label orphan = a.CreateLabel();
        Map(ControlBlock.Address, controlSize, (int)(ContainerAccess.Read | ContainerAccess.Write), control, 0);
        Label mapped = a.CreateLabel();
        a.jns(mapped);
        a.mov(edi, 1);
        a.mov(eax, SystemCall.ExitGroup);
        a.syscall();
        a.Label(ref mapped);
        a.mov(rbx, ControlBlock.Address);
        a.lea(rsp, __[rbx + ControlBlock.SignalStack + ControlBlock.SignalStackSize]);

        Stage(StartStage.Mappings);
        foreach (ContainerMapping mapping in mappings)
        {
            Map(mapping.Address, checked((int)mapping.Length), (int)mapping.Access, mapping.Region.Descriptor, mapping.Offset);
            a.js(failed);
        }

        Stage(StartStage.ParentDeath);
        a.mov(edi, SystemCall.PrSetParentDeathSignal);
        a.mov(esi, SystemCall.SignalKill);
        Must(SystemCall.Prctl);
        Stage(StartStage.Orphaned);
        a.mov(eax, SystemCall.Getppid);
        a.syscall();
        a.cmp(eax, parent);
        a.jne(orphan);

        Stage(StartStage.Descriptors);
        a.xor(edi, edi);
        a.mov(esi, -1);
        a.xor(edx, edx);
        Must(SystemCall.CloseRange);

        Stage(StartStage.Limits);
        foreach (int limit in (ReadOnlySpan<int>)[SystemCall.LimitFileSize, SystemCall.LimitCore, SystemCall.LimitProcesses, SystemCall.LimitFiles, SystemCall.LimitLockedMemory])
        {
            a.xor(edi, edi);
            a.mov(esi, limit);
            a.lea(rdx, __[rbx + ControlBlock.Limits]);
            a.xor(r10d, r10d);
            Must(SystemCall.Prlimit64);
        }

        Stage(StartStage.CodeSegment);
        a.mov(edi, 1);
        a.lea(rsi, __[rbx + ControlBlock.CodeSegment]);
        a.mov(edx, 16);
        a.mov(eax, SystemCall.ModifyLdt);
        a.syscall();

        // LAR knows what the processor would load. A kernel that is itself a guest may have neither segment.
        Label found = a.CreateLabel();
        foreach (int selector in (ReadOnlySpan<int>)[OwnCode32, KernelCode32])
        {
            a.mov(ecx, selector);
            a.lar(eax, ecx);
            a.je(found);
        }

        a.xor(ecx, ecx);
        a.Label(ref found);
        a.mov(__dword_ptr[rbx + ControlBlock.Code32At], ecx);

        Stage(StartStage.Signals);
        a.lea(rdi, __[rbx + ControlBlock.StackDescription]);
        a.xor(esi, esi);
        Must(SystemCall.Sigaltstack);
        foreach (int signal in (ReadOnlySpan<int>)[SystemCall.SignalIll, SystemCall.SignalTrap, SystemCall.SignalBus, SystemCall.SignalFpe, SystemCall.SignalSegv, ContainerSlot.SignalTimer])
        {
            a.mov(edi, signal);
            a.lea(rsi, __[rbx + ControlBlock.Action]);
            a.xor(edx, edx);
            a.mov(r10d, 8);
            Must(SystemCall.RtSigaction);
        }

        Stage(StartStage.Timer);
        a.mov(edi, SystemCall.TimerVirtual);
        a.lea(rsi, __[rbx + ControlBlock.Timer]);
        a.xor(edx, edx);
        Must(SystemCall.Setitimer);

        Stage(StartStage.Privileges);
        a.mov(edi, SystemCall.PrSetName);
        a.lea(rsi, __[rbx + ControlBlock.Name]);
        Must(SystemCall.Prctl);
        a.mov(edi, SystemCall.PrSetNoNewPrivileges);
        a.mov(esi, 1);
        a.xor(edx, edx);
        a.xor(r10d, r10d);
        a.xor(r8d, r8d);
        Must(SystemCall.Prctl);

        Stage(StartStage.Filter);
        a.mov(edi, SystemCall.PrSetSeccomp);
        a.mov(esi, SystemCall.SeccompModeFilter);
        a.lea(rdx, __[rbx + ControlBlock.FilterDescription]);
        Must(SystemCall.Prctl);
        Stage(StartStage.Ready);
        a.jmp(finish);

        a.Label(ref orphan);
        a.xor(eax, eax);
        a.Label(ref failed);
        a.mov(__dword_ptr[rbx + ControlBlock.ErrorAt], eax);
        a.mov(edi, 1);
        a.mov(eax, SystemCall.ExitGroup);
        a.syscall();
        a.hlt();
    }

    /// <summary>Gives the turn to the monitor and waits to have it back.</summary>
    private void WriteHandOver()
    {
        Label wait = a.CreateLabel();
        a.Label(ref finish);
        a.mov(__dword_ptr[rbx + ControlBlock.TurnAt], 0);
        a.mov(esi, SystemCall.FutexWake);
        a.mov(edx, 1);
        a.call(call);
        a.Label(ref wait);
        a.cmp(__dword_ptr[rbx + ControlBlock.TurnAt], 0);
        a.jne(next);
        a.mov(esi, SystemCall.FutexWait);
        a.xor(edx, edx);
        a.call(call);
        a.jmp(wait);
    }

    private void WriteEntry()
    {
        a.Label(ref next);
        a.mov(ecx, __dword_ptr[rbx + ControlBlock.IndexAt]);
        a.cmp(ecx, __dword_ptr[rbx + ControlBlock.EndAt]);
        a.jge(finish);
        a.imul(rcx, rcx, ContainerSlot.Size);
        a.lea(r12, __[rbx + rcx + ControlBlock.Slots]);

        // The form without REX.W: FIP and FDP with selectors, as 32-bit code has them.
        a.fxrstor(__[r12 + ContainerSlot.EntryFx]);
        a.mov(eax, UserData);
        a.mov(ds, ax);
        a.mov(es, ax);
        a.mov(fs, ax);
        a.mov(gs, ax);
        a.push(rax);
        a.mov(eax, __dword_ptr[r12 + 16]);
        a.push(rax);
        a.mov(eax, __dword_ptr[r12 + ContainerSlot.EntryEflags]);
        a.push(rax);
        a.push(__qword_ptr[rbx + ControlBlock.SelectorAt]);
        a.mov(eax, __dword_ptr[r12 + ContainerSlot.EntryEip]);
        a.push(rax);
        a.mov(eax, __dword_ptr[r12]);
        a.mov(ecx, __dword_ptr[r12 + 4]);
        a.mov(edx, __dword_ptr[r12 + 8]);
        a.mov(ebx, __dword_ptr[r12 + 12]);
        a.mov(ebp, __dword_ptr[r12 + 20]);
        a.mov(esi, __dword_ptr[r12 + 24]);
        a.mov(edi, __dword_ptr[r12 + 28]);
        a.iretq();
    }

    /// <summary>RDI signal, RSI siginfo, RDX ucontext, on the signal stack.</summary>
    private void WriteHandler()
    {
        Label tick = a.CreateLabel();
        a.Label(ref handler);

        // First of all AC: the guest's would make this code fault where it is not aligned.
        a.push(2);
        a.popfq();
        a.mov(rbx, ControlBlock.Address);
        a.movzx(eax, __word_ptr[rdx + Context(RegSegments)]);
        a.cmp(edi, ContainerSlot.SignalTimer);
        a.je(tick);

        // Guest code is below 4 GiB, and in the mode it was entered in.
        a.cmp(eax, __dword_ptr[rbx + ControlBlock.SelectorAt]);
        a.jne(stray);
        a.cmp(__dword_ptr[rdx + Context(RegRip) + 4], 0);
        a.jne(stray);

        a.Label(ref record);
        a.movsxd(rcx, __dword_ptr[rbx + ControlBlock.IndexAt]);
        a.imul(rcx, rcx, ContainerSlot.Size);
        a.lea(r12, __[rbx + rcx + ControlBlock.Slots + ContainerSlot.Exit]);
        a.mov(__dword_ptr[r12], edi);
        a.mov(__dword_ptr[r12 + 12], eax);
        Copy(RegVector, 4);
        Copy(RegError, 8);
        for (int i = 0; i < 8; i++)
            Copy(GeneralInContext[i], 32 + (i * 4));
        Copy(RegRip, 32 + ContainerSlot.EntryEip);
        Copy(RegFlags, 32 + ContainerSlot.EntryEflags);
        a.mov(rax, __qword_ptr[rdx + Context(RegCr2)]);
        a.mov(__qword_ptr[r12 + 16], rax);
        a.mov(rsi, __qword_ptr[rdx + UcFpu]);
        a.lea(rdi, __[r12 + (ContainerSlot.ExitFx - ContainerSlot.Exit)]);
        a.mov(ecx, 64);
        a.rep.movsq();
        a.inc(__dword_ptr[rbx + ControlBlock.IndexAt]);
        a.lea(rsp, __[rbx + ControlBlock.SignalStack + ControlBlock.SignalStackSize]);
        a.jmp(next);

        // A second tick in one slot ends it; a first one, and one in this program, is forgotten.
        a.Label(ref tick);
        a.cmp(__dword_ptr[rdx + Context(RegRip) + 4], 0);
        a.jne(signalReturn);
        a.mov(ecx, __dword_ptr[rbx + ControlBlock.IndexAt]);
        a.cmp(ecx, __dword_ptr[rbx + ControlBlock.TickAt]);
        a.je(record);
        a.mov(__dword_ptr[rbx + ControlBlock.TickAt], ecx);
        a.jmp(signalReturn);

        a.Label(ref stray);
        a.mov(__dword_ptr[rbx + ControlBlock.StrayAt], edi);
        a.mov(__dword_ptr[rbx + ControlBlock.StrayAt + 16], eax);
        a.mov(rax, __qword_ptr[rdx + Context(RegVector)]);
        a.mov(__dword_ptr[rbx + ControlBlock.StrayAt + 4], eax);
        a.mov(rax, __qword_ptr[rdx + Context(RegRip)]);
        a.mov(__qword_ptr[rbx + ControlBlock.StrayAt + 8], rax);
        a.jmp(finish);
    }

    private void Copy(int register, int to)
    {
        a.mov(eax, __dword_ptr[rdx + Context(register)]);
        a.mov(__dword_ptr[r12 + to], eax);
    }

    private static int Context(int register) => UcRegisters + (register * 8);

    /// <summary>The two system calls that are allowed once the filter is in force.</summary>
    private void WriteCalls()
    {
        a.Label(ref call);
        a.lea(rdi, __[rbx + ControlBlock.TurnAt]);
        a.xor(r10d, r10d);
        a.mov(eax, SystemCall.Futex);
        a.Label(ref futex);
        a.syscall();
        a.Label(ref afterFutex);
        a.ret();

        // rt_sigreturn finds its frame by RSP, which points behind the return address.
        a.Label(ref signalReturn);
        a.mov(rsp, rdx);
        a.Label(ref restorer);
        a.mov(eax, SystemCall.RtSigreturn);
        a.syscall();
        a.Label(ref afterReturn);
        a.hlt();
    }
}
