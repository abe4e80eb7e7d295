using Iced.Intel;

namespace Plexus.Cpu.Processor;

/// <summary>
/// Iced <c>Code</c> → handler of system and rare instructions. Each family file registers its own.
/// Contract of a handler: on entry <c>V->Eip</c> is the instruction's EIP, <c>NextEip</c> the one that follows, <c>V->Retired</c> is exact (without this instruction).
/// It either faults (FaultPending set, no visible change) or completes; to transfer control it sets <c>NextEip</c>.
/// The core then commits <c>V->Eip = NextEip</c> and counts the instruction. The block always ends after a handler that was registered with <c>On</c>.
/// </summary>
internal sealed unsafe class HandlerTable
{
    private readonly nint[] handlers = new nint[Enum.GetValues<Code>().Length];
    private readonly bool[] straight = new bool[Enum.GetValues<Code>().Length];

    /// <summary>Registers a handler after which the block ends (anything that changes mode, segments, flags IF/TF, paging, or does I/O).</summary>
    public void On(Code code, delegate*<X86Processor, DecodedOp*, void> handler) => Set(code, handler, false);

    /// <summary>Registers a handler for several codes.</summary>
    public void On(ReadOnlySpan<Code> codes, delegate*<X86Processor, DecodedOp*, void> handler)
    {
        foreach (Code code in codes)
            Set(code, handler, false);
    }

    /// <summary>Registers a handler that changes only general registers, arithmetic flags and memory: the block goes on.</summary>
    public void Straight(Code code, delegate*<X86Processor, DecodedOp*, void> handler) => Set(code, handler, true);

    /// <summary>Registers a straight handler for several codes.</summary>
    public void Straight(ReadOnlySpan<Code> codes, delegate*<X86Processor, DecodedOp*, void> handler)
    {
        foreach (Code code in codes)
            Set(code, handler, true);
    }

    /// <summary>The handler, or null.</summary>
    public delegate*<X86Processor, DecodedOp*, void> this[Code code] => (delegate*<X86Processor, DecodedOp*, void>)handlers[(int)code];

    /// <summary>True when the block goes on after the handler.</summary>
    public bool IsStraight(Code code) => straight[(int)code];

    private void Set(Code code, delegate*<X86Processor, DecodedOp*, void> handler, bool isStraight)
    {
        if (handlers[(int)code] != 0)
            throw new InvalidOperationException($"{code} is registered twice");
        handlers[(int)code] = (nint)handler;
        straight[(int)code] = isStraight;
    }
}
