namespace Plexus.Messaging.Contracts.Prescan;

/// <summary>How an instruction passes control.</summary>
public enum FlowKind
{
    /// <summary>To the next instruction.</summary>
    Next = 0,

    /// <summary>Near direct jump.</summary>
    Jump = 1,

    /// <summary>Near conditional jump, LOOP, JECXZ.</summary>
    Conditional = 2,

    /// <summary>Near direct call.</summary>
    Call = 3,

    /// <summary>Near return, or an indirect jump.</summary>
    Computed = 4,

    /// <summary>Near indirect call: computed, but also continues.</summary>
    ComputedCall = 5,

    /// <summary>Anything that ends the stream otherwise (sensitive transfers, invalid bytes).</summary>
    End = 6,
}
