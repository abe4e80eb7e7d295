using System.Numerics;
using Plexus.Messaging.Shared;

namespace Plexus.Devices;

/// <summary>Video memory in device frames of guest memory, so that a guest reaches it directly where it is mapped.</summary>
public sealed class GuestVideoMemory : VideoMemory
{
    private readonly GuestMemory guest;
    private readonly uint pages;
    private readonly LowMemory? window;
    private uint shownOffset;
    private uint shownLength;

    /// <summary>Takes frames.</summary>
    /// <param name="guest">Guest memory with enough device frames left.</param>
    /// <param name="length">Bytes: a power of two, at least <see cref="VideoMemory.Smallest"/>.</param>
    /// <param name="window">Where <see cref="ShowInWindow"/> puts it; null for nowhere.</param>
    /// <exception cref="InvalidOperationException">There are fewer device frames.</exception>
    public GuestVideoMemory(GuestMemory guest, int length, LowMemory? window = null)
    {
        ArgumentNullException.ThrowIfNull(guest);
        ArgumentOutOfRangeException.ThrowIfLessThan(length, Smallest);
        if (!BitOperations.IsPow2(length))
            throw new ArgumentOutOfRangeException(nameof(length), $"{length} bytes of video memory are not a power of two.");
        this.guest = guest;
        this.window = window;
        Length = length;
        pages = (uint)length / GuestMemory.FrameSize;
        FirstFrame = guest.TakeDeviceFrames(pages);
    }

    /// <summary>The first of its frames.</summary>
    public uint FirstFrame { get; }

    /// <inheritdoc/>
    public override int Length { get; }

    /// <inheritdoc/>
    public override Span<byte> Bytes => guest.Frames(FirstFrame, pages);

    /// <summary>The memory as a window that can be put anywhere in the address space.</summary>
    public DirectWindow Window() => new(guest, FirstFrame, pages, isWritable: true);

    /// <inheritdoc/>
    public override void NoteWrite(int offset, int length)
    {
        while (length > 0)
        {
            int inFrame = offset % GuestMemory.FrameSize;
            int part = Math.Min(length, GuestMemory.FrameSize - inFrame);
            guest.NoteWrite(FirstFrame + (uint)(offset / GuestMemory.FrameSize), inFrame, part);
            offset += part;
            length -= part;
        }
    }

    /// <inheritdoc/>
    public override void ShowInWindow(uint offset, uint length)
    {
        if (window is null || (offset == shownOffset && length == shownLength))
            return;
        const uint first = VgaAdapter.WindowBase / GuestMemory.FrameSize;
        uint shown = length / GuestMemory.FrameSize;
        if (shown != 0)
            window.PutBehind(first, FirstFrame + (offset / GuestMemory.FrameSize), shown, isWritable: true);
        uint before = shownLength / GuestMemory.FrameSize;
        if (before > shown)
            window.PutBehind(first + shown, GuestMemory.NoFrame, before - shown);
        shownOffset = offset;
        shownLength = length;
    }
}
