using Iced.Intel;

namespace Plexus.Handlers.Families;

/// <summary>IN, OUT, INS and OUTS that the virtual CPU pages cannot answer: a planted CALL leads to a handler that enters ring 0 at once.</summary>
internal sealed class PortDeferral : IHandler
{
    /// <inheritdoc/>
    public bool Handles(in Instruction instruction) => instruction.Mnemonic
        is Mnemonic.In or Mnemonic.Out
        or Mnemonic.Insb or Mnemonic.Insw or Mnemonic.Insd
        or Mnemonic.Outsb or Mnemonic.Outsw or Mnemonic.Outsd;

    /// <inheritdoc/>
    public void Write(StubCode code, in Instruction instruction, uint recordId) => code.Defer();
}
