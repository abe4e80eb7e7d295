using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

// PLACEHOLDER SIGNATURES of the system half: replace this file by the real ones, keeping the signatures.
internal sealed unsafe partial class X86Processor
{
    /// <summary>Loads a segment register (MOV/POP Sreg, LxS): protected-mode checks, or real-mode base.</summary>
    public bool LoadSegment(SegmentIndex segment, ushort selector) => throw new NotImplementedException();

    /// <summary>JMP far: sets CS and <see cref="NextEip"/>.</summary>
    public bool FarJump(ushort selector, uint offset, int operandBits) => throw new NotImplementedException();

    /// <summary>CALL far: pushes CS and <see cref="NextEip"/>, then sets them.</summary>
    public bool FarCall(ushort selector, uint offset, int operandBits) => throw new NotImplementedException();

    /// <summary>RETF.</summary>
    public bool FarReturn(uint extraBytes, int operandBits) => throw new NotImplementedException();

    /// <summary>IRET.</summary>
    public bool InterruptReturn(int operandBits) => throw new NotImplementedException();

    /// <summary>One delivery attempt: pushes EFLAGS, CS, <see cref="NextEip"/> and the error code, sets <see cref="NextEip"/> to the handler. A nested fault is signalled by FaultPending and leaves no change.</summary>
    public bool DeliverInterrupt(byte vector, InterruptKind kind, bool hasError, uint error) => throw new NotImplementedException();

    /// <summary>Delivery with #DF and shutdown (SDM vol. 3, 6.15). Stores <paramref name="linear"/> into CR2 for #PF. Uses and sets <see cref="NextEip"/> like <see cref="DeliverInterrupt"/>.</summary>
    public DeliverKind DeliverWithEscalation(byte vector, InterruptKind kind, bool hasError, uint error, uint linear) => throw new NotImplementedException();

    /// <summary>Power-on or RESET# state of the vCPU block.</summary>
    public void ResetState(bool cold) => throw new NotImplementedException();
}
