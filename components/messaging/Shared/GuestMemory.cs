using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Plexus.Messaging.Shared;

/// <summary>
/// Memory the host creates and grants to components: guest RAM, memory of devices (ROM, video memory), then a private arena of frames for code pages,
/// stubs and virtual CPU pages. Frames (4096 bytes) of all share one numbering: RAM, devices, arena.
/// Every writer of guest memory honours the <see cref="Watch"/> bits: see <see cref="NoteWrite"/>.
/// </summary>
/// <remarks>unsafe: the block is native memory of fixed size, allocated once and freed by <see cref="Dispose"/>; all span accessors are bounds-checked by construction of the span.</remarks>
public sealed unsafe partial class GuestMemory : IDisposable
{
    /// <summary>Bytes in a frame.</summary>
    public const int FrameSize = 4096;

    /// <summary>What was allocated: zero pages that the host provides when they are touched; null where the caller brought them.</summary>
    private readonly byte* allocation;
    private readonly byte* block;
    private readonly byte* watch;
    private readonly uint* versions;
    private readonly ulong* decoded;
    private readonly byte* weights;
    private readonly int[] writers;
    private readonly uint[] hits;
    private readonly bool[] isHit;
    private int hitCount;
    private uint nextArena;
    private readonly Stack<uint> freeArena = new();
    private bool disposed;

    /// <summary>Allocates zeroed memory.</summary>
    /// <param name="ramSize">Guest RAM in bytes; a multiple of 4096.</param>
    /// <param name="arenaFrames">Frames of the private arena.</param>
    /// <param name="deviceFrames">Frames that devices may take as ROM or video memory.</param>
    public GuestMemory(uint ramSize, uint arenaFrames = 4096, uint deviceFrames = 0)
        : this(ramSize, arenaFrames, deviceFrames, null)
    {
    }

    /// <summary>Takes memory of the caller's, which others may write as well.</summary>
    /// <param name="ramSize">Guest RAM in bytes; a multiple of 4096.</param>
    /// <param name="arenaFrames">Frames of the private arena.</param>
    /// <param name="deviceFrames">Frames that devices may take as ROM or video memory.</param>
    /// <param name="memory">Zeroed, page-aligned, of <see cref="SizeOf"/> bytes, outlives this object; null to allocate.</param>
    public GuestMemory(uint ramSize, uint arenaFrames, uint deviceFrames, byte* memory)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(ramSize % FrameSize, 0u);
        RamSize = ramSize;
        RamFrames = ramSize / FrameSize;
        DeviceFrames = deviceFrames;
        GuestFrames = RamFrames + deviceFrames;
        ArenaFrames = arenaFrames;
        nuint size = (nuint)SizeOf(ramSize, arenaFrames, deviceFrames);
        IsShared = memory != null;
        allocation = memory == null ? (byte*)NativeMemory.AllocZeroed(size + FrameSize) : null;
        block = memory == null ? (byte*)(((nuint)allocation + FrameSize - 1) & ~(nuint)(FrameSize - 1)) : memory;
        uint frames = GuestFrames + arenaFrames;
        watch = (byte*)NativeMemory.AllocZeroed(frames);
        versions = (uint*)NativeMemory.AllocZeroed(frames, sizeof(uint));
        decoded = (ulong*)NativeMemory.AllocZeroed(frames, sizeof(ulong));
        weights = (byte*)NativeMemory.Alloc((nuint)arenaFrames * FrameSize);
        new Span<byte>(weights, checked((int)(arenaFrames * FrameSize))).Fill(1);
        writers = new int[frames];
        hits = new uint[frames];
        isHit = new bool[frames];
        nextArena = GuestFrames;
        MapReads(0, 0, RamFrames);
        MapWrites(0, 0, RamFrames);
    }

    /// <summary>Bytes that a memory takes.</summary>
    public static long SizeOf(uint ramSize, uint arenaFrames, uint deviceFrames) => ((long)(ramSize / FrameSize) + deviceFrames + arenaFrames) * FrameSize;

    /// <summary>Guest code on the host's processor writes it, too, without a word: what was read of pages that it may write does not last.</summary>
    public bool IsShared { get; }

    /// <summary>Guest RAM in bytes.</summary>
    public uint RamSize { get; }

    /// <summary>Guest RAM in frames.</summary>
    public uint RamFrames { get; }

    /// <summary>Frames for ROM and video memory, numbered after RAM.</summary>
    public uint DeviceFrames { get; }

    /// <summary>RAM and device frames; the arena begins at this frame number.</summary>
    public uint GuestFrames { get; }

    /// <summary>Frames in the arena.</summary>
    public uint ArenaFrames { get; }

    /// <summary>Address of frame 0. Frame f lies at <c>Base + f * 4096</c>.</summary>
    public byte* Base => block;

    /// <summary>One byte of <see cref="Watch"/> bits per frame.</summary>
    public byte* WatchBits => watch;

    /// <summary>One counter per frame, raised whenever bytes of the frame that were decoded are written. Decode caches compare it.</summary>
    public uint* Versions => versions;

    /// <summary>Per frame, a bit per 64-byte chunk that holds decoded instructions (set by decode caches together with <see cref="Watch.Decoded"/>).</summary>
    public ulong* DecodedChunks => decoded;

    /// <summary>Retire weights of arena bytes (arena frame-relative): guest instructions that an instruction beginning there stands for; 1 unless set otherwise.</summary>
    public byte* RetireWeights => weights;

    /// <summary>The 4096 bytes of a frame. Writing through it does not honour watch bits: use <see cref="WritePhysical"/> for guest RAM and call <see cref="NoteWrite"/> after writing arena frames.</summary>
    public Span<byte> Frame(uint frame)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(frame, GuestFrames + ArenaFrames);
        return new Span<byte>(block + ((nuint)frame * FrameSize), FrameSize);
    }

    /// <summary>The retire weights of an arena frame's 4096 bytes.</summary>
    public Span<byte> Weights(uint arenaFrame)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(arenaFrame, GuestFrames);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(arenaFrame, GuestFrames + ArenaFrames);
        return new Span<byte>(weights + ((nuint)(arenaFrame - GuestFrames) * FrameSize), FrameSize);
    }

    /// <summary>All guest RAM.</summary>
    public Span<byte> Ram => new(block, checked((int)RamSize));

    /// <summary>Takes a zeroed arena frame with weights 1.</summary>
    /// <returns>The frame number, or <see cref="uint.MaxValue"/> when the arena is exhausted.</returns>
    public uint AllocateArenaFrame()
    {
        uint frame;
        if (!freeArena.TryPop(out frame))
        {
            if (nextArena >= GuestFrames + ArenaFrames)
                return uint.MaxValue;
            frame = nextArena++;
        }

        Frame(frame).Clear();
        Weights(frame).Fill(1);
        return frame;
    }

    /// <summary>Gives an arena frame back.</summary>
    public void FreeArenaFrame(uint frame)
    {
        NoteWrite(frame, 0, FrameSize);
        freeArena.Push(frame);
    }

    /// <summary>Adds watch bits to a frame. Takes effect at the next write; cached write translations are dropped through <see cref="WatchGeneration"/>.</summary>
    public void AddWatch(uint frame, Watch bits)
    {
        if ((watch[frame] & (byte)bits) == (byte)bits)
            return;
        watch[frame] |= (byte)bits;
        WatchGeneration++;
    }

    /// <summary>The watch bits of a frame.</summary>
    public Watch WatchOf(uint frame)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(frame, GuestFrames + ArenaFrames);
        return (Watch)watch[frame];
    }

    /// <summary>Removes watch bits from a frame. Of shared memory, what was decoded of it is void when the last of <see cref="Watch.CodePage"/> and <see cref="Watch.PlainCode"/> goes: writes to it pass without a word from now on.</summary>
    public void RemoveWatch(uint frame, Watch bits)
    {
        bool wasGuarded = IsGuarded(frame);
        watch[frame] &= (byte)~(byte)bits;
        VoidUnlessGuarded(frame, wasGuarded);
    }

    /// <summary>Nobody writes the frame without a word: guest code runs in it, on whatever processor, or guest code on the host's processor has it nowhere with the right to write.</summary>
    public bool IsGuarded(uint frame) => (watch[frame] & (byte)(Watch.CodePage | Watch.PlainCode)) != 0 || writers[frame] == 0;

    /// <summary>Guest code on the host's processor has the frame at one more place with the right to write. Of shared memory, what was decoded of it is void with the first, unless the frame is watched.</summary>
    public void AddWriter(uint frame)
    {
        bool wasGuarded = IsGuarded(frame);
        writers[frame]++;
        VoidUnlessGuarded(frame, wasGuarded);
    }

    /// <summary>The right to write is gone from one place.</summary>
    public void RemoveWriter(uint frame) => writers[frame]--;

    /// <summary>Of shared memory, what was decoded of a frame lasts as long as nobody writes it without a word.</summary>
    private void VoidUnlessGuarded(uint frame, bool wasGuarded)
    {
        if (IsShared && wasGuarded && !IsGuarded(frame))
            versions[frame]++;
    }

    /// <summary>Raised whenever a watch bit is added: translation caches that hold a writable shortcut to a frame must be revalidated when it changes.</summary>
    public uint WatchGeneration { get; private set; }

    /// <summary>Every writer calls this when it is about to write, or has just written, bytes of a frame whose watch byte is not zero (calling it for others is harmless): raises the version when decoded bytes are hit, and latches the frame for the monitor when it backs a code page or a page table.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="offset">First byte.</param>
    /// <param name="length">Bytes, within the frame.</param>
    /// <returns>True when decoded bytes were hit: an executing block must be left after the current instruction.</returns>
    public bool NoteWrite(uint frame, int offset, int length)
    {
        byte bits = watch[frame];
        if (bits == 0)
            return false;
        if ((bits & (byte)(Watch.CodePage | Watch.PlainCode | Watch.PageTable)) != 0 && !isHit[frame])
        {
            isHit[frame] = true;
            hits[hitCount++] = frame;
        }

        if ((bits & (byte)Watch.Decoded) == 0)
            return false;
        int first = offset >> 6;
        int last = (offset + length - 1) >> 6;
        ulong mask = (ulong.MaxValue << first) & (ulong.MaxValue >> (63 - last));
        if ((decoded[frame] & mask) == 0)
            return false;
        versions[frame]++;
        decoded[frame] = 0;
        watch[frame] &= unchecked((byte)~(byte)Watch.Decoded);
        return true;
    }

    /// <summary>True when <see cref="TryTakeHit"/> would give a frame.</summary>
    public bool HasHits => hitCount != 0;

    /// <summary>Takes one latched frame: a watched frame that was written. The monitor drains these before guest code runs deprivileged again.</summary>
    public bool TryTakeHit(out uint frame)
    {
        if (hitCount == 0)
        {
            frame = 0;
            return false;
        }

        frame = hits[--hitCount];
        isHit[frame] = false;
        return true;
    }

    /// <summary>A frame as memory that messages can carry.</summary>
    public ReadOnlyMemory<byte> FrameMemory(uint frame)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(frame, GuestFrames + ArenaFrames);
        return new FrameManager(block + ((nuint)frame * FrameSize)).Memory;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (disposed)
            return;
        disposed = true;
        NativeMemory.Free(allocation);
        NativeMemory.Free(watch);
        NativeMemory.Free(versions);
        NativeMemory.Free(decoded);
        NativeMemory.Free(weights);
        FreeMap();
    }

    /// <summary>unsafe: wraps a frame of the block above, which outlives every message of the machine.</summary>
    private sealed class FrameManager(byte* address) : MemoryManager<byte>
    {
        private readonly byte* address = address;

        public override Span<byte> GetSpan() => new(address, FrameSize);

        public override MemoryHandle Pin(int elementIndex = 0) => new(address + elementIndex);

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}
