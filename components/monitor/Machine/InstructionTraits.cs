using Iced.Intel;

namespace Plexus.Monitor.Machine;

/// <summary>What the monitor must know of an instruction it had emulated.</summary>
internal static class InstructionTraits
{
    /// <summary>OUT and OUTS: the stable ports may have changed.</summary>
    internal static bool WritesPort(int code) => (Code)code is
        Code.Out_imm8_AL or Code.Out_imm8_AX or Code.Out_imm8_EAX or
        Code.Out_DX_AL or Code.Out_DX_AX or Code.Out_DX_EAX or
        Code.Outsb_DX_m8 or Code.Outsw_DX_m16 or Code.Outsd_DX_m32;

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
