using Iced.Intel;

namespace Plexus.Handlers;

/// <summary>Ring-3 code for a family of sensitive instructions.</summary>
internal interface IHandler
{
    /// <summary>Whether this form of the instruction can be emulated in ring 3. Its operands may still make it defer at run time.</summary>
    bool Handles(in Instruction instruction);

    /// <summary>Whether control can go on behind the code that stands for the instruction.</summary>
    bool FallsThrough(in Instruction instruction) => true;

    /// <summary>Writes the code that emulates the instruction, or defers to ring 0 where it must, with the trace record.</summary>
    void Write(StubCode code, in Instruction instruction, uint recordId);
}
