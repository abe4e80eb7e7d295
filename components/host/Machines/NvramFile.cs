using Plexus.Devices;

namespace Plexus.Host.Machines;

/// <summary>The file that keeps a machine's configuration memory from run to run, as its battery does: a plain copy of the clock's bytes.</summary>
internal sealed class NvramFile
{
    private const string ClockType = "mc146818";

    /// <summary>Bytes of the clock: they come from guest time, and that they went on is nothing to write.</summary>
    private const int FirstKept = 0x0E, Century = 0x32;

    private readonly string name;
    private readonly string target;
    private byte[]? written;
    private byte[] latest = [];

    private NvramFile(string name, string target, string clock, ReadOnlyMemory<byte> contents)
    {
        this.name = name;
        this.target = target;
        Clock = clock;
        Contents = contents;
    }

    /// <summary>The clock's name on the fabric.</summary>
    public string Clock { get; }

    /// <summary>What the file held when it was opened; empty when it was not there.</summary>
    public ReadOnlyMemory<byte> Contents { get; }

    /// <summary>Why what was last to be kept is not in the file, in one line; null when it is.</summary>
    public string? Failure { get; private set; }

    /// <summary>Reads the file, if it is there.</summary>
    /// <exception cref="InputException">It cannot be used, or the machine has no such memory.</exception>
    public static NvramFile Open(string path, MachineManifest manifest)
    {
        string clock = manifest.Devices.FirstOrDefault(device => device.Type == ClockType)?.Name
            ?? throw new InputException($"--nvram {path}: machine {manifest.Name} has no {ClockType}, and so no configuration memory; leave the option out or add the device");
        try
        {
            // The new file takes the place of what a link leads to, not of the link.
            string target = new FileInfo(path).LinkTarget is null ? Path.GetFullPath(path) : File.ResolveLinkTarget(path, returnFinalTarget: true)!.FullName;
            return new NvramFile(path, target, clock, File.Exists(target) ? Read(path, target) : default);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new InputException($"--nvram {path}: cannot be used ({e.Message.ReplaceLineEndings(" ")}); name a file that can be read and written");
        }
    }

    /// <summary>Writes the memory, if something changed in it: the file holds the old bytes or the new ones, whatever happens.</summary>
    public void Keep(ReadOnlySpan<byte> memory)
    {
        byte[] bytes = latest = memory.ToArray();
        if (written is not null && IsSame(written, bytes))
        {
            Failure = null;
            return;
        }

        string draft = $"{target}.{Environment.ProcessId}.new";
        try
        {
            Write(draft, bytes);
            written = bytes;
            Failure = null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Failure = $"--nvram {name}: cannot be written ({e.Message.ReplaceLineEndings(" ")}); what it held is still there: make room, or name a file in a directory that exists and is writable";
            OutputFile.Discard(draft);
        }
    }

    /// <summary>Writes what is not in the file to a new one, and says its name.</summary>
    public void Rescue(RunFiles files, Action<string> say)
    {
        if (Failure is null)
            return;
        try
        {
            using FileStream stream = files.Create(".nvram");
            stream.Write(latest);
            say($"plexus: --nvram {name}: the configuration memory is in {stream.Name} instead");
        }
        catch (IOException e)
        {
            say($"plexus: --nvram {name}: nor in another file ({e.Message.ReplaceLineEndings(" ")})");
        }
    }

    private static byte[] Read(string path, string target)
    {
        // Opened for writing as well: what nobody may write is not replaced.
        using FileStream stream = new(target, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        byte[] bytes = new byte[Mc146818.Size + 1];
        int count = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return count == Mc146818.Size
            ? bytes[..count]
            : throw new InputException($"--nvram {path}: has {(count > Mc146818.Size ? "more" : "fewer")} than the {Mc146818.Size} bytes of configuration memory; name another file, or remove it to begin with a new one");
    }

    private void Write(string draft, byte[] bytes)
    {
        using (FileStream stream = new(draft, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
        {
            stream.Write(bytes);
            stream.Flush(flushToDisk: true);
        }

        OutputFile.Replace(draft, target);
    }

    private static bool IsSame(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b) =>
        a[FirstKept..Century].SequenceEqual(b[FirstKept..Century]) && a[(Century + 1)..].SequenceEqual(b[(Century + 1)..]);
}
