using System.Runtime.InteropServices;

namespace Plexus.Cpu.Native;

/// <summary>
/// The start of the region that the container and this process talk through; above 4 GiB in the container, so 32-bit code cannot reach it.
/// After it come the signal stack and the slots. The container is assumed to belong to the guest: nothing read from here is more than a number.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = Size)]
internal struct ControlBlock
{
    public const int Size = 0x1000;

    /// <summary>The signal stack; a frame with AVX-512 state has less than 4 KiB.</summary>
    public const int SignalStack = Size, SignalStackSize = 0x1_0000;

    /// <summary>The first slot.</summary>
    public const int Slots = SignalStack + SignalStackSize;

    /// <summary>Where the block is in the container.</summary>
    public const ulong Address = 0x1_5000_0000;

    public const int TurnAt = 0, StageAt = 4, ErrorAt = 8, IndexAt = 12, EndAt = 16, TickAt = 20, StrayAt = 24, SelectorAt = 48, Code32At = 56;

    public const int StackDescription = 0x100, Action = 0x120, Timer = 0x140, Limits = 0x160, CodeSegment = 0x180, FilterDescription = 0x1C0, Name = 0x1D0, Filter = 0x200, FilterLength = 0x200;

    /// <summary>1: the container's turn; 0: the monitor's. The futex.</summary>
    [FieldOffset(TurnAt)]
    public int Turn;

    /// <summary>The step of starting up that is under way; <see cref="StartStage.Ready"/> after the last.</summary>
    [FieldOffset(StageAt)]
    public int Stage;

    /// <summary>Negative error number of the step that failed.</summary>
    [FieldOffset(ErrorAt)]
    public int Error;

    /// <summary>The slot that is running, or runs next.</summary>
    [FieldOffset(IndexAt)]
    public int Index;

    /// <summary>The slot not to run any more.</summary>
    [FieldOffset(EndAt)]
    public int End;

    /// <summary>The slot that was running at the last timer tick.</summary>
    [FieldOffset(TickAt)]
    public int Tick;

    /// <summary>A signal that did not come from guest code in its mode, 0 for none; then the rest says where it came from.</summary>
    [FieldOffset(StrayAt)]
    public int StraySignal;

    [FieldOffset(StrayAt + 4)]
    public int StrayVector;

    [FieldOffset(StrayAt + 8)]
    public ulong StrayRip;

    [FieldOffset(StrayAt + 16)]
    public int StrayCs;

    /// <summary>The code segment that slots are entered with.</summary>
    [FieldOffset(SelectorAt)]
    public ulong Selector;

    /// <summary>A selector of a 32-bit code segment that this host's processor can load, 0 for none.</summary>
    [FieldOffset(Code32At)]
    public int Code32;
}
