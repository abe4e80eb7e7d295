using System.Runtime.InteropServices;

namespace Plexus.Cpu.Native;

/// <summary>The host's time-stamp counter, which guest code on the host's processor reads as it is.</summary>
/// <remarks>unsafe: .NET has no RDTSC; ten bytes of code in a mapping that can be executed and not written, which lasts as long as the process.</remarks>
internal static unsafe partial class HostTimeStamp
{
    private const int ReadExecute = 1 | 4, Private = 2, PageSize = 4096;

    private static readonly delegate* unmanaged[SuppressGCTransition]<ulong> Code = Make();

    /// <summary>The counter now.</summary>
    /// <exception cref="ContainerException">The host refused memory to execute.</exception>
    public static ulong Read() => Code();

    private static delegate* unmanaged[SuppressGCTransition]<ulong> Make()
    {
        // RDTSC; SHL RDX, 32; OR RAX, RDX; RET.
        int file = SharedRegion.CreateFile("plexus-rdtsc", 0, [0x0F, 0x31, 0x48, 0xC1, 0xE2, 0x20, 0x48, 0x09, 0xD0, 0xC3]);
        void* code = Map(null, PageSize, ReadExecute, Private, file, 0);
        SharedRegion.CloseFile(file);
        return (nint)code == -1
            ? throw new ContainerException($"memory to execute could not be mapped: error {Marshal.GetLastPInvokeError()}")
            : (delegate* unmanaged[SuppressGCTransition]<ulong>)code;
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial void* Map(void* address, nuint length, int protection, int flags, int descriptor, long offset);
}
