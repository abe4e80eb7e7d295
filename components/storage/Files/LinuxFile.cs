using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Plexus.Storage;

/// <summary>What .NET has no call for: holes, the size of a block device, and making a new name durable.</summary>
internal static partial class LinuxFile
{
    private const int KeepSize = 1;
    private const int PunchHole = 2;
    private const int SeekEnd = 2;
    private const int ReadOnlyDirectory = 0x10000 | 0x80000; // O_RDONLY | O_DIRECTORY | O_CLOEXEC.

    /// <summary>These calls take 64-bit offsets only there.</summary>
    private static bool IsSupported => OperatingSystem.IsLinux() && Environment.Is64BitProcess;

    /// <summary>Takes a range's space from the file.</summary>
    /// <returns>0, or the host's error number; ENOSYS where there is no such call.</returns>
    public static int Punch(SafeFileHandle file, long offset, long length)
    {
        const int NoSuchCall = 38;
        if (!IsSupported)
            return NoSuchCall;
        const int Interrupted = 4;
        int error;
        do
            error = Allocate(file, KeepSize | PunchHole, offset, length) == 0 ? 0 : Marshal.GetLastPInvokeError();
        while (error == Interrupted);
        return error;
    }

    /// <summary>Where the end is: a block device has a length of 0 for <c>fstat</c>, but an end.</summary>
    /// <returns>Bytes; 0 when there is none.</returns>
    public static long End(SafeFileHandle file) => IsSupported ? Math.Max(Seek(file, 0, SeekEnd), 0) : 0;

    /// <summary>Makes the names in a directory durable, as far as the host can: a file that was flushed is lost all the same while its name is not on disk.</summary>
    public static void FlushDirectory(string directory)
    {
        if (!IsSupported)
            return;
        int handle = Open(directory, ReadOnlyDirectory);
        if (handle < 0)
            return;
        _ = Sync(handle);
        _ = Close(handle);
    }

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    private static partial int Allocate(SafeFileHandle file, int mode, long offset, long length);

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    private static partial long Seek(SafeFileHandle file, long offset, int whence);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(int file);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int file);
}
