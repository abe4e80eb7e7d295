using System.Runtime.InteropServices;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Cpu.Tests.Core;

/// <summary>
/// The processor that runs the tests, as an independent implementation: executes one register or memory instruction on given register values.
/// Encodings without REX mean the same in 64-bit mode as in 32-bit mode, but for a few short forms that callers avoid.
/// </summary>
internal sealed unsafe partial class HostProcessor : IDisposable
{
    private const int Size = 4096;
    private readonly byte* code;
    private readonly byte* data;

    public HostProcessor(uint dataAddress)
    {
        code = Map(0, 7, 0x22);
        data = Map((nint)dataAddress, 3, 0x100022);
    }

    /// <summary>True where this process can be that processor.</summary>
    public static bool IsAvailable => OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64;

    public Span<byte> Data => new(data, Size);

    /// <summary>Executes an instruction.</summary>
    /// <param name="instruction">Its bytes.</param>
    /// <param name="state">EAX, ECX, EDX, EBX, (unused), EBP, ESI, EDI, EFLAGS; changed in place.</param>
    public void Execute(ReadOnlySpan<byte> instruction, Span<uint> state)
    {
        Assembler a = new(64);
        a.push(rbx);
        a.push(rbp);
        a.push(r14);
        a.push(r15);
        a.mov(r15, rdi);
        a.mov(r14d, __dword_ptr[r15 + 32]);
        a.push(r14);
        a.popfq();
        AssemblerRegister32[] registers = [eax, ecx, edx, ebx, r14d, ebp, esi, edi];
        for (int i = 0; i < 8; i++)
        {
            if (i != 4)
                a.mov(registers[i], __dword_ptr[r15 + (i * 4)]);
        }

        a.db(instruction.ToArray());
        for (int i = 0; i < 8; i++)
        {
            if (i != 4)
                a.mov(__dword_ptr[r15 + (i * 4)], registers[i]);
        }

        a.pushfq();
        a.pop(r14);
        a.mov(__dword_ptr[r15 + 32], r14d);
        a.cld();
        a.pop(r15);
        a.pop(r14);
        a.pop(rbp);
        a.pop(rbx);
        a.ret();
        using MemoryStream stream = new();
        a.Assemble(new StreamCodeWriter(stream), (ulong)code);
        stream.ToArray().CopyTo(new Span<byte>(code, Size));
        fixed (uint* pointer = state)
            ((delegate* unmanaged<uint*, void>)code)(pointer);
    }

    public void Dispose()
    {
        Unmap((nint)code, Size);
        Unmap((nint)data, Size);
    }

    private static byte* Map(nint address, int protection, int flags)
    {
        nint result = MapMemory(address, Size, protection, flags, -1, 0);
        if (result == -1 || (address != 0 && result != address))
            throw new InvalidOperationException("no memory at the wanted address");
        return (byte*)result;
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint MapMemory(nint address, nint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nint length);
}
