using System.Runtime.InteropServices;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Cpu.Tests.Simd.Differential;

/// <summary>
/// The SIMD units of the processor that runs this, as an independent implementation. One generated loop executes an instruction on an array of cases:
/// FXRSTOR, the instruction with its operand at [ESI] and [EDI], FXSAVE. An unmasked exception is real: the kernel turns it into SIGFPE, and a handler of
/// our own goes on behind the instruction, with MXCSR as the exception left it.
/// </summary>
/// <remarks>
/// unsafe: the generated code keeps the calling convention and touches only the array of cases. The handler, also generated, passes every signal that does not come
/// from that loop on to whoever handled it before.
/// </remarks>
public sealed unsafe partial class HostSimd : IDisposable
{
    private const int CodeSize = 8192;
    private const int HandlerAt = 4096;
    private const int FloatingPointError = 8;
    private const int InformationAndStack = 4 | 0x0800_0000;

    /// <summary>In ucontext_t: the saved RIP.</summary>
    private const int SavedRip = 168;

    private readonly byte* code;
    private SignalAction previous;

    /// <summary>Maps pages for code and installs the handler.</summary>
    public HostSimd()
    {
        nint mapped = MapMemory(0, CodeSize, 7, 0x22, -1, 0);
        if (mapped == -1)
            throw new InvalidOperationException("no memory for code");
        code = (byte*)mapped;
        SignalAction action = new() { Handler = mapped + HandlerAt, Flags = InformationAndStack };
        if (ChangeAction(FloatingPointError, null, ref previous) != 0)
            throw new InvalidOperationException("no signal handler");
        WriteHandler();
        SignalAction ignored = default;
        if (ChangeAction(FloatingPointError, &action, ref ignored) != 0)
            throw new InvalidOperationException("no signal handler");
    }

    /// <summary>True where this process can run such code.</summary>
    public static bool IsAvailable => OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64;

    private nint* Resume => (nint*)(code + CodeSize - 16);

    /// <summary>Executes an instruction on each case.</summary>
    /// <param name="instruction">Its bytes.</param>
    /// <param name="cases">The cases, aligned to 16, in native memory.</param>
    /// <param name="count">How many.</param>
    public void Execute(ReadOnlySpan<byte> instruction, SimdCase* cases, int count)
    {
        Assembler a = new(64);
        Label top = a.CreateLabel();
        Label resume = a.CreateLabel();
        Label done = a.CreateLabel();
        AssemblerRegister32[] general = [eax, ecx, edx, ebx];
        a.push(rbx);
        a.push(rbp);
        a.push(r12);
        a.push(r13);
        a.mov(r12, rdi);
        a.mov(r13, rsi);
        a.Label(ref top);
        a.fxrstor(__[r12]);
        a.lea(rsi, __[r12 + 1024]);
        a.mov(rdi, rsi);
        a.mov(eax, __dword_ptr[r12 + 2080]);
        a.push(rax);
        a.popfq();
        for (int i = 0; i < 4; i++)
            a.mov(general[i], __dword_ptr[r12 + 2048 + (i * 4)]);
        a.db(instruction.ToArray());
        a.mov(__dword_ptr[r12 + 2088], 0);
        a.jmp(done);
        a.Label(ref resume);
        a.mov(__dword_ptr[r12 + 2088], 1);
        a.Label(ref done);
        for (int i = 0; i < 4; i++)
            a.mov(__dword_ptr[r12 + 2064 + (i * 4)], general[i]);
        a.pushfq();
        a.pop(rcx);
        a.mov(__dword_ptr[r12 + 2084], ecx);
        a.fxsave(__[r12 + 512]);
        a.add(r12, sizeof(SimdCase));
        a.dec(r13);
        a.jne(top);
        a.fninit();
        a.mov(eax, 0x1F80);
        a.push(rax);
        a.ldmxcsr(__dword_ptr[rsp]);
        a.pop(rax);
        a.cld();
        a.pop(r13);
        a.pop(r12);
        a.pop(rbp);
        a.pop(rbx);
        a.ret();
        using MemoryStream stream = new();
        AssemblerResult result = a.Assemble(new StreamCodeWriter(stream), (ulong)code, BlockEncoderOptions.ReturnNewInstructionOffsets);
        stream.ToArray().CopyTo(new Span<byte>(code, HandlerAt));
        *Resume = (nint)result.GetLabelRIP(resume);
        ((delegate* unmanaged<SimdCase*, long, void>)code)(cases, count);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        SignalAction ignored = default;
        fixed (SignalAction* restored = &previous)
            _ = ChangeAction(FloatingPointError, restored, ref ignored);
        Unmap((nint)code, CodeSize);
    }

    private void WriteHandler()
    {
        Assembler a = new(64);
        Label other = a.CreateLabel();
        a.mov(rax, __qword_ptr[rdx + SavedRip]);
        a.mov(rcx, (ulong)code);
        a.sub(rax, rcx);
        a.cmp(rax, HandlerAt);
        a.jae(other);
        a.mov(rax, __qword_ptr[rcx + CodeSize - 16]);
        a.mov(__qword_ptr[rdx + SavedRip], rax);
        a.ret();
        a.Label(ref other);
        a.mov(rax, (ulong)previous.Handler);
        a.jmp(rax);
        using MemoryStream stream = new();
        a.Assemble(new StreamCodeWriter(stream), (ulong)code + HandlerAt);
        stream.ToArray().CopyTo(new Span<byte>(code + HandlerAt, HandlerAt - 16));
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint MapMemory(nint address, nint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nint length);

    [LibraryImport("libc", EntryPoint = "sigaction")]
    private static partial int ChangeAction(int signal, SignalAction* action, ref SignalAction previous);

    /// <summary>struct sigaction of the C library on x86-64.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct SignalAction
    {
        public nint Handler;
        public fixed ulong Mask[16];
        public int Flags;
        public nint Restorer;
    }
}
