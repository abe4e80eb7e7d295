using Iced.Intel;
using Plexus.Cpu.Native;
using Plexus.Cpu.Native.Engine;
using Plexus.Tests.Native;
using static Iced.Intel.AssemblerRegisters;
using L = Plexus.Cpu.Native.Engine.EngineLayout;
using R = Plexus.Cpu.Tests.Native.ContainerRig;

namespace Plexus.Cpu.Tests.Native;

/// <summary>Guest code that has reached 64-bit mode, or asks the host's kernel from where it is: the container's filter and its mappings are what stands then.</summary>
public sealed class ContainerConfinementTests
{
    private const string EndedByFilter = "guest code made a system call of the host; its filter ended the container";

    /// <summary>The number of a call in the table of x32.</summary>
    private const int X32 = 0x4000_0000;

    private const ulong StartOfVsyscalls = 0xFFFF_FFFF_FF60_0000;

    /// <summary>read, write, open, close, mmap, mprotect, munmap, rt_sigaction, rt_sigreturn, ioctl, getpid, socket, clone, fork, execve, exit, kill, ptrace, modify_ldt, prctl, arch_prctl, futex, exit_group, tgkill, openat, seccomp, memfd_create, execveat, pkey_mprotect, io_uring_setup, clone3, and beyond the table.</summary>
    public static TheoryData<int> Calls =>
    [
        0, 1, 2, 3, 9, 10, 11, 13, 15, 16, 39, 41, 56, 57, 59, 60, 62, 101, 154, 157, 158, 202, 231, 234, 257, 317, 319, 322, 329, 425, 435, 1000, X32 | 39, X32 | 202, -1,
    ];

    [NativeTheory]
    [MemberData(nameof(Calls))]
    public void System_call_in_64_bit_mode_ends_the_container(int number)
    {
        using R rig = new();

        Assert.Equal(EndedByFilter, rig.RunLong(a =>
        {
            a.mov(eax, number);
            a.syscall();
            a.mov(__dword_ptr[R.Data], 1);
            a.int3();
        }));

        Assert.Equal(0u, rig[0]);
    }

    /// <summary>INT 80h, SYSENTER, SYSCALL for getpid: the filter ends the container, or the processor refuses the instruction.</summary>
    [NativeTheory]
    [InlineData(new byte[] { 0xCD, 0x80 }, 20)]
    [InlineData(new byte[] { 0x0F, 0x34 }, 20)]
    [InlineData(new byte[] { 0x0F, 0x05 }, 39)]
    public void System_call_in_32_bit_code_never_returns(byte[] code, int number)
    {
        using R rig = new();
        rig.Set(0, (uint)number);
        rig.Set(5, R.Stack);

        string? failure = rig.Run(c =>
        {
            c.db(code);
            c.mov(__dword_ptr[R.Data], 1);
        });

        Assert.Equal(0u, rig[0]);
        if (failure is not null)
            Assert.Equal(EndedByFilter, failure);
        else
            Assert.True(rig.Vector is 6 or 13 && rig.Rip == R.Code, $"vector {rig.Vector} at {rig.Rip:X}");
    }

    /// <summary>The container's own SYSCALLs, every one, with registers that would let the guest out, or have it seen by nobody.</summary>
    [NativeFact]
    public void Jump_to_any_system_call_of_the_container_ends_it()
    {
        List<ulong> places = SystemCalls();
        Assert.True(places.Count > 20, $"{places.Count} system calls");
        foreach (ulong place in places)
        {
            foreach ((int call, ulong first, ulong second, ulong third) in ((int, ulong, ulong, ulong)[])
            [
                (SystemCall.Mmap, R.Absent, 0x1000, 7),
                (SystemCall.Mprotect, R.Code, 0x1000, 7),
                (SystemCall.ModifyLdt, 1, L.Orders + L.FirstSegment, 16),
                (SystemCall.Futex, R.Data, SystemCall.FutexWait, 0),
                (SystemCall.Futex, L.Orders + L.Posted, SystemCall.FutexWake, 1),
                (SystemCall.ExitGroup, 0, 0, 0),
            ])
                Assert.Equal((place, call, EndedByFilter), (place, call, JumpTo(place, call, first, second, third)));
        }
    }

    /// <summary>The three calls that the first thread is allowed, from another place than their own.</summary>
    [NativeFact]
    public void Allowed_call_from_another_place_ends_the_container()
    {
        (int Call, ulong First, ulong Second)[] calls =
        [
            (SystemCall.RtSigreturn, 0, 0), (SystemCall.Futex, L.State + L.GuestGo, SystemCall.FutexWait), (SystemCall.Futex, L.State + L.MonitorGo, SystemCall.FutexWake),
        ];
        foreach ((int call, ulong first, ulong second) in calls)
        {
            List<ulong> allowed = [];
            foreach (ulong place in SystemCalls())
            {
                if (JumpTo(place, call, first, second, 0) != EndedByFilter)
                    allowed.Add(place);
            }

            Assert.True(allowed.Count == 1, $"call {call} from {string.Join(", ", allowed.Select(a => a.ToString("X", null)))}");
        }
    }

    [NativeFact]
    public void Call_through_the_page_of_vsyscalls_does_not_return()
    {
        using R rig = new();

        string? failure = rig.RunLong(a =>
        {
            a.xor(edi, edi);
            a.xor(esi, esi);
            a.mov(rax, StartOfVsyscalls);
            a.call(rax);
            a.mov(__dword_ptr[R.Data], 1);
            a.int3();
        });

        Assert.Equal(0u, rig[0]);
        if (failure is null)
            Assert.Equal((14, EngineProgram.Code64, StartOfVsyscalls), (rig.Vector, (int)rig.Cs, rig.Rip));
        else
            Assert.Contains("ended", failure, StringComparison.Ordinal);
    }

    [NativeTheory]
    [InlineData(L.Orders, 0x1)]
    [InlineData(L.Orders + L.OrdersAt, 0x1)]
    [InlineData(L.Orders + L.OrdersSize - 8, 0x1)]
    [InlineData(L.Program, 0x1)]
    [InlineData(L.Program + 0x200, 0x1)]
    [InlineData(R.Code, 0x1)]
    [InlineData(L.Orders + L.OrdersSize, 0x0)]
    [InlineData(L.State + L.StateSize, 0x0)]
    public void Write_to_what_the_container_may_not_change_faults(ulong address, uint present)
    {
        using R rig = new();

        Assert.Null(rig.RunLong(a =>
        {
            a.mov(rcx, address);
            a.mov(__qword_ptr[rcx], rcx);
        }));

        Assert.Equal((14, (uint)EngineProgram.Code64, 6 | present, address), (rig.Vector, rig.Cs, rig.Error, rig.Cr2));
    }

    [NativeFact]
    public void State_is_not_executed()
    {
        using R rig = new();

        Assert.Null(rig.RunLong(a =>
        {
            a.mov(rcx, L.State + 0x800);
            a.mov(__byte_ptr[rcx], 0xC3);
            a.jmp(rcx);
        }));

        Assert.Equal((14, 0x15u, L.State + 0x800), (rig.Vector, rig.Error, rig.Rip));
    }

    /// <summary>
    /// All of the state, among it the turn: the container says that it is done while its code runs on, and what it says is anything.
    /// Whatever comes of it, the monitor's side goes on, and can end it.
    /// </summary>
    [NativeTheory]
    [InlineData(0ul, 0ul)]
    [InlineData(0xFFFF_FFFF_FFFF_FFFF, 0ul)]
    [InlineData(1ul, 0ul)]
    [InlineData(0x0123_4567_89AB_CDEF, 0x9E37_79B9_7F4A_7C15)]
    public void Wild_writes_over_the_state_leave_the_other_side_running(ulong value, ulong step)
    {
        using R rig = new();

        for (int run = 0; run < 4; run++)
        {
            string? failure = rig.RunLong(a => FillState(a, value, step), 50_000_000);
            if (failure is not null)
            {
                Assert.Contains("container", failure, StringComparison.Ordinal);
                break;
            }
        }
    }

    [NativeFact]
    public void Turn_that_is_given_back_by_guest_code_again_and_again_is_taken()
    {
        using R rig = new();
        Assert.Null(rig.RunLong(RaiseForEver));

        for (int run = 0; run < 20; run++)
            Assert.Null(rig.Run(1_000_000));
    }

    [NativeFact]
    public void Guest_code_that_only_says_that_it_stopped_is_found_out()
    {
        using R rig = new();
        Assert.Null(rig.RunLong(RaiseForEver));

        Assert.Equal("guest code said that it had stopped, and did not stop", rig.Container.Settle());
    }

    /// <summary>Each batch is done before the next is written, whatever the guest says meanwhile.</summary>
    [NativeFact]
    public void Guest_code_that_says_that_its_mappings_are_done_does_not_get_others()
    {
        using R rig = new();
        const uint pages = (2 * L.MaximumOrders) + 50;
        Assert.Null(rig.RunLong(RaiseForEver));
        for (uint i = 0; i < pages; i++)
            rig.Container.Map(0x1_0000 + (i * 2), R.FirstSpareFrame + (i % 4), 1, ContainerAccess.Read);
        Assert.Null(rig.Run(1_000_000));

        // Another batch, which waits for the last.
        rig.Container.Unmap(0x8_0000, 1);
        Assert.Null(rig.Run(1_000_000));

        string[] mapped = [.. File.ReadLines($"/proc/{rig.Container.ProcessId}/maps").Where(line => line.Contains("plexus-test", StringComparison.Ordinal))];
        for (uint i = 0; i < pages; i++)
        {
            uint address = (0x1_0000 + (i * 2)) << 12;
            string start = FormattableString.Invariant($"{address:x8}-{address + 0x1000:x8} r--s {(R.FirstSpareFrame + (i % 4)) << 12:x8} ");
            Assert.StartsWith(start, mapped[i + 3], StringComparison.Ordinal);
        }
    }

    [NativeFact]
    public void Storm_of_exceptions_in_64_bit_mode_is_told_each_time()
    {
        using R rig = new();
        for (int run = 0; run < 50; run++)
        {
            Assert.Null(rig.RunLong(a => a.ud2()));
            Assert.Equal((6, (uint)EngineProgram.Code64, (ulong)R.Code), (rig.Vector, rig.Cs, rig.Rip));
        }
    }

    [NativeFact]
    public void Stack_pointer_that_leads_nowhere_does_not_hinder_the_handler()
    {
        foreach (ulong stack in (ulong[])[0, 8, 0xFFFF_8000_0000_0000, 0x8000_0000_0000_0000, L.Orders + 64, ulong.MaxValue])
        {
            using R rig = new();
            Assert.Null(rig.RunLong(a =>
            {
                a.mov(rsp, stack);
                a.ud2();
            }));
            Assert.Equal((6, (uint)EngineProgram.Code64), (rig.Vector, rig.Cs));
        }
    }

    /// <summary>The handler's frame would be written below what is in use of its own stack.</summary>
    [NativeFact]
    public void Stack_pointer_at_the_end_of_the_signal_stack_ends_the_container_at_worst()
    {
        foreach (int offset in (int[])[L.SignalStack, L.SignalStack + 16, L.SignalStack + 0x400, L.StateSize])
        {
            using R rig = new();
            string? failure = rig.RunLong(a =>
            {
                a.mov(rsp, L.State + (ulong)offset);
                a.ud2();
            });
            if (failure is null)
                Assert.Equal((6, (uint)EngineProgram.Code64), (rig.Vector, rig.Cs));
            else
                Assert.Equal("the container was ended by signal 11", failure);
        }
    }

    /// <summary>A signal frame of the guest's making sets every register and the signal mask, and what comes then is in the container still.</summary>
    [NativeFact]
    public void Forged_return_from_a_signal_stays_in_the_container()
    {
        using R rig = new();
        const uint frame = R.Data + 0x100;
        const int registers = 40, context64 = 0x7;
        ulong place = SystemCalls().Single(p => JumpTo(p, SystemCall.RtSigreturn, 0, 0, 0) != EndedByFilter);

        Assert.Null(rig.RunLong(a =>
        {
            // RSP, RIP, EFLAGS, CS and SS of ucontext_t; no floating-point frame.
            Word(0, context64 & ~1);
            Word(registers + (15 * 8), (int)R.Stack);
            Word(registers + (16 * 8), (int)R.Code + 0x800);
            Word(registers + (17 * 8), 0x3202);
            Word(registers + (18 * 8), EngineProgram.Code64);
            Word(registers + (18 * 8) + 4, EngineProgram.UserData << 16);
            a.mov(esp, frame);
            a.mov(eax, SystemCall.RtSigreturn);
            a.mov(rcx, place);
            a.jmp(rcx);

            void Word(int offset, int value)
            {
                a.mov(rcx, (ulong)frame + (ulong)offset);
                a.mov(__dword_ptr[rcx], value);
            }
        }));

        // INT3 of the fill; IOPL stayed what it was.
        Assert.Equal((3, R.Code + 0x801ul, 0), (rig.Vector, rig.Rip, rig.Container.State(L.Eflags) & 0x3000));
    }

    private static void RaiseForEver(Assembler a)
    {
        Label top = a.CreateLabel();
        a.mov(rbx, L.State);
        a.Label(ref top);
        a.mov(__dword_ptr[rbx + L.MonitorGo], 1);
        a.jmp(top);
    }

    private static void FillState(Assembler a, ulong value, ulong step)
    {
        Label top = a.CreateLabel();
        a.mov(rdi, L.State);
        a.mov(rax, value);
        a.mov(rdx, step);
        a.mov(ecx, L.StateSize / 8);
        a.Label(ref top);
        a.mov(__qword_ptr[rdi], rax);
        a.add(rax, rdx);
        a.rol(rax, 13);
        a.add(rdi, 8);
        a.dec(ecx);
        a.jnz(top);
        a.ud2();
    }

    /// <summary>Addresses of the container's SYSCALL instructions.</summary>
    private static List<ulong> SystemCalls()
    {
        byte[] image = EngineProgram.Instance.Image;
        List<ulong> places = [];
        Decoder decoder = Decoder.Create(64, new ByteArrayCodeReader(image, ElfImage.HeaderSize, image.Length - ElfImage.HeaderSize), L.Program + ElfImage.HeaderSize);
        while (decoder.IP < L.Program + (ulong)image.Length)
        {
            decoder.Decode(out Instruction instruction);
            if (instruction.Code == Code.Syscall)
                places.Add(instruction.IP);
        }

        return places;
    }

    private static string? JumpTo(ulong place, int call, ulong first, ulong second, ulong third)
    {
        using R rig = new();
        return rig.RunLong(
            a =>
            {
                a.mov(eax, call);
                a.mov(rdi, first);
                a.mov(rsi, second);
                a.mov(rdx, third);
                a.mov(r10d, 0x11);
                a.mov(r8d, 3);
                a.xor(r9d, r9d);
                a.mov(rcx, place);
                a.jmp(rcx);
            },
            1_000_000);
    }
}
