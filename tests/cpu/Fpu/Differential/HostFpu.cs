using System.Runtime.InteropServices;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Cpu.Tests.Fpu.Differential;

/// <summary>
/// The x87 unit of the processor that runs this, as an independent implementation. One generated loop executes an instruction on an array of cases:
/// FRSTOR, the instruction with its operand at [ESI], FNSAVE. FNSAVE does not wait, so an unmasked exception shows in the image and is never raised.
/// </summary>
/// <remarks>unsafe: the generated code keeps the calling convention and touches only the array of cases.</remarks>
public sealed unsafe partial class HostFpu : IDisposable
{
    private const int CodeSize = 4096;
    private readonly byte* code;

    /// <summary>Maps a page for code.</summary>
    public HostFpu()
    {
        nint mapped = MapMemory(0, CodeSize, 7, 0x22, -1, 0);
        if (mapped == -1)
            throw new InvalidOperationException("no memory for code");
        code = (byte*)mapped;
    }

    /// <summary>True where this process can run x87 code.</summary>
    public static bool IsAvailable => OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64;

    /// <summary>Executes an instruction on each case.</summary>
    /// <param name="instruction">Its bytes: the same in 32- and 64-bit mode; a memory operand is at [ESI].</param>
    /// <param name="cases">The cases, in pinned or native memory.</param>
    /// <param name="count">How many.</param>
    public void Execute(ReadOnlySpan<byte> instruction, FpuCase* cases, int count)
    {
        Assembler a = new(64);
        Label top = a.CreateLabel();
        a.push(rbx);
        a.push(rbp);
        a.push(r12);
        a.push(r13);
        a.mov(r12, rdi);
        a.mov(r13, rsi);
        a.Label(ref top);
        a.frstor(__[r12]);
        a.lea(rsi, __[r12 + 128]);
        a.mov(eax, __dword_ptr[r12 + 496]);
        a.push(rax);
        a.popfq();
        a.mov(eax, 0);
        a.db(instruction.ToArray());
        a.pushfq();
        a.pop(rcx);
        a.mov(__dword_ptr[r12 + 500], ecx);
        a.mov(__dword_ptr[r12 + 504], eax);
        a.fnsave(__[r12 + 384]);
        a.add(r12, sizeof(FpuCase));
        a.dec(r13);
        a.jne(top);
        a.fninit();
        a.cld();
        a.pop(r13);
        a.pop(r12);
        a.pop(rbp);
        a.pop(rbx);
        a.ret();
        using MemoryStream stream = new();
        a.Assemble(new StreamCodeWriter(stream), (ulong)code);
        stream.ToArray().CopyTo(new Span<byte>(code, CodeSize));
        ((delegate* unmanaged<FpuCase*, long, void>)code)(cases, count);
    }

    /// <inheritdoc/>
    public void Dispose() => Unmap((nint)code, CodeSize);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint MapMemory(nint address, nint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nint length);
}
