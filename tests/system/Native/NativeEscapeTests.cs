using Iced.Intel;
using Plexus.Host;
using Plexus.System.Tests.Adversaries;
using Plexus.System.Tests.Runs;
using Plexus.Tests.Native;
using Xunit;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.System.Tests.Native;

/// <summary>Guests that leave the scanned code: for 64-bit mode, for the host's kernel, for each other. The machine ends with one line, and this process goes on.</summary>
[Collection(NativeTests.Name)]
public sealed class NativeEscapeTests
{
    private const string LeftInLongMode = "guest code left its confinement: exception ", InLongMode = "in 64-bit mode";

    /// <summary>Places in the state (docs/isolation.md): the turn, and what ended a run.</summary>
    private const int MonitorGo = 0x40, Signal = 0x100, Vector = 0x104, ErrorCode = 0x108, Cs = 0x10C, Cr2 = 0x110, Registers = 0x120, Rip = 0x140;

    /// <summary>Bytes before the container's SYSCALLs: mov eax, [r13], which loads an order's number, and the end of mov eax, 202, a futex call's.</summary>
    private const uint BeforeOrder = 0x0045_8B41, BeforeFutex = 0x0000_00CA;

    private const int SegvSignal = 11, GuestCode = 0x17;

    [NativeFact]
    public void Undefined_instruction_in_64_bit_mode_ends_the_machine() =>
        EscapeRun.AssertLost(EscapeRun.LongKernel(LongMode.Undefined), LeftInLongMode + "6 (signal 4) at CS:RIP 0033:", InLongMode);

    /// <summary>No data view may be executed, in whatever mode.</summary>
    [NativeFact]
    public void Far_jump_to_64_bit_mode_in_the_data_view_faults_there() =>
        EscapeRun.AssertLost(EscapeRun.Kernel(c => LongMode.JumpFarHidden(c, LongMode.Code64, 0x9_8000)), LeftInLongMode + "14 (signal 11) at CS:RIP 0033:98000", InLongMode);

    [NativeFact]
    public void Far_jump_to_the_hosts_flat_segment_ends_the_machine_at_its_next_exception() =>
        EscapeRun.AssertLost(EscapeRun.LongKernel(LongMode.Undefined, LongMode.Code32), LeftInLongMode, "at CS:RIP 0023:", "in a segment that is not the guest's");

    /// <summary>write, open, mmap, getpid, execve, kill.</summary>
    [NativeTheory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(9)]
    [InlineData(39)]
    [InlineData(59)]
    [InlineData(62)]
    public void System_call_in_64_bit_mode_ends_the_machine(int number) =>
        EscapeRun.AssertLost(
            EscapeRun.LongKernel(a =>
            {
                a.mov(edi, 1);
                a.mov(edx, 9);
                LongMode.SystemCall(a, number);
                LongMode.Undefined(a);
            }),
            EscapeRun.EndedByFilter);

    [NativeFact]
    public void Jump_to_the_order_instruction_with_a_mapping_of_the_guests_choice_ends_the_machine() =>
        EscapeRun.AssertLost(EscapeRun.LongKernel(MapByOrder), EscapeRun.EndedByFilter);

    [NativeFact]
    public void Jump_to_the_futex_instruction_with_another_word_ends_the_machine() =>
        EscapeRun.AssertLost(
            EscapeRun.LongKernel(a =>
            {
                LongMode.FindInProgram(a, BeforeFutex);
                a.mov(edi, 0x9_8000);
                a.xor(esi, esi);
                a.mov(eax, 202);
                LongMode.JumpToRdx(a);
            }),
            EscapeRun.EndedByFilter);

    [NativeTheory]
    [InlineData(LongMode.Orders)]
    [InlineData(LongMode.Orders + 0x1000)]
    [InlineData(LongMode.Program + 0x100)]
    public void Write_to_what_the_monitor_relies_on_faults(ulong address) =>
        EscapeRun.AssertLost(
            EscapeRun.LongKernel(a =>
            {
                a.mov(rcx, address);
                a.mov(__dword_ptr[rcx], ecx);
                LongMode.Undefined(a);
            }),
            LeftInLongMode + "14 (signal 11)",
            InLongMode);

    /// <summary>Over the turn, the registers and the signal stack. The monitor may look at any moment.</summary>
    [NativeTheory]
    [InlineData(0u, 0u)]
    [InlineData(0xFFFF_FFFFu, 0u)]
    [InlineData(1u, 0u)]
    [InlineData((uint)GuestCode, 0u)]
    [InlineData(0x1234_5678u, 0x9E37_79B9u)]
    public void Wild_writes_over_the_state_end_the_machine(uint value, uint step) =>
        EscapeRun.AssertLost(
            EscapeRun.LongKernel(a =>
            {
                Label top = a.CreateLabel();
                a.mov(rdi, LongMode.State);
                a.mov(eax, value);
                a.mov(edx, step);
                a.mov(ecx, LongMode.StateSize / 4);
                a.Label(ref top);
                a.mov(__dword_ptr[rdi], eax);
                a.add(eax, edx);
                a.rol(eax, 7);
                a.add(rdi, 4);
                a.dec(ecx);
                a.jnz(top);
                LongMode.Undefined(a);
            }));

    /// <summary>The handler's frame overruns its stack: it lies over the state, or the host ends the process.</summary>
    [NativeFact]
    public void Stack_pointer_at_the_bottom_of_the_signal_stack_ends_the_machine() =>
        EscapeRun.AssertLost(
            EscapeRun.LongKernel(a =>
            {
                a.mov(rsp, LongMode.State + 0x1010);
                LongMode.Undefined(a);
            }));

    [NativeFact]
    public void Endless_loop_in_64_bit_mode_ends_the_machine_at_its_next_timer() =>
        EscapeRun.AssertLost(
            EscapeRun.Kernel(c =>
            {
                Label notFound = c.CreateLabel();
                c.mov(al, 0x34);
                c.@out(0x43, al);
                c.@out(0x40, al);
                c.@out(0x40, al);
                LongMode.FindView(c, notFound);
                LongMode.Enter(c, a =>
                {
                    Label top = a.CreateLabel();
                    a.Label(ref top);
                    a.inc(ecx);
                    a.jmp(top);
                });
                c.Label(ref notFound);
                GuestParts.Exit(c);
            }),
            "(signal 10) at CS:RIP 0033:",
            InLongMode);

    /// <summary>INT 80h, SYSENTER, SYSCALL: the host's kernel is entered and the filter ends the container; or the processor refuses, and the guest has what its own would give it.</summary>
    [NativeTheory]
    [InlineData(0xCD, 0x80)]
    [InlineData(0x0F, 0x34)]
    [InlineData(0x0F, 0x05)]
    public void System_call_in_32_bit_code_is_the_guests_own_or_ends_the_machine(byte first, byte second)
    {
        PlexusRun run = EscapeRun.Kernel(c =>
        {
            LongMode.RunHidden(c, first, second);
            c.mov(al, 0x55);
            c.@out(0xF4, al);
        });

        if (run.ExitCode == GuestParts.ProcessExitCode)
            EscapeRun.AssertOthersRun();
        else
            EscapeRun.AssertLost(run, EscapeRun.EndedByFilter);
    }

    /// <summary>The code stays in 64-bit mode and says again and again that it had a page fault: the monitor maps, and emulates, and takes the next for what it says.</summary>
    [NativeFact]
    public void Forged_page_faults_are_taken_until_the_guest_gives_itself_away() =>
        EscapeRun.AssertLost(
            EscapeRun.LongKernel(a => Forge(a, 60, () =>
            {
                a.mov(__dword_ptr[rbx + Vector], 14);
                a.and(eax, 2);
                a.or(eax, 4);
                a.mov(__dword_ptr[rbx + ErrorCode], eax);
                a.mov(__dword_ptr[rbx + Rip], 0x10_0020);
            })),
            LeftInLongMode + "6 (signal 4)",
            InLongMode);

    /// <summary>Any vector, any registers, any EIP: the machine ends in one of the ways in which machines end.</summary>
    [NativeTheory]
    [InlineData(1u)]
    [InlineData(0x2545_F491u)]
    [InlineData(0xDEAD_BEEFu)]
    [InlineData(0x8000_0001u)]
    public void Forged_exits_with_random_contents_end_the_machine_in_good_order(uint seed)
    {
        PlexusRun run = EscapeRun.LongKernel(a => Forge(
            a,
            400,
            () =>
            {
                a.and(eax, 31);
                a.mov(__dword_ptr[rbx + Vector], eax);
                a.mov(__dword_ptr[rbx + ErrorCode], edx);
                a.mov(__dword_ptr[rbx + Rip], edx);
            },
            seed));

        Assert.True(run.ExitCode is ExitCodes.ContainerLost or ExitCodes.TripleFault or ExitCodes.HaltedForever || (run.ExitCode & 1) == 1, $"exit code {run.ExitCode}\n{run.Messages}");
        EscapeRun.OnlyLine(run);
        EscapeRun.AssertOthersRun();
    }

    /// <summary>Kernel data, kernel code, tables, and slots in which the windows of the kernel class may lie. A read that is not stopped goes on to a UD2.</summary>
    [NativeTheory]
    [InlineData(AdversaryLayout.Secret)]
    [InlineData(AdversaryLayout.Gdt)]
    [InlineData(AdversaryLayout.Directory)]
    [InlineData(AdversaryLayout.KernelStack - 64)]
    [InlineData(AdversaryLayout.KernelBase + AdversaryLayout.Load + 0x20)]
    [InlineData(AdversaryLayout.UserSupervisor)]
    [InlineData(0xC050_0020u)]
    [InlineData(0u)]
    public void User_code_in_64_bit_mode_does_not_read_the_kernels_memory(uint address) =>
        EscapeRun.AssertLost(
            EscapeRun.LongUser(a =>
            {
                a.mov(ecx, address);
                a.mov(eax, __dword_ptr[rcx]);
                LongMode.Undefined(a);
            }),
            LeftInLongMode + "14 (signal 11) at CS:RIP 0033:",
            InLongMode);

    [NativeFact]
    public void User_code_in_64_bit_mode_gives_itself_away() =>
        EscapeRun.AssertLost(
            EscapeRun.LongUser(a =>
            {
                a.mov(eax, __dword_ptr[AdversaryLayout.UserCells]);
                LongMode.Undefined(a);
            }),
            LeftInLongMode + "6 (signal 4) at CS:RIP 0033:",
            InLongMode);

    [NativeFact]
    public void User_code_in_64_bit_mode_does_not_map_the_kernels_memory() =>
        EscapeRun.AssertLost(EscapeRun.LongUser(MapByOrder), EscapeRun.EndedByFilter);

    private static void MapByOrder(Assembler a)
    {
        LongMode.FindInProgram(a, BeforeOrder);
        a.mov(edi, 0x7000_0000);
        a.mov(esi, 0x1000);
        a.mov(r10d, 0x11);
        a.mov(r8d, 4);
        a.xor(r9d, r9d);
        a.mov(eax, 9);
        a.mov(rcx, rdx);
        a.mov(edx, 3);
        LongMode.Hide(a, 0xFF, 0xE1); // jmp rcx
    }

    /// <summary>Says that an exception came, as often as it is told; EAX and EDX are random at each. Ends in a UD2.</summary>
    private static void Forge(Assembler a, int times, Action describe, uint seed = 0x1234_5677)
    {
        Label top = a.CreateLabel();
        Label wait = a.CreateLabel();
        a.mov(rbx, LongMode.State);
        a.mov(ecx, times);
        a.mov(edx, seed);
        a.Label(ref top);
        a.mov(__dword_ptr[rbx + Signal], SegvSignal);
        a.mov(__dword_ptr[rbx + Cs], GuestCode);
        for (int i = 0; i < 8; i++)
        {
            Next();
            a.mov(__dword_ptr[rbx + Registers + (i * 4)], edx);
        }

        Next();
        a.mov(__dword_ptr[rbx + Cr2], edx);
        Next();
        a.mov(eax, edx);
        a.shr(eax, 8);
        Next();
        describe();
        a.mov(__dword_ptr[rbx + Rip + 4], 0);
        a.mov(__dword_ptr[rbx], 0);
        a.mov(__dword_ptr[rbx + MonitorGo], 1);
        a.Label(ref wait);
        a.cmp(__dword_ptr[rbx], 0);
        a.je(wait);
        a.dec(ecx);
        a.jnz(top);
        LongMode.Undefined(a);

        void Next()
        {
            a.imul(edx, edx, 0x0019_660D);
            a.add(edx, 0x3C6E_F35F);
        }
    }
}
