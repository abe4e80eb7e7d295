using Iced.Intel;

namespace Plexus.Monitor.Machine;

/// <summary>What the monitor must know of an instruction it had emulated.</summary>
internal static class InstructionTraits
{
    /// <summary>It may lead somewhere that no scan has followed.</summary>
    internal static bool Lands(int code) => ((Code)code).FlowControl() is not (FlowControl.Next or FlowControl.ConditionalBranch);

    /// <summary>A near branch: it was emulated because branches are virtualised, and a basic block begins where it leads.</summary>
    internal static bool IsNearBranch(int code) => ((Code)code).IsJccShortOrNear() || ((Code)code).FlowControl() switch
    {
        FlowControl.UnconditionalBranch or FlowControl.IndirectBranch => !((Code)code).IsJmpFar() && !((Code)code).IsJmpFarIndirect(),
        FlowControl.ConditionalBranch => true,
        FlowControl.Call or FlowControl.IndirectCall => ((Code)code).IsCallNear() || ((Code)code).IsCallNearIndirect(),
        FlowControl.Return => ((Code)code).Mnemonic() == Mnemonic.Ret,
        _ => false,
    };
}
