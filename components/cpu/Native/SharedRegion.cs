using System.Runtime.InteropServices;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Native;

/// <summary>Memory without a name (memfd_create(2)) that this process and its containers map. Its size is sealed: neither side can take pages from under the other.</summary>
/// <remarks>unsafe: the mapping is native memory; it lives as long as this object and is handed out as a span of its whole size.</remarks>
public sealed unsafe partial class SharedRegion : IDisposable
{
    private const uint CloseOnExec = 1, AllowSealing = 2;
    private const int AddSeals = 1033, SealAllButWrite = 1 | 2 | 4;
    private const int ReadWrite = 3;
    private byte* address;

    /// <summary>Makes a region of zeros.</summary>
    /// <param name="name">What /proc shows.</param>
    /// <param name="size">Bytes, a multiple of 4,096.</param>
    /// <exception cref="PlatformNotSupportedException">This is not Linux on x86-64.</exception>
    /// <exception cref="ContainerException">The host refused.</exception>
    public SharedRegion(string name, long size)
    {
        NativeSupport.Require();
        Size = size;
        Descriptor = CreateFile(name, AllowSealing);
        if (Truncate(Descriptor, size) != 0 || Control(Descriptor, AddSeals, SealAllButWrite) != 0)
            throw Refused("sized");
        void* mapped = Map(null, (nuint)size, ReadWrite, SystemCall.MapShared, Descriptor, 0);
        if ((nint)mapped == -1)
            throw Refused("mapped");
        address = (byte*)mapped;
    }

    ~SharedRegion() => Free();

    /// <summary>Bytes.</summary>
    public long Size { get; }

    /// <summary>All of it.</summary>
    public Span<byte> Bytes
    {
        get
        {
            ObjectDisposedException.ThrowIf(address == null, this);
            return new Span<byte>(address, checked((int)Size));
        }
    }

    /// <summary>Its descriptor in this process, closed on exec.</summary>
    internal int Descriptor { get; private set; }

    /// <summary>Its first byte.</summary>
    internal byte* Address => address;

    /// <summary>Guest memory that lies here; disposed before this.</summary>
    public GuestMemory CreateMemory(uint ramSize, uint arenaFrames, uint deviceFrames)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(GuestMemory.SizeOf(ramSize, arenaFrames, deviceFrames), Size);
        return new GuestMemory(ramSize, arenaFrames, deviceFrames, address);
    }

    /// <summary>A memory file with contents.</summary>
    internal static int CreateFile(string name, uint flags, ReadOnlySpan<byte> contents = default)
    {
        int descriptor = MemoryFile(name, flags | CloseOnExec);
        if (descriptor < 0)
            throw Refused("made");
        fixed (byte* bytes = contents)
        {
            if (!contents.IsEmpty && Write(descriptor, bytes, contents.Length) != contents.Length)
                throw Refused("written");
        }

        return descriptor;
    }

    internal static void CloseFile(int descriptor) => Close(descriptor);

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private static ContainerException Refused(string what)
    {
        int error = Marshal.GetLastPInvokeError();
        return new ContainerException($"shared memory could not be {what}: error {error} ({Marshal.GetPInvokeErrorMessage(error)})");
    }

    private void Free()
    {
        if (address != null)
            Unmap(address, (nuint)Size);
        address = null;
        if (Descriptor > 0)
            Close(Descriptor);
        Descriptor = -1;
    }

    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MemoryFile(string name, uint flags);

    [LibraryImport("libc", EntryPoint = "ftruncate", SetLastError = true)]
    private static partial int Truncate(int descriptor, long length);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(int descriptor, int command, nint argument);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(int descriptor, byte* bytes, nint count);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial void* Map(void* address, nuint length, int protection, int flags, int descriptor, long offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(void* address, nuint length);
}
