using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Cpu.Native;

/// <summary>
/// What the programs of confined processes have in common: the steps of starting up that take everything away from the process that it does not need, and the way out of a signal.
/// RBX is the region that the process and this one talk through; its structures lie behind another register or the same.
/// </summary>
/// <param name="structures">Register that the structures for starting up are addressed by.</param>
/// <param name="stage">Where the step under way is told, behind RBX.</param>
/// <param name="error">Where the error number of a step that failed is told, behind RBX.</param>
internal abstract class ConfinedProgram(AssemblerRegister64 structures, int stage, int error)
{
    /// <summary>Linux' selectors (arch/x86/include/asm/segment.h): 64-bit code and data.</summary>
    public const int Code64 = 0x33, UserData = 0x2B;

    /// <summary><c>struct user_desc</c>: 32-bit, non-conforming code, limit in pages, usable.</summary>
    protected const ulong FlatCode = 0x55;

    /// <summary>Offsets in <c>ucontext_t</c> and places among its general registers (arch/x86/include/uapi/asm/sigcontext.h).</summary>
    protected const int UcRegisters = 40, UcFpu = UcRegisters + (23 * 8);
    protected const int RegRdx = 12, RegRsp = 15, RegRip = 16, RegFlags = 17, RegSegments = 18, RegError = 19, RegVector = 20, RegCr2 = 22;

    /// <summary>EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI.</summary>
    protected static readonly int[] GeneralInContext = [13, 14, 12, 11, 15, 10, 9, 8];

    protected readonly Assembler a = new(64);

    /// <summary>A step failed, with its negative error number in EAX; and the handler of signals, and the ways out of one.</summary>
    protected Label failed, handler, restorer, afterReturn, signalReturn;

    /// <summary>Writes words into a block.</summary>
    protected static void Put(Span<byte> block, int at, params ReadOnlySpan<ulong> values)
    {
        for (int i = 0; i < values.Length; i++)
            BitConverter.TryWriteBytes(block[(at + (i * 8))..], values[i]);
    }

    protected static int Context(int register) => UcRegisters + (register * 8);

    protected void CreateCommonLabels() =>
        (failed, handler, restorer, afterReturn, signalReturn) = (a.CreateLabel(), a.CreateLabel(), a.CreateLabel(), a.CreateLabel(), a.CreateLabel());

    protected void Stage(StartStage step) => a.mov(__dword_ptr[rbx + stage], (int)step);

    /// <summary>A system call whose answer is tested.</summary>
    protected void Call(int number)
    {
        a.mov(eax, number);
        a.syscall();
        a.test(rax, rax);
    }

    /// <summary>A system call at start-up, whose failure ends the process.</summary>
    protected void Must(int number)
    {
        Call(number);
        a.js(failed);
    }

    /// <summary>Maps shared memory; the sign tells whether the host refused.</summary>
    /// <param name="address">Where.</param>
    /// <param name="length">Bytes.</param>
    /// <param name="access">What may be done there.</param>
    /// <param name="loadDescriptor">Writes what puts the file's descriptor into R8D.</param>
    /// <param name="offset">First byte in the file.</param>
    protected void Map(ulong address, int length, ContainerAccess access, Action loadDescriptor, long offset)
    {
        a.mov(rdi, address);
        a.mov(esi, length);
        a.mov(edx, (int)access);

        // Populated: a page that is merely not there yet would fault with another error code than one that may not be written.
        a.mov(r10d, SystemCall.MapShared | SystemCall.MapFixed | SystemCall.MapPopulate);
        loadDescriptor();
        a.mov(r9, offset);
        Call(SystemCall.Mmap);
    }

    /// <summary>The process dies with the thread that started it, and now if that is gone already.</summary>
    protected void WriteParentDeath(int parent, Label orphan)
    {
        Stage(StartStage.ParentDeath);
        a.mov(edi, SystemCall.PrSetParentDeathSignal);
        a.mov(esi, SystemCall.SignalKill);
        Must(SystemCall.Prctl);
        Stage(StartStage.Orphaned);
        a.mov(eax, SystemCall.Getppid);
        a.syscall();
        a.cmp(eax, parent);
        a.jne(orphan);
    }

    /// <summary>No files, no processes, no locked memory, no cores.</summary>
    /// <param name="limit">A <c>struct rlimit</c> of zeros.</param>
    protected void WriteLimits(int limit)
    {
        Stage(StartStage.Limits);
        foreach (int resource in (ReadOnlySpan<int>)[SystemCall.LimitFileSize, SystemCall.LimitCore, SystemCall.LimitProcesses, SystemCall.LimitFiles, SystemCall.LimitLockedMemory])
        {
            a.xor(edi, edi);
            a.mov(esi, resource);
            a.lea(rdx, __[structures + limit]);
            a.xor(r10d, r10d);
            Must(SystemCall.Prlimit64);
        }
    }

    /// <summary>Sets the signal stack and the handler.</summary>
    protected void WriteSignals(int stack, int action, params ReadOnlySpan<int> signals)
    {
        Stage(StartStage.Signals);
        a.lea(rdi, __[structures + stack]);
        a.xor(esi, esi);
        Must(SystemCall.Sigaltstack);
        foreach (int signal in signals)
        {
            a.mov(edi, signal);
            a.lea(rsi, __[structures + action]);
            a.xor(edx, edx);
            a.mov(r10d, 8);
            Must(SystemCall.RtSigaction);
        }
    }

    /// <summary>Takes a name, and gives up new privileges.</summary>
    protected void WritePrivileges(int name)
    {
        Stage(StartStage.Privileges);
        a.mov(edi, SystemCall.PrSetName);
        a.lea(rsi, __[structures + name]);
        Must(SystemCall.Prctl);
        a.mov(edi, SystemCall.PrSetNoNewPrivileges);
        a.mov(esi, 1);
        a.xor(edx, edx);
        a.xor(r10d, r10d);
        a.xor(r8d, r8d);
        Must(SystemCall.Prctl);
    }

    /// <summary>Puts a filter in force for the calling thread.</summary>
    /// <param name="description">Its <c>struct sock_fprog</c>.</param>
    protected void WriteFilter(int description)
    {
        a.mov(edi, SystemCall.PrSetSeccomp);
        a.mov(esi, SystemCall.SeccompModeFilter);
        a.lea(rdx, __[structures + description]);
        Must(SystemCall.Prctl);
    }

    /// <summary>Ends the process: an orphan, one whose step failed, or one that has nowhere to tell it.</summary>
    protected void WriteFailure(ref Label orphan, ref Label lost)
    {
        a.Label(ref orphan);
        a.xor(eax, eax);
        a.Label(ref failed);
        a.mov(__dword_ptr[rbx + error], eax);
        a.Label(ref lost);
        a.mov(edi, 1);
        a.mov(eax, SystemCall.ExitGroup);
        a.syscall();
        a.hlt();
    }

    /// <summary>Out of a signal whose context is in RDX. rt_sigreturn finds its frame by RSP, which points behind the return address.</summary>
    protected void WriteSignalReturn()
    {
        a.Label(ref signalReturn);
        a.mov(rsp, rdx);
        a.Label(ref restorer);
        a.mov(eax, SystemCall.RtSigreturn);
        a.syscall();
        a.Label(ref afterReturn);
        a.hlt();
    }
}
