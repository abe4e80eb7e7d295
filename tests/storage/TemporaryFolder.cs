namespace Plexus.Storage.Tests;

/// <summary>A folder that is gone after the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public TemporaryFolder() => Directory.CreateDirectory(Root);

    public string Root { get; } = Path.Combine(Path.GetTempPath(), $"plexus-storage-{Guid.NewGuid():N}");

    public string this[string name] => Path.Combine(Root, name);

    /// <summary>Makes a file of bytes that tell where they are.</summary>
    public string Image(string name, int length)
    {
        File.WriteAllBytes(this[name], Pattern(length));
        return this[name];
    }

    public static byte[] Pattern(int length, byte salt = 0)
    {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++)
            bytes[i] = (byte)(i ^ (i >> 9) ^ salt);
        return bytes;
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
