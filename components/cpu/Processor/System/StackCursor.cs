using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <summary>A stack that is worked on before anything is committed: the current one, or an inner ring's from the TSS.</summary>
internal struct StackCursor
{
    /// <summary>The stack segment.</summary>
    public SegmentRegister Segment;

    /// <summary>The stack pointer so far.</summary>
    public uint Esp;

    /// <summary>FFFFFFFFh for a 32-bit stack (SS.B), else FFFFh.</summary>
    public uint Mask;

    /// <summary>Accesses are checked as CPL 3.</summary>
    public bool IsUser;
}
