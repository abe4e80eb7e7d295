using Iced.Intel;
using Plexus.Messaging.Shared;
using static Iced.Intel.AssemblerRegisters;
using L = Plexus.Cpu.Native.Engine.EngineLayout;

namespace Plexus.Cpu.Native.Engine;

/// <content>What becomes of a signal: an exception of the guest's, or a kick.</content>
internal sealed partial class EngineProgram
{
    /// <summary>Byte of SS in the context's word of CS, GS, FS and SS.</summary>
    private const int SsInSegments = 6;

    /// <summary>Exceptions that push an error code, and those that restart (SDM vol. 3, table 6-1).</summary>
    private const int WithErrorCode = (1 << 8) | (1 << 10) | (1 << 11) | (1 << 12) | (1 << 13) | (1 << 14) | (1 << 17);
    private const int Faults = WithErrorCode | (1 << 0) | (1 << 5) | (1 << 6) | (1 << 7) | (1 << 16) | (1 << 19);

    /// <summary>Entries of the branch table that are looked at: it has sixteen times as many heads as a chain of this length would need.</summary>
    private const int LongestChain = 64;

    private const int NestedTask = 0x4000, ResumeFlag = 0x1_0000;

    /// <summary>RDI signal, RSI siginfo, RDX ucontext, on the signal stack.</summary>
    private void WriteHandler()
    {
        Label own = a.CreateLabel(), fault = a.CreateLabel(), notPush = a.CreateLabel();
        a.Label(ref handler);

        // First of all AC: the guest's would make this code fault where it is not aligned.
        a.push(2);
        a.popfq();
        a.mov(rbx, L.State);
        a.mov(rbp, L.Orders);
        a.movzx(eax, __word_ptr[rdx + Context(RegSegments)]);
        a.mov(r11d, __dword_ptr[rdx + Context(RegVector)]);
        a.mov(r10d, __dword_ptr[rdx + Context(RegError)]);
        a.mov(r9, __qword_ptr[rdx + Context(RegCr2)]);
        a.cmp(eax, Code64);
        a.je(own);

        // Not before: a kick may find this program about to give the turn back, or the monitor about to read what was published.
        a.mov(__dword_ptr[rbx + L.GatePush], 0);
        a.cmp(edi, SystemCall.SignalUser1);
        a.je(publish);
        a.cmp(r11d, 31);
        a.ja(publish);
        a.mov(r8d, __dword_ptr[rbp + (r11 * 4) + L.Gates]);
        a.test(r8d, r8d);
        a.je(resolve);
        a.cmp(r11d, 13);
        a.jne(gate);
        a.cmp(r10d, EntryError);
        a.jne(gate);
        a.jmp(publish);

        // 64-bit code: this program's, or the guest's that should not be there.
        a.Label(ref own);
        a.mov(rcx, __qword_ptr[rdx + Context(RegRip)]);
        a.mov(r8, L.Program);
        a.sub(rcx, r8);
        a.cmp(rcx, L.ProgramSize);
        a.jae(publish);
        a.add(rcx, r8);
        a.cmp(edi, SystemCall.SignalUser1);
        a.jne(fault);

        // A guest that takes one gate after the other is hardly ever met in its own code: the gate is not taken, or not gone through.
        a.mov(__dword_ptr[rbx + L.KickSeen], 1);
        GoUnlessBetween(goingOn, gone, signalReturn);
        a.jmp(stopInGate);
        a.Label(ref fault);
        GoUnlessBetween(push, pushed, notPush);

        // The push of a gate's frame faulted: the registers are those of the exception's own frame.
        a.mov(rdx, __qword_ptr[rdx + Context(RegRdx)]);
        a.mov(eax, __dword_ptr[rdx + Context(RegVector)]);
        a.or(eax, 0x100);
        a.mov(__dword_ptr[rbx + L.GatePush], eax);
        a.movzx(eax, __word_ptr[rdx + Context(RegSegments)]);
        a.jmp(publish);

        // The branch table could not be read: the exception is told as it came.
        a.Label(ref notPush);
        GoUnlessBetween(resolving, resolved, publish);
        a.mov(rdx, __qword_ptr[rdx + Context(RegRdx)]);
        a.mov(edi, SystemCall.SignalTrap);
        a.movzx(eax, __word_ptr[rdx + Context(RegSegments)]);
        a.mov(r11d, __dword_ptr[rdx + Context(RegVector)]);
        a.mov(r10d, __dword_ptr[rdx + Context(RegError)]);
        a.mov(r9, __qword_ptr[rdx + Context(RegCr2)]);
        a.jmp(publish);
    }

    /// <summary>Goes elsewhere when RCX, an address of this program, is not between two labels. Takes R8.</summary>
    private void GoUnlessBetween(Label first, Label behind, Label elsewhere)
    {
        a.lea(r8, __[first]);
        a.cmp(rcx, r8);
        a.jb(elsewhere);
        a.lea(r8, __[behind]);
        a.cmp(rcx, r8);
        a.jae(elsewhere);
    }

    /// <summary>EAX is CS, R9 CR2, R10D the error code, R11D the vector.</summary>
    private void WritePublish()
    {
        a.Label(ref publish);
        a.mov(__dword_ptr[rbx + L.Signal], edi);
        a.mov(__dword_ptr[rbx + L.Vector], r11d);
        a.mov(__dword_ptr[rbx + L.ErrorCode], r10d);
        a.mov(__dword_ptr[rbx + L.Cs], eax);
        a.mov(__qword_ptr[rbx + L.Cr2], r9);
        for (int i = 0; i < 8; i++)
        {
            a.mov(eax, __dword_ptr[rdx + Context(GeneralInContext[i])]);
            a.mov(__dword_ptr[rbx + L.Registers + (i * 4)], eax);
        }

        a.mov(rax, __qword_ptr[rdx + Context(RegRip)]);
        a.mov(__qword_ptr[rbx + L.Rip], rax);
        a.mov(eax, __dword_ptr[rdx + Context(RegFlags)]);
        a.mov(__dword_ptr[rbx + L.Eflags], eax);
        a.mov(rsi, __qword_ptr[rdx + UcFpu]);
        a.lea(rdi, __[rbx + L.ExitFx]);
        a.mov(ecx, 64);
        a.rep.movsq();
        a.jmp(finish);
    }

    /// <summary>
    /// A gate to ring 3 (SDM vol. 3, 6.12.1.2, without a change of ring): EFLAGS, CS, EIP and perhaps the error code go onto the guest's stack, and control to the gate's EIP.
    /// R8D is that EIP, R10D the error code, R11D the vector, EAX is CS.
    /// </summary>
    private void WriteGate()
    {
        Label noError = a.CreateLabel(), noResume = a.CreateLabel();
        a.Label(ref gate);
        a.mov(r9d, __dword_ptr[rdx + Context(RegRsp)]);
        a.mov(ecx, __dword_ptr[rdx + Context(RegFlags)]);
        a.mov(r12d, ecx);
        a.mov(r13d, Faults);
        a.bt(r13d, r11d);
        a.jnc(noResume);
        a.or(r12d, ResumeFlag);
        a.Label(ref noResume);
        a.nop();
        a.Label(ref push);
        PushToGuest(r12d);
        PushToGuest(eax);
        a.mov(r12d, __dword_ptr[rdx + Context(RegRip)]);
        PushToGuest(r12d);
        a.mov(r13d, WithErrorCode);
        a.bt(r13d, r11d);
        a.jnc(noError);
        PushToGuest(r10d);
        a.Label(ref noError);
        a.nop();
        a.Label(ref pushed);
        a.and(ecx, ~(NestedTask | ResumeFlag | 0x100));
        a.mov(r10d, __dword_ptr[rbp + L.GateSelector]);
        a.jmp(goOn);
    }

    /// <summary>Back to the guest from its frame: with ESP from R9D, EFLAGS from ECX, CS from R10D, EIP from R8D. A kick that came meanwhile stops it there.</summary>
    private void WriteGoOn()
    {
        a.Label(ref goOn);
        a.mov(__dword_ptr[rbx + L.GoOnEip], r8d);
        a.mov(__dword_ptr[rbx + L.GoOnEsp], r9d);
        a.mov(__dword_ptr[rbx + L.GoOnEflags], ecx);
        a.mov(__dword_ptr[rbx + L.GoOnCs], r10d);
        a.mov(__qword_ptr[rbx + L.GoOnFrame], rdx);
        a.Label(ref goingOn);
        a.cmp(__dword_ptr[rbx + L.KickSeen], 0);
        a.jne(stopInGate);
        a.inc(__dword_ptr[rbx + L.GatesTaken]);
        a.movzx(eax, __word_ptr[rdx + Context(RegSegments) + SsInSegments]);
        a.mov(rsi, __qword_ptr[rdx + UcFpu]);
        a.fxrstor64(__[rsi]);
        a.push(rax);
        a.push(r9);
        a.push(rcx);
        a.push(r10);
        a.push(r8);
        a.mov(eax, __dword_ptr[rdx + Context(GeneralInContext[0])]);
        a.mov(ecx, __dword_ptr[rdx + Context(GeneralInContext[1])]);
        a.mov(ebx, __dword_ptr[rdx + Context(GeneralInContext[3])]);
        a.mov(ebp, __dword_ptr[rdx + Context(GeneralInContext[5])]);
        a.mov(esi, __dword_ptr[rdx + Context(GeneralInContext[6])]);
        a.mov(edi, __dword_ptr[rdx + Context(GeneralInContext[7])]);
        a.mov(edx, __dword_ptr[rdx + Context(GeneralInContext[2])]);
        a.iretq();
        a.Label(ref gone);
        a.nop();

        // What was restored so far is of no use: the frame has it all.
        a.Label(ref stopInGate);
        a.mov(rdx, __qword_ptr[rbx + L.GoOnFrame]);
        foreach ((int field, int register) in (ReadOnlySpan<(int, int)>)[(L.GoOnEip, RegRip), (L.GoOnEsp, RegRsp), (L.GoOnEflags, RegFlags)])
        {
            a.mov(eax, __dword_ptr[rbx + field]);
            a.mov(__qword_ptr[rdx + Context(register)], rax);
        }

        a.mov(eax, __dword_ptr[rbx + L.GoOnCs]);
        a.mov(edi, SystemCall.SignalUser1);
        a.jmp(publish);
    }

    /// <summary>
    /// An INT3 without a gate: when the branch table has ring-3 code for it, the guest goes on there, with its own stack. EAX is CS, R9 CR2, R10D the error code, R11D the vector.
    /// </summary>
    private void WriteResolve()
    {
        Label next = a.CreateLabel(), found = a.CreateLabel();
        a.Label(ref resolve);
        a.cmp(r11d, 3);
        a.jne(publish);
        a.mov(ecx, __dword_ptr[rbp + L.BranchTable]);
        a.test(ecx, ecx);
        a.je(publish);
        a.mov(r8d, __dword_ptr[rdx + Context(RegRip)]);
        a.movzx(r12d, r8w);
        a.Label(ref resolving);
        a.mov(r12d, __dword_ptr[rcx + (r12 * 4)]);
        a.mov(r14d, LongestChain);
        a.Label(ref next);
        a.test(r12d, r12d);
        a.je(publish);
        a.sub(r14d, 1);
        a.js(publish);
        a.mov(r13d, __dword_ptr[r12 + VirtualCpuPage.EntryKey]);
        a.add(r13d, r8d);
        a.je(found);
        a.mov(r12d, __dword_ptr[r12 + VirtualCpuPage.EntryNext]);
        a.jmp(next);
        a.Label(ref found);
        a.cmp(__dword_ptr[r12 + VirtualCpuPage.EntryIsGate], 1);
        a.jne(publish);
        a.mov(r8d, __dword_ptr[r12 + VirtualCpuPage.EntryContinuation]);
        a.nop();
        a.Label(ref resolved);
        a.mov(r9d, __dword_ptr[rdx + Context(RegRsp)]);
        a.mov(ecx, __dword_ptr[rdx + Context(RegFlags)]);
        a.mov(r10d, eax);
        a.jmp(goOn);
    }

    /// <summary>Below 4 GiB, as a 32-bit push wraps.</summary>
    private void PushToGuest(AssemblerRegister32 value)
    {
        a.sub(r9d, 4);
        a.mov(__dword_ptr[r9], value);
    }
}
