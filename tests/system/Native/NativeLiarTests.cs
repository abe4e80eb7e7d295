using Iced.Intel;
using Plexus.System.Tests.Adversaries;
using Plexus.System.Tests.Runs;
using Plexus.Tests.Native;
using Xunit;
using static Iced.Intel.AssemblerRegisters;
using L = Plexus.System.Tests.Adversaries.AdversaryLayout;

namespace Plexus.System.Tests.Native;

/// <summary>User code in 64-bit mode that says it has called its kernel, and runs on beside it.</summary>
[Collection(NativeTests.Name)]
public sealed class NativeLiarTests
{
    private const int MonitorGo = 0x40, Signal = 0x100, Vector = 0x104, Cs = 0x10C, Registers = 0x120, Rip = 0x140, Eflags = 0x148;
    private const int TrapSignal = 5, BreakpointVector = 3, GuestCode = 0x17;

    /// <summary>A page that the kernel takes away, and one that stays.</summary>
    private const uint Taken = L.UserScratch, Kept = L.UserScratch + 0x1000;

    private const uint TakenFrame = L.KernelBase + L.UserFrames + (Taken - L.User), KeptFrame = TakenFrame + 0x1000;

    /// <summary>The kernel takes the page away, writes what is secret to its frame, and looks a while later whether the program has it.</summary>
    [NativeFact]
    public void Program_that_runs_on_beside_its_kernel_does_not_keep_a_page_that_was_taken_from_it()
    {
        PlexusRun run = EscapeRun.LongUser(RunOn, kernel =>
        {
            Assembler c = kernel.Code;
            Label wait = c.CreateLabel();
            Label seen = c.CreateLabel();
            c.mov(__dword_ptr[L.UserTable + ((Taken - L.User) >> 10)], 0);
            c.invlpg(__byte_ptr[Taken]);
            c.mov(__dword_ptr[TakenFrame], L.SecretValue);
            c.mov(ecx, 60_000_000);
            c.Label(ref wait);
            c.dec(ecx);
            c.jnz(wait);
            c.cmp(__dword_ptr[KeptFrame], L.SecretValue);
            c.je(seen);
            c.mov(al, Adversary.ExitValue);
            c.@out(0xF4, al);
            c.Label(ref seen);
            c.mov(al, Adversary.BrokenValue);
            c.@out(0xF4, al);
        });

        EscapeRun.AssertLost(run, "guest code said that it had stopped, and did not stop");
    }

    /// <summary>Says that it met the breakpoint in the place of its system call, and copies.</summary>
    private static void RunOn(Assembler a)
    {
        Label top = a.CreateLabel();
        a.mov(ecx, Taken);
        a.mov(edi, Kept);
        a.mov(rbx, LongMode.State);
        a.mov(__dword_ptr[rbx + Signal], TrapSignal);
        a.mov(__dword_ptr[rbx + Vector], BreakpointVector);
        a.mov(__dword_ptr[rbx + Cs], GuestCode);
        a.mov(__dword_ptr[rbx + Registers], L.CallService);
        a.mov(__dword_ptr[rbx + Registers + 16], L.UserStack);
        a.mov(esi, EscapeRun.CallAddress);
        a.mov(eax, __dword_ptr[rsi]);
        a.inc(eax);
        a.mov(__dword_ptr[rbx + Rip], eax);
        a.mov(__dword_ptr[rbx + Rip + 4], 0);
        a.mov(__dword_ptr[rbx + Eflags], 0x202);
        a.mov(__dword_ptr[rbx + MonitorGo], 1);
        a.Label(ref top);
        a.mov(eax, __dword_ptr[rcx]);
        a.mov(__dword_ptr[rdi], eax);
        a.jmp(top);
    }
}
