using Iced.Intel;
using Plexus.Messaging.Shared;
using static Iced.Intel.AssemblerRegisters;
using L = Plexus.Cpu.Native.Engine.EngineLayout;

namespace Plexus.Cpu.Native.Engine;

/// <summary>
/// A guest container's own code. Its first thread confines itself and then runs guest code: it is entered by IRETQ to a segment of the LDT, and what stops it comes back as a signal,
/// whose handler either goes through a ring-3 gate of the monitor's, or publishes the registers and waits. Its second thread makes the system calls that the monitor
/// orders; it keeps everything in registers, and reads only what the container cannot write.
/// </summary>
internal sealed partial class EngineProgram : ConfinedProgram
{
    /// <summary>LDT entry of the flat code segment, which is also the one that is tried at the start.</summary>
    public const int FlatCodeEntry = 1;

    /// <summary>CLONE_VM, CLONE_FS, CLONE_FILES, CLONE_SIGHAND, CLONE_THREAD, CLONE_SYSVSEM.</summary>
    private const int SiblingThread = 0x100 | 0x200 | 0x400 | 0x800 | 0x1_0000 | 0x4_0000;

    /// <summary>Error code of a #GP by <c>INT 20h</c>: the vector, in the IDT.</summary>
    public const int EntryError = (MonitorTables.EntryVector * 8) + 2;

    /// <summary>The processor's exceptions, and the monitor's kick. All other signals are blocked, but for those that end the process.</summary>
    private static readonly int[] Signals = [SystemCall.SignalIll, SystemCall.SignalTrap, SystemCall.SignalBus, SystemCall.SignalFpe, SystemCall.SignalSegv, SystemCall.SignalUser1];

    private static readonly ulong BlockedSignals = Signals.Aggregate(ulong.MaxValue, (mask, signal) => mask & ~(1ul << (signal - 1)));

    private static readonly Lazy<EngineProgram> Assembled = new(() => new EngineProgram());

    private readonly ulong handlerAddress, restorerAddress;
    private readonly byte[] guestFilter, mapperFilter;

    private Label finish, guestWake, guestWait, afterGuestWake, afterGuestWait, mapper, afterMapperWait, afterMapperWake, afterOrder, gate, push, pushed, publish, resolve, resolving, resolved, goOn, goingOn, gone, stopInGate;

    private EngineProgram()
        : base(rbp, L.Stage, L.Error)
    {
        CreateCommonLabels();
        (finish, guestWake, guestWait, afterGuestWake, afterGuestWait) = (a.CreateLabel(), a.CreateLabel(), a.CreateLabel(), a.CreateLabel(), a.CreateLabel());
        (mapper, afterMapperWait, afterMapperWake, afterOrder) = (a.CreateLabel(), a.CreateLabel(), a.CreateLabel(), a.CreateLabel());
        (gate, push, pushed, publish) = (a.CreateLabel(), a.CreateLabel(), a.CreateLabel(), a.CreateLabel());
        (resolve, resolving, resolved) = (a.CreateLabel(), a.CreateLabel(), a.CreateLabel());
        (goOn, goingOn, gone, stopInGate) = (a.CreateLabel(), a.CreateLabel(), a.CreateLabel(), a.CreateLabel());
        WriteStart();
        WriteHandOver();
        WriteEntry();
        WriteHandler();
        WritePublish();
        WriteGate();
        WriteResolve();
        WriteGoOn();
        WriteSignalReturn();
        WriteMapper();
        using MemoryStream stream = new();
        AssemblerResult result = a.Assemble(new StreamCodeWriter(stream), L.Program + ElfImage.HeaderSize, BlockEncoderOptions.ReturnNewInstructionOffsets);
        Image = ElfImage.Create(L.Program, stream.ToArray());
        if (Image.Length > L.ProgramSize)
            throw new InvalidOperationException("the container's program is too long for its place");
        handlerAddress = result.GetLabelRIP(handler);
        restorerAddress = result.GetLabelRIP(restorer);
        guestFilter = SystemCallFilter.CreateGuest(result.GetLabelRIP(afterReturn), result.GetLabelRIP(afterGuestWait), L.State + L.GuestGo, result.GetLabelRIP(afterGuestWake), L.State + L.MonitorGo);
        mapperFilter = SystemCallFilter.CreateMapper(result.GetLabelRIP(afterOrder), result.GetLabelRIP(afterMapperWait), L.Orders + L.Posted, result.GetLabelRIP(afterMapperWake), [L.State + L.GuestGo, L.State + L.MonitorGo]);
    }

    /// <summary>The program; the same for every container of this process.</summary>
    public static EngineProgram Instance => Assembled.Value;

    /// <summary>The executable.</summary>
    public byte[] Image { get; }

    /// <summary>The argument by which a container learns its descriptors.</summary>
    public static string Argument(int control, int memory)
    {
        return string.Create(16, ((uint)control, (uint)memory), static (text, values) =>
        {
            for (int i = 0; i < 8; i++)
            {
                text[i] = (char)('a' + (values.Item1 >> (28 - (i * 4)) & 15));
                text[8 + i] = (char)('a' + (values.Item2 >> (28 - (i * 4)) & 15));
            }
        });
    }

    /// <summary>Fills in what a container needs for starting up.</summary>
    public void FillOrders(Span<byte> orders)
    {
        // stack_t, struct sigaction as the kernel has it, struct rlimit, struct user_desc, two signal sets, two struct sock_fprog.
        Put(orders, L.StackDescription, L.State + L.SignalStack, 0, L.SignalStackSize);

        // No signal is blocked while the handler runs: it is left by IRETQ, not by a return.
        const uint flags = SystemCall.ActionSigInfo | SystemCall.ActionRestorer | SystemCall.ActionOnStack | SystemCall.ActionNoDefer;
        Put(orders, L.Action, handlerAddress, flags, restorerAddress, 0);
        Put(orders, L.Limits, 0, 0);
        Put(orders, L.FirstSegment, FlatCodeEntry, (FlatCode << 32) | 0xF_FFFF);
        Put(orders, L.GuestSignals, BlockedSignals, ulong.MaxValue);
        if (guestFilter.Length > L.FilterLength || mapperFilter.Length > L.FilterLength)
            throw new InvalidOperationException("a filter is too long for its place");
        guestFilter.CopyTo(orders[L.GuestFilter..]);
        mapperFilter.CopyTo(orders[L.MapperFilter..]);
        Put(orders, L.GuestFilterDescription, (uint)guestFilter.Length / 8, L.Orders + L.GuestFilter);
        Put(orders, L.MapperFilterDescription, (uint)mapperFilter.Length / 8, L.Orders + L.MapperFilter);
        "plexus-guest\0"u8.CopyTo(orders[L.Name..]);
    }

    private void ParseDescriptor(AssemblerRegister32 descriptor, int at)
    {
        a.xor(descriptor, descriptor);
        for (int i = 0; i < 8; i++)
        {
            a.movzx(edx, __byte_ptr[rax + at + i]);
            a.sub(edx, 'a');
            a.shl(descriptor, 4);
            a.or(descriptor, edx);
        }
    }

    private void WriteStart()
    {
        Label orphan = a.CreateLabel(), lost = a.CreateLabel(), found = a.CreateLabel();

        // argc, argv[0], argv[1] lie on the stack (System V ABI, 3.4.1 of the AMD64 supplement).
        a.mov(rax, __qword_ptr[rsp + 16]);
        ParseDescriptor(r12d, 0);
        ParseDescriptor(r13d, 8);
        Map(L.State, L.StateSize, ContainerAccess.Read | ContainerAccess.Write, () => a.mov(r8d, r12d), 0);
        a.js(lost);
        a.mov(rbx, L.State);
        a.mov(rbp, L.Orders);
        a.lea(rsp, __[rbx + L.SignalStack + L.SignalStackSize]);
        Stage(StartStage.Control);
        Map(L.Orders, L.OrdersSize, ContainerAccess.Read, () => a.mov(r8d, r12d), L.StateSize);
        a.js(failed);

        WriteParentDeath(Environment.ProcessId, orphan);

        // All descriptors but guest memory, which the second thread maps.
        Stage(StartStage.Descriptors);
        a.xor(edi, edi);
        a.lea(esi, __[r13 - 1]);
        a.xor(edx, edx);
        Must(SystemCall.CloseRange);
        a.lea(edi, __[r13 + 1]);
        a.mov(esi, -1);
        a.xor(edx, edx);
        Must(SystemCall.CloseRange);

        Stage(StartStage.CodeSegment);
        a.mov(edi, 1);
        a.lea(rsi, __[rbp + L.FirstSegment]);
        a.mov(edx, L.SegmentSize);
        Must(SystemCall.ModifyLdt);

        // LAR knows what the processor would load.
        a.mov(ecx, (FlatCodeEntry * 8) | 7);
        a.lar(eax, ecx);
        a.je(found);
        a.mov(eax, -SystemCall.NotSupported);
        a.jmp(failed);
        a.Label(ref found);

        WriteSignals(L.StackDescription, L.Action, Signals);
        WritePrivileges(L.Name);

        // Every signal is blocked from the start. The second thread keeps it so: it needs no stack.
        Stage(StartStage.Mapper);
        SetSignalMask(L.AllSignals);
        a.mov(edi, SiblingThread);
        a.xor(esi, esi);
        a.xor(edx, edx);
        a.xor(r10d, r10d);
        a.xor(r8d, r8d);
        Must(SystemCall.Clone);
        a.je(mapper);
        a.mov(__dword_ptr[rbx + L.MapperThread], eax);
        SetSignalMask(L.GuestSignals);

        // Nothing of the guest's runs beside a thread without a filter.
        Label confined = a.CreateLabel(), unconfined = a.CreateLabel();
        a.Label(ref unconfined);
        a.cmp(__dword_ptr[rbx + L.MapperReady], 0);
        a.jne(confined);
        a.mov(eax, SystemCall.SchedYield);
        a.syscall();
        a.jmp(unconfined);
        a.Label(ref confined);

        WriteLimits(L.Limits);
        Stage(StartStage.Filter);
        WriteFilter(L.GuestFilterDescription);
        Stage(StartStage.Ready);
        a.jmp(finish);
        WriteFailure(ref orphan, ref lost);
    }

    private void SetSignalMask(int set)
    {
        a.mov(edi, SystemCall.SetMask);
        a.lea(rsi, __[rbp + set]);
        a.xor(edx, edx);
        a.mov(r10d, 8);
        Must(SystemCall.RtSigprocmask);
    }

    /// <summary>Gives the turn to the monitor and waits to have it back. RBX is the state, RBP the orders.</summary>
    private void WriteHandOver()
    {
        Label look = a.CreateLabel(), sleep = a.CreateLabel(), spin = a.CreateLabel(), taken = a.CreateLabel();
        a.Label(ref finish);
        a.rdtsc();
        a.mov(__dword_ptr[rbx + L.Left], eax);
        a.mov(__dword_ptr[rbx + L.Left + 4], edx);
        a.lea(rsp, __[rbx + L.SignalStack + L.SignalStackSize]);
        a.mov(eax, 1);
        a.xchg(__dword_ptr[rbx + L.MonitorGo], eax); // Locked: what was published is seen before, and whether the monitor sleeps is read behind it.
        a.cmp(__dword_ptr[rbp + L.MonitorSleeps], 0);
        a.je(afterGuestWake);
        a.lea(rdi, __[rbx + L.MonitorGo]);
        a.mov(esi, SystemCall.FutexWake);
        a.mov(edx, 1);
        a.xor(r10d, r10d);
        a.mov(eax, SystemCall.Futex);
        a.Label(ref guestWake);
        a.syscall();
        a.Label(ref afterGuestWake);

        a.mov(r15d, __dword_ptr[rbp + L.Spins]);
        a.Label(ref spin);
        a.cmp(__dword_ptr[rbx + L.GuestGo], 0);
        a.jne(taken);
        a.sub(r15d, 1);
        a.js(sleep);
        a.pause();
        a.jmp(spin);

        a.Label(ref sleep);
        a.mov(eax, 1);
        a.xchg(__dword_ptr[rbx + L.GuestSleeps], eax);
        a.Label(ref look);
        a.cmp(__dword_ptr[rbx + L.GuestGo], 0);
        a.jne(taken);
        a.lea(rdi, __[rbx + L.GuestGo]);
        a.mov(esi, SystemCall.FutexWait);
        a.xor(edx, edx);
        a.xor(r10d, r10d);
        a.mov(eax, SystemCall.Futex);
        a.Label(ref guestWait);
        a.syscall();
        a.Label(ref afterGuestWait);
        a.jmp(look);

        a.Label(ref taken);
        a.mov(__dword_ptr[rbx + L.GuestSleeps], 0);
        a.mov(__dword_ptr[rbx + L.KickSeen], 0);
        a.mov(__dword_ptr[rbx + L.GuestGo], 0);
        a.rdtsc();
        a.mov(__dword_ptr[rbx + L.Entered], eax);
        a.mov(__dword_ptr[rbx + L.Entered + 4], edx);
    }

    private void WriteEntry()
    {
        // The form without REX.W: FIP and FDP with selectors, as 32-bit code has them.
        a.fxrstor(__[rbp + L.EntryFx]);
        a.mov(ds, __word_ptr[rbp + L.EntryDs]);
        a.mov(es, __word_ptr[rbp + L.EntryEs]);
        a.mov(fs, __word_ptr[rbp + L.EntryFs]);
        a.mov(gs, __word_ptr[rbp + L.EntryGs]);
        foreach (int field in (ReadOnlySpan<int>)[L.EntrySs, L.EntryRegisters + 16, L.EntryEflags, L.EntryCs, L.EntryEip])
        {
            a.mov(eax, __dword_ptr[rbp + field]);
            a.push(rax);
        }

        a.mov(eax, __dword_ptr[rbp + L.EntryRegisters]);
        a.mov(ecx, __dword_ptr[rbp + L.EntryRegisters + 4]);
        a.mov(edx, __dword_ptr[rbp + L.EntryRegisters + 8]);
        a.mov(ebx, __dword_ptr[rbp + L.EntryRegisters + 12]);
        a.mov(esi, __dword_ptr[rbp + L.EntryRegisters + 24]);
        a.mov(edi, __dword_ptr[rbp + L.EntryRegisters + 28]);
        a.mov(ebp, __dword_ptr[rbp + L.EntryRegisters + 20]);
        a.iretq();
    }

    /// <summary>The second thread. R15D is the number of the last batch it did.</summary>
    private void WriteMapper()
    {
        Label loop = a.CreateLabel(), work = a.CreateLabel(), order = a.CreateLabel(), done = a.CreateLabel(), bad = a.CreateLabel(), give = a.CreateLabel(), toMonitor = a.CreateLabel();
        a.Label(ref mapper);
        WriteFilter(L.MapperFilterDescription);
        a.mov(__dword_ptr[rbx + L.MapperReady], 1);
        a.xor(r15d, r15d);
        a.Label(ref loop);
        a.mov(eax, __dword_ptr[rbp + L.Posted]);
        a.cmp(eax, r15d);
        a.jne(work);
        a.lea(rdi, __[rbp + L.Posted]);
        a.mov(esi, SystemCall.FutexWait);
        a.mov(edx, r15d);
        a.xor(r10d, r10d);
        a.mov(eax, SystemCall.Futex);
        a.syscall();
        a.Label(ref afterMapperWait);
        a.jmp(loop);

        a.Label(ref work);
        a.mov(r15d, eax);
        a.mov(r14d, __dword_ptr[rbp + L.Count]);
        a.lea(r13, __[rbp + L.OrdersAt]);
        a.Label(ref order);
        a.sub(r14d, 1);
        a.js(done);
        a.mov(rdi, __qword_ptr[r13 + 8]);
        a.mov(rsi, __qword_ptr[r13 + 16]);
        a.mov(rdx, __qword_ptr[r13 + 24]);
        a.mov(r10, __qword_ptr[r13 + 32]);
        a.mov(r8, __qword_ptr[r13 + 40]);
        a.mov(r9, __qword_ptr[r13 + 48]);
        a.mov(eax, __dword_ptr[r13]);
        a.syscall();
        a.Label(ref afterOrder);
        a.cmp(rax, -4095);
        a.jae(bad);
        a.add(r13, L.OrderSize);
        a.jmp(order);

        a.Label(ref bad);
        a.mov(__dword_ptr[rbx + L.OrderError], eax);
        a.jmp(toMonitor);
        a.Label(ref done);
        a.cmp(__dword_ptr[rbp + L.ThenGuest], 0);
        a.je(toMonitor);
        a.lea(rdi, __[rbx + L.GuestGo]);
        a.jmp(give);
        a.Label(ref toMonitor);
        a.lea(rdi, __[rbx + L.MonitorGo]);
        a.Label(ref give);
        a.mov(eax, 1);
        a.xchg(__dword_ptr[rdi], eax);
        a.mov(esi, SystemCall.FutexWake);
        a.mov(edx, 1);
        a.xor(r10d, r10d);
        a.mov(eax, SystemCall.Futex);
        a.syscall();
        a.Label(ref afterMapperWake);
        a.jmp(loop);
    }
}
