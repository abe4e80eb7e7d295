using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Plexus.Host.Consoles;

/// <summary>A pseudo-terminal (pty(7)): the guest's line is the slave, which other programs open. What is sent while nobody has it open is lost, as on a line without a terminal.</summary>
internal sealed partial class PtyLink : ConsoleLink
{
    private const int ReadWrite = 2;
    private const int NoControllingTerminal = 0x100;
    private static readonly TimeSpan NobodyThere = TimeSpan.FromMilliseconds(50);

    private readonly FileStream master;
    private readonly FileStream keeper;
    private volatile bool ended;

    private PtyLink(FileStream master, FileStream keeper, string path)
    {
        this.master = master;
        this.keeper = keeper;
        Path = path;
        StartThread("pty", Read);
    }

    /// <summary>The slave's path.</summary>
    public string Path { get; }

    public override Stream Output => master;

    public override bool CanReceive => true;

    public override bool IsLive => !ended;

    /// <summary>Opens a pseudo-terminal.</summary>
    /// <exception cref="InputException">The host has none to give.</exception>
    public static PtyLink Open(string option)
    {
        int descriptor = OpenMaster(ReadWrite | NoControllingTerminal);
        byte[] name = new byte[128];
        if (descriptor < 0 || Grant(descriptor) != 0 || Unlock(descriptor) != 0 || SlaveName(descriptor, name, (nuint)name.Length) != 0)
            throw new InputException($"{option} pty: the host gives no pseudo-terminal (errno {Marshal.GetLastPInvokeError()}); use tcp: or unix: instead");
        string path = System.Text.Encoding.UTF8.GetString(name.AsSpan(0, Array.IndexOf(name, (byte)0)));
        var master = new FileStream(new SafeFileHandle(descriptor, ownsHandle: true), FileAccess.ReadWrite, bufferSize: 0);

        // Held open so that reading the master waits while no other program has the slave open.
        var keeper = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        byte[] termios = new byte[256];
        if (GetAttributes((int)keeper.SafeFileHandle.DangerousGetHandle(), termios) == 0)
        {
            MakeRaw(termios);
            SetAttributes((int)keeper.SafeFileHandle.DangerousGetHandle(), 0, termios);
        }

        return new PtyLink(master, keeper, path);
    }

    protected override void Dispose(bool disposing)
    {
        ended = true;
        keeper.Dispose();
        master.Dispose();
    }

    private void Read()
    {
        byte[] buffer = new byte[1024];
        while (!ended)
        {
            try
            {
                int count = master.Read(buffer);
                Arrive(buffer.AsSpan(0, count));
            }
            catch (IOException)
            {
                Thread.Sleep(NobodyThere);
            }
            catch (ObjectDisposedException)
            {
                return;
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "posix_openpt", SetLastError = true)]
    private static partial int OpenMaster(int flags);

    [LibraryImport("libc", EntryPoint = "grantpt", SetLastError = true)]
    private static partial int Grant(int descriptor);

    [LibraryImport("libc", EntryPoint = "unlockpt", SetLastError = true)]
    private static partial int Unlock(int descriptor);

    [LibraryImport("libc", EntryPoint = "ptsname_r", SetLastError = true)]
    private static partial int SlaveName(int descriptor, [Out] byte[] buffer, nuint length);

    [LibraryImport("libc", EntryPoint = "tcgetattr")]
    private static partial int GetAttributes(int descriptor, [Out] byte[] termios);

    [LibraryImport("libc", EntryPoint = "tcsetattr")]
    private static partial int SetAttributes(int descriptor, int when, byte[] termios);

    [LibraryImport("libc", EntryPoint = "cfmakeraw")]
    private static partial void MakeRaw([In, Out] byte[] termios);
}
