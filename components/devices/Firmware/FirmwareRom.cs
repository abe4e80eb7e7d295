using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Shared;

namespace Plexus.Devices;

/// <summary>
/// The firmware's ROM: the image ends at FFFFFFFFh, and its last 128 KiB are seen below 1 MiB too. With a host bridge that controls shadow RAM they lie behind the RAM there;
/// without one they are copied into it, writable, as on machines whose firmware ran from shadow RAM for good, and copied again at every reset.
/// An ISA machine's video BIOS is put at C0000h the same way.
/// </summary>
public sealed class FirmwareRom : IRegisterAccess, IResettable
{
    private const uint PageSize = GuestMemory.FrameSize;
    private const uint LowBytes = 0x20000;
    private const uint LowStart = 0xE0000, VideoStart = 0xC0000;

    private readonly Chipset chipset;
    private readonly bool isShadowed;
    private readonly ReadOnlyMemory<byte> videoBios;

    /// <summary>Puts the image of <see cref="Chipset.Firmware"/> into the address space.</summary>
    /// <param name="chipset">Memory and image.</param>
    /// <param name="isShadowed">A host bridge decides what is seen below 1 MiB.</param>
    /// <param name="videoBios">A video BIOS for C0000h; empty for none.</param>
    /// <exception cref="ArgumentException">The image is not a multiple of 64 KiB up to 16 MiB.</exception>
    public FirmwareRom(Chipset chipset, bool isShadowed, ReadOnlyMemory<byte> videoBios)
    {
        ArgumentNullException.ThrowIfNull(chipset);
        this.chipset = chipset;
        this.isShadowed = isShadowed;
        this.videoBios = videoBios;
        ReadOnlyMemory<byte> image = chipset.Firmware;
        if (image.IsEmpty || chipset.Memory is not { } memory)
            return;
        if (image.Length % 0x10000 != 0 || image.Length > 16 << 20)
            throw new ArgumentException($"A firmware image of {image.Length} bytes is not a multiple of 64 KiB up to 16 MiB.", nameof(chipset));
        uint pages = (uint)image.Length / PageSize;
        uint frames = memory.TakeDeviceFrames(pages);
        image.Span.CopyTo(memory.Frames(frames, pages));
        memory.MapReads(GuestMemory.PhysicalPages - pages, frames, pages);
        uint low = Math.Min(LowBytes, (uint)image.Length) / PageSize;
        if (isShadowed)
            chipset.LowMemory.PutBehind(LowMemory.EndPage - low, frames + pages - low, low);
        else
            CopyIntoRam();
    }

    /// <inheritdoc/>
    public IReadOnlyList<DeviceRegion> Regions { get; } = [];

    /// <inheritdoc/>
    public AccessStatus Read(int region, uint offset, int width, ulong now, out uint value)
    {
        value = uint.MaxValue;
        return AccessStatus.InvalidAccess;
    }

    /// <inheritdoc/>
    public AccessStatus Write(int region, uint offset, int width, uint value, ulong now) => AccessStatus.InvalidAccess;

    /// <inheritdoc/>
    public void Reset(bool cold)
    {
        if (!isShadowed)
            CopyIntoRam();
    }

    private void CopyIntoRam()
    {
        ReadOnlySpan<byte> image = chipset.Firmware.Span;
        if (image.IsEmpty)
            return;
        int low = Math.Min((int)LowBytes, image.Length);
        chipset.Memory?.WritePhysical(LowStart + LowBytes - (uint)low, image[^low..]);
        chipset.Memory?.WritePhysical(VideoStart, videoBios.Span);
    }
}
