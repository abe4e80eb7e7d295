using Plexus.Messaging.Shared;

namespace Plexus.Monitor.Views;

/// <summary>The bytes of a page as a scan takes them: the page, and as much of the linearly next one as settles every instruction that runs over.</summary>
internal sealed class PageBytes(GuestMemory memory)
{
    private const int MaximumInstructionLength = 15;

    private readonly byte[] bytes = new byte[GuestMemory.FrameSize + MaximumInstructionLength];
    private int tail;

    /// <summary>All of them, up to the next <see cref="Load"/>.</summary>
    internal ReadOnlyMemory<byte> All => bytes.AsMemory(0, GuestMemory.FrameSize + tail);

    /// <summary>The page alone.</summary>
    internal ReadOnlyMemory<byte> Page => bytes.AsMemory(0, GuestMemory.FrameSize);

    /// <summary>What is known of the next page.</summary>
    internal ReadOnlyMemory<byte> Tail => bytes.AsMemory(GuestMemory.FrameSize, tail);

    /// <summary>Reads a page.</summary>
    /// <param name="frame">Its frame.</param>
    /// <param name="nextFrame">That of the linearly next page; <see cref="uint.MaxValue"/> when there is none.</param>
    internal void Load(uint frame, uint nextFrame)
    {
        memory.Frame(frame).CopyTo(bytes);
        tail = nextFrame == uint.MaxValue ? 0 : MaximumInstructionLength;
        if (tail != 0)
            memory.Frame(nextFrame)[..tail].CopyTo(bytes.AsSpan(GuestMemory.FrameSize));
    }
}
