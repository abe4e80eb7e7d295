namespace Plexus.Devices;

/// <summary>
/// A display adapter's memory as one array of bytes: the byte of plane p at plane address a is number 4a + p, so that four planes' bytes at one address are one little-endian
/// doubleword, and packed-pixel modes see the array as it is. Whoever makes it decides where the bytes live.
/// </summary>
public abstract class VideoMemory
{
    /// <summary>The least an adapter works with: four planes of 64 KiB.</summary>
    public const int Smallest = 256 << 10;

    /// <summary>Size in bytes, a power of two, at least <see cref="Smallest"/>; it never changes.</summary>
    public abstract int Length { get; }

    /// <summary>All bytes. Who writes tells so by <see cref="NoteWrite"/>.</summary>
    public abstract Span<byte> Bytes { get; }

    /// <summary>Memory of the usual size that the guest can reach; where there is no guest memory (a bench without a processor), memory of its own.</summary>
    internal static VideoMemory Of(Chipset chipset) =>
        chipset.Memory is { } guest ? new GuestVideoMemory(guest, VgaAdapter.DefaultMemory, chipset.LowMemory) : new ArrayVideoMemory(VgaAdapter.DefaultMemory);

    /// <summary>Bytes are about to be written: whoever has derived something from them (decoded code, say) learns of it.</summary>
    /// <param name="offset">First byte.</param>
    /// <param name="length">Number of bytes.</param>
    public virtual void NoteWrite(int offset, int length)
    {
    }

    /// <summary>
    /// From A0000h on, the processor may reach these bytes by itself, as they lie, instead of asking the adapter: the adapter would do nothing else.
    /// </summary>
    /// <param name="offset">First byte, a multiple of 4096.</param>
    /// <param name="length">Number of bytes, a multiple of 4096; 0 for none.</param>
    public virtual void ShowInWindow(uint offset, uint length)
    {
    }
}
