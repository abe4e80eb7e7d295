using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Plexus.Cpu.Native.Engine;

namespace Plexus.Cpu.Native;

/// <summary>
/// Starts an executable that lies in memory, with an empty environment and, beyond what the executable closes itself, only the descriptors it is given.
/// All are started by one thread that lives as long as this process: a parent-death signal (prctl(2)) is sent when the thread that started the child ends.
/// </summary>
/// <remarks>unsafe: the structures of posix_spawn, the argument vector and the futex word are native memory.</remarks>
internal sealed unsafe partial class LinuxProcess : IDisposable
{
    /// <summary>posix_spawn's opaque structures; 336 and 80 bytes with glibc, fewer with musl.</summary>
    private const int OpaqueSize = 1024;

    private const short SetSignalMask = 8, SetSignalDefault = 4;
    private const int NoHang = 1, Interrupted = 4;

    private static readonly BlockingCollection<Action> Starts = [];

    static LinuxProcess() => new Thread(
        () =>
        {
            foreach (Action start in Starts.GetConsumingEnumerable())
                start();
        })
    { IsBackground = true, Name = "container starts" }.Start();

    private bool reaped;

    private LinuxProcess(int id) => Id = id;

    ~LinuxProcess() => Kill();

    /// <summary>Process id; it stays taken until the process has been waited for.</summary>
    public int Id { get; }

    /// <summary>The wait status (wait(2)) of a process that has ended.</summary>
    public int Status { get; private set; }

    /// <summary>Starts an executable.</summary>
    /// <param name="executable">Descriptor of a memory file with the executable.</param>
    /// <param name="name">Argument 0.</param>
    /// <param name="argument">Argument 1.</param>
    /// <param name="inherited">Descriptors that the child keeps under the same numbers.</param>
    /// <param name="blocksSignals">It begins with every signal blocked, for the executable to admit those that it expects: a key in the terminal reaches it as well.</param>
    /// <param name="processor">The host's processor that it is to begin on: a memory map that was in use on another one has every change told there (arch/x86/mm/tlb.c); negative for any.</param>
    /// <exception cref="ContainerException">The host refused.</exception>
    public static LinuxProcess Start(int executable, string name, string argument, ReadOnlySpan<int> inherited, bool blocksSignals = false, int processor = -1)
    {
        int[] descriptors = inherited.ToArray();
        int id = 0;
        int error = 0;
        using ManualResetEventSlim started = new();
        Starts.Add(() =>
        {
            using CpuAffinity affinity = new();
            affinity.PinTo(processor);
            error = Spawn($"/proc/self/fd/{executable}", name, argument, descriptors, blocksSignals, out id);
            started.Set();
        });
        started.Wait();
        return error == 0 ? new LinuxProcess(id) : throw new ContainerException($"the container could not be started: posix_spawn gives error {error} ({Marshal.GetPInvokeErrorMessage(error)})");
    }

    /// <summary>True once the process has ended; it has then been waited for, and <see cref="Status"/> is set.</summary>
    public bool HasEnded()
    {
        if (reaped)
            return true;
        int status = 0;
        int result = WaitPid(Id, &status, NoHang);
        if (result == 0 || (result < 0 && Marshal.GetLastPInvokeError() == Interrupted))
            return false;
        reaped = true;
        Status = status;
        return true;
    }

    /// <summary>Ends the process and waits for it.</summary>
    public void Kill()
    {
        if (HasEnded())
            return;
        Signal(Id, SystemCall.SignalKill);
        int status = 0;
        int result;
        do
            result = WaitPid(Id, &status, 0);
        while (result < 0 && Marshal.GetLastPInvokeError() == Interrupted);
        reaped = true;
        Status = status;
    }

    /// <summary>Ends the process without waiting for it.</summary>
    public void KillSoon()
    {
        if (!HasEnded())
            Signal(Id, SystemCall.SignalKill);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Kill();
        GC.SuppressFinalize(this);
    }

    private static int Spawn(string path, string name, string argument, int[] inherited, bool blocksSignals, out int id)
    {
        void* actions = NativeMemory.AllocZeroed(OpaqueSize);
        void* attributes = NativeMemory.AllocZeroed(OpaqueSize);
        byte* signals = stackalloc byte[128];
        nint first = Marshal.StringToCoTaskMemUTF8(name);
        nint second = Marshal.StringToCoTaskMemUTF8(argument);
        try
        {
            ActionsInit(actions);
            AttributesInit(attributes);

            // A descriptor onto itself loses its close-on-exec flag in the child.
            foreach (int descriptor in inherited)
                ActionsDuplicate(actions, descriptor, descriptor);
            new Span<byte>(signals, 128).Fill(blocksSignals ? (byte)0xFF : (byte)0);
            AttributesMask(attributes, signals);
            new Span<byte>(signals, 128).Fill(0xFF);
            AttributesDefault(attributes, signals);
            AttributesFlags(attributes, SetSignalMask | SetSignalDefault);
            nint* vector = stackalloc nint[4] { first, second, 0, 0 };
            int child = 0;
            int error = PosixSpawn(&child, path, actions, attributes, vector, vector + 2);
            id = child;
            return error;
        }
        finally
        {
            Marshal.FreeCoTaskMem(first);
            Marshal.FreeCoTaskMem(second);
            ActionsDestroy(actions);
            AttributesDestroy(attributes);
            NativeMemory.Free(actions);
            NativeMemory.Free(attributes);
        }
    }

    [LibraryImport("libc", EntryPoint = "posix_spawn", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int PosixSpawn(int* id, string path, void* actions, void* attributes, nint* arguments, nint* environment);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_init")]
    private static partial int ActionsInit(void* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_destroy")]
    private static partial int ActionsDestroy(void* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_adddup2")]
    private static partial int ActionsDuplicate(void* actions, int from, int to);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_init")]
    private static partial int AttributesInit(void* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_destroy")]
    private static partial int AttributesDestroy(void* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigmask")]
    private static partial int AttributesMask(void* attributes, byte* signals);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigdefault")]
    private static partial int AttributesDefault(void* attributes, byte* signals);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setflags")]
    private static partial int AttributesFlags(void* attributes, short flags);

    [LibraryImport("libc", EntryPoint = "waitpid", SetLastError = true)]
    private static partial int WaitPid(int id, int* status, int options);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int id, int signal);
}
