using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Cpu.Native;

/// <summary>
/// The container's own code: starts up, confines itself, then runs slots. A slot is entered by IRETQ to the code segment of its mode; the exception that ends it
/// comes back as a signal, whose handler copies the registers out and goes on with the next slot without returning from the signal.
/// </summary>
internal sealed class ContainerProgram : ConfinedProgram
{
    /// <summary>Where the executable is in the container.</summary>
    public const ulong Address = 0x1_4000_0000;

    /// <summary>Linux' selector of 32-bit code (arch/x86/include/asm/segment.h), and the first entry of the LDT.</summary>
    public const int KernelCode32 = 0x23, OwnCode32 = 0x07;

    private readonly IReadOnlyList<ContainerMapping> mappings;
    private readonly int control;
    private readonly int controlSize;
    private readonly int parent;

    private Label call, afterFutex, futex, next, finish, record, stray;

    private ContainerProgram(IReadOnlyList<ContainerMapping> mappings, SharedRegion control, int parent)
        : base(rbx, ControlBlock.StageAt, ControlBlock.ErrorAt)
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
        CreateCommonLabels();
        (call, afterFutex, futex, next, finish, record, stray) = (a.CreateLabel(), a.CreateLabel(), a.CreateLabel(), a.CreateLabel(), a.CreateLabel(), a.CreateLabel(), a.CreateLabel());
        WriteStart();
        WriteHandOver();
        WriteEntry();
        WriteHandler();
        WriteCalls();
        using MemoryStream stream = new();
        AssemblerResult result = a.Assemble(new StreamCodeWriter(stream), Address + ElfImage.HeaderSize, BlockEncoderOptions.ReturnNewInstructionOffsets);
        byte[] filter = SystemCallFilter.CreateGuest(
            result.GetLabelRIP(afterReturn),
            result.GetLabelRIP(afterFutex),
            ControlBlock.Address + ControlBlock.TurnAt,
            result.GetLabelRIP(afterFutex),
            ControlBlock.Address + ControlBlock.TurnAt);
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

    private void WriteStart()
    {
        Label orphan = a.CreateLabel(), lost = a.CreateLabel();
        Map(ControlBlock.Address, controlSize, ContainerAccess.Read | ContainerAccess.Write, () => a.mov(r8d, control), 0);
        a.js(lost);
        a.mov(rbx, ControlBlock.Address);
        a.lea(rsp, __[rbx + ControlBlock.SignalStack + ControlBlock.SignalStackSize]);

        Stage(StartStage.Mappings);
        foreach (ContainerMapping mapping in mappings)
        {
            Map(mapping.Address, checked((int)mapping.Length), mapping.Access, () => a.mov(r8d, mapping.Region.Descriptor), mapping.Offset);
            a.js(failed);
        }

        WriteParentDeath(parent, orphan);

        Stage(StartStage.Descriptors);
        a.xor(edi, edi);
        a.mov(esi, -1);
        a.xor(edx, edx);
        Must(SystemCall.CloseRange);

        WriteLimits(ControlBlock.Limits);

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

        WriteSignals(
            ControlBlock.StackDescription,
            ControlBlock.Action,
            SystemCall.SignalIll,
            SystemCall.SignalTrap,
            SystemCall.SignalBus,
            SystemCall.SignalFpe,
            SystemCall.SignalSegv,
            ContainerSlot.SignalTimer);

        Stage(StartStage.Timer);
        a.mov(edi, SystemCall.TimerVirtual);
        a.lea(rsi, __[rbx + ControlBlock.Timer]);
        a.xor(edx, edx);
        Must(SystemCall.Setitimer);

        WritePrivileges(ControlBlock.Name);

        Stage(StartStage.Filter);
        WriteFilter(ControlBlock.FilterDescription);
        Stage(StartStage.Ready);
        a.jmp(finish);
        WriteFailure(ref orphan, ref lost);
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

        WriteSignalReturn();
    }
}
