namespace Plexus.Storage.Tests;

/// <summary>An overlay over memory, in a recorded file.</summary>
internal sealed class OverlayRig
{
    public OverlayRig(int length, int clusterSize = 4096, byte[]? backing = null)
    {
        Below = backing ?? TemporaryFolder.Pattern(length);
        Overlay.Format(File, Overlay.MakeSuperblock("rig", length, clusterSize, new BackingIdentity("below", ImageFormat.Raw, 0, 0, new byte[BackingIdentity.HeadSize]), Below.Length));
    }

    public RecordedFile File { get; set; } = new();

    public byte[] Below { get; }

    public Guid Boot { get; set; } = Guid.NewGuid();

    public Overlay Open(bool isReadOnly = false) => Open(File, Boot, isReadOnly);

    public Overlay Open(IHostFile file, Guid boot, bool isReadOnly = false)
        => new(file, Overlay.ReadSuperblock(file), new MemoryImage(Below, isReadOnly: true), isReadOnly, boot);

    public static byte[] Contents(IBlockStore store)
    {
        byte[] bytes = new byte[store.Length];
        store.Read(0, bytes);
        return bytes;
    }
}
