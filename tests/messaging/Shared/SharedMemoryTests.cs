using System.Runtime.InteropServices;
using Plexus.Messaging.Shared;
using Xunit;

namespace Plexus.Messaging.Tests;

/// <summary>Memory that guest code writes without a word: what was decoded of a frame is void as soon as it may be written.</summary>
public sealed unsafe class SharedMemoryTests : IDisposable
{
    private const uint Ram = 4 * GuestMemory.FrameSize, Frame = 1;

    private readonly byte* block = (byte*)NativeMemory.AlignedAlloc((nuint)GuestMemory.SizeOf(Ram, 1, 0), GuestMemory.FrameSize);
    private readonly GuestMemory memory;

    public SharedMemoryTests()
    {
        new Span<byte>(block, (int)GuestMemory.SizeOf(Ram, 1, 0)).Clear();
        memory = new GuestMemory(Ram, 1, 0, block);
    }

    [Fact]
    public void Frame_is_guarded_while_it_may_be_written_nowhere_or_is_watched()
    {
        Assert.True(memory.IsGuarded(Frame));
        memory.AddWriter(Frame);
        memory.AddWriter(Frame);
        Assert.False(memory.IsGuarded(Frame));
        memory.AddWatch(Frame, Watch.CodePage);
        Assert.True(memory.IsGuarded(Frame));
        memory.RemoveWatch(Frame, Watch.CodePage);
        memory.RemoveWriter(Frame);
        Assert.False(memory.IsGuarded(Frame));
        memory.RemoveWriter(Frame);
        Assert.True(memory.IsGuarded(Frame));
    }

    [Fact]
    public void Version_moves_when_a_frame_is_guarded_no_more()
    {
        uint version = memory.Versions[Frame];
        memory.AddWriter(Frame);
        Assert.Equal(++version, memory.Versions[Frame]);
        memory.AddWriter(Frame);
        memory.RemoveWriter(Frame);
        Assert.Equal(version, memory.Versions[Frame]);

        // Watched: the writer is stopped, and what was decoded lasts until the watch ends.
        memory.AddWatch(Frame, Watch.PlainCode);
        memory.AddWriter(Frame);
        Assert.Equal(version, memory.Versions[Frame]);
        memory.RemoveWatch(Frame, Watch.PlainCode);
        Assert.Equal(++version, memory.Versions[Frame]);
    }

    public void Dispose()
    {
        memory.Dispose();
        NativeMemory.AlignedFree(block);
    }
}
