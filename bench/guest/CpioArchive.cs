using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace Plexus.Guest.Bench;

/// <summary>
/// An initial RAM disk: a cpio archive of the kind "newc" (Linux, Documentation/driver-api/early-userspace/buffer-format.rst), compressed by gzip. Written here, since making the
/// console's node in a directory takes privileges.
/// </summary>
internal sealed class CpioArchive
{
    private const string Magic = "070701";
    private const string Trailer = "TRAILER!!!";
    private const int Alignment = 4;
    private const int Directory = 0x4000, CharacterDevice = 0x2000, RegularFile = 0x8000;

    private readonly MemoryStream archive = new();
    private int entries;

    /// <summary>Adds a directory.</summary>
    /// <param name="path">Without a slash in front.</param>
    public void AddDirectory(string path) => Add(path, Directory | 0b111_101_101, [], (0, 0));

    /// <summary>Adds a program.</summary>
    /// <param name="path">Without a slash in front.</param>
    /// <param name="content">Its bytes.</param>
    public void AddProgram(string path, ReadOnlySpan<byte> content) => Add(path, RegularFile | 0b111_101_101, content, (0, 0));

    /// <summary>Adds the node of a character device.</summary>
    /// <param name="path">Without a slash in front.</param>
    /// <param name="major">The driver.</param>
    /// <param name="minor">Which of the driver's devices.</param>
    public void AddCharacterDevice(string path, int major, int minor) => Add(path, CharacterDevice | 0b110_000_000, [], (major, minor));

    /// <summary>Ends the archive and compresses it into a file.</summary>
    public void Write(string file)
    {
        Add(Trailer, 0, [], (0, 0));
        using FileStream to = File.Create(file);
        using GZipStream compressed = new(to, CompressionLevel.Fastest);
        archive.WriteTo(compressed);
    }

    private void Add(string path, int mode, ReadOnlySpan<byte> content, (int Major, int Minor) device)
    {
        // Inode, mode, owner, group, links, time, size, device that holds it (2), device that it is (2), length of the name with its zero, check sum.
        ReadOnlySpan<int> fields = [++entries, mode, 0, 0, 1, 0, content.Length, 0, 0, device.Major, device.Minor, path.Length + 1, 0];
        StringBuilder header = new(Magic);
        foreach (int field in fields)
            header.Append(field.ToString("X8", CultureInfo.InvariantCulture));
        archive.Write(Encoding.ASCII.GetBytes($"{header}{path}\0"));
        Align();
        archive.Write(content);
        Align();
    }

    private void Align()
    {
        while (archive.Length % Alignment != 0)
            archive.WriteByte(0);
    }
}
